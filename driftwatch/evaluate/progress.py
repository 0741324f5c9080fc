"""How far a monitor may look: the watermark, the next scan, the windows that are due. Pure.

The watermark is the moment up to which every pane has been counted. A window is judged once, when
the watermark passes its end: it is never half-filled.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from driftwatch.config.settings import MonitorSettings
from driftwatch.window import Interval, floor, from_epoch, tumbling

_DAY_SECONDS = 86_400


def target(monitor: MonitorSettings, now: datetime) -> datetime:
    """The end of the newest pane that is complete: its rows had `delay` to arrive."""
    return floor(now - timedelta(seconds=monitor.delay_seconds), monitor.pane_seconds)


def first_moment(monitor: MonitorSettings, now: datetime) -> datetime:
    """Where a new monitor begins to count: its `start`, or one longest window before the last
    one that is complete, so that every window length has a first verdict at once."""
    if monitor.start.epoch_seconds is not None:
        return floor(from_epoch(monitor.start.epoch_seconds), monitor.pane_seconds)
    longest = max(monitor.window_seconds)
    return floor(target(monitor, now), longest) - timedelta(seconds=longest)


def next_scan(
    monitor: MonitorSettings,
    now: datetime,
    *,
    watermark: datetime | None,
    at_most_seconds: int | None = None,
) -> Interval | None:
    """The panes to count now, at most `catch_up` of event time; None if none is complete.

    at_most_seconds: a smaller bound, for a source that does not answer in time for more.

    A clock that was set back gives None until it has passed the watermark again: nothing is
    counted twice.
    """
    start = watermark or first_moment(monitor, now)
    if floor(start, monitor.pane_seconds) != start:
        # The configured pane has changed. Panes of any length meet at midnight: from there on they
        # are counted again, so that windows are made of whole ones.
        start = floor(start, _DAY_SECONDS)
    bound = min(monitor.catch_up_seconds, at_most_seconds or monitor.catch_up_seconds)
    whole_panes = max(1, bound // monitor.pane_seconds) * monitor.pane_seconds
    end = min(target(monitor, now), start + timedelta(seconds=whole_panes))
    return Interval(start, end) if start < end else None


def due_windows(
    monitor: MonitorSettings, *, scanned_from: datetime, scan: Interval
) -> Iterator[tuple[int, list[Interval]]]:
    """For each window length the windows that `scan` completed, oldest first.

    A window that begins before the monitor began to count (`scanned_from`) is left out.
    """
    for seconds in monitor.window_seconds:
        earliest = max(scanned_from, floor(scan.start, seconds))
        windows = tumbling(earliest, scan.end, seconds)
        yield seconds, [window for window in windows if window.end > scan.start]


def latest_complete(monitor: MonitorSettings, now: datetime, seconds: int) -> Interval:
    """The newest window of this length that is complete at `now`."""
    end = floor(target(monitor, now), seconds)
    return Interval(end - timedelta(seconds=seconds), end)
