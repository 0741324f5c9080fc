"""`driftwatch demo` as a process: stopped, started again, started twice, to the year's end."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.store import alerts, results
from driftwatch.store.engine import Store, open_store
from tests.servers.parts import free_port

PROGRAM = [sys.executable, "-c", "from driftwatch.cli import main; main()", "demo"]
STORM_ENDS = datetime(2013, 2, 10, tzinfo=UTC)
FLIGHTS = 336_776
WITHIN_SECONDS = 60.0


class Demo:
    """A running demo and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", told: Path) -> None:
        self.process = process
        self._told = told

    def said(self) -> str:
        return self._told.read_text("utf-8")

    def wait_for(self, text: str) -> None:
        _wait(lambda: text in self.said() or self.process.poll() is not None)
        assert text in self.said(), self.said()

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def demo(folder: Path, *words: str) -> Iterator[Demo]:
    told = folder.parent / f"said-{time.monotonic_ns()}"
    listen = f"127.0.0.1:{free_port()}"
    command = [*PROGRAM, "--folder", str(folder), "--listen", listen, *words]
    with told.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield Demo(process, told)
        finally:
            process.kill()


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not until():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


class Year(NamedTuple):
    """What four starts on one folder said: interrupted, refused, continued to the year's end, and
    once more after it."""

    begun: str
    refused: str
    again: str
    after: str
    folder: Path


pytestmark = pytest.mark.xdist_group("year")  # one worker makes the year for all of them


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    folder = tmp_path_factory.mktemp("demo") / "a folder"
    with demo(folder, "--seconds-per-day", "1") as first:
        first.wait_for("Tue 03 Dec")
        with demo(folder) as second:
            assert second.process.wait(30) == 1
            refused = second.said()
        assert first.process.poll() is None, "a second demo does it no harm"
        assert first.stop(signal.SIGINT) == 0
        begun = first.said()
    with demo(folder, "--seconds-per-day", "0.2") as again:
        again.wait_for("The year is over")
        assert again.stop(signal.SIGTERM) == 0
        continued = again.said()
    with demo(folder) as last:
        last.wait_for("The year is over")
        assert last.stop(signal.SIGINT) == 0
        return Year(begun, refused, continued, last.said(), folder)


@pytest.fixture
def store(year: Year) -> Iterator[Store]:
    found = open_store(f"sqlite:///{year.folder}/store.db")
    yield found
    found.close()


def test_it_says_what_is_watched_and_what_drifted(year: Year) -> None:
    begun = year.begun
    assert "http://127.0.0.1:" in begun
    assert "p_late, dep_delay, carrier, origin, dest, distance" in begun
    assert "judged 333 days" in begun
    (storm,) = [line for line in begun.splitlines() if "FIRING" in line and "Feb" in line]
    assert storm.startswith("  Sun 10 Feb 00:00Z  FIRING critical")
    assert "dep_delay" in storm
    assert "70 % missing" in storm
    assert "Tue 12 Feb 00:00Z  resolved" in begun
    assert "Sun 01 Dec    955 flights  ok" in begun
    assert begun.count("\x1b") == 0


def test_alerts_say_how_they_are_dated(year: Year) -> None:
    """The storm's second day is 9 February; its window ends with it."""
    (title,) = [line for line in year.begun.splitlines() if line.startswith("Alerts")]
    assert title == "Alerts (dated by the end of the day that decided):"


def test_the_first_lines_come_before_the_daemon(year: Year) -> None:
    for said, line in (
        (year.begun, "Writing the log of January to November ..."),
        (year.again, "Continuing on "),
        (year.after, "Continuing on 01 January 2014, where it stopped ..."),
    ):
        assert said.splitlines()[0].startswith("driftwatch demo: ")
        assert said.splitlines()[1].startswith(line)


def test_after_the_years_end_nothing_is_announced(year: Year) -> None:
    assert "Now the rest of the year" in year.begun
    assert "Now the rest of the year" in year.again
    assert "Now the rest of the year" not in year.after
    assert "The year is over" in year.after


def test_ctrl_c_stops_in_order_and_a_second_start_continues(
    year: Year,
) -> None:
    begun, again = year.begun, year.again
    assert "Stopping." in begun.splitlines()[-3:], "a day that was begun is ended"
    assert begun.splitlines()[-1].startswith("Stopped on ")
    assert "Continuing on " in again
    assert "judged 333 days" not in again, "nothing is judged twice"
    assert "Sun 29 Dec    863 flights  ok" in again
    assert "Tue 31 Dec    844 flights  warning   distance: effect" in again, "holiday schedules"
    assert "Traceback" not in begun + again


def test_a_second_demo_in_the_folder_is_refused(year: Year) -> None:
    assert year.refused.startswith(
        f"another demo runs in the folder {year.folder}; stop it, or choose"
    )
    assert len(year.refused.splitlines()) == 1


def test_the_storm_fires_and_a_handful_of_others_at_most(store: Store) -> None:
    with store.read() as connection:
        events = alerts.events(connection, "delay-model", since=datetime(2013, 1, 1, tzinfo=UTC))
    fired = [one for one in events if one.to_state is AlertState.FIRING]
    storm = [one for one in fired if one.window_end == STORM_ENDS]
    assert [(one.key.feature, one.key.kind) for one in storm] == [("dep_delay", AlertKind.DRIFT)]
    assert len(fired) - len(storm) <= 5


def test_every_day_is_judged_once_over_every_row(store: Store, year: Year) -> None:
    since = datetime(2012, 12, 31, tzinfo=UTC)
    with store.read() as connection:
        found = results.history(connection, "delay-model", "dep_delay", 86_400, since)
    assert len({one.row.window_end for one in found}) == len(found) == 364
    # What is scheduled before the second day or after the last midnight, in UTC, is in no window.
    assert FLIGHTS - 2000 < sum(one.row.rows for one in found) <= FLIGHTS
    with closing(sqlite3.connect(year.folder / "log.db")) as log:
        (rows,) = log.execute("SELECT count(*) FROM flights").fetchone()
        (before,) = log.execute(
            "SELECT count(*) FROM flights WHERE scheduled_at >= '2013-01-02 00:00:00' "
            "AND scheduled_at < '2014-01-01 00:00:00'"
        ).fetchone()
    assert sum(one.row.rows for one in found) == before
    assert rows <= FLIGHTS


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415 - here alone

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo(tmp_path / "demo", "--listen", f"127.0.0.1:{port}") as found:
            assert found.process.wait(30) == 1
            said = found.said()
    assert f"cannot listen on 127.0.0.1 port {port}" in said
    assert "--listen of the demo" in said
    assert "Traceback" not in said
