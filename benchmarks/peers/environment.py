"""Runs a script of ours beside a peer, in an environment with exactly the packages of its lock.

A peer needs other versions of numpy and pandas than driftwatch, so it is never imported here: a
script gets arrays in one file and writes arrays to another. The environment is built once, in the
system's folder of temporary files, and found again as long as lock and Python stay the same.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

LOCKS = Path(__file__).parent
TELEMETRY_OFF: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",  # Evidently
    "ITERATIVE_DO_NOT_TRACK": "1",  # the library that reports for Evidently
    "EVIDENTLY_DISABLE_TELEMETRY": "1",
    "NML_DISABLE_USAGE_LOGGING": "1",  # NannyML
    "HF_HUB_OFFLINE": "1",  # transformers, which alibi-detect imports
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
_COMPLETE = "complete"

Arrays = Mapping[str, npt.NDArray[Any]]
"""Numbers, booleans and strings of fixed width; nothing that would have to be pickled."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool with its lock."""

    name: str

    @property
    def lock(self) -> Path:
        return LOCKS / f"{self.name}.lock"


EVIDENTLY, NANNYML, ALIBI_DETECT = Peer("evidently"), Peer("nannyml"), Peer("alibi-detect")
PEERS = (EVIDENTLY, NANNYML, ALIBI_DETECT)


class PeerError(RuntimeError):
    """An environment could not be built, or a script failed in it; with what was said last."""


def python_of(peer: Peer) -> Path:
    """The Python of the peer's environment, which is built where it is not there yet."""
    home = _home(peer)
    home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _held(home.with_suffix(".lock")):
        if not (home / _COMPLETE).exists():
            shutil.rmtree(home, ignore_errors=True)
            _build(peer, home)
            (home / _COMPLETE).touch()
    return home / "bin" / "python"


def run(
    peer: Peer,
    script: Path,
    arrays: Arrays,
    arguments: Sequence[str] = (),
    *,
    timeout_seconds: float = 600,
) -> dict[str, npt.NDArray[Any]]:
    """What `script INPUT.npz OUTPUT.npz ARGUMENT...` writes to OUTPUT.npz in the environment.

    PeerError where it fails; subprocess.TimeoutExpired where it takes too long.
    """
    python = python_of(peer)
    with tempfile.TemporaryDirectory(prefix="driftwatch-peer-") as name:
        folder = Path(name)
        given, found = folder / "input.npz", folder / "output.npz"
        np.savez(given, allow_pickle=False, **arrays)
        # -I: neither our own packages nor those of the user get in.
        command: list[str | Path] = [python, "-I", script.resolve(), given, found, *arguments]
        _call(command, folder, timeout_seconds, variables=_variables(folder))
        with np.load(found, allow_pickle=False) as loaded:
            return {key: loaded[key] for key in loaded}


def _home(peer: Peer) -> Path:
    """The folder of the environment: another lock or another Python is another folder."""
    key = hashlib.sha256(peer.lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"driftwatch-peers-{os.getuid()}" / f"{peer.name}-{key}"


def _build(peer: Peer, home: Path) -> None:
    _call([sys.executable, "-m", "venv", "--without-pip", home], home.parent, 120)
    # The lock is complete; --no-deps, because it leaves out what overrides.txt names.
    install = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python"]
    python = home / "bin" / "python"
    _call([sys.executable, "-m", "uv", *install, python, "-r", peer.lock], home.parent, 900)


def _call(
    command: list[str | Path],
    folder: Path,
    timeout_seconds: float,
    variables: Mapping[str, str] | None = None,
) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-20:])
        raise PeerError(f"{command[0]} ended with {done.returncode}:\n{said}")


def _variables(home: Path) -> dict[str, str]:
    """Our variables without proxies and Python's own; what a peer keeps, it keeps in `home`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and not name.lower().endswith("_proxy")
    }
    return {**kept, **TELEMETRY_OFF, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Two processes that want one environment at once build it once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
