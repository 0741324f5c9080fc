"""What the windows of a reference do by themselves: the null of calibrated verdicts.

Made from the ledger when a monitor is prepared, one calibration per length of window. The windows
of a captured range are those inside it; those of a rolling or seasonal reference are the ones that
it would add up now. Training data and cohorts have none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from driftwatch.evaluate.memory import Memory
from driftwatch.evaluate.phase import WITHOUT_YEAR, WORDS, compared_phases
from driftwatch.evaluate.reference_windows import (
    ReferenceWindows,
    panes_by_phase,
    reference_windows,
    with_share_of_unseen,
)
from driftwatch.stats.calibration import Calibration, Shortcoming, calibrate, no_calibration
from driftwatch.stats.carry import carried
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray, together
from driftwatch.stats.null import Null
from driftwatch.stats.season import SeasonKey
from driftwatch.stats.year import SLICES
from driftwatch.store import exclusions, ledger
from driftwatch.store.axes import AxisRecord
from driftwatch.store.references import ReferenceRecord
from driftwatch.verdict.policy import CalibratedThreshold
from driftwatch.window import Interval

_YEAR_SECONDS = SLICES * 7 * 86_400
_AT_ONCE = 400
"""Features whose windows are in memory together."""


_Part = tuple[Calibration, int]
InPhases = tuple[SeasonKey, Mapping[int, ColumnPanes]]
"""A season, and what the reference holds in each of its phases, as one pane each."""


@dataclass(frozen=True, slots=True)
class OfLength:
    """What is known of windows of one length.

    parts: by feature, its calibration and its number there; by_phase: of features with a season,
    that season and what the reference holds in each of its phases; whole: the
    calibration of those for what is compared with all of the reference: a segment, a version, a
    window in whose phase it has no rows.
    """

    parts: Mapping[str, _Part] = field(default_factory=dict)
    by_phase: Mapping[str, InPhases] = field(default_factory=dict)
    whole: Mapping[str, _Part] = field(default_factory=dict)

    def null(self, features: Sequence[tuple[str, bool]], effective_rows: FloatArray) -> Null:
        """Of these features, in their order, each with whether it is compared in phase, in a window
        of so many effective rows; sampling alone for those that are not calibrated."""
        other = (no_calibration(1), 0)
        found = [self._part(*one) or other for one in features]
        usual = Null(
            **{
                one.name: np.array([getattr(part.null, one.name)[at] for part, at in found])
                for one in fields(Null)
            }
        )
        return usual.grown(
            effective_rows / np.array([part.effective_rows[at] for part, at in found])
        )

    def shortcomings(self, feature: str, in_phase: bool) -> frozenset[Shortcoming]:
        found = self._part(feature, in_phase)
        if found is None:
            return frozenset({Shortcoming.NO_WINDOWS})
        calibration, at = found
        return calibration.shortcomings[at]

    def _part(self, feature: str, in_phase: bool) -> _Part | None:
        known = self.parts.get(feature)
        return known if in_phase else self.whole.get(feature, known)

    def in_phase(
        self, feature: str, starts: Iterable[datetime], zone: str
    ) -> tuple[ColumnPanes, str] | None:
        """What the reference holds in the phases of windows that start then, and the season in
        words; None where all of the reference is compared with."""
        if feature not in self.by_phase:
            return None
        season, phases = self.by_phase[feature]
        wanted = {one for start in starts for one in compared_phases(season, start, zone)}
        found = [phases[one] for one in sorted(wanted & phases.keys())]
        if not any(panes.cells.any() for panes in found):
            return None
        return together(found), WORDS[season]


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
        chosen = {feature.name: axes[feature.name] for feature in one.features}
        left_out = _left_out(connection, monitor, one.interval, memory)
        (rows,) = ledger.window_rows(connection, monitor_id, [one.interval])
        shorter: Calibration | None = None
        shorter_whole: Calibration | None = None
        for seconds in monitor.window_seconds:
            counted = reference_windows(
                connection, monitor, monitor_id, chosen, seconds, left_out,
                within=one.interval, seasons=one.seasons,
            )  # fmt: skip
            share = seconds / one.interval.seconds
            # The nearest length tells most of the next.
            shorter = _carried(counted, counted.choices, shorter, rows or 0, share)
            parts = _parts(one, shorter)
            known = made.get(seconds, NOT_CALIBRATED)
            phases: dict[str, InPhases] = {}
            whole: dict[str, _Part] = {}
            if len(one.seasons) > 1:
                phases = _by_phase(
                    connection, monitor, monitor_id, chosen, one, seconds, shorter, left_out
                )
                none = {SeasonKey.NONE: counted.phases[SeasonKey.NONE]}
                shorter_whole = _carried(counted, none, shorter_whole, rows or 0, share)
                every = _parts(one, shorter_whole)
                whole = {name: every[name] for name in phases}
            made[seconds] = OfLength(
                {**known.parts, **parts}, {**known.by_phase, **phases}, {**known.whole, **whole}
            )
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
            whole_year = record.interval.seconds >= _YEAR_SECONDS
            return record.interval, tuple(SeasonKey) if whole_year else WITHOUT_YEAR
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


def _carried(
    counted: ReferenceWindows,
    phases: Mapping[SeasonKey, IntArray],
    shorter: Calibration | None,
    rows: int,
    share: float,
) -> Calibration:
    """The calibration of these windows under these keys, with what shorter ones tell of them.

    rows: of the whole reference; share: of it, a window.
    """
    windows, features, _ = counted.counts.shape
    found = no_calibration(features)
    if windows > 1:
        found = calibrate(
            counted.counts, ordered=counted.ordered, phases=phases, cells=counted.cells
        )
    if shorter is None:
        return found
    return carried(
        found, shorter,
        current_rows=max(1.0, rows * share),
        reference_rows=max(1, rows) * counted.shares(shorter.season),
    )  # fmt: skip


def _parts(wanted: _Wanted, calibration: Calibration) -> dict[str, _Part]:
    return {feature.name: (calibration, at) for at, feature in enumerate(wanted.features)}


def _by_phase(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    wanted: _Wanted,
    seconds: int,
    calibration: Calibration,
    left_out: Sequence[tuple[str, Interval]],
) -> dict[str, InPhases]:
    """Of the features that have a season: it, and what the reference holds in its phases."""
    seasons = {
        feature.name: season
        for feature, season in zip(wanted.features, calibration.season, strict=True)
        if season is not SeasonKey.NONE
    }
    found = panes_by_phase(
        connection, monitor, monitor_id, axes, seconds, left_out,
        within=wanted.interval, seasons=seasons,
    )  # fmt: skip
    return {
        name: (seasons[name], with_share_of_unseen(axes[name], wanted.interval, of_phase))
        for name, of_phase in found.items()
        if len(of_phase) > 1  # else it is all of the reference
    }
