"""Which of a monitor's results and alerts are shown, and in which words its parts are named."""

from collections.abc import Iterable, Sequence

from driftwatch.alert.policy import AlertState
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.groups import VERSION_PREFIX
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.results import ResultRecord, ResultRow
from driftwatch.store.snapshot import MonitorSnapshot

_NAMED = 4
"""Of the segments that a drift was found in, so many are named."""


def watched_rows(monitor: MonitorSettings, known: MonitorSnapshot) -> list[ResultRow]:
    """The newest results, over all rows, of what is configured now."""
    return [row for row in _watched(monitor, known) if not row.segment]


def part_rows(monitor: MonitorSettings, known: MonitorSnapshot) -> list[ResultRow]:
    """The newest results of the segments and versions that are configured now."""
    return [row for row in _watched(monitor, known) if row.segment and _is_part(monitor, row)]


def _watched(monitor: MonitorSettings, known: MonitorSnapshot) -> Iterable[ResultRow]:
    found = (one.row for one in known.results)
    return (row for row in found if monitor.watches(row.feature, row.window_seconds))


def _is_part(monitor: MonitorSettings, row: ResultRow) -> bool:
    if row.segment.startswith(VERSION_PREFIX):
        return monitor.version is not None
    return monitor.segments is not None and row.window_seconds in monitor.segments.window_seconds


def is_told(monitor: MonitorSettings, segment: str) -> bool:
    """Whether alerts of this segment ("": all rows) are told, rather than only explain others."""
    if not segment or segment.startswith(VERSION_PREFIX):
        return True
    return monitor.segments is not None and monitor.segments.page


def alerts_in(
    state: AlertState, known: MonitorSnapshot, monitor: MonitorSettings
) -> list[AlertRecord]:
    """The told alerts in this state that are still configured, in the order of their keys."""
    found = (
        one
        for one in known.alerts
        if one.status.state is state
        and monitor.watches(one.key.feature, one.key.window_seconds)
        and is_told(monitor, one.key.segment)
    )
    return sorted(found, key=lambda one: one.key)


def named(feature: str, segment: str) -> str:
    """
    >>> named("price", ""), named("price", "country=DE")
    ('price', 'price [country=DE]')
    """
    return f"{feature} [{segment}]" if segment else feature


def further(row: ResultRow) -> str:
    """What the explanation of a result says beyond its message: that of the volume begins with the
    same words."""
    first, _, rest = row.explanation.partition("; ")
    return rest if first in row.message else row.explanation


def carried_by(parts: Sequence[ResultRecord]) -> str:
    """Which segments a drift lies in, strongest first: those that are flagged themselves; "" where
    none was judged."""
    if not any(one.row.verdict.judged for one in parts):
        return ""
    flagged = [one.row for one in parts if one.row.flagged]
    if not flagged:
        return "carried by no single segment"
    shown = [f"{row.segment} ({row.js_distance:.2g})" for row in flagged[:_NAMED]]
    shown[0] = f"{flagged[0].segment} (JS distance {flagged[0].js_distance:.2g})"
    more = f" and {len(flagged) - _NAMED} more" if len(flagged) > _NAMED else ""
    return f"carried by {', '.join(shown)}{more}"


def widened(monitor: MonitorSettings, row: ResultRow) -> bool:
    """Whether a window reached back for rows, beyond where windows of its length begin."""
    own = monitor.calendar.before(row.window_end, row.window_seconds)
    return row.window_start < own.interval.start
