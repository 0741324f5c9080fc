"""Where in a season a window lies, and what the reference holds there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from driftwatch.stats.counts import ColumnPanes
from driftwatch.stats.season import SeasonKey
from driftwatch.stats.unseen import with_expected_unseen
from driftwatch.store import ledger
from driftwatch.store.axes import AxisRecord
from driftwatch.window import Interval

WORDS = {
    SeasonKey.NONE: "",
    SeasonKey.HOUR: "the same hours of the day in ",
    SeasonKey.HOUR_WEEKEND: "the same hours of working days or weekends in ",
    SeasonKey.HOUR_OF_WEEK: "the same hours of the week in ",
}
"""What is put before the words for a reference, where a phase of it is compared with."""


def phase(season: SeasonKey, start: datetime, zone: str) -> int:
    """Where a window that starts then lies in a season, by the clock of the zone.

    >>> from datetime import UTC
    >>> saturday = datetime(2026, 11, 28, 23, tzinfo=UTC)
    >>> [phase(season, saturday, "Europe/Berlin") for season in SeasonKey]
    [0, 0, 24, 144]
    """
    wall = start.astimezone(ZoneInfo(zone))
    match season:
        case SeasonKey.NONE:
            return 0
        case SeasonKey.HOUR:
            return wall.hour
        case SeasonKey.HOUR_WEEKEND:
            return wall.hour + 24 * (wall.weekday() >= 5)
        case SeasonKey.HOUR_OF_WEEK:
            return wall.hour + 24 * wall.weekday()


def by_phase(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    windows: Sequence[Interval],
    season: SeasonKey,
    zone: str,
) -> dict[str, dict[int, ColumnPanes]]:
    """The counts of all of these windows in each phase of a season, by feature."""
    of_phase: dict[int, list[Interval]] = {}
    for one in windows:
        of_phase.setdefault(phase(season, one.start, zone), []).append(one)
    sums = ledger.sum_pieces(connection, monitor_id, axes, list(of_phase.values()))
    return {
        name: {one: found.columns[name] for one, found in zip(of_phase, sums, strict=True)}
        for name in axes
    }


def with_share_of_unseen(
    axis: AxisRecord, interval: Interval, phases: Mapping[int, ColumnPanes]
) -> dict[int, ColumnPanes]:
    """Each phase has its share of the levels that were seen twice, see `with_expected_unseen`."""
    if axis.fitted != interval:
        return dict(phases)
    total = max(sum(int(panes.cells.sum()) for panes in phases.values()), 1)
    return {
        one: replace(
            panes,
            cells=with_expected_unseen(
                axis.axis, panes.cells, share=int(panes.cells.sum()) / total
            ),
        )
        for one, panes in phases.items()
    }
