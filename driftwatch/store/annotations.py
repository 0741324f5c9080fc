"""Annotations: what a person should see beside the curves. Each is noted once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import AnnotationKind
from driftwatch.store.schema import annotation as table

_KEY = ("monitor", "feature", "kind", "range_start", "range_end", "message")


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """One annotation, in event time. feature: "" for all of the monitor; end: None for what
    happened at a moment."""

    feature: str
    kind: AnnotationKind
    start: datetime
    end: datetime | None
    message: str


def note(
    connection: Connection,
    monitor: str,
    feature: str,
    kind: AnnotationKind,
    start: datetime,
    end: datetime | None,
    message: str,
    now: datetime,
) -> bool:
    """Note what happened from `start` to `end` (None: at a moment) once; returns whether it was
    new. Exclusions note theirs themselves.

    ValueError: it ends before it starts.
    """
    if end is not None and end < start:
        raise ValueError(f"an annotation ends after it starts, not {start} .. {end}")
    return _insert(connection, monitor, AnnotationRow(feature, kind, start, end, message), now)


def replace(
    connection: Connection,
    monitor: str,
    kind: AnnotationKind,
    wanted: Collection[AnnotationRow],
    now: datetime,
) -> None:
    """Let these be the monitor's annotations of their kind, and no others."""
    of_kind = (table.c.monitor == monitor, table.c.kind == kind)
    stored = {row.id: _row(row) for row in connection.execute(sa.select(table).where(*of_kind))}
    gone = [number for number, row in stored.items() if row not in wanted]
    if gone:
        connection.execute(sa.delete(table).where(table.c.id.in_(gone)))
    for row in wanted:
        _insert(connection, monitor, row, now)


def of(connection: Connection, monitor: str, since: datetime) -> list[AnnotationRow]:
    """What a monitor's curves are annotated with that ended at or after `since`, oldest first."""
    rows = connection.execute(
        sa.select(table)
        .where(table.c.monitor == monitor, table.c.range_end >= since)
        .order_by(table.c.range_start, table.c.id)
    )
    return [_row(row) for row in rows]


def _insert(connection: Connection, monitor: str, row: AnnotationRow, now: datetime) -> bool:
    insert = insert_into(connection, table).values(
        monitor=monitor,
        feature=row.feature,
        kind=row.kind,
        range_start=row.start,
        range_end=row.start if row.end is None else row.end,
        message=row.message,
        recorded_at=now,
    )
    statement = insert.on_conflict_do_nothing(index_elements=list(_KEY))
    return connection.scalar(statement.returning(table.c.id)) is not None


def _row(row: sa.Row[tuple[object, ...]]) -> AnnotationRow:
    end = row.range_end if row.range_end > row.range_start else None
    return AnnotationRow(row.feature, row.kind, row.range_start, end, row.message)
