"""Backfills: how far each of them came, so that the same command goes on from there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.errors import ConflictError
from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import backfill as table
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """A backfill of `interval` (event time). done_until: up to where it is counted; rows: that
    were counted; panes_changed: that were not as the ledger had them. started_at, advanced_at (its
    newest step) and finished_at (None before) are process time."""

    interval: Interval
    done_until: datetime
    rows: int
    panes_changed: int
    started_at: datetime
    advanced_at: datetime
    finished_at: datetime | None


def begin(
    connection: Connection,
    monitor_id: int,
    interval: Interval,
    now: datetime,
    *,
    restart: bool = False,
) -> BackfillRow:
    """The backfill of this interval: as it is if it was begun and not finished, else a new one.

    restart: a new one in any case.
    """
    insert = insert_into(connection, table).values(
        monitor_id=monitor_id,
        range_start=interval.start,
        range_end=interval.end,
        done_until=interval.start,
        rows=0,
        panes_changed=0,
        started_at=now,
        advanced_at=now,
    )
    anew = ("done_until", "rows", "panes_changed", "started_at", "advanced_at", "finished_at")
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["monitor_id", "range_start", "range_end"],
            set_={name: insert.excluded[name] for name in anew},
            where=None if restart else table.c.finished_at.is_not(None),
        )
    )
    return _read(connection, monitor_id, interval)


def advance(
    connection: Connection,
    monitor_id: int,
    interval: Interval,
    done_until: datetime,
    rows: int,
    panes: int,
    now: datetime,
) -> BackfillRow:
    """Note one more step: `rows` that it counted, and `panes` that changed by it.

    ConflictError: the backfill is that far already, because another process does it, too.
    """
    moved = connection.execute(
        sa.update(table)
        .where(*_is(monitor_id, interval), table.c.done_until < done_until)
        .values(
            done_until=done_until,
            rows=table.c.rows + rows,
            panes_changed=table.c.panes_changed + panes,
            advanced_at=now,
        )
    )
    if moved.rowcount != 1:
        raise ConflictError(
            f"the backfill of {interval} is past {done_until} already: another process does it, "
            "too; nothing was written"
        )
    return _read(connection, monitor_id, interval)


def finish(
    connection: Connection, monitor_id: int, interval: Interval, now: datetime
) -> BackfillRow:
    """All of it is done; the next `begin` of this interval starts anew."""
    connection.execute(
        sa.update(table)
        .where(*_is(monitor_id, interval), table.c.finished_at.is_(None))
        .values(finished_at=now)
    )
    return _read(connection, monitor_id, interval)


def _is(monitor_id: int, interval: Interval) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.monitor_id == monitor_id,
        table.c.range_start == interval.start,
        table.c.range_end == interval.end,
    )


def _read(connection: Connection, monitor_id: int, interval: Interval) -> BackfillRow:
    row: Any = connection.execute(sa.select(table).where(*_is(monitor_id, interval))).one()
    return BackfillRow(
        Interval(row.range_start, row.range_end),
        row.done_until,
        row.rows,
        row.panes_changed,
        row.started_at,
        row.advanced_at,
        row.finished_at,
    )
