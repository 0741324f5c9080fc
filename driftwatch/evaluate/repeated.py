"""Hours that the clock of a log showed twice: their rows are all counted in the first showing."""

from collections.abc import Sequence

from driftwatch.config.settings import MonitorSettings
from driftwatch.source.wall import Wall
from driftwatch.window import Interval

REPEATED = "the clock of the log showed an hour twice"
"""Why a window that holds one showing alone pages nobody: it has twice its rows, or none."""


def repeated_in(monitor: MonitorSettings, interval: Interval) -> tuple[Interval, ...]:
    """What the clock of the monitor's log showed twice in and around an interval."""
    return tuple(Wall(monitor.relation.timestamp_zone).repeated(interval))


def cut_by(span: Interval, repeated: Sequence[Interval]) -> bool:
    """Whether the span holds a part of one of these and not all of it.

    >>> from datetime import UTC, datetime
    >>> one, two, three = (datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 1, 2))
    >>> both = Interval(one, three)
    >>> cut_by(Interval(one, two), [both]), cut_by(both, [both]), cut_by(both, [])
    (True, False, False)
    """
    return any(
        one.start < span.end
        and span.start < one.end
        and not (span.start <= one.start and one.end <= span.end)
        for one in repeated
    )
