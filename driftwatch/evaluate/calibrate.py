"""What the windows of a reference do by themselves: the null of calibrated verdicts.

Made from the ledger when a monitor is prepared, one calibration per length of window. The windows
of a captured range are those inside it; those of a rolling or seasonal reference are the ones that
it would add up now. Training data and cohorts have none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from driftwatch.config.settings import (
    FeatureSettings,
    MonitorSettings,
    RollingReference,
    SeasonalReference,
)
from driftwatch.evaluate import phases
from driftwatch.evaluate.memory import Memory
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.calibration import Calibration, Shortcoming, calibrate, no_calibration
from driftwatch.stats.carry import carried
from driftwatch.stats.counts import ColumnPanes
from driftwatch.stats.null import Null
from driftwatch.stats.season import SeasonKey
from driftwatch.store import exclusions, ledger
from driftwatch.store.axes import AxisRecord
from driftwatch.store.references import ReferenceRecord
from driftwatch.verdict.policy import CalibratedThreshold
from driftwatch.window import Interval

MOST_WINDOWS = 1_500
"""More windows than that tell nothing more: of more, so many are taken, spread over all of them."""

_STEP = (5**0.5 - 1) / 2

InPhases = tuple[SeasonKey, Mapping[int, ColumnPanes]]
"""A season, and what the reference holds in each of its phases, as one pane each."""

_AT_ONCE = 400
"""Features whose windows are in memory together."""


@dataclass(frozen=True, slots=True)
class OfLength:
    """What is known of windows of one length.

    parts: by feature, its calibration and its number there; by_phase: of features with a season,
    that season and the counts of the reference in each of its phases, one pane each.
    """

    parts: Mapping[str, tuple[Calibration, int]] = field(default_factory=dict)
    by_phase: Mapping[str, InPhases] = field(default_factory=dict)

    def null(self, features: Sequence[str]) -> Null:
        """Of these features, in their order; sampling alone for those that are not calibrated."""
        other = (no_calibration(1), 0)
        found = [self.parts.get(name, other) for name in features]
        return Null(
            **{
                one.name: np.array([getattr(part.null, one.name)[at] for part, at in found])
                for one in fields(Null)
            }
        )

    def shortcomings(self, feature: str) -> frozenset[Shortcoming]:
        if feature not in self.parts:
            return frozenset({Shortcoming.NO_WINDOWS})
        calibration, at = self.parts[feature]
        return calibration.shortcomings[at]

    def in_phase(self, feature: str, start: datetime, zone: str) -> tuple[ColumnPanes, str] | None:
        """The counts of the reference in the phase of a window that starts then, and its season in
        words; None where all of the reference is compared with."""
        if feature not in self.by_phase:
            return None
        season, of_season = self.by_phase[feature]
        panes = of_season.get(phases.phase(season, start, zone))
        return None if panes is None or not panes.cells.sum() else (panes, phases.WORDS[season])


NOT_CALIBRATED = OfLength()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Features whose windows are those of the same interval, compared under the same seasons."""

    interval: Interval
    seasons: tuple[SeasonKey, ...]
    features: tuple[FeatureSettings, ...]


def calibrations(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    references: Mapping[str, ReferenceRecord],
    watermark: datetime | None,
    memory: Memory,
) -> dict[int, OfLength]:
    """By the length of windows; empty where no feature has a calibrated threshold."""
    made: dict[int, OfLength] = {}
    for one in _wanted(monitor, axes, references, watermark):
        left_out = _left_out(connection, monitor, one.interval, memory)
        (rows,) = ledger.window_rows(connection, monitor_id, [one.interval])
        shorter: Calibration | None = None
        for seconds in monitor.window_seconds:
            found, phases = _of_length(
                connection, monitor, monitor_id, axes, one, seconds, left_out
            )
            if shorter is None:
                shorter = found
            else:
                share = seconds / one.interval.seconds
                found = carried(
                    found, shorter,
                    current_rows=max(1.0, (rows or 0) * share), reference_rows=max(1, rows or 0),
                )  # fmt: skip
            parts = {feature.name: (found, at) for at, feature in enumerate(one.features)}
            known = made.get(seconds, NOT_CALIBRATED)
            made[seconds] = OfLength({**known.parts, **parts}, {**known.by_phase, **phases})
    return made


def moves(monitor: MonitorSettings) -> bool:
    """Whether a calibration is about windows that will be others tomorrow."""
    return any(
        isinstance(monitor.reference_of(one), RollingReference | SeasonalReference)
        for one in monitor.features
        if isinstance(one.threshold, CalibratedThreshold)
    )


