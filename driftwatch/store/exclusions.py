"""Exclusions: ranges that page nobody and teach nothing, from the configuration or a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.config.settings import Exclusion
from driftwatch.errors import StoreError
from driftwatch.store import annotations, monitors
from driftwatch.store.annotations import AnnotationRow
from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import AnnotationKind, ExclusionOrigin
from driftwatch.store.schema import exclusion as table
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True)
class ExclusionRow:
    """An exclusion as it is stored. created_at: when it was first asked for; removed_at: when it
    was taken back, None while it is in force. Both are process time."""

    id: int
    exclusion: Exclusion
    origin: ExclusionOrigin
    created_at: datetime
    removed_at: datetime | None


class _Key(NamedTuple):
    """What an exclusion is, beside its monitor and origin. Its reason may change."""

    feature: str
    interval: Interval


_NATURAL_KEY = ("monitor", "feature", "range_start", "range_end", "origin")


def sync_config(
    connection: Connection, monitor: str, configured: Sequence[Exclusion], now: datetime
) -> bool:
    """Let these be the monitor's exclusions from the configuration; returns whether that changed
    anything. Where it does not, nothing is written.

    Those that are not configured any more are taken back; those of commands stay.
    """
    wanted = {_key(one): one.reason for one in configured}
    if _in_force(connection, monitor, ExclusionOrigin.CONFIG) == wanted:
        return False
    _lock(connection, monitor, now)
    known = _in_force(connection, monitor, ExclusionOrigin.CONFIG)
    for key, reason in wanted.items():
        if known.get(key) != reason:
            _put(connection, monitor, Exclusion(key.interval, reason, key.feature), now,
                 ExclusionOrigin.CONFIG)  # fmt: skip
    gone = known.keys() - wanted.keys()
    _take_back(
        connection,
        [
            row.id
            for row in listed(connection, monitor)
            if row.origin is ExclusionOrigin.CONFIG and _key(row.exclusion) in gone
        ],
        now,
    )
    _annotate(connection, monitor, now)
    return True


def add(connection: Connection, monitor: str, new: Exclusion, now: datetime) -> bool:
    """Exclude a range by command; False if it was, for the same reason."""
    _lock(connection, monitor, now)
    known = _in_force(connection, monitor, ExclusionOrigin.COMMAND)
    if known.get(_key(new)) == new.reason:
        return False
    _put(connection, monitor, new, now, ExclusionOrigin.COMMAND)
    _annotate(connection, monitor, now)
    return True


def remove(connection: Connection, monitor: str, exclusion_id: int, now: datetime) -> bool:
    """Take back what a command excluded; False if it was taken back before.

    StoreError: the monitor has no such exclusion, or it is configured.
    """
    rows = {row.id: row for row in listed(connection, monitor)}
    found = rows.get(exclusion_id)
    if found is None or found.origin is ExclusionOrigin.CONFIG:
        raise StoreError(_not_removable(monitor, exclusion_id, rows))
    if found.removed_at is not None:
        return False
    _lock(connection, monitor, now)
    _take_back(connection, [exclusion_id], now)
    _annotate(connection, monitor, now)
    return True


def active(connection: Connection, monitor: str) -> tuple[Exclusion, ...]:
    """What is excluded, by whomever, in the order of time."""
    return tuple(row.exclusion for row in listed(connection, monitor) if row.removed_at is None)


def listed(connection: Connection, monitor: str) -> list[ExclusionRow]:
    """Every exclusion that was ever asked for, in the order of time."""
    rows = connection.execute(
        sa.select(table)
        .where(table.c.monitor == monitor)
        .order_by(table.c.range_start, table.c.range_end, table.c.id)
    )
    return [_row(row) for row in rows]


def _in_force(connection: Connection, monitor: str, origin: ExclusionOrigin) -> dict[_Key, str]:
    return {
        _key(row.exclusion): row.exclusion.reason
        for row in listed(connection, monitor)
        if row.origin is origin and row.removed_at is None
    }


def _lock(connection: Connection, monitor: str, now: datetime) -> None:
    """Let nobody else change the monitor's exclusions until this transaction ends."""
    monitors.lock(connection, monitors.ensure(connection, monitor, now).id)


def _put(
    connection: Connection, monitor: str, new: Exclusion, now: datetime, origin: ExclusionOrigin
) -> None:
    """Insert, or put in force again, with its reason."""
    values = {
        "monitor": monitor,
        "feature": new.feature,
        "range_start": new.interval.start,
        "range_end": new.interval.end,
        "reason": new.reason,
        "origin": origin,
        "created_at": now,
    }
    insert = insert_into(connection, table).values(values)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=list(_NATURAL_KEY),
            set_={"reason": insert.excluded.reason, "removed_at": None},
        )
    )


def _take_back(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    if ids:
        connection.execute(sa.update(table).where(table.c.id.in_(ids)).values(removed_at=now))


def _annotate(connection: Connection, monitor: str, now: datetime) -> None:
    wanted = {
        AnnotationRow(
            one.feature, AnnotationKind.EXCLUDED, one.interval.start, one.interval.end, one.reason
        )
        for one in active(connection, monitor)
    }
    annotations.replace(connection, monitor, AnnotationKind.EXCLUDED, wanted, now)


def _not_removable(monitor: str, exclusion_id: int, rows: Mapping[int, ExclusionRow]) -> str:
    if exclusion_id in rows:
        return (
            f"exclusion {exclusion_id} of monitor {monitor!r} is configured; take it out of "
            "`exclude` in the configuration"
        )
    by_command = [
        str(row.id)
        for row in rows.values()
        if row.origin is ExclusionOrigin.COMMAND and row.removed_at is None
    ]
    there = ", ".join(by_command) or "none"
    return f"monitor {monitor!r} has no exclusion {exclusion_id}; there are: {there}"


def _key(one: Exclusion) -> _Key:
    return _Key(one.feature, one.interval)


def _row(row: Any) -> ExclusionRow:
    interval = Interval(row.range_start, row.range_end)
    return ExclusionRow(
        row.id,
        Exclusion(interval, row.reason, row.feature),
        row.origin,
        row.created_at,
        row.removed_at,
    )
