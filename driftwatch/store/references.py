"""References: what a column looked like when it was agreed to be right. Immutable, versioned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.errors import StoreError
from driftwatch.stats.counts import ColumnPanes
from driftwatch.store import axes, monitors
from driftwatch.store.axes import AxisRecord
from driftwatch.store.encoding import cells_of, decode, encode
from driftwatch.store.panes import without_nan
from driftwatch.store.schema import ReferenceOrigin, reference
from driftwatch.store.schema import axis as axis_table
from driftwatch.window import Interval

SMOOTHING = "reference +0.5"
"""How reference probabilities are made of its counts, stated with every reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReference:
    """What is captured of one column in one segment ("": all rows).

    axis, counts: None for the volume; counts: one pane. interval: the rows that were counted, None
    for rows that have no time. rows: all rows of it. specification: what was configured, as text
    that is equal as long as this reference serves it. note: why it was captured, in words.

    ValueError: counts that are not one pane, or counts without an axis.
    """

    column: str
    axis: AxisRecord | None
    interval: Interval | None
    counts: ColumnPanes | None
    rows: int
    segment: str = ""
    specification: str = ""
    origin: ReferenceOrigin = ReferenceOrigin.CONFIG
    note: str = ""

    def __post_init__(self) -> None:
        if (self.axis is None) != (self.counts is None):
            raise ValueError("a reference has an axis and counts, or neither")
        if self.counts is not None and self.counts.cells.shape[0] != 1:
            raise ValueError(f"a reference is one pane, not {self.counts.cells.shape[0]}")


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """The reference of one column. axis_id, axis_version and counts are None for the volume.

    interval: None for rows that have no time; rows: all rows of it; counts: one pane; active:
    whether it is the one in use. The rest as in NewReference.
    """

    id: int
    column: str
    version: int
    axis_id: int | None
    axis_version: int | None
    interval: Interval | None
    rows: int
    counts: ColumnPanes | None
    smoothing: str
    created_at: datetime
    segment: str = ""
    specification: str = ""
    origin: ReferenceOrigin = ReferenceOrigin.CONFIG
    note: str = ""
    active: bool = True


def capture(
    connection: Connection, monitor_id: int, new: NewReference, now: datetime
) -> ReferenceRecord:
    """Make this the active reference of its column and segment; the others stay stored.

    The same axis, interval and counts as those of the active one are no new version: where they
    were captured for something else now, that is noted with it. Else the version is one above the
    highest.
    """
    monitors.lock(connection, monitor_id)
    place = _place(monitor_id, new.column, new.segment)
    known = _first(connection, *place, reference.c.active)
    counted = _counted(new)
    if known is not None and _same(known, new.interval, counted):
        return _noted(connection, known, new)
    newest = connection.scalar(sa.select(sa.func.max(reference.c.version)).where(*place))
    _deactivate(connection, place)
    inserted = connection.scalars(
        sa.insert(reference)
        .values(
            monitor_id=monitor_id,
            column_name=new.column,
            segment=new.segment,
            version=(newest or 0) + 1,
            **_words(new),
            interval_start=new.interval and new.interval.start,
            interval_end=new.interval and new.interval.end,
            smoothing=SMOOTHING,
            created_at=now,
            active=True,
            **counted,
        )
        .returning(reference.c.id)
    ).one()
    return _by_id(connection, inserted)


def activate(
    connection: Connection, monitor_id: int, column: str, version: int, *, segment: str = ""
) -> ReferenceRecord:
    """Make a stored version the active reference again; what it is compared with stays stored.

    Its axis becomes the active one of the column, too. Where that was another, the references of
    the column's other segments, and the panes that were counted meanwhile, are of an axis that is
    not active any more: their counts cannot be compared. Capture and scan these anew.

    StoreError: the column has no such version.
    """
    monitors.lock(connection, monitor_id)
    place = _place(monitor_id, column, segment)
    found = _first(connection, *place, reference.c.version == version)
    if found is None:
        raise StoreError(_no_version(connection, monitor_id, column, version, segment))
    if not found.active:
        _deactivate(connection, place)
        connection.execute(
            sa.update(reference).where(reference.c.id == found.id).values(active=True)
        )
    if found.axis_version is not None:
        axes.activate(connection, monitor_id, column, found.axis_version)
    return _by_id(connection, found.id)


def active(
    connection: Connection, monitor_id: int, *, segment: str = ""
) -> dict[str, ReferenceRecord]:
    """The active reference of every column that has one in this segment, the volume's under its
    own name. One whose `axis_id` is not that of the active axis cannot be compared."""
    records = _read(
        connection,
        reference.c.monitor_id == monitor_id,
        reference.c.segment == segment,
        reference.c.active,
    )
    return {record.column: record for record in records}


