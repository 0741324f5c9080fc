"""The scripts under .ci say clearly what a machine lacks, and install without starting services."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent.parent / ".ci"
FIND_PYTHON, INSTALL_PARTS = SCRIPTS / "find-python.sh", SCRIPTS / "install-parts.sh"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that is all of the PATH: it holds the shell's own tools and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "mktemp", "tail", "rm", "chmod", "mkdir"):
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    return folder


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def run(script: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script, *arguments],
        env={"PATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_serves_is_found(programs: Path) -> None:
    found = run(FIND_PYTHON, programs, "no-such-python", sys.executable)
    assert (found.returncode, found.stdout) == (0, f"{sys.executable}\n")


def test_a_shim_that_runs_nothing_is_passed_over(programs: Path) -> None:
    program(programs, "python3.11", 'echo "python3.11: command not found" >&2; exit 127')
    program(programs, "python3", f'exec {sys.executable} "$@"')
    found = run(FIND_PYTHON, programs)
    assert (found.returncode, found.stdout) == (0, "python3\n")


def test_an_old_python_is_named_with_its_version(programs: Path) -> None:
    program(programs, "old", 'case "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac')
    found = run(FIND_PYTHON, programs, "old")
    assert found.returncode == 1
    assert found.stdout == ""
    assert "needs Python 3.11 or newer; found only: old (3.9)" in found.stderr


def test_a_python_without_venv_names_the_package(programs: Path) -> None:
    """Debian's python3 without python3-venv has no ensurepip."""
    program(
        programs,
        "bare",
        'case "$2" in *print*) echo 3.11 ;; *ensurepip*) exit 1 ;; *) exit 0 ;; esac',
    )
    found = run(FIND_PYTHON, programs, "bare")
    assert found.returncode == 1
    assert "bare (3.11)" in found.stderr
    assert "sudo apt-get install python3-venv" in found.stderr


def test_no_python_at_all_names_both_packages(programs: Path) -> None:
    found = run(FIND_PYTHON, programs, "no-such-python")
    assert found.returncode == 1
    assert "sudo apt-get install python3 python3-venv" in found.stderr


@pytest.fixture
def install_parts(tmp_path: Path) -> Path:
    """The script in a folder of its own, with a lock for npm, and a policy that is not Debian's."""
    script = tmp_path / "ci" / "install-parts.sh"
    (script.parent / "grafana-schema").mkdir(parents=True)
    (script.parent / "grafana-schema" / "package-lock.json").touch()
    text = INSTALL_PARTS.read_text(encoding="utf-8")
    assert "/usr/sbin/policy-rc.d" in text
    text = text.replace("/usr/sbin/policy-rc.d", str(tmp_path / "policy-rc.d"))
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script


def types_of(script: Path) -> str:
    """What `npm ci` leaves behind, as a command."""
    folder = script.parent / "grafana-schema" / "node_modules"
    return f'mkdir -p {folder} && : >{folder}/.package-lock.json && echo "$PWD $*" >>{folder}/log'


def all_but_prometheus(programs: Path, script: Path) -> None:
    for name in (
        "initdb",
        "systemd-analyze",
        "amtool",
        "prometheus-alertmanager",
        "chromium",
        "curl",
    ):
        program(programs, name, "exit 0")
    program(programs, "node", "exit 0")
    program(programs, "npm", types_of(script))


def test_somebody_who_is_not_root_is_told_what_to_install(
    programs: Path, install_parts: Path
) -> None:
    program(programs, "id", "echo 1000")
    program(programs, "apt-get", "exit 9")
    program(programs, "initdb", "exit 0")
    told = run(install_parts, programs)
    assert told.returncode == 0
    packages = "prometheus prometheus-alertmanager chromium systemd nodejs npm curl"
    assert f"sudo apt-get install {packages}\n" in told.stdout


def test_the_types_of_grafana_are_installed_once(programs: Path, install_parts: Path) -> None:
    all_but_prometheus(programs, install_parts)
    for name in ("promtool", "prometheus"):
        program(programs, name, "exit 0")
    told = run(install_parts, programs)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "Installing for the tests: the types of Grafana (once)\n"
    folder = install_parts.parent / "grafana-schema"
    assert (folder / "node_modules" / "log").read_text("utf-8") == f"{folder} ci\n"
    again = run(install_parts, programs)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", ""), "nothing is said"


def test_types_that_cannot_be_had_are_told(programs: Path, install_parts: Path) -> None:
    all_but_prometheus(programs, install_parts)
    program(programs, "npm", 'echo "npm error: no network" >&2; exit 1')
    for name in ("promtool", "prometheus"):
        program(programs, name, "exit 0")
    told = run(install_parts, programs)
    assert told.returncode == 0
    assert "no network" in told.stdout
    assert "Could not install the types of Grafana." in told.stdout


def test_root_installs_while_no_service_may_start(
    programs: Path, install_parts: Path, tmp_path: Path
) -> None:
    policy, log = tmp_path / "policy-rc.d", tmp_path / "log"
    all_but_prometheus(programs, install_parts)
    program(programs, "id", "echo 0")
    program(programs, "apt-get", f'{policy}; echo "$1 $? $*" >>{log}')
    assert run(install_parts, programs).returncode == 0
    assert [line.split()[:2] for line in log.read_text(encoding="utf-8").splitlines()] == [
        ["update", "101"],
        ["install", "101"],
    ]
    assert log.read_text(encoding="utf-8").endswith(" prometheus\n")
    assert not policy.exists()


def test_a_failed_installation_is_told_and_the_tests_go_on(
    programs: Path, install_parts: Path
) -> None:
    all_but_prometheus(programs, install_parts)
    program(programs, "id", "echo 0")
    program(programs, "apt-get", 'echo "E: no network" >&2; exit 100')
    told = run(install_parts, programs)
    assert told.returncode == 0
    assert "E: no network" in told.stdout
    assert "Could not install: prometheus" in told.stdout


@pytest.mark.parametrize("script", [FIND_PYTHON, INSTALL_PARTS, SCRIPTS / "run"])
def test_every_script_can_be_executed(script: Path) -> None:
    assert os.access(script, os.X_OK)
