"""A real Alertmanager, and amtool."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.parts import free_port, require_program, wait_until_ready

_PACKAGE = "prometheus-alertmanager"


@contextmanager
def alertmanager_server(config: str) -> Iterator[str]:
    """The address (host:port) of a started, ready server with this configuration, stopped at the
    end."""
    program = require_program("prometheus-alertmanager", package=_PACKAGE)
    with tempfile.TemporaryDirectory(prefix="driftwatch-alertmanager-") as name:
        folder = Path(name)
        (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
        address = f"127.0.0.1:{free_port()}"
        command = [
            str(program), f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}", f"--web.listen-address={address}",
            "--cluster.listen-address=",  # else it listens on every address
        ]  # fmt: skip
        told = folder / "log"
        with told.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as one:
            try:
                wait_until_ready(f"http://{address}/-/ready", one, told)
                yield address
            finally:
                one.terminate()


def amtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    """amtool with these arguments, whatever its exit code."""
    program = require_program("amtool", package=_PACKAGE)
    return subprocess.run(
        [str(program), *map(str, arguments)], capture_output=True, check=False, text=True
    )
