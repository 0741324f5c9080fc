"""Log tables for tests, in either store."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import Connection

from driftwatch.config.settings import RelationSettings, SourceSettings
from driftwatch.source import ScanColumn, ScanPlan, Source, open_source
from driftwatch.stats.axis import Axis
from driftwatch.window import Interval

DAY = datetime(2026, 3, 2, tzinfo=UTC)
TIMESTAMP_TYPE = {"sqlite": "TEXT", "postgresql": "timestamptz"}


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    """A connection of the tests' own, committed and closed at the end."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        yield connection


def run(url: str, *statements: str) -> None:
    with writing(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(
                statement if is_sqlite(url) else statement.replace("%", "%%")
            )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def create(
    url: str,
    columns: Mapping[str, str],
    rows: Sequence[Sequence[object]] = (),
    *,
    table: str = "logs",
    timestamp: str = "scored_at",
    index: bool = True,
    kind: str | None = None,
) -> None:
    """A table of a timestamp (aware datetimes, the first of each row) and these columns.

    kind: the SQL type of the timestamp, if it is another one.
    """
    sqlite = is_sqlite(url)
    kinds = {timestamp: kind or TIMESTAMP_TYPE["sqlite" if sqlite else "postgresql"], **columns}
    body = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
    place = "?" if sqlite else "%s"
    marks = ", ".join([place] * len(kinds))
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"CREATE TABLE {quoted(table)} ({body})")
        if index:
            cursor.execute(
                f"CREATE INDEX {quoted('index of ' + table)} ON {quoted(table)} "
                f"({quoted(timestamp)})"
            )
        if rows:
            name = quoted(table) if sqlite else quoted(table).replace("%", "%%")
            cursor.executemany(
                f"INSERT INTO {name} VALUES ({marks})", [_row(row, sqlite) for row in rows]
            )
        raw.commit()
    finally:
        raw.close()


def _row(row: Sequence[object], sqlite: bool) -> list[object]:
    moment, *rest = row
    if sqlite and isinstance(moment, datetime):
        return [moment.strftime("%Y-%m-%d %H:%M:%S"), *rest]
    return [moment, *rest]


def minutes(count: float) -> datetime:
    """So many minutes after midnight of the tests' day."""
    return DAY + timedelta(minutes=count)


def between(start: float, end: float) -> Interval:
    """The interval of these minutes of the tests' day."""
    return Interval(minutes(start), minutes(end))


def relation(table: str = "logs", **settings: Any) -> RelationSettings:
    values = {"schema": None, "timestamp": "scored_at", **settings}
    return RelationSettings(table, **values)


@contextmanager
def opened(url: str, *, timeout_seconds: float = 30.0, max_concurrent: int = 2) -> Iterator[Source]:
    source = open_source(
        SourceSettings("logs", url, timeout_seconds, max_concurrent=max_concurrent)
    )
    try:
        yield source
    finally:
        source.close()


def planned(
    source: Source,
    axes: Mapping[str, Axis],
    where: RelationSettings | None = None,
    *,
    pane_seconds: int = 300,
) -> ScanPlan:
    """The plan of these axes, with each column's type as it is now."""
    place = where or relation()
    info = source.inspect(place)
    columns = []
    for name, axis in axes.items():
        found = info.column(name)
        assert found is not None, name
        columns.append(ScanColumn(name, axis, found.column_type))
    return source.plan(place, info, columns, pane_seconds)
