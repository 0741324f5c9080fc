"""References: what a column looked like when it was agreed to be right. Immutable, versioned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.stats.counts import ColumnPanes
from driftwatch.store import monitors
from driftwatch.store.axes import AxisRecord
from driftwatch.store.encoding import cells_of, decode, encode
from driftwatch.store.panes import without_nan
from driftwatch.store.schema import axis as axis_table
from driftwatch.store.schema import reference
from driftwatch.window import Interval

SMOOTHING = "reference +0.5"
"""How reference probabilities are made of its counts, stated with every reference."""


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """The reference of one column. axis_id, axis_version and counts are None for the volume.

    rows: all rows of the interval; counts: one pane.
    """

    id: int
    column: str
    version: int
    axis_id: int | None
    axis_version: int | None
    interval: Interval
    rows: int
    counts: ColumnPanes | None
    smoothing: str
    created_at: datetime


def capture(
    connection: Connection,
    monitor_id: int,
    column: str,
    axis: AxisRecord | None,
    interval: Interval,
    counts: ColumnPanes | None,
    rows: int,
    now: datetime,
) -> ReferenceRecord:
    """Make this the active reference of the column, as a new version; the others stay stored.

    The same axis, interval and counts as those of the active one change nothing.

    ValueError: counts that are not one pane, or counts without an axis.
    """
    if (axis is None) != (counts is None):
        raise ValueError("a reference has an axis and counts, or neither")
    monitors.lock(connection, monitor_id)
    known = _read(connection, monitor_id, column).get(column)
    values = {"axis_id": axis and axis.id, "rows": rows, **_packed(counts)}
    if known is not None:
        if _same(known, interval, values):
            return known
        connection.execute(
            sa.update(reference).where(reference.c.id == known.id).values(active=False)
        )
    connection.execute(
        sa.insert(reference).values(
            monitor_id=monitor_id,
            column_name=column,
            version=1 if known is None else known.version + 1,
            interval_start=interval.start,
            interval_end=interval.end,
            smoothing=SMOOTHING,
            created_at=now,
            active=True,
            **values,
        )
    )
    return _read(connection, monitor_id, column)[column]


def active(connection: Connection, monitor_id: int) -> dict[str, ReferenceRecord]:
    """The active reference of every column that has one, the volume's under its own name."""
    return _read(connection, monitor_id, None)


def _read(
    connection: Connection, monitor_id: int, column: str | None
) -> dict[str, ReferenceRecord]:
    statement = (
        sa.select(reference, axis_table.c.version.label("axis_version"))
        .outerjoin(axis_table, reference.c.axis_id == axis_table.c.id)
        .where(reference.c.monitor_id == monitor_id, reference.c.active)
        .order_by(reference.c.id)
    )
    if column is not None:
        statement = statement.where(reference.c.column_name == column)
    return {row.column_name: _record(row) for row in connection.execute(statement)}


def _record(row: Any) -> ReferenceRecord:
    return ReferenceRecord(
        id=row.id,
        column=row.column_name,
        version=row.version,
        axis_id=row.axis_id,
        axis_version=row.axis_version,
        interval=Interval(row.interval_start, row.interval_end),
        rows=row.rows,
        counts=None if row.counts is None else _unpacked(row),
        smoothing=row.smoothing,
        created_at=row.created_at,
    )


def _packed(counts: ColumnPanes | None) -> dict[str, object]:
    if counts is None:
        return {"counts": None, "infinite": 0, "total": 0.0, "total_squares": 0.0}
    (blob,) = encode(counts.cells)
    return {
        "counts": blob,
        "infinite": int(counts.infinite[0]),
        "total": without_nan(counts.total)[0],
        "total_squares": without_nan(counts.total_squares)[0],
        "minimum": without_nan(counts.minimum)[0],
        "maximum": without_nan(counts.maximum)[0],
    }


def _unpacked(row: Any) -> ColumnPanes:
    return ColumnPanes(
        cells=decode([row.counts], cells_of(row.counts)),
        infinite=np.array([row.infinite], np.int64),
        total=np.array([row.total], np.float64),
        total_squares=np.array([row.total_squares], np.float64),
        minimum=np.array([row.minimum], np.float64),
        maximum=np.array([row.maximum], np.float64),
    )


def _same(known: ReferenceRecord, interval: Interval, values: dict[str, object]) -> bool:
    blob = None if known.counts is None else encode(known.counts.cells)[0]
    return (known.interval, known.axis_id, known.rows, blob) == (
        interval,
        values["axis_id"],
        values["rows"],
        values["counts"],
    )
