"""The log grows in event time order, each row once, whatever happens to the process."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from driftwatch.demo.flights import load_flights
from driftwatch.demo.log import build_log, logged_until, replay

DAY = timedelta(days=1)
START = datetime(2013, 1, 1, tzinfo=UTC)
STORM = datetime(2013, 2, 9, tzinfo=UTC)


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM flights ORDER BY rowid").fetchall()


def test_history_is_built_once(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "flights.db"
    expected = int((load_flights()["scheduled_at"] < "2013-01-03").sum())
    assert build_log(path, START + 2 * DAY) == expected
    assert build_log(path, START + 2 * DAY) == 0
    assert build_log(path, START + 3 * DAY) > 0
    times = [str(row[1]) for row in rows(path)]
    assert times == sorted(times)
    assert times[-1] < "2013-01-04 00:00:00"


def test_the_whole_year_comes_in_within_seconds(tmp_path: Path) -> None:
    path = tmp_path / "flights.db"
    began = time.monotonic()
    assert build_log(path, datetime(2014, 2, 1, tzinfo=UTC)) == 336_776
    assert time.monotonic() - began < 20
    assert build_log(path, datetime(2014, 3, 1, tzinfo=UTC)) == 0


def test_rows_are_those_of_the_data_set_with_null_for_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "flights.db"
    replay(path, STORM, STORM + DAY)
    flights = load_flights()
    wanted = flights[flights["scheduled_at"].between("2013-02-09", "2013-02-10", "left")]
    found = rows(path)
    names = ["scheduled_at", "carrier", "origin", "dest", "distance"]
    assert [(row[1], *row[3:7]) for row in found] == list(
        wanted[names].itertuples(index=False, name=None)
    )
    cancelled = [row[2] is None for row in found]
    assert cancelled == wanted["dep_delay"].isna().tolist()
    assert all(isinstance(row[2], float) for row in found if row[2] is not None)
    assert all(0 < float(str(row[7])) < 1 for row in found)


def test_replay_is_half_open_and_meets_itself(tmp_path: Path) -> None:
    """One minute that has flights: they come with the interval that starts there."""
    whole, pieces = tmp_path / "whole.db", tmp_path / "pieces.db"
    noon = datetime(2013, 1, 2, 12, 0, tzinfo=UTC)
    assert replay(whole, noon - DAY, noon + DAY) > 0
    before = replay(pieces, noon - DAY, noon)
    after = replay(pieces, noon, noon + DAY)
    assert before + after == len(rows(whole))
    assert rows(pieces) == rows(whole)
    assert sum(str(row[1]) == "2013-01-02 12:00:00" for row in rows(pieces)[before:]) > 0


def test_an_overlap_adds_only_what_was_not_there(tmp_path: Path) -> None:
    path = tmp_path / "flights.db"
    build_log(path, START + 2 * DAY)
    added = replay(path, START + DAY, START + 3 * DAY)
    expected = tmp_path / "expected.db"
    build_log(expected, START + 3 * DAY)
    assert added == len(rows(expected)) - int((load_flights()["scheduled_at"] < "2013-01-03").sum())
    assert rows(path) == rows(expected)


def test_a_moment_between_two_seconds_counts_every_row_before_it(tmp_path: Path) -> None:
    path = tmp_path / "flights.db"
    on_the_minute = datetime(2013, 1, 2, 12, 0, tzinfo=UTC)
    build_log(path, on_the_minute + timedelta(microseconds=1))
    assert logged_until(path) == on_the_minute


def test_how_far_the_log_is(tmp_path: Path) -> None:
    path = tmp_path / "flights.db"
    assert logged_until(path) is None
    assert not path.exists()
    build_log(path, START)
    assert logged_until(path) is None
    build_log(path, datetime(2013, 1, 1, 10, 16, tzinfo=UTC))
    assert logged_until(path) == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_moments_must_be_utc(tmp_path: Path, zone: timezone | None) -> None:
    moment = datetime(2013, 1, 2, tzinfo=zone)
    with pytest.raises(ValueError, match="UTC"):
        build_log(tmp_path / "flights.db", moment)
    with pytest.raises(ValueError, match="UTC"):
        replay(tmp_path / "flights.db", moment, moment + DAY)


def test_the_time_column_has_an_index_that_serves_it(tmp_path: Path) -> None:
    path = tmp_path / "flights.db"
    build_log(path, START + DAY)
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM flights WHERE scheduled_at >= ?", ("2013",)
        ).fetchall()
    assert "flights_scheduled_at" in str(plan)


_REPLAY_BY_HOURS = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from driftwatch.demo.log import logged_until, replay
path, moment = Path(sys.argv[1]), datetime(2013, 1, 1, tzinfo=UTC)
replay(path, moment, moment + timedelta(hours=11))
print("started", flush=True)
while moment < datetime(2013, 12, 31, tzinfo=UTC):
    moment += timedelta(hours=1)
    replay(path, moment, moment + timedelta(hours=1))
"""


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.5])
def test_killed_in_the_middle_and_resumed_nothing_is_doubled_or_lost(
    tmp_path: Path, seconds: float
) -> None:
    path, expected = tmp_path / "flights.db", tmp_path / "expected.db"
    command = [sys.executable, "-c", _REPLAY_BY_HOURS, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
    newest = logged_until(path)
    assert newest is not None
    replay(path, newest, newest + DAY)
    build_log(expected, newest + DAY)
    assert rows(path) == rows(expected)
