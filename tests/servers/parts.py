"""Finding the real parts that tests need: without one, CI fails and a laptop skips."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def require_program(name: str, *, package: str, also_in: str = "") -> Path:
    """The path of a program; where it is missing, fail in CI and skip elsewhere."""
    found = shutil.which(name)
    if found is None and also_in:
        candidates = sorted(Path("/").glob(also_in.lstrip("/") + "/" + name))
        found = str(candidates[-1]) if candidates else None
    if found is None:
        message = f"{name} is not installed; get it with: sudo apt-get install {package}"
        if in_ci():
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return Path(found).resolve()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until a server answers at this URL; AssertionError with the end of its log if it does not."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"{url} did not become ready: {log.read_text()[-2000:]}")
