"""The peers' environments: what their locks hold, when they are built, what a script is given."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import environment
from benchmarks.peers.environment import PEERS, TELEMETRY_OFF, Peer, PeerError, python_of, run
from tests.docs.test_links import HOSTS_OF_REGISTRIES

NOTHING = Peer("nothing")

SCRIPT = """\
import json, os, sys
import numpy as np
given, found, *arguments = sys.argv[1:]
arrays = np.load(given, allow_pickle=False)
np.savez(found, doubled=2 * arrays["numbers"], words=arrays["words"],
         arguments=np.array(arguments), variables=np.array(json.dumps(dict(os.environ))))
"""


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The environments that were built; instead of installing, they run the tests' own Python."""
    built: list[Path] = []

    def build(peer: Peer, home: Path) -> None:
        built.append(home)
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (home / "bin" / "python").chmod(0o755)

    monkeypatch.setattr(environment, "LOCKS", tmp_path)
    monkeypatch.setattr(environment, "_build", build)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    NOTHING.lock.write_text("numpy==2\n")
    return built


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_lock_pins_every_package_with_hashes_and_names_no_host(peer: Peer) -> None:
    text = peer.lock.read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert len(packages) > 30
    assert all(re.match(r"[a-z0-9.-]+==\S+ .*\\$", line) for line in packages)
    assert "://" not in text
    assert HOSTS_OF_REGISTRIES.findall(text) == []
    for line in peer.lock.with_suffix(".in").read_text(encoding="utf-8").splitlines():
        assert re.search(rf"^{re.escape(re.split('[=<!]', line)[0])}==", text, re.MULTILINE)
    (pinned,) = re.findall(rf"^{peer.name}==\S+", peer.lock.with_suffix(".in").read_text(), re.M)
    assert f"{pinned} " in text


def test_alibi_detect_is_light() -> None:
    text = environment.ALIBI_DETECT.lock.read_text(encoding="utf-8")
    assert re.findall(r"^(?:torch|tensorflow)\b", text, re.MULTILINE) == []


def test_an_environment_is_built_once_per_lock(builds: list[Path]) -> None:
    first = python_of(NOTHING)
    assert python_of(NOTHING) == first
    assert len(builds) == 1
    NOTHING.lock.write_text("numpy==2.1\n")
    assert python_of(NOTHING) != first
    assert len(builds) == 2


def test_one_that_was_left_unfinished_is_built_anew(builds: list[Path]) -> None:
    home = python_of(NOTHING).parent.parent
    (home / "complete").unlink()
    (home / "half").touch()
    python_of(NOTHING)
    assert len(builds) == 2
    assert not (home / "half").exists()


def test_arrays_and_arguments_go_in_and_arrays_come_out(builds: list[Path], script: Path) -> None:
    given = {"numbers": np.array([1.5, np.nan]), "words": np.array(["a", "ä"])}
    found = run(NOTHING, script, given, ["x", "--y"])
    assert found["doubled"] == pytest.approx([3.0, np.nan], nan_ok=True)
    assert found["words"].tolist() == ["a", "ä"]
    assert found["arguments"].tolist() == ["x", "--y"]


def test_telemetry_is_off_and_nothing_of_ours_gets_in(
    builds: list[Path], script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    found = run(NOTHING, script, {"numbers": np.array([1]), "words": np.array(["a"])})
    variables = json.loads(str(found["variables"]))
    assert variables.items() >= TELEMETRY_OFF.items()
    assert {"HTTPS_PROXY", "PYTHONPATH"} & variables.keys() == set()
    assert not Path(variables["HOME"]).exists(), "what a peer writes at home is removed"


def test_what_a_script_says_before_it_fails_is_told(builds: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("raise SystemExit('no such method: xyz')")
    with pytest.raises(PeerError, match="ended with 1:\nno such method: xyz"):
        run(NOTHING, path, {})
