"""The windows of a reference: their counts, and the phases that they lie in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.phase import phase
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray
from driftwatch.stats.season import SeasonKey
from driftwatch.stats.unseen import with_expected_unseen
from driftwatch.stats.year import REACH, SLICES
from driftwatch.store import ledger
from driftwatch.store.axes import AxisRecord
from driftwatch.window import Interval

MOST_WINDOWS = 1_500
"""More windows than that tell nothing more: of short ones every fifth, eleventh ... is taken."""

_WEEK = 7 * 86_400


@dataclass(frozen=True, slots=True)
class ReferenceWindows:
    """W windows of one length, F features. counts: shape (W, F, K), padded with zeros; cells,
    ordered: of each feature; phases: of each window under every key."""

    counts: IntArray
    cells: IntArray
    ordered: npt.NDArray[np.bool_]
    phases: Mapping[SeasonKey, IntArray]

    @property
    def choices(self) -> dict[SeasonKey, IntArray]:
        """The keys that tell windows apart as no coarser one does: days begin at one hour."""
        alike: dict[bytes, SeasonKey] = {}
        for season, phases in self.phases.items():
            alike.setdefault(np.unique(phases, return_inverse=True)[1].tobytes(), season)
        return {season: self.phases[season] for season in alike.values()}

    def shares(self, seasons: Sequence[SeasonKey]) -> FloatArray:
        """Which share of the reference a window is compared with under each of these keys."""
        return np.array([_share(season, self.phases.get(season)) for season in seasons])


def reference_windows(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    seconds: int,
    left_out: Sequence[tuple[str, Interval]],
    *,
    within: Interval,
    seasons: Sequence[SeasonKey],
) -> ReferenceWindows:
    """The windows of so many seconds that lie in a reference, of the features that have these axes.

    left_out: what nothing is learned from, each with its feature, "" for all; seasons: the keys to
    choose from.
    """
    every = _windows(monitor, within, seconds)
    every = every[:: _step(len(every), seconds)]
    sums = ledger.sum_windows(connection, monitor_id, axes, every)
    cells = np.array([one.axis.cells for one in axes.values()], np.int64)
    counts = np.zeros((len(every), len(axes), int(cells.max())), np.int64)
    for at, (window, found) in enumerate(zip(every, sums, strict=True)):
        barred = {feature for feature, one in left_out if _touch(one, window)}
        if not found.is_whole or "" in barred:
            continue
        for position, name in enumerate(axes):
            if found.column_rows[name] == found.rows and name not in barred:
                own = found.columns[name].cells[0]
                counts[at, position, : own.size] = own
    return ReferenceWindows(
        counts=counts,
        cells=cells,
        ordered=np.array([isinstance(one.axis, NumericAxis) for one in axes.values()]),
        phases={
            season: np.array(
                [phase(season, one.start, monitor.calendar.zone) for one in every], np.int64
            )
            for season in seasons
        },
    )


def panes_by_phase(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    seconds: int,
    left_out: Sequence[tuple[str, Interval]],
    *,
    within: Interval,
    seasons: Mapping[str, SeasonKey],
) -> dict[str, dict[int, ColumnPanes]]:
    """What all windows of the reference hold in each phase, as one pane each, by feature.

    seasons: of each feature. All windows, also where a sample of them is calibrated on.
    """
    every = _windows(monitor, within, seconds)
    alike: dict[tuple[SeasonKey, tuple[Interval, ...]], dict[str, AxisRecord]] = {}
    for name, season in seasons.items():
        bars = [one for feature, one in left_out if feature in ("", name)]
        own = tuple(one for one in every if not any(_touch(one, bar) for bar in bars))
        alike.setdefault((season, own), {})[name] = axes[name]
    made: dict[str, dict[int, ColumnPanes]] = {}
    for (season, own), some in alike.items():
        of_phase: dict[int, list[Interval]] = {}
        for one in own:
            of_phase.setdefault(phase(season, one.start, monitor.calendar.zone), []).append(one)
        sums = ledger.sum_pieces(connection, monitor_id, some, list(of_phase.values()))
        for name in some:
            panes = (found.columns[name] for found in sums)
            made[name] = dict(zip(of_phase, panes, strict=True))
    return made


def with_share_of_unseen(
    axis: AxisRecord, interval: Interval, phases: Mapping[int, ColumnPanes]
) -> Mapping[int, ColumnPanes]:
    """Each phase has its share of the levels that were seen twice, see `with_expected_unseen`."""
    if axis.fitted != interval:
        return phases
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


def _windows(monitor: MonitorSettings, within: Interval, seconds: int) -> list[Interval]:
    calendar = monitor.calendar
    return [one.interval for one in calendar.tumbling(within.start, within.end, seconds)]


def _step(windows: int, seconds: int) -> int:
    """Of how many windows one is taken. Without a common factor with those of a week: every sixth
    hour would show four hours of the day, and none of the others.

    >>> [_step(one, 3600) for one in (1500, 1501, 8760)]
    [1, 5, 11]
    """
    step = max(1, -(-windows // MOST_WINDOWS))
    while step > 1 and _WEEK % seconds == 0 and gcd(step, _WEEK // seconds) > 1:
        step += 1
    return step


def _share(season: SeasonKey, phases: IntArray | None) -> float:
    if phases is None or not phases.size:
        return 1.0
    if season.of_year:
        return (2 * REACH + 1) / SLICES / np.unique(phases // SLICES).size
    return 1 / np.unique(phases).size


def _touch(one: Interval, other: Interval) -> bool:
    return one.start < other.end and other.start < one.end
