"""How far a monitor may look: the watermark, the next scan, the windows that are due. Pure.

The watermark is the moment up to which every pane has been counted. A window is judged once, when
the watermark passes its end: it is never half-filled. Columns that are joined later than the rows
arrive form lanes, each of which follows the watermark at a distance of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.window import Interval, Window, floor, from_epoch

_DAY_SECONDS = 86_400


def target(
    monitor: MonitorSettings, now: datetime, *, ready_until: datetime | None = None
) -> datetime:
    """The end of the newest pane that is complete: its rows had `delay` to arrive, and the log
    itself says so where it can (`ready_until`)."""
    end = now - timedelta(seconds=monitor.delay_seconds)
    return floor(end if ready_until is None else min(end, ready_until), monitor.pane_seconds)


def first_moment(monitor: MonitorSettings, now: datetime) -> datetime:
    """Where a new monitor begins to count: its `start`, or one longest window before the last
    one that is complete, so that every window length has a first verdict at once."""
    if monitor.start.epoch_seconds is not None:
        return floor(from_epoch(monitor.start.epoch_seconds), monitor.pane_seconds)
    longest = max(monitor.window_seconds)
    return monitor.calendar.before(target(monitor, now), longest).interval.start


def next_scan(
    monitor: MonitorSettings,
    now: datetime,
    *,
    watermark: datetime | None,
    at_most_seconds: int | None = None,
    ready_until: datetime | None = None,
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
    end = target(monitor, now, ready_until=ready_until)
    end = min(end, start + timedelta(seconds=whole_panes))
    return Interval(start, end) if start < end else None


def lane_seconds(monitor: MonitorSettings, feature: FeatureSettings) -> int:
    """How far this feature's lane lies behind the watermark: what its delay has above that of the
    monitor, in whole panes."""
    extra = max(0, (feature.delay_seconds or 0) - monitor.delay_seconds)
    return -(-extra // monitor.pane_seconds) * monitor.pane_seconds


def lane_scan(scan: Interval, lane: int, scanned_from: datetime) -> Interval | None:
    """What a lane that lies `lane` seconds behind counts when the monitor counts `scan`."""
    behind = timedelta(seconds=lane)
    start = scanned_from if scan.start <= scanned_from else max(scanned_from, scan.start - behind)
    end = scan.end - behind
    return Interval(start, end) if start < end else None


def due_windows(
    monitor: MonitorSettings, *, scanned_from: datetime, scan: Interval
) -> Iterator[tuple[int, list[Window]]]:
    """For each window length the windows that `scan` completed, oldest first.

    A window that begins before the monitor began to count (`scanned_from`) is left out.
    """
    for seconds in monitor.window_seconds:
        earliest = max(scanned_from, monitor.calendar.floor(scan.start, seconds))
        windows = monitor.calendar.tumbling(earliest, scan.end, seconds)
        yield seconds, [window for window in windows if window.interval.end > scan.start]


def windows_over(
    monitor: MonitorSettings,
    changed: Iterable[Interval],
    *,
    scanned_from: datetime,
    until: datetime,
) -> Iterator[tuple[int, list[Window]]]:
    """For each window length the complete windows that hold a part of what has changed."""
    changed = sorted(changed)
    for seconds in monitor.window_seconds:
        found: dict[datetime, Window] = {}
        for interval in changed:
            start = max(scanned_from, monitor.calendar.floor(interval.start, seconds))
            for window in _from(monitor, start, seconds, until):
                if window.interval.start >= interval.end:
                    break
                found[window.interval.end] = window
        yield seconds, [found[end] for end in sorted(found)]


def _from(
    monitor: MonitorSettings, start: datetime, seconds: int, until: datetime
) -> Iterator[Window]:
    return monitor.calendar.tumbling(start, until, seconds) if start < until else iter(())


def latest_window(monitor: MonitorSettings, now: datetime, seconds: int) -> Window:
    """The newest window of this length that is complete at `now`."""
    return monitor.calendar.before(target(monitor, now), seconds)


def latest_windows(
    monitor: MonitorSettings, until: datetime, count: int, within: Interval
) -> tuple[Window, ...]:
    """Of each length the last `count` windows that are complete at `until` and hold a part of an
    interval, oldest first; none of a length whose newest window holds none of it."""
    found = []
    for seconds in monitor.window_seconds:
        end = until
        for _ in range(count):
            window = monitor.calendar.before(end, seconds)
            if window.interval.start >= within.end or window.interval.end <= within.start:
                break
            found.append(window)
            end = window.interval.start
    return tuple(sorted(found))


def rechecks(
    monitor: MonitorSettings, scan: Interval, watermark: datetime | None, scanned_from: datetime
) -> list[Interval]:
    """The panes that reach one of the `recheck` ages as the watermark moves over `scan`.

    Panes that were counted older than that need no second look. Overlaps are merged.
    """
    if watermark is None:
        return []
    found = []
    for age in monitor.recheck_seconds:
        behind = timedelta(seconds=age)
        start = max(scanned_from, scan.start - behind)
        end = floor(min(watermark, scan.end - behind), monitor.pane_seconds)
        start = floor(start, monitor.pane_seconds)
        if start < end:
            found.append(Interval(start, end))
    return merged(found)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same moments in as few intervals as there can be, oldest first."""
    joined: list[Interval] = []
    for interval in sorted(intervals):
        if joined and interval.start <= joined[-1].end:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].end, interval.end))
        else:
            joined.append(interval)
    return joined


def without(whole: Interval, taken: Sequence[Interval]) -> list[Interval]:
    """What is left of an interval without others, oldest first."""
    left, start = [], whole.start
    for interval in merged(taken):
        if interval.start >= whole.end:
            break
        if interval.start > start:
            left.append(Interval(start, interval.start))
        start = max(start, interval.end)
    if start < whole.end:
        left.append(Interval(start, whole.end))
    return left
