"""A simulated monitor watched as the daemon does by default: its windows judged, its alerts moved.

Windows are judged by `evaluate.judge` itself; those whose results cannot change an alert, by their
p alone, are not handed on.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np

from benchmarks.readiness import (
    LENGTHS,
    Monitor,
    Windows,
    calibrated,
    compared_by_week,
    monitor_of,
    of_length,
    side_by_side,
)
from benchmarks.traffic import Column, Hours
from driftwatch.alert.policy import AlertState, Severity
from driftwatch.alert.state import AlertStatus, Observation, advance
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.calibrate import OfLength
from driftwatch.evaluate.compare import Compared, Look, Past
from driftwatch.evaluate.judge import Seen, judge_windows
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.prepare import Prepared
from driftwatch.source import RelationInfo
from driftwatch.stats.calibration import Calibration
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.discovery import discoveries
from driftwatch.stats.noise import effective_rows
from driftwatch.stats.null import Null
from driftwatch.stats.significance import significance
from driftwatch.store.ledger import WindowCounts
from driftwatch.verdict.judge import DISCOVERY_RATE, judge_volume
from driftwatch.verdict.policy import VOLUME, CalibratedThreshold, Verdict, VolumeThreshold
from driftwatch.window import Window

_SEVERITY = {Verdict.WARNING: Severity.WARNING, Verdict.CRITICAL: Severity.CRITICAL}
_ALPHA = CalibratedThreshold().alpha / len(LENGTHS)
_KEPT_P = 10 * _ALPHA
"""What has no p as small as this does not keep an alert firing."""
_BLOCK = 24
"""Windows that are tested at once."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """One window that was flagged, or one alert that fired and its window: by what.

    severity: of an alert the highest that it came to; kind: "" of the volume; plain: flagged so
    plainly that it fires at once.
    """

    feature: str
    marginal: str
    seconds: int
    start: datetime
    severity: Severity
    rows: int
    p: float
    effect: float
    kind: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of one monitor. judged: feature-windows by marginal and length, volume apart."""

    judged: Counter[tuple[str, int]]
    flagged: Sequence[Flagged]
    alerts: Sequence[Flagged]


def watched(columns: Sequence[Column], when: Hours) -> Watched:
    """All windows after the reference, judged, and the alerts that came of them."""
    hourly = side_by_side([one.cells for one in columns])
    monitor = monitor_of(columns, hourly, when)
    judged: Counter[tuple[str, int]] = Counter()
    flagged: list[Flagged] = []
    alerts: list[Flagged] = []
    hour: Calibration | None = None
    for seconds in LENGTHS:
        windows = of_length(hourly, when, seconds)
        calibration, known = calibrated(monitor, windows, hour)
        hour = calibration if hour is None else hour
        rows = windows.counts[:, 0].sum(axis=1)
        enough = np.count_nonzero(rows[windows.past :] >= monitor.settings.min_rows)
        for column in columns:
            judged[column.marginal, seconds] += int(enough)
        judged[VOLUME, seconds] += rows.size - windows.past
        results = [*_volumes(windows, rows), *_judged(monitor, windows, known)]
        names = {one.name: one.marginal for one in columns} | {VOLUME: VOLUME}
        for name, marginal in names.items():
            of_feature = {at: one for feature, at, one in results if feature == name}
            told = {at: one for at, one in of_feature.items() if one.severity is not None}
            flagged += [_flagged(name, marginal, windows, at, one) for at, one in told.items()]
            if told:
                moved = _alerts(windows, rows, of_feature, monitor.settings)
                alerts += [
                    replace(_flagged(name, marginal, windows, at, told[at]), severity=worst)
                    for at, worst in moved
                ]
    return Watched(judged, flagged, alerts)


@dataclass(frozen=True, slots=True)
class _Result:
    """What one window says of one feature, as far as an alert and a table ask."""

    severity: Severity | None
    above_clear: bool
    judged: bool
    plain: bool
    rows: int
    p: float
    effect: float
    kind: str


def _judged(
    monitor: Monitor, windows: Windows, known: OfLength
) -> Iterator[tuple[str, int, _Result]]:
    """The results of the windows that could decide about an alert, each with its feature and
    window."""
    prepared = Prepared(
        monitor_id=0, info=RelationInfo((), "none", timestamp_served=False), axes=monitor.axes,
        references={}, segment_references={}, lanes=(), cohorts={}, segments=(), versions=(),
        troubles={}, retry_at=None, stamp=(), calibrations={windows.seconds: known},
    )  # fmt: skip
    compared = compared_by_week(monitor, windows, known)
    deciding = windows.past + _deciding(_p(monitor, windows, compared, known))
    for at in deciding.tolist():
        interval = windows.interval(at)
        seen = Seen(
            Look(Window(windows.seconds, interval), interval), _window_counts(monitor, windows, at),
            monitor.settings.features, compared[at % len(compared)],
        )  # fmt: skip
        for one in judge_windows(
            monitor.settings, prepared, [seen], Past(), troubles={}, now=interval.end
        ):
            yield one.row.feature, at, _result(one)


