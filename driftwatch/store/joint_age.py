"""Joint counts as they grow old: hours are put together to days, and days are forgotten."""

from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.store import monitors
from driftwatch.store.joint_rows import DAY_SECONDS, Hours, Level, read_hours, write_hours
from driftwatch.store.packs import Packs, no_moments
from driftwatch.store.schema import joint_count


def fold(connection: Connection, monitor_id: int, before: int, limit: int, now: datetime) -> int:
    """Put the hours of whole days (UTC) that end before a moment together, about `limit` hours at
    most; returns how many rows went. Of a day that is not whole the hours stay."""
    day = joint_count.c.start - joint_count.c.start % DAY_SECONDS
    seconds = joint_count.c.seconds
    whole = (
        sa.select(joint_count.c.prediction_axis_id, seconds, day)
        .where(
            joint_count.c.monitor_id == monitor_id,
            seconds < DAY_SECONDS,
            joint_count.c.start < before - before % DAY_SECONDS,
        )
        .group_by(joint_count.c.prediction_axis_id, seconds, day)
        .having(sa.func.count() * seconds == DAY_SECONDS)
        .order_by(day)
        .limit(max(1, limit // 24))
    )
    found = connection.execute(whole).all()
    if found:
        monitors.lock(connection, monitor_id)
    return sum(
        _fold_day(connection, Level(monitor_id, axis_id, length), start, now)
        for axis_id, length, start in found
    )


def forget(connection: Connection, monitor_id: int, before: int, limit: int) -> int:
    """Delete what ends before a moment, at most `limit` rows of each axis and length, the oldest
    first; returns how many went."""
    of_monitor = joint_count.c.monitor_id == monitor_id
    key = (joint_count.c.prediction_axis_id, joint_count.c.seconds)
    deleted = 0
    for axis_id, seconds in connection.execute(sa.select(*key).where(of_monitor).distinct()).all():
        level = Level(monitor_id, axis_id, seconds)
        chosen = (
            sa.select(joint_count.c.start)
            .where(level.where, joint_count.c.start <= before - seconds)
            .order_by(joint_count.c.start)
            .limit(limit)
        )
        starts = connection.scalars(chosen).all()
        gone = sa.delete(joint_count).where(level.where, joint_count.c.start.in_(starts))
        deleted += connection.execute(gone).rowcount
    return deleted


def _fold_day(connection: Connection, level: Level, day: int, now: datetime) -> int:
    starts = np.arange(day, day + DAY_SECONDS, level.seconds)
    hours = read_hours(connection, level, starts)
    packs = hours.packs
    # A feature that was not counted in one of the hours was not counted in the day.
    everywhere = (hours.present | (hours.rows == 0)[:, np.newaxis]).all(axis=0)
    kept = np.repeat(everywhere, packs.layout.cells)
    total = Packs(
        packs.layout.only(everywhere),
        packs.counts[:, kept].sum(axis=0, keepdims=True, dtype=np.int64),
        no_moments(1, 0),
    )
    of_days = Level(level.monitor_id, level.prediction_axis_id, DAY_SECONDS)
    rows = hours.rows.sum(keepdims=True)
    write_hours(connection, of_days, [day], Hours(rows, total), now)
    gone = sa.delete(joint_count).where(level.where, joint_count.c.start.in_(starts.tolist()))
    return connection.execute(gone).rowcount
