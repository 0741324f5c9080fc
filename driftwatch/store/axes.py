"""Axes as they are stored: versioned per column, at most one of them active."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.errors import StoreError
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.store import monitors
from driftwatch.store.schema import axis as axis_table
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True)
class AxisRecord:
    """The axis of one column. column_type: what the source calls the type of its values; fitted:
    the interval whose rows it was fitted to, None for rows that have no time."""

    id: int
    column: str
    version: int
    axis: Axis
    column_type: str
    fitted: Interval | None


_FIELDS = (
    axis_table.c.id,
    axis_table.c.column_name,
    axis_table.c.version,
    axis_table.c.definition,
    axis_table.c.column_type,
    axis_table.c.fitted_start,
    axis_table.c.fitted_end,
)


def save(
    connection: Connection,
    monitor_id: int,
    column: str,
    axis: Axis,
    column_type: str,
    fitted: Interval | None,
    now: datetime,
) -> AxisRecord:
    """Make this the active axis of the column, as a new version.

    The axis that is active already is returned as it is.
    """
    monitors.lock(connection, monitor_id)
    definition = to_json(axis)
    table = axis_table
    known = connection.execute(
        sa.select(*_FIELDS).where(
            table.c.monitor_id == monitor_id, table.c.column_name == column, table.c.active
        )
    ).one_or_none()
    if known and (known.definition, known.column_type) == (definition, column_type):
        return _record(known)
    _deactivate(connection, monitor_id, column)
    newest = sa.select(sa.func.max(table.c.version)).where(
        table.c.monitor_id == monitor_id, table.c.column_name == column
    )
    version = (connection.scalar(newest) or 0) + 1
    inserted = connection.scalars(
        sa.insert(table)
        .values(
            monitor_id=monitor_id,
            column_name=column,
            version=version,
            definition=definition,
            column_type=str(column_type),
            fitted_start=fitted and fitted.start,
            fitted_end=fitted and fitted.end,
            created_at=now,
            active=True,
        )
        .returning(table.c.id)
    ).one()
    return AxisRecord(inserted, column, version, axis, column_type, fitted)


def active(connection: Connection, monitor_id: int) -> dict[str, AxisRecord]:
    """The active axis of every column that has one."""
    table = axis_table
    rows = connection.execute(
        sa.select(*_FIELDS)
        .where(table.c.monitor_id == monitor_id, table.c.active)
        .order_by(table.c.id)
    )
    return {row.column_name: _record(row) for row in rows}


def by_id(connection: Connection, ids: Collection[int]) -> dict[int, AxisRecord]:
    """These axes, active or not, by their ids; ids that are not stored are left out."""
    rows = connection.execute(sa.select(*_FIELDS).where(axis_table.c.id.in_(sorted(ids))))
    return {row.id: _record(row) for row in rows}


def activate(connection: Connection, monitor_id: int, column: str, version: int) -> AxisRecord:
    """Make a stored version the active axis of its column, instead of the one that is.

    Panes are kept per axis: those that were counted under another one meanwhile are not seen with
    this one, and must be scanned again. References of another axis cannot be compared any more.

    StoreError: the column has no such version.
    """
    monitors.lock(connection, monitor_id)
    table = axis_table
    of_column = (table.c.monitor_id == monitor_id, table.c.column_name == column)
    rows = connection.execute(sa.select(*_FIELDS, table.c.active).where(*of_column)).all()
    found = next((row for row in rows if row.version == version), None)
    if found is None:
        known = ", ".join(str(one) for one in sorted(row.version for row in rows)) or "none"
        raise StoreError(f"column {column!r} has no axis of version {version}; there are: {known}")
    if not found.active:
        _deactivate(connection, monitor_id, column)
        connection.execute(sa.update(table).where(table.c.id == found.id).values(active=True))
    return _record(found)


def _deactivate(connection: Connection, monitor_id: int, column: str) -> None:
    table = axis_table
    connection.execute(
        sa.update(table)
        .where(table.c.monitor_id == monitor_id, table.c.column_name == column, table.c.active)
        .values(active=False)
    )


def _record(row: Any) -> AxisRecord:
    return AxisRecord(
        id=row.id,
        column=row.column_name,
        version=row.version,
        axis=from_json(row.definition),
        column_type=row.column_type,
        fitted=Interval(row.fitted_start, row.fitted_end) if row.fitted_start else None,
    )


def to_json(axis: Axis) -> str:
    """The stored text of an axis: the same text for the same axis, floats exact.

    >>> to_json(NumericAxis((0.1, 10.0)))
    '{"kind": "numeric", "edges": [0.1, 10.0], "scale": "number"}'
    """
    if isinstance(axis, NumericAxis):
        content: dict[str, object] = {
            "kind": "numeric",
            "edges": [float(edge) for edge in axis.edges],
            "scale": axis.scale.value,
        }
    else:
        content = {
            "kind": "categorical",
            "levels": axis.levels,
            "known": axis.known,
            "twice": axis.twice,
        }
    return json.dumps(content, ensure_ascii=False)


@lru_cache(maxsize=256)
def from_json(text: str) -> Axis:
    """The axis of a stored text.

    StoreError: a kind of axis that this release does not know.

    >>> from_json(to_json(CategoricalAxis(("UA",), ("HA",))))
    CategoricalAxis(levels=('UA',), known=('HA',), twice=0)
    """
    content = json.loads(text)
    if content["kind"] == "numeric":
        return NumericAxis(tuple(content["edges"]), Scale(content["scale"]))
    if content["kind"] == "categorical":
        return CategoricalAxis(tuple(content["levels"]), tuple(content["known"]), content["twice"])
    raise StoreError(
        f"the store holds an axis of kind {content['kind']!r}, which this release does not know; "
        "run the release that wrote it, or a newer one"
    )