def _p(
    monitor: Monitor,
    windows: Windows,
    compared: Sequence[Mapping[str, Compared]],
    known: OfLength,
) -> FloatArray:
    """p of each live window and column, shape (W, F), NaN in windows with too few rows."""
    live = windows.counts[windows.past :]
    count, features, width = live.shape
    week = _padded([[one.cells for one in some.values()] for some in compared], width)
    names = [(one.name, True) for one in monitor.columns]
    found = []
    for first in range(0, count, _BLOCK):
        current = live[first : first + _BLOCK]
        reference = week[np.arange(first, first + len(current)) % len(week)]
        nt = effective_rows(current=current.sum(axis=2), reference=reference.sum(axis=2))
        each = [known.null(names, one) for one in nt]
        null = Null(
            **{f.name: np.concatenate([getattr(one, f.name) for one in each]) for f in fields(Null)}
        )
        p = significance(
            current.reshape(-1, width),
            reference.reshape(-1, width),
            ordered=np.tile(monitor.ordered, len(current)),
            cells=np.tile(monitor.cells, len(current)),
            null=null,
        ).p.reshape(-1, features)
        found.append(p)
    enough = live[:, 0].sum(axis=1) >= monitor.settings.min_rows
    return np.where(enough[:, np.newaxis], np.concatenate(found), np.nan)


def _deciding(p: FloatArray) -> IntArray:
    """The live windows in which something can be flagged, or can keep an alert of such a column
    firing: in all others what the daemon says changes no alert."""
    found = np.array([discoveries(one, q=DISCOVERY_RATE / len(LENGTHS)).found for one in p])
    found &= p <= _ALPHA
    alerted = found.any(axis=0)
    return np.flatnonzero(found.any(axis=1) | (p[:, alerted] <= _KEPT_P).any(axis=1))


def _padded(cells: Sequence[Sequence[IntArray]], width: int) -> IntArray:
    """Counts of columns in some windows, shape (W, F, width)."""
    return np.array(
        [[np.pad(one, (0, width - one.size)) for one in of_window] for of_window in cells]
    )


def _window_counts(monitor: Monitor, windows: Windows, at: int) -> WindowCounts:
    counts, interval = windows.counts[at], windows.interval(at)
    rows = int(counts[0].sum())
    return WindowCounts(
        interval, rows, windows.seconds,
        {
            column.name: column.panes(counts[place, : monitor.cells[place]])
            for place, column in enumerate(monitor.columns)
        },
        {column.name: rows for column in monitor.columns},
    )  # fmt: skip


def _result(judged: Judged) -> _Result:
    row = judged.row
    return _Result(
        _SEVERITY.get(row.verdict), judged.above_clear, row.verdict.judged, judged.plain,
        row.rows, row.p_value, row.effect, str(row.change or ""),
    )  # fmt: skip


def _volumes(windows: Windows, rows: IntArray) -> Iterator[tuple[str, int, _Result]]:
    past = rows[: windows.past]
    for at in range(windows.past, rows.size):
        found = judge_volume(VolumeThreshold(), rows=int(rows[at]), reference_window_rows=past)
        yield VOLUME, at, _Result(
            _SEVERITY.get(found.verdict), found.above_clear, found.verdict.judged, found.plain,
            int(rows[at]), math.nan, found.value, "",
        )  # fmt: skip


def _alerts(
    windows: Windows, rows: IntArray, results: Mapping[int, _Result], settings: MonitorSettings
) -> Iterator[tuple[int, Severity]]:
    """The windows at which the alert of one feature began to fire, and how severe it came to be."""
    status, begun, worst = AlertStatus(), 0, Severity.WARNING
    for at in range(windows.past, rows.size):
        before, found = status.state, results.get(at)
        interval = windows.interval(at)
        clear = _Result(None, False, bool(rows[at] >= settings.min_rows), False, 0, 1.0, 0.0, "")
        one = clear if found is None else found
        status = advance(
            status,
            Observation(
                interval.start, interval.end, one.severity, one.above_clear, one.judged,
                plain=one.plain,
            ),
            settings.alert,
        )  # fmt: skip
        firing = status.state is AlertState.FIRING
        if firing and before is not AlertState.FIRING:
            begun, worst = at, Severity.WARNING
        if firing and status.severity is Severity.CRITICAL:
            worst = Severity.CRITICAL
        if before is AlertState.FIRING and not firing:
            yield begun, worst
    if status.state is AlertState.FIRING:
        yield begun, worst


def _flagged(name: str, marginal: str, windows: Windows, at: int, one: _Result) -> Flagged:
    assert one.severity is not None
    return Flagged(
        name, marginal, windows.seconds, windows.interval(at).start, one.severity,
        one.rows, one.p, one.effect, one.kind, one.plain,
    )  # fmt: skip
