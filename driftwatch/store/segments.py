"""Segments: the values by which rows are counted apart, frozen when they were first looked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.store import monitors
from driftwatch.store.schema import segment as table


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment. grouping: the columns; levels: their values, None for NULL, and None as a whole
    for all others; position: its place in the list of its grouping."""

    segment: str
    grouping: tuple[str, ...]
    levels: tuple[str | None, ...] | None
    position: int


def freeze(
    connection: Connection, monitor_id: int, rows: Sequence[SegmentRow], now: datetime
) -> list[SegmentRow]:
    """Keep the lists of groupings that have none yet; a list that is there stays as it is.

    Returns all that are kept then, as `load` does.
    """
    if not rows:
        return load(connection, monitor_id)
    monitors.lock(connection, monitor_id)
    frozen = {row.grouping for row in load(connection, monitor_id)}
    new = [row for row in rows if row.grouping not in frozen]
    if new:
        values = [_values(row) | {"monitor_id": monitor_id, "created_at": now} for row in new]
        connection.execute(sa.insert(table), values)
    return load(connection, monitor_id)


def load(connection: Connection, monitor_id: int) -> list[SegmentRow]:
    """The frozen segments of a monitor: grouping by grouping, each in its own order."""
    rows = connection.execute(
        sa.select(table.c.segment, table.c.grouping, table.c.levels, table.c.position).where(
            table.c.monitor_id == monitor_id
        )
    )
    found = [_row(row) for row in rows]
    return sorted(found, key=lambda one: (one.grouping, one.position, one.segment))


def _values(row: SegmentRow) -> dict[str, object]:
    return {
        "segment": row.segment,
        "grouping": json.dumps(row.grouping, ensure_ascii=False),
        "levels": None if row.levels is None else json.dumps(row.levels, ensure_ascii=False),
        "position": row.position,
    }


def _row(row: Any) -> SegmentRow:
    return SegmentRow(
        row.segment,
        tuple(json.loads(row.grouping)),
        None if row.levels is None else tuple(json.loads(row.levels)),
        row.position,
    )