def _wanted(
    monitor: MonitorSettings,
    axes: Mapping[str, AxisRecord],
    references: Mapping[str, ReferenceRecord],
    watermark: datetime | None,
) -> Iterator[_Wanted]:
    groups: dict[tuple[Interval, tuple[SeasonKey, ...]], list[FeatureSettings]] = {}
    for feature in monitor.features:
        record = references.get(feature.name)
        if record is None or feature.name not in axes:
            continue
        if not isinstance(feature.threshold, CalibratedThreshold):
            continue
        key = _windows_of(monitor, feature, record, watermark)
        if key is not None:
            groups.setdefault(key, []).append(feature)
    for (interval, seasons), features in groups.items():
        for at in range(0, len(features), _AT_ONCE):
            yield _Wanted(interval, seasons, tuple(features[at : at + _AT_ONCE]))


def _windows_of(
    monitor: MonitorSettings,
    feature: FeatureSettings,
    record: ReferenceRecord,
    watermark: datetime | None,
) -> tuple[Interval, tuple[SeasonKey, ...]] | None:
    match monitor.reference_of(feature):
        case Interval() if record.interval is not None:
            return record.interval, tuple(SeasonKey)
        case RollingReference(seconds) if watermark is not None:
            start = watermark - timedelta(seconds=seconds)
            return Interval(start, watermark), (SeasonKey.NONE,)
        case SeasonalReference(weeks) if watermark is not None:
            start = watermark - timedelta(weeks=weeks)
            return Interval(start, watermark), (SeasonKey.HOUR_OF_WEEK,)
        case _:
            return None


def _left_out(
    connection: Connection, monitor: MonitorSettings, interval: Interval, memory: Memory
) -> list[tuple[str, Interval]]:
    """What nothing is learned from, each with its feature, "" for all."""
    found = [(one.feature, one.interval) for one in exclusions.active(connection, monitor.name)]
    flagged = memory.flagged(interval.start, interval.end)
    return found + [(feature, one) for feature, some in flagged.items() for one in some]


def _of_length(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    wanted: _Wanted,
    seconds: int,
    left_out: Sequence[tuple[str, Interval]],
) -> tuple[Calibration, dict[str, InPhases]]:
    """The calibration of windows of this length alone, and the counts of the reference by phase of
    the features that have a season."""
    names = [one.name for one in wanted.features]
    every = [
        window.interval
        for window in monitor.calendar.tumbling(wanted.interval.start, wanted.interval.end, seconds)
    ]
    if len(every) < 2:
        return no_calibration(len(names)), {}
    sample = _spread(every)
    chosen = {name: axes[name] for name in names}
    sums = ledger.sum_windows(connection, monitor_id, chosen, sample)
    ordered = np.array([isinstance(axes[name].axis, NumericAxis) for name in names])
    cells = np.array([axes[name].axis.cells for name in names], np.int64)
    counts = np.zeros((len(sample), len(names), int(cells.max())), np.int64)
    for at, (window, found) in enumerate(zip(sample, sums, strict=True)):
        barred = {feature for feature, one in left_out if _touch(one, window)}
        if not found.is_whole or "" in barred:
            continue
        for position, name in enumerate(names):
            if found.column_rows[name] == found.rows and name not in barred:
                own = found.columns[name].cells[0]
                counts[at, position, : own.size] = own
    zone = monitor.calendar.zone
    numbers = {
        season: np.array([phases.phase(season, one.start, zone) for one in sample], np.int64)
        for season in wanted.seasons
    }
    calibration = calibrate(counts, ordered=ordered, phases=numbers, cells=cells)
    if len(wanted.seasons) == 1:
        return calibration, {}
    seasons = dict(zip(names, calibration.season, strict=True))
    return calibration, _in_phases(
        connection, monitor_id, chosen, wanted.interval, every, seasons, left_out, zone
    )


def _in_phases(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    interval: Interval,
    windows: Sequence[Interval],
    seasons: Mapping[str, SeasonKey],
    left_out: Sequence[tuple[str, Interval]],
    zone: str,
) -> dict[str, InPhases]:
    """What all of these windows hold in the phases of each feature's season, for those with one."""
    alike: dict[tuple[SeasonKey, tuple[Interval, ...]], dict[str, AxisRecord]] = {}
    for name, season in seasons.items():
        if season is SeasonKey.NONE:
            continue
        bars = [one for feature, one in left_out if feature in ("", name)]
        own = tuple(one for one in windows if not any(_touch(one, bar) for bar in bars))
        alike.setdefault((season, own), {})[name] = axes[name]
    made: dict[str, InPhases] = {}
    for (season, own), some in alike.items():
        sums = phases.by_phase(connection, monitor_id, some, own, season, zone)
        for name, summed in sums.items():
            made[name] = season, phases.with_share_of_unseen(axes[name], interval, summed)
    return made


def _spread(windows: Sequence[Interval]) -> list[Interval]:
    """At most `MOST_WINDOWS` of them, in their order. Steps of (sqrt(5) - 1)/2 never keep step
    with a season, as every second or third window would."""
    if len(windows) <= MOST_WINDOWS:
        return list(windows)
    places = np.arange(MOST_WINDOWS) * _STEP % 1.0
    return [windows[at] for at in np.unique((places * len(windows)).astype(np.int64))]


def _touch(one: Interval, other: Interval) -> bool:
    return one.start < other.end and other.start < one.end
