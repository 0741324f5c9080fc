"""Monitors as the store knows them, and how far each of them has counted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.errors import ConflictError
from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import monitor


@dataclass(frozen=True, slots=True)
class MonitorRecord:
    """watermark: event time up to which every pane is counted; scanned_from: where that began.

    Both are None before the first panes. definition: which rows are counted, None before the
    first reference. updated_until: up to where changes of rows were read, by the clock of the
    column that tells them; None before the first.
    """

    id: int
    name: str
    watermark: datetime | None
    scanned_from: datetime | None
    definition: str | None = None
    updated_until: datetime | None = None


_FIELDS = (
    monitor.c.id,
    monitor.c.name,
    monitor.c.watermark,
    monitor.c.scanned_from,
    monitor.c.definition,
    monitor.c.updated_until,
)


def ensure(connection: Connection, name: str, now: datetime) -> MonitorRecord:
    """The monitor of this name, noted now if it is new."""
    found = find(connection, name)
    if found is not None:
        return found
    insert = insert_into(connection, monitor).on_conflict_do_nothing(index_elements=["name"])
    connection.execute(insert, {"name": name, "created_at": now})
    return _record(connection.execute(_by_name(name)).one())


def find(connection: Connection, name: str) -> MonitorRecord | None:
    """The monitor of this name, or None if it was never seen."""
    row = connection.execute(_by_name(name)).one_or_none()
    return None if row is None else _record(row)


def advance(
    connection: Connection,
    monitor_id: int,
    *,
    expected: datetime | None,
    watermark: datetime,
    scanned_from: datetime | None = None,
) -> None:
    """Move the watermark, and `scanned_from` where it is given.

    ConflictError: the watermark is not `expected` any more, because another process moved it.
    """
    values = {"watermark": watermark}
    if scanned_from is not None:
        values["scanned_from"] = scanned_from
    moved = connection.execute(
        sa.update(monitor)
        .where(monitor.c.id == monitor_id, monitor.c.watermark.is_not_distinct_from(expected))
        .values(values)
    )
    if moved.rowcount != 1:
        name = connection.scalar(sa.select(monitor.c.name).where(monitor.c.id == monitor_id))
        raise ConflictError(
            f"monitor {name!r} is not at {expected} any more: another process counts it, too; "
            "nothing was written"
        )


def define(connection: Connection, monitor_id: int, definition: str) -> str:
    """Note which rows the monitor counts, unless that is noted; returns what is noted then."""
    connection.execute(
        sa.update(monitor)
        .where(monitor.c.id == monitor_id, monitor.c.definition.is_(None))
        .values(definition=definition)
    )
    chosen = sa.select(monitor.c.definition).where(monitor.c.id == monitor_id)
    return connection.execute(chosen).scalar_one() or definition


def set_updated_until(connection: Connection, monitor_id: int, moment: datetime) -> None:
    """Note up to where changes of rows were read."""
    connection.execute(
        sa.update(monitor).where(monitor.c.id == monitor_id).values(updated_until=moment)
    )


def reach_back(connection: Connection, monitor_id: int, scanned_from: datetime) -> None:
    """Note that what lies before the first counted pane was counted, too, without a gap."""
    connection.execute(
        sa.update(monitor)
        .where(monitor.c.id == monitor_id, monitor.c.scanned_from > scanned_from)
        .values(scanned_from=scanned_from)
    )


def lock(connection: Connection, monitor_id: int) -> None:
    """Let no other transaction write this monitor's panes, axes or references until this one ends.

    SQLite has one writer anyway. Rows that only refer to the monitor do not wait.
    """
    chosen = sa.select(monitor.c.id).where(monitor.c.id == monitor_id)
    connection.execute(chosen.with_for_update(key_share=True))


def _record(row: sa.Row[Any]) -> MonitorRecord:
    return MonitorRecord(
        row.id, row.name, row.watermark, row.scanned_from, row.definition, row.updated_until
    )


def _by_name(name: str) -> sa.Select[Any]:
    return sa.select(*_FIELDS).where(monitor.c.name == name)
