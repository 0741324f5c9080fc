"""The unit is what systemd takes, and the real process tells what the unit promises."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from driftwatch.daemon.schedule import HEARTBEAT_SECONDS
from driftwatch.daemon.systemd import ServiceManager
from tests.daemon.test_app import quick, running, settings_of
from tests.daemon.test_serve import _CONFIG
from tests.evaluate.log import Log, rows
from tests.evaluate.world import World
from tests.servers.parts import require_program

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "driftwatch.service"


@dataclass
class Manager:
    """A socket as systemd has it, and what came there."""

    address: str
    listening: socket.socket
    told: list[dict[str, str]] = field(default_factory=list)

    def next(self, *, seconds: float = 30) -> dict[str, str]:
        self.listening.settimeout(seconds)
        text = self.listening.recv(4096).decode()
        found = dict(line.split("=", 1) for line in text.split("\n"))
        self.told.append(found)
        return found

    def drain(self) -> None:
        """Until nothing has come for a second."""
        with suppress(TimeoutError):
            while True:
                self.next(seconds=1)


@contextmanager
def manager(address: str) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        yield Manager(address, listening)


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    name = f"@driftwatch-test-{os.getpid()}" if request.param == "abstract" else tmp_path / "s"
    with manager(str(name)) as found:
        yield found


def test_each_message(listener: Manager) -> None:
    one = ServiceManager(listener.address, 60)
    one.ready("watching 1 monitor")
    assert listener.next() == {"READY": "1", "STATUS": "watching 1 monitor"}
    one.alive()
    assert listener.next() == {"WATCHDOG": "1"}
    one.reloading()
    told = listener.next()
    assert told.keys() == {"RELOADING", "MONOTONIC_USEC", "STATUS"}
    assert told["MONOTONIC_USEC"].isdecimal()
    one.stopping()
    assert listener.next()["STOPPING"] == "1"


def test_the_variables_are_for_this_process_alone(listener: Manager) -> None:
    mine = {"NOTIFY_SOCKET": listener.address, "WATCHDOG_USEC": "30000000", "PATH": "/bin"}
    ServiceManager.of(mine).alive()
    assert listener.next() == {"WATCHDOG": "1"}
    assert mine == {"PATH": "/bin"}
    others = {"NOTIFY_SOCKET": listener.address, "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}
    not_watched = ServiceManager.of(others)
    not_watched.alive()
    not_watched.stopping()
    assert listener.next()["STOPPING"] == "1", "no sign of life was asked for"


@pytest.mark.parametrize("address", ["", "/no/such/socket", "@no-such-socket"])
def test_nobody_listens(address: str) -> None:
    ServiceManager(address, 60).ready("x")


def test_a_watchdog_that_is_too_quick_is_told(caplog: pytest.LogCaptureFixture) -> None:
    ServiceManager.of({"WATCHDOG_USEC": "3000000"})
    assert "waits 3 s for a sign of life" in caplog.text
    assert "set WatchdogSec to 30s or more" in caplog.text


def test_the_process_tells_that_it_is_ready_alive_reloading_and_stopping(
    tmp_path: Path, listener: Manager
) -> None:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    log.create()
    log.write(rows(0, 4))
    config = tmp_path / "config.yaml"
    config.write_text(
        _CONFIG.format(store=f"sqlite:///{tmp_path / 'store.db'}", grace=2, log=log.url)
    )
    command = [sys.executable, "-c", "from driftwatch.cli import main; main()", "serve"]
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": listener.address,
        "WATCHDOG_USEC": "60000000",
    }
    with subprocess.Popen([*command, "--config", str(config)], env=environment) as process:
        try:
            while sum("WATCHDOG" in one for one in listener.told) < 2:
                listener.next()
            two = config.read_text().replace("name: loan", "name: loan-2").partition("monitors:")[2]
            config.write_text(config.read_text() + two.removeprefix("\n"))
            process.send_signal(signal.SIGHUP)
            while listener.next().get("STATUS") != "watching 2 monitors":
                pass
            process.send_signal(signal.SIGTERM)
            while "STOPPING" not in listener.next():
                pass
            assert process.wait(30) == 0
        finally:
            process.kill()
    kinds = [next(iter(one)) for one in listener.told if "WATCHDOG" not in one]
    assert kinds == ["READY", "RELOADING", "READY", "STOPPING"]
    assert {"READY": "1", "STATUS": "watching 1 monitor"} in listener.told


def test_a_scheduler_that_is_stuck_gives_no_sign_of_life(world: World, listener: Manager) -> None:
    told = ServiceManager(listener.address, 60)
    with running(settings_of(world, quick(world.monitor)), on_beat=told.alive) as daemon:
        assert listener.next() == {"WATCHDOG": "1"}
        with daemon.app._scheduler._jobstores_lock:  # its loop waits for this before each job
            listener.drain()  # one may have been on its way
            with pytest.raises(TimeoutError):
                listener.next(seconds=HEARTBEAT_SECONDS + 2)
        assert listener.next() == {"WATCHDOG": "1"}, "it turns again"


# -- the unit -------------------------------------------------------------------------------------


def unit(folder: Path) -> Path:
    """The unit with every option on, and with a program in it that is there."""
    program = folder / "driftwatch"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = folder / UNIT.name
    text = UNIT.read_text().replace("/opt/driftwatch/bin/driftwatch", str(program))
    assert str(program) in text
    file.write_text(re.sub(r"^#(?=[A-Z]\w+=)", "", text, flags=re.MULTILINE))
    return file


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze", package="systemd")
    done = subprocess.run(
        [analyze, "verify", "--man=no", unit(tmp_path)], capture_output=True, text=True, check=False
    )
    own = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (done.returncode, own) == (0, [])


def test_systemd_finds_little_exposed(tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze", package="systemd")
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", unit(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (level,) = re.findall(r"exposure level for driftwatch\.service: ([\d.]+)", done.stdout)
    assert float(level) < 2
