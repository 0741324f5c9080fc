"""A simulated monitor as the daemon would have prepared it: its windows, and what it knows of them.

Made from counts per hour, as `evaluate.calibrate` makes it from the ledger, by the same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from benchmarks.traffic import PREDICTION, Column, Hours
from driftwatch.config.settings import FeatureSettings, MonitorSettings, RelationSettings, Start
from driftwatch.evaluate.calibrate import OfLength
from driftwatch.evaluate.compare import Compared
from driftwatch.evaluate.phase import WITHOUT_YEAR, phase
from driftwatch.evaluate.reference_windows import with_share_of_unseen
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.calibration import Calibration, calibrate
from driftwatch.stats.carry import carried
from driftwatch.stats.counts import ColumnPanes, IntArray
from driftwatch.stats.season import SeasonKey
from driftwatch.stats.unseen import with_expected_unseen
from driftwatch.store.axes import AxisRecord
from driftwatch.window import Interval

LENGTHS = (3_600, 86_400, 7 * 86_400)
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of one length, the first `past` of them in the reference. counts: of all columns,
    shape (W, F, K)."""

    seconds: int
    counts: IntArray
    past: int

    def interval(self, at: int) -> Interval:
        start = BEGIN + timedelta(seconds=at * self.seconds)
        return Interval(start, start + timedelta(seconds=self.seconds))

    def phase(self, season: SeasonKey) -> IntArray:
        """Of each window, shape (W,)."""
        starts = (self.interval(at).start for at in range(len(self.counts)))
        return np.array([phase(season, one, "UTC") for one in starts], np.int64)


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor and its columns. reference: their counts in it, shape (F, K)."""

    columns: Sequence[Column]
    axes: Mapping[str, AxisRecord]
    settings: MonitorSettings
    reference: IntArray
    cells: IntArray
    ordered: npt.NDArray[np.bool_]

    def compared(self, at: int, counts: IntArray) -> Compared:
        return Compared(self.columns[at].panes(counts[: self.cells[at]]), 1, "the reference")


def side_by_side(cells: Sequence[IntArray]) -> IntArray:
    """Counts (H, K) of columns as (H, F, K), padded with zeros."""
    width = max(one.shape[1] for one in cells)
    return np.stack([np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in cells], axis=1)


def monitor_of(columns: Sequence[Column], hourly: IntArray, when: Hours) -> Monitor:
    interval = Interval(BEGIN, BEGIN + timedelta(hours=when.reference))
    axes = {
        one.name: AxisRecord(at, one.name, 1, one.axis, "", interval)
        for at, one in enumerate(columns)
    }
    reference = hourly[: when.reference].sum(axis=0)
    for at, one in enumerate(columns):
        own = reference[at, : one.axis.cells]
        reference[at, : one.axis.cells] = with_expected_unseen(one.axis, own)
    settings = MonitorSettings(
        name="simulated",
        source="",
        relation=RelationSettings("", None, None),
        features=tuple(
            FeatureSettings(one.name, prediction=one.name == PREDICTION) for one in columns
        ),
        reference=interval,
        pane_seconds=LENGTHS[0],
        every_seconds=LENGTHS[0],
        delay_seconds=0,
        window_seconds=LENGTHS,
        start=Start(),
        catch_up_seconds=0,
    )
    cells = np.array([one.axis.cells for one in columns], np.int64)
    ordered = np.array([isinstance(one.axis, NumericAxis) for one in columns])
    return Monitor(columns, axes, settings, reference, cells, ordered)


def of_length(hourly: IntArray, when: Hours, seconds: int) -> Windows:
    hours = seconds // LENGTHS[0]
    whole = hourly.reshape(-1, hours, *hourly.shape[1:]).sum(axis=1)
    return Windows(seconds, whole, when.reference // hours)


def calibrated(
    monitor: Monitor, windows: Windows, hour: Calibration | None
) -> tuple[Calibration, OfLength]:
    """As `evaluate.calibrate` does it for a range of the log's own rows. hour: the calibration of
    the shortest windows, None for these themselves."""
    numbers = {season: windows.phase(season) for season in WITHOUT_YEAR}
    counts = windows.counts[: windows.past]
    found = calibrate(
        counts,
        ordered=monitor.ordered,
        phases={season: one[: windows.past] for season, one in numbers.items()},
        cells=monitor.cells,
    )
    by_phase = {
        column.name: (season, _in_phases(monitor, at, counts, numbers[season]))
        for at, (column, season) in enumerate(zip(monitor.columns, found.season, strict=True))
        if season is not SeasonKey.NONE
    }
    if hour is not None:
        rows = int(counts[:, 0].sum())
        found = carried(
            found, hour, current_rows=rows / max(windows.past, 1), reference_rows=max(rows, 1)
        )
    parts = {one.name: (found, at) for at, one in enumerate(monitor.columns)}
    return found, OfLength(parts, by_phase)


def _in_phases(
    monitor: Monitor, at: int, counts: IntArray, numbers: IntArray
) -> Mapping[int, ColumnPanes]:
    """What the reference holds of one column in each phase of its season."""
    column, interval = monitor.columns[at], monitor.settings.reference
    assert isinstance(interval, Interval)
    own = counts[:, at, : monitor.cells[at]]
    of_phase = numbers[: len(own)]
    found = {
        int(one): column.panes(own[of_phase == one].sum(axis=0)) for one in np.unique(of_phase)
    }
    return with_share_of_unseen(monitor.axes[column.name], interval, found)


def compared_by_week(
    monitor: Monitor, windows: Windows, known: OfLength
) -> list[dict[str, Compared]]:
    """What each column is compared with in the windows of one week; it is the same in all weeks."""
    everything = [monitor.compared(at, one) for at, one in enumerate(monitor.reference)]
    found = []
    for at in range(LENGTHS[-1] // windows.seconds):
        start, of_window = windows.interval(at).start, {}
        for column, whole in zip(monitor.columns, everything, strict=True):
            part = known.in_phase(column.name, [start], "UTC")
            of_window[column.name] = (
                whole if part is None else replace(whole, panes=part[0], in_phase=True)
            )
        found.append(of_window)
    return found
