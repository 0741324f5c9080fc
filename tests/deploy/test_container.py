"""The container file: what a linter says, and that it copies and starts what there is."""

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import yaml

TOP = Path(__file__).parents[2]
FILE = TOP / "deploy" / "Containerfile"
TEXT = re.sub(r"\\\n\s*", "", FILE.read_text())
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
FINAL = LINES[[i for i, line in enumerate(LINES) if line.startswith("FROM ")][-1] :]


def words(instruction: str, lines: list[str] = LINES) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in lines if line.startswith(instruction)]


def test_the_linter_finds_nothing() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [shutil.which(linter) or linter, FILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = {
        source
        for line in words("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    }
    assert all((TOP / one).exists() for one in copied)
    rules = [one for one in (TOP / ".dockerignore").read_text().splitlines() if one[:1] != "#"]
    assert rules[0] == "*"
    assert {one.removeprefix("!") for one in rules if one.startswith("!")} == copied


def test_nothing_of_a_data_folder_gets_in() -> None:
    rules = [one for one in (TOP / ".dockerignore").read_text().splitlines() if "**/" in one]
    for left in ("driftwatch/__pycache__", "driftwatch/a.pyc", "driftwatch.db", "x.db-wal"):
        assert any(fnmatch(left, one.removeprefix("**/")) or fnmatch(left, one) for one in rules)


def test_it_is_installed_by_hashes_and_runs_as_nobody() -> None:
    installs = [one for line in words("RUN") for one in line.split(" && ") if " install " in one]
    assert ["--require-hashes" in one or "--no-deps" in one for one in installs] == [True, True]
    assert words("USER", FINAL) == ["10001:10001"]
    pod = yaml.safe_load((TOP / "deploy/kubernetes/deployment.yaml").read_text())
    context = pod["spec"]["template"]["spec"]["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == "10001:10001"


def test_it_starts_the_program_without_a_shell() -> None:
    (entry,), (command,) = words("ENTRYPOINT", FINAL), words("CMD", FINAL)
    assert json.loads(entry) == ["/opt/driftwatch/bin/driftwatch"]
    assert json.loads(command) == ["serve", "--config", "/etc/driftwatch/config.yaml"]
