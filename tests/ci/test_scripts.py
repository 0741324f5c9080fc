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
    for tool in ("sh", "mktemp", "tail", "rm", "chmod"):
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


def test_somebody_who_is_not_root_is_told_what_to_install(programs: Path) -> None:
    program(programs, "id", "echo 1000")
    program(programs, "apt-get", "exit 9")
    program(programs, "initdb", "exit 0")
    told = run(INSTALL_PARTS, programs)
    assert told.returncode == 0
    assert "sudo apt-get install prometheus\n" in told.stdout


def test_nothing_is_said_where_all_is_there(programs: Path) -> None:
    for name in ("initdb", "promtool", "prometheus"):
        program(programs, name, "exit 0")
    told = run(INSTALL_PARTS, programs)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_root_installs_while_no_service_may_start(programs: Path, tmp_path: Path) -> None:
    policy, log = tmp_path / "policy-rc.d", tmp_path / "log"
    script = tmp_path / "install-parts.sh"
    text = INSTALL_PARTS.read_text(encoding="utf-8").replace("/usr/sbin/policy-rc.d", str(policy))
    assert str(policy) in text
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    program(programs, "id", "echo 0")
    program(programs, "initdb", "exit 0")
    program(programs, "apt-get", f'{policy}; echo "$1 $? $*" >>{log}')
    assert run(script, programs).returncode == 0
    assert [line.split()[:2] for line in log.read_text(encoding="utf-8").splitlines()] == [
        ["update", "101"],
        ["install", "101"],
    ]
    assert log.read_text(encoding="utf-8").endswith(" prometheus\n")
    assert not policy.exists()


def test_a_failed_installation_is_told_and_the_tests_go_on(programs: Path, tmp_path: Path) -> None:
    script = tmp_path / "install-parts.sh"
    text = INSTALL_PARTS.read_text(encoding="utf-8")
    script.write_text(text.replace("/usr/sbin/policy-rc.d", str(tmp_path / "p")), encoding="utf-8")
    script.chmod(0o755)
    program(programs, "id", "echo 0")
    program(programs, "initdb", "exit 0")
    program(programs, "apt-get", 'echo "E: no network" >&2; exit 100')
    told = run(script, programs)
    assert told.returncode == 0
    assert "E: no network" in told.stdout
    assert "Could not install: prometheus" in told.stdout


@pytest.mark.parametrize("script", [FIND_PYTHON, INSTALL_PARTS, SCRIPTS / "run"])
def test_every_script_can_be_executed(script: Path) -> None:
    assert os.access(script, os.X_OK)
