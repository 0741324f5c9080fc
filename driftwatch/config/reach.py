"""Whether counts are kept for as long as somebody looks back at them."""

from collections.abc import Iterator, Sequence

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.settings import (
    MonitorSettings,
    ReferenceSettings,
    RetentionSettings,
    RollingReference,
    SeasonalReference,
)
from driftwatch.config.shape import DAY, HOUR
from driftwatch.window import UTC, format_duration

_WEEK = 7 * DAY


def check_reach(
    monitors: Sequence[MonitorSettings],
    nodes: Sequence[Node],
    retention: RetentionSettings,
    problems: Problems,
) -> None:
    """Tell of references and rechecks that need counts of an age at which they are gone.

    nodes: of the monitors, in the same order.
    """
    for monitor, node in zip(monitors, nodes, strict=True):
        key, kept = _kept(monitor, retention)
        for reference, place in _references(monitor, node):
            reach = _reach(reference)
            needed = reach + max(monitor.window_seconds)
            if not reach or kept is None or needed <= kept:
                continue
            problems.at(
                place,
                f"looks back {format_duration(reach)} from windows that are sums of {key}, which "
                f"are kept for {format_duration(kept)}; keep them longer "
                f"(retention: {{{key}: {format_duration(needed)}}}), or look back less",
            )
        oldest, panes = max(monitor.recheck_seconds, default=0), retention.panes_seconds
        if panes is not None and oldest >= panes:
            problems.at(
                node.get("recheck") or node,
                f"panes are compared at the age of {format_duration(oldest)}, and kept for "
                f"{format_duration(panes)}; write lower ages, or keep panes longer (retention)",
            )


def _references(monitor: MonitorSettings, node: Node) -> Iterator[tuple[ReferenceSettings, Node]]:
    """Each with the place that it is written at."""
    yield monitor.reference, node.get("reference") or node
    features = node.get("features")
    columns = [node.get("prediction"), *((features.items or ()) if features else ())]
    written = [column for column in columns if column is not None and column.value is not None]
    for feature, column in zip(monitor.features, written, strict=True):
        if feature.reference is not None:
            yield feature.reference, column.get("reference") or column


def _reach(reference: ReferenceSettings) -> int:
    match reference:
        case RollingReference():
            return reference.seconds
        case SeasonalReference():
            return reference.weeks * _WEEK
    return 0


def _kept(monitor: MonitorSettings, retention: RetentionSettings) -> tuple[str, int | None]:
    """The finest counts that its windows begin and end with, and how long they are kept.

    Where a zone's hours are not those of UTC, panes are kept for as long as hours.
    """
    if any(seconds % HOUR for seconds in monitor.window_seconds):
        return "panes", retention.panes_seconds
    if monitor.calendar != UTC or any(seconds % DAY for seconds in monitor.window_seconds):
        return "hours", retention.hours_seconds
    return "days", retention.days_seconds
