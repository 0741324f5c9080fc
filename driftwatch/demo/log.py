"""The demo's log: a table `flights` in an embedded SQLite store that grows in event time order.

What is already there follows from the table alone: the row of the data set at position i has
id i + 1. Each call is one transaction, so a process may be killed at any moment; the next call
continues where the table ends, and nothing is doubled.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from math import isnan
from pathlib import Path

import numpy as np
import numpy.typing as npt

from driftwatch.demo.flights import load_flights
from driftwatch.demo.model import load_model, p_late
from driftwatch.window import Interval

TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S"

_CREATE = """
CREATE TABLE IF NOT EXISTS flights (
    id INTEGER PRIMARY KEY,
    scheduled_at TEXT NOT NULL,
    dep_delay REAL,
    carrier TEXT NOT NULL,
    origin TEXT NOT NULL,
    dest TEXT NOT NULL,
    distance INTEGER NOT NULL,
    p_late REAL NOT NULL
)"""
_HAS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'flights'"
_INDEX = "CREATE INDEX IF NOT EXISTS flights_scheduled_at ON flights (scheduled_at)"
_COUNT = "SELECT count(*) FROM flights WHERE id > ? AND id <= ?"
_INSERT = "INSERT OR IGNORE INTO flights VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class _Log:
    """The whole log as it will have been written when the year is over."""

    scheduled_at: npt.NDArray[np.str_]
    rows: list[tuple[object, ...]]

    def position(self, moment: datetime) -> int:
        """How many rows are scheduled before `moment`, which is aware and UTC."""
        if moment.tzinfo is None or moment.utcoffset() != timedelta(0):
            raise ValueError(f"{moment!r} is not UTC; moments are aware and UTC")
        # Rows are on whole minutes; a moment inside a second must not lose that second's rows.
        if moment.microsecond:
            moment = moment.replace(microsecond=0) + timedelta(seconds=1)
        return int(np.searchsorted(self.scheduled_at, moment.strftime(TIMESTAMP_FORMAT), "left"))


def build_log(path: Path, until: datetime) -> int:
    """Create the log if need be and bring in all rows scheduled before `until`.

    Returns how many rows were added: 0 when they were all there. ValueError unless `until` is UTC.
    """
    return _append(path, 0, _log().position(until))


def replay(path: Path, start: datetime, end: datetime) -> int:
    """Append the rows scheduled in [start, end), each once however often it is asked for.

    Returns how many rows were added. ValueError unless the moments are UTC and ascend.
    """
    interval = Interval(start, end)
    log = _log()
    return _append(path, log.position(interval.start), log.position(interval.end))


def logged_until(path: Path) -> datetime | None:
    """When the newest row of the log is scheduled; None where the log is empty or does not exist.

    >>> logged_until(Path("no-such-folder/flights.db")) is None
    True
    """
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute(_HAS_TABLE).fetchone() is None:
            return None
        (newest,) = connection.execute("SELECT max(scheduled_at) FROM flights").fetchone()
    if newest is None:
        return None
    return datetime.strptime(newest, TIMESTAMP_FORMAT).replace(tzinfo=UTC)


def _append(path: Path, first: int, last: int) -> int:
    with _write(path) as connection:
        connection.execute(_CREATE)
        connection.execute(_INDEX)
        (present,) = connection.execute(_COUNT, (first, last)).fetchone()
        if present == last - first:
            return 0
        before = connection.total_changes
        connection.executemany(_INSERT, _log().rows[first:last])
        return connection.total_changes - before


@cache
def _log() -> _Log:
    flights = load_flights()
    scheduled_at = flights["scheduled_at"]
    columns = (
        range(1, len(flights) + 1),
        scheduled_at,
        (None if isnan(delay) else delay for delay in flights["dep_delay"]),
        *(flights[name] for name in ("carrier", "origin", "dest", "distance")),
        p_late(load_model(), flights).tolist(),
    )
    return _Log(scheduled_at.to_numpy(np.str_), list(zip(*columns, strict=True)))


@contextmanager
def _write(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection in one write transaction: committed at the end, rolled back on any error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