def active_segments(
    connection: Connection, monitor_id: int
) -> dict[str, dict[str, ReferenceRecord]]:
    """The active references of every segment but all rows: by segment, by column."""
    found: dict[str, dict[str, ReferenceRecord]] = {}
    for record in _read(
        connection,
        reference.c.monitor_id == monitor_id,
        reference.c.segment != "",
        reference.c.active,
    ):
        found.setdefault(record.segment, {})[record.column] = record
    return found


def history(
    connection: Connection, monitor_id: int, column: str | None = None
) -> list[ReferenceRecord]:
    """Every version of a column (None: of all columns) in every segment, in the order of column,
    segment and version."""
    of_column = sa.true() if column is None else reference.c.column_name == column
    found = _read(connection, reference.c.monitor_id == monitor_id, of_column)
    return sorted(found, key=lambda one: (one.column, one.segment, one.version))


def stamp(connection: Connection, monitor_id: int) -> tuple[tuple[int, int | None, str], ...]:
    """What differs once a reference of all rows, or its axis, is another one: cheap to read."""
    statement = (
        sa.select(reference.c.id, reference.c.axis_id, reference.c.origin)
        .where(reference.c.monitor_id == monitor_id, reference.c.active, reference.c.segment == "")
        .order_by(reference.c.id)
    )
    return tuple((row[0], row[1], str(row[2])) for row in connection.execute(statement))


def _place(monitor_id: int, column: str, segment: str) -> list[sa.ColumnElement[bool]]:
    return [
        reference.c.monitor_id == monitor_id,
        reference.c.column_name == column,
        reference.c.segment == segment,
    ]


def _deactivate(connection: Connection, place: list[sa.ColumnElement[bool]]) -> None:
    connection.execute(sa.update(reference).where(*place, reference.c.active).values(active=False))


def _noted(connection: Connection, known: ReferenceRecord, new: NewReference) -> ReferenceRecord:
    """The same counts, captured for what is asked for now."""
    if (known.specification, known.origin, known.note) == tuple(_words(new).values()):
        return known
    connection.execute(sa.update(reference).where(reference.c.id == known.id).values(**_words(new)))
    return _by_id(connection, known.id)


def _words(new: NewReference) -> dict[str, object]:
    return {"specification": new.specification, "origin": new.origin, "note": new.note}


def _no_version(
    connection: Connection, monitor_id: int, column: str, version: int, segment: str
) -> str:
    known = connection.scalars(
        sa.select(reference.c.version)
        .where(*_place(monitor_id, column, segment))
        .order_by(reference.c.version)
    )
    there = ", ".join(str(one) for one in known) or "none"
    where = f" in segment {segment!r}" if segment else ""
    return f"column {column!r} has no reference of version {version}{where}; there are: {there}"


def _by_id(connection: Connection, reference_id: int) -> ReferenceRecord:
    (found,) = _read(connection, reference.c.id == reference_id)
    return found


def _first(connection: Connection, *conditions: sa.ColumnElement[bool]) -> ReferenceRecord | None:
    return next(iter(_read(connection, *conditions)), None)


def _read(connection: Connection, *conditions: sa.ColumnElement[bool]) -> list[ReferenceRecord]:
    statement = (
        sa.select(reference, axis_table.c.version.label("axis_version"))
        .outerjoin(axis_table, reference.c.axis_id == axis_table.c.id)
        .where(*conditions)
        .order_by(reference.c.id)
    )
    return [_record(row) for row in connection.execute(statement)]


def _record(row: Any) -> ReferenceRecord:
    return ReferenceRecord(
        id=row.id,
        column=row.column_name,
        version=row.version,
        axis_id=row.axis_id,
        axis_version=row.axis_version,
        interval=Interval(row.interval_start, row.interval_end) if row.interval_start else None,
        rows=row.rows,
        counts=None if row.counts is None else _unpacked(row),
        smoothing=row.smoothing,
        created_at=row.created_at,
        segment=row.segment,
        specification=row.specification,
        origin=row.origin,
        note=row.note,
        active=row.active,
    )


def _counted(new: NewReference) -> dict[str, object]:
    return {"axis_id": new.axis and new.axis.id, "rows": new.rows, **_packed(new.counts)}


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


def _same(known: ReferenceRecord, interval: Interval | None, counted: dict[str, object]) -> bool:
    blob = None if known.counts is None else encode(known.counts.cells)[0]
    return (known.interval, known.axis_id, known.rows, blob) == (
        interval,
        counted["axis_id"],
        counted["rows"],
        counted["counts"],
    )
