"""Panes that a clock which was ahead has counted before their time.

They hold the rows that were there by then, and no `recheck` may come by: its ages are measured
from a watermark that lies in the future. Each pane says when it was counted; those that were
counted too early are looked at again when their time has come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.progress import merged, target
from driftwatch.stats.counts import IntArray
from driftwatch.store.looks import counted_at, look_again
from driftwatch.window import Interval, from_epoch

_SET_BACK = timedelta(minutes=1)
"""By less than that the clocks of two daemons, or of one before and after a correction, differ."""

_BACK = timedelta(days=7)
"""So far back they are looked for, and as far as the watermark is ahead."""


@dataclass(frozen=True, slots=True)
class Early:
    """starts: of the panes that are to be looked at again, epoch seconds, ascending."""

    starts: IntArray
    pane_seconds: int

    @property
    def intervals(self) -> list[Interval]:
        seconds = self.pane_seconds
        return merged(
            Interval(from_epoch(start), from_epoch(start + seconds))
            for start in self.starts.tolist()
        )


def early(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    watermark: datetime | None,
    *,
    now: datetime,
    process_now: datetime,
) -> Early | None:
    """The panes that are complete at `now` (event time) and were counted before they were, by the
    clock of that time or by that of `process_now`; None where the newest pane tells that there can
    be none, which costs one look by its key.

    Where the clock of the process itself was ahead, and nothing ran until it had come as far again,
    nothing tells."""
    if watermark is None:
        return None
    seconds, delay = monitor.pane_seconds, timedelta(seconds=monitor.delay_seconds)
    newest = Interval(watermark - timedelta(seconds=seconds), watermark)
    found = counted_at(connection, monitor_id, seconds, newest)
    if not any(_suspect(at, watermark + delay, process_now) for _, at in found):
        return None
    until = min(target(monitor, now), watermark)
    back = max(_BACK, watermark - until)
    panes = counted_at(connection, monitor_id, seconds, Interval(until - back, until))
    starts = [
        start
        for start, at in panes
        if at > process_now + _SET_BACK or at < from_epoch(start + seconds) + delay <= process_now
    ]
    return Early(np.array(starts, np.int64), seconds) if starts else None


def looked_at(connection: Connection, monitor_id: int, found: Early, now: datetime) -> None:
    """Note that they were looked at in their time."""
    look_again(connection, monitor_id, found.pane_seconds, found.starts, now)


def ahead(watermark: datetime | None, monitor: MonitorSettings, now: datetime) -> str:
    """What to say while the watermark is where the clock has not come yet; "" where it is not."""
    if watermark is None or watermark <= target(monitor, now):
        return ""
    return (
        f"counted up to {watermark:%FT%TZ}, which the clock has not reached; panes are counted "
        "again as their time comes"
    )


def _suspect(at: datetime, complete: datetime, process_now: datetime) -> bool:
    return at < complete or at > process_now + _SET_BACK
