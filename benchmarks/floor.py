"""The floor: what the store itself needs to look at the same rows once, by the same index.

`count` is SELECT count(*), count(c) of every watched column c; `max` is SELECT count(*), max(c).
Both read every value of the interval and send one row; through the driver, without SQLAlchemy.
"""

import sqlite3
import time
from collections.abc import Callable

import psycopg

from benchmarks.databases import Database, conninfo, sqlite_path
from benchmarks.load import TABLE, TIMESTAMP
from benchmarks.rows import COLUMNS
from driftwatch.window import Interval

TEXT_FORMAT = "%Y-%m-%d %H:%M:%S"
FUNCTIONS = ("count", "max")


def statement(function: str, place: str) -> str:
    """The SQL of a floor; `place` is how the driver writes a parameter.

    >>> statement("max", "?")[:44]
    'SELECT count(*), max(x00), max(x01), max(x02'
    """
    looked_at = ", ".join(f"{function}({name})" for name in COLUMNS)
    interval = f"{TIMESTAMP} >= {place} AND {TIMESTAMP} < {place}"
    return f"SELECT count(*), {looked_at} FROM {TABLE} WHERE {interval}"


class Floor:
    """The floor of one database, on one connection that stays open."""

    def __init__(self, database: Database) -> None:
        run = {"SQLite": _sqlite, "PostgreSQL": _postgres}[database.name]
        self._run, self.close = run(database.url)

    def look(self, interval: Interval, function: str) -> list[tuple[object, ...]]:
        """What the store answers: one row."""
        return self._run(interval, function)

    def seconds(self, interval: Interval, function: str) -> float:
        """Wall clock of one look at an interval."""
        begun = time.perf_counter()
        self._run(interval, function)
        return time.perf_counter() - begun


_Run = Callable[[Interval, str], list[tuple[object, ...]]]
_Close = Callable[[], None]


def _sqlite(url: str) -> tuple[_Run, _Close]:
    connection = sqlite3.connect(f"file:{sqlite_path(url)}?mode=ro", uri=True)

    def run(interval: Interval, function: str) -> list[tuple[object, ...]]:
        times = [moment.strftime(TEXT_FORMAT) for moment in (interval.start, interval.end)]
        return connection.execute(statement(function, "?"), times).fetchall()

    return run, connection.close


def _postgres(url: str) -> tuple[_Run, _Close]:
    connection = psycopg.connect(conninfo(url), autocommit=True, prepare_threshold=None)

    def run(interval: Interval, function: str) -> list[tuple[object, ...]]:
        text = statement(function, "%s").encode()
        return connection.execute(text, [interval.start, interval.end]).fetchall()

    return run, connection.close
