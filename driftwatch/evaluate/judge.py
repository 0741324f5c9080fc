"""From the counts of windows and of the reference to results: one per feature and window."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np

from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.evaluate import sentence
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.prepare import Prepared
from driftwatch.evaluate.rows import Case, bins, judged_row, plain_row
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.contribution import js_contribution
from driftwatch.stats.counts import ColumnTrouble, IntArray
from driftwatch.stats.divergence import divergences, stack
from driftwatch.stats.noise import noise
from driftwatch.store.ledger import WindowCounts
from driftwatch.verdict.judge import Evidence, Judgement, judge, judge_volume
from driftwatch.verdict.policy import VOLUME, Reason, Verdict
from driftwatch.window import Interval

_NO_WINDOWS: IntArray = np.zeros(0, dtype=np.int64)

_WITHOUT_REFERENCE = {Reason.ALL_MISSING, Reason.NO_REFERENCE}
"""Troubles that leave a column without a reference; the others need somebody to act."""


def judge_windows(
    monitor: MonitorSettings,
    prepared: Prepared,
    windows: Sequence[WindowCounts],
    *,
    troubles: Mapping[str, ColumnTrouble],
    now: datetime,
) -> Iterator[Judged]:
    """Results of the volume and of every feature in windows of one length, oldest window first.

    troubles: columns that could not be captured, or not be counted just now. Bins are kept of
    flagged results and of the newest window.
    """
    for window in windows:
        yield _volume(monitor, prepared, window, now)
        cases = []
        for feature in monitor.features:
            case = _case(feature, prepared, window)
            if case is None:
                trouble = troubles.get(feature.name)
                yield _grey(monitor, prepared, feature, window, trouble, now)
            else:
                cases.append(case)
        if cases:
            newest = window is windows[-1]
            yield from _features(monitor, prepared, cases, now, keep_bins=newest)


def without_reference(
    monitor: MonitorSettings, windows: Sequence[Interval], message: str, now: datetime
) -> Iterator[Judged]:
    """Results that say that there is nothing yet to compare with: nothing was counted."""
    judgement = Judgement(Verdict.LEARNING, Reason.NO_REFERENCE, math.nan, above_clear=False)
    for window in windows:
        for name in (VOLUME, *(feature.name for feature in monitor.features)):
            yield Judged(
                plain_row(
                    monitor, name, window, judgement,
                    message=message, rows=0, reference=(0, 0), now=now,
                )
            )  # fmt: skip


def _case(feature: FeatureSettings, prepared: Prepared, window: WindowCounts) -> Case | None:
    """The feature's counts on both sides; None where it was not counted in all of the window."""
    axis = prepared.axes.get(feature.name)
    reference = prepared.references.get(feature.name)
    panes = window.columns.get(feature.name)
    if axis is None or reference is None or reference.counts is None or panes is None:
        return None
    if int(panes.cells.sum()) != window.rows:
        return None
    return Case(feature, window, axis.axis, panes.cells[0], panes, reference.counts.cells[0])


def _features(
    monitor: MonitorSettings,
    prepared: Prepared,
    cases: Sequence[Case],
    now: datetime,
    *,
    keep_bins: bool,
) -> Iterator[Judged]:
    current, cells = stack([case.current for case in cases])
    reference, _ = stack([case.reference for case in cases])
    ordered = np.array([isinstance(case.axis, NumericAxis) for case in cases])
    found = divergences(current, reference, cells=cells, ordered=ordered)
    floor = noise(current, reference)
    parts = js_contribution(current, reference, cells)
    for i, case in enumerate(cases):
        evidence = Evidence(
            rows=int(current[i].sum()),
            reference_rows=int(reference[i].sum()),
            min_rows=monitor.min_rows,
            divergence=found.at(i),
            js_guard=float(floor.js_guard[i]),
        )
        judgement = judge(case.feature.threshold, evidence)
        row = judged_row(
            monitor, prepared, case, evidence, judgement,
            js_noise=float(floor.expected_js[i]), now=now,
        )  # fmt: skip
        flagged = judgement.verdict in (Verdict.WARNING, Verdict.CRITICAL)
        kept = bins(case, parts[i]) if keep_bins or flagged else ()
        yield Judged(row, kept, judgement.above_clear)


def _volume(
    monitor: MonitorSettings, prepared: Prepared, window: WindowCounts, now: datetime
) -> Judged:
    reference_rows = prepared.reference_rows.get(window.interval.seconds, _NO_WINDOWS)
    judgement = judge_volume(monitor.volume, rows=window.rows, reference_window_rows=reference_rows)
    row = plain_row(
        monitor, VOLUME, window.interval, judgement,
        message=sentence.volume(window.rows, judgement),
        rows=window.rows, reference=_reference(prepared, VOLUME), now=now,
    )  # fmt: skip
    usual = reference_rows.size == 0 or int(reference_rows.min()) > 0
    return Judged(row, (), judgement.above_clear, expected=usual)


def _grey(
    monitor: MonitorSettings,
    prepared: Prepared,
    feature: FeatureSettings,
    window: WindowCounts,
    trouble: ColumnTrouble | None,
    now: datetime,
) -> Judged:
    """A result that says why there is no judgement. Without a trouble of its own the column was
    not counted in all of the window: it was added, or failed, in the middle of it."""
    if trouble is None:
        verdict, reason = Verdict.LEARNING, Reason.NOT_SCANNED
        message = sentence.not_scanned(feature.name)
    else:
        reason, message = Reason(trouble.reason), trouble.message
        verdict = Verdict.LEARNING if reason in _WITHOUT_REFERENCE else Verdict.ERROR
    row = plain_row(
        monitor, feature.name, window.interval, Judgement(verdict, reason, math.nan, False),
        message=message, rows=window.rows, reference=_reference(prepared, feature.name), now=now,
    )  # fmt: skip
    return Judged(row)


def _reference(prepared: Prepared, name: str) -> tuple[int, int]:
    reference = prepared.references.get(name)
    return (reference.version, reference.rows) if reference else (0, 0)
