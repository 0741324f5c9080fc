"""What is forgotten, by age, in bounded portions.

Panes fold upwards: the finest panes go where the hour above them is there, hours where the day is.
Sums over folded time are exact for windows that are made of what is left; of a window that cuts an
hour (or a day) in two there, `scanned_seconds` says how much could still be added up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.config.settings import RetentionSettings
from driftwatch.store import joint_age, ledger, monitors
from driftwatch.store.panes import Level, lengths, segments_of, set_folded
from driftwatch.store.rollup import Family, levels_above
from driftwatch.store.schema import (
    alert_event,
    annotation,
    evaluation,
    latest_result,
    notification,
    pane,
    result,
)
from driftwatch.window import Calendar, to_epoch

_HOUR = 3_600


def prune(
    connection: Connection,
    retention: RetentionSettings,
    *,
    monitors: Mapping[str, Calendar],
    now: datetime,
    portion: int = 5_000,
) -> dict[str, int]:
    """Delete what is too old, at most about `portion` rows of each table, the oldest first; returns
    the rows deleted by table, without tables of which nothing was. Call again, each time in a
    transaction of its own, until nothing is left to delete.

    Counts and results age in event time, by the newest pane of their monitor: those of a monitor
    that stands still or is not among `monitors` do not. The rest ages in process time (`now`).

    - pane: the finest panes only where the hour above them is there, hours only where the day is.
      In a zone that is not whole hours from UTC days begin within an hour: panes stay as long as
      hours do. Panes of a length that is rolled up into nothing stay as long as days do.
    - joint_count: hours are put together to days (UTC), which go at the age of days.
    - result, with its picture: never the latest of its series.
    - evaluation: never the newest of a monitor with its outcome.
    - alert_event and annotation; notification, once delivered.
    """
    deleted: dict[str, int] = {"pane": 0, "joint_count": 0, "result": 0}
    for name, calendar in sorted(monitors.items()):
        aged = _Aged.of(connection, name, calendar, retention)
        if aged is not None:
            deleted["pane"] += aged.prune_panes(connection, portion - deleted["pane"])
            deleted["joint_count"] += aged.prune_joint(
                connection, portion - deleted["joint_count"], now
            )
            deleted["result"] += aged.prune_results(connection, portion - deleted["result"])
    for table, old in _old_rows(retention, now):
        deleted[table.name] = _delete(connection, table, old, portion)
    return {name: rows for name, rows in deleted.items() if rows}


@dataclass(frozen=True, slots=True)
class _Aged:
    """One monitor, and the end of its newest pane (epoch seconds)."""

    id: int
    name: str
    newest: datetime
    calendar: Calendar
    retention: RetentionSettings

    @classmethod
    def of(
        cls, connection: Connection, name: str, calendar: Calendar, retention: RetentionSettings
    ) -> "_Aged | None":
        record = monitors.find(connection, name)
        extent = None if record is None else ledger.extent(connection, record.id)
        if record is None or extent is None:
            return None
        return cls(record.id, name, extent.end, calendar, retention)

    def prune_panes(self, connection: Connection, limit: int) -> int:
        """Delete panes, whole hours or days of them at once, until `limit` is reached."""
        deleted = 0
        for family in _families(connection, self.id):
            for seconds in reversed(lengths(connection, self.id, family.segments[0])):
                kept = self._kept_seconds(seconds)
                if kept is None or deleted >= limit:
                    continue
                before = to_epoch(self.newest) - kept
                found = _fold(connection, family, seconds, before, limit - deleted)
                deleted += found
                if found:
                    break  # what is above goes when nothing that needs it is left
        return deleted

    def _kept_seconds(self, seconds: int) -> int | None:
        ages = self.retention
        above = levels_above(seconds)
        if not above:
            return _longest(ages.panes_seconds, ages.hours_seconds, ages.days_seconds)
        if above[0] == _HOUR and not _within_hours(self.calendar):
            return ages.panes_seconds
        return _longest(ages.panes_seconds, ages.hours_seconds)

    def prune_joint(self, connection: Connection, limit: int, now: datetime) -> int:
        """Put old joint counts of hours together, and delete those of old days."""
        ages, deleted = self.retention, 0
        hours = _longest(ages.panes_seconds, ages.hours_seconds)
        days = _longest(ages.panes_seconds, ages.hours_seconds, ages.days_seconds)
        if days is not None and limit > 0:
            before = to_epoch(self.newest) - days
            deleted += joint_age.forget(connection, self.id, before, limit)
        if hours is not None and deleted < limit:
            before = to_epoch(self.newest) - hours
            deleted += joint_age.fold(connection, self.id, before, limit - deleted, now)
        return deleted

    def prune_results(self, connection: Connection, limit: int) -> int:
        """Delete old results, found series by series, for each of which the key is sorted."""
        if self.retention.results_seconds is None or limit <= 0:
            return 0
        before = self.newest - timedelta(seconds=self.retention.results_seconds)
        same = ("monitor", "feature", "segment", "window_seconds")
        series = sa.and_(*(latest_result.c[name] == result.c[name] for name in same))
        old = (
            sa.select(result.c.id)
            .select_from(sa.join(latest_result, result, series))
            .where(
                latest_result.c.monitor == self.name,
                result.c.window_end < before,
                result.c.id != latest_result.c.result_id,
            )
            .limit(limit)
        )
        return connection.execute(sa.delete(result).where(result.c.id.in_(old))).rowcount


@lru_cache(maxsize=256)
def _within_hours(calendar: Calendar) -> bool:
    """Whether days of the zone begin within an hour of UTC."""
    return any(offset % _HOUR for offset in calendar.offsets())


def _longest(*ages: int | None) -> int | None:
    """The last age, or one before it that is longer: a roll-up outlives what it is made of."""
    return None if ages[-1] is None else max(age for age in ages if age is not None)


def _families(connection: Connection, monitor_id: int) -> Iterator[Family]:
    known = segments_of(connection, monitor_id)
    beside = [segment for segment, apart in known.items() if not apart]
    for segment, apart in known.items():
        if apart:
            yield Family(monitor_id, [segment] if segment else ["", *beside])


def _fold(connection: Connection, family: Family, seconds: int, before: int, limit: int) -> int:
    """Delete panes of one length that end before a moment: of all segments together, so that what
    is above them cannot be made anew from a part."""
    above = (levels_above(seconds) or [seconds])[0]
    many = len(family.segments) * (above // seconds)
    bins = _bins(connection, family.level(seconds), above, before, max(1, limit // many))
    if not bins.size:
        return 0
    monitors.lock(connection, family.monitor_id)
    starts = (bins[:, None] + np.arange(0, above, seconds)).ravel()
    if above != seconds:
        set_folded(connection, family.level(above), bins, folded=True)
    deleted = connection.execute(
        sa.delete(pane).where(
            pane.c.monitor_id == family.monitor_id,
            pane.c.segment.in_(family.segments),
            pane.c.seconds == seconds,
            pane.c.start.in_(starts.tolist()),
        )
    )
    return deleted.rowcount


def _bins(
    connection: Connection, level: Level, above: int, before: int, most: int
) -> "np.typing.NDArray[np.int64]":
    """The oldest hours or days that have panes below them to delete, or those panes themselves."""
    rolled = above != level.seconds
    start = pane.c.start - pane.c.start % above if rolled else pane.c.start
    end = before - before % above if rolled else before
    statement = (
        sa.select(start)
        .distinct()
        .where(
            pane.c.monitor_id == level.monitor_id,
            pane.c.segment == level.segment,
            pane.c.seconds == level.seconds,
            pane.c.start <= end - level.seconds,
        )
        .order_by(start)
        .limit(most)
    )
    if rolled:
        top = pane.alias()
        statement = statement.where(
            sa.exists().where(
                top.c.monitor_id == level.monitor_id,
                top.c.segment == level.segment,
                top.c.seconds == above,
                top.c.start == start,
            )
        )
    return np.array(list(connection.scalars(statement)), np.int64)


def _old_rows(
    retention: RetentionSettings, now: datetime
) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    """Per table that ages in process time, which of its rows are too old."""
    if retention.evaluations_seconds is not None:
        before = now - timedelta(seconds=retention.evaluations_seconds)
        newer = evaluation.alias()
        yield (
            evaluation,
            sa.and_(
                evaluation.c.finished_at < before,
                sa.exists().where(
                    newer.c.monitor == evaluation.c.monitor,
                    newer.c.outcome == evaluation.c.outcome,
                    newer.c.finished_at > evaluation.c.finished_at,
                ),
            ),
        )
    if retention.events_seconds is not None:
        before = now - timedelta(seconds=retention.events_seconds)
        yield alert_event, alert_event.c.recorded_at < before
        yield annotation, annotation.c.recorded_at < before
    if retention.notifications_seconds is not None:
        before = now - timedelta(seconds=retention.notifications_seconds)
        yield notification, notification.c.delivered_at < before


def _delete(
    connection: Connection, table: sa.Table, old: sa.ColumnElement[bool], portion: int
) -> int:
    chosen = sa.select(table.c.id).where(old).order_by(table.c.id).limit(portion)
    return connection.execute(sa.delete(table).where(table.c.id.in_(chosen))).rowcount
