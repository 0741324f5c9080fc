"""From the counts of windows and of the reference to results: one per feature and window."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from driftwatch.alert.policy import Severity
from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.evaluate import sentence
from driftwatch.evaluate.calibrate import NOT_CALIBRATED
from driftwatch.evaluate.compare import Compared, Look, Past
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.prepare import Prepared
from driftwatch.evaluate.rows import Case, bins, judged_row, plain_row
from driftwatch.evaluate.tested import Counts, tested
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.contribution import js_contribution
from driftwatch.stats.counts import ColumnTrouble, IntArray
from driftwatch.stats.divergence import divergences, stack
from driftwatch.stats.noise import noise
from driftwatch.store.ledger import WindowCounts
from driftwatch.store.results import ResultRow
from driftwatch.verdict.judge import Evidence, Judgement, judge, judge_volume
from driftwatch.verdict.policy import VOLUME, Reason, Verdict
from driftwatch.window import Window

_WITHOUT_REFERENCE = {Reason.ALL_MISSING, Reason.NO_REFERENCE}
"""Troubles that leave a column without a reference; the others need somebody to act."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One window of one segment ("": all rows), with all that is needed to judge it.

    features: those to be judged; compared: the references of those that have one; volume: rows of
    the windows that its own are compared with, None where the volume is not judged; keep_bins:
    whether pictures of unflagged results are kept, too; excluded: why it pages nobody, beside what
    is excluded anyway.
    """

    look: Look
    counts: WindowCounts
    features: Sequence[FeatureSettings]
    compared: Mapping[str, Compared]
    segment: str = ""
    volume: IntArray | None = None
    keep_bins: bool = False
    cap: Severity | None = None
    excluded: str = ""


def judge_windows(
    monitor: MonitorSettings,
    prepared: Prepared,
    windows: Sequence[Seen],
    past: Past,
    *,
    troubles: Mapping[str, ColumnTrouble],
    now: datetime,
) -> Iterator[Judged]:
    """Results of the volume and of every feature, in the order of the windows.

    troubles: columns that could not be captured, or not be counted just now. Bins are kept of
    flagged results, too.
    """
    for seen in windows:
        if seen.volume is not None:
            yield _volume(monitor, prepared, seen, seen.volume, past, now)
        cases = []
        for feature in seen.features:
            case = _case(feature, prepared, seen, past)
            if case is not None:
                cases.append(case)
            elif not seen.segment:
                trouble = troubles.get(feature.name)
                yield _grey(monitor, prepared, feature, seen, trouble, past, now)
        if cases:
            yield from _features(monitor, prepared, seen, cases, now)


def without_reference(
    monitor: MonitorSettings, windows: Sequence[Window], message: str, now: datetime
) -> Iterator[Judged]:
    """Results that say that there is nothing yet to compare with: nothing was counted."""
    judgement = Judgement(Verdict.LEARNING, Reason.NO_REFERENCE, math.nan, above_clear=False)
    for window in windows:
        for name in (VOLUME, *(feature.name for feature in monitor.features)):
            yield Judged(
                plain_row(
                    monitor, name, Look(window, window.interval), judgement,
                    message=message, rows=0, reference=(0, 0), now=now,
                )
            )  # fmt: skip


def _case(feature: FeatureSettings, prepared: Prepared, seen: Seen, past: Past) -> Case | None:
    """The feature's counts on both sides; None where it was not counted in all of the window."""
    axis = prepared.axes.get(feature.name)
    compared = seen.compared.get(feature.name)
    panes = seen.counts.columns.get(feature.name)
    if axis is None or compared is None or panes is None:
        return None
    if int(panes.cells.sum()) != seen.counts.rows:
        return None
    reason = seen.excluded or past.reason(feature.name, seen.look.span)
    return Case(feature, seen.segment, seen.look, axis, panes, compared, reason)


def _features(
    monitor: MonitorSettings,
    prepared: Prepared,
    seen: Seen,
    cases: Sequence[Case],
    now: datetime,
) -> Iterator[Judged]:
    current, cells = stack([case.current for case in cases])
    reference, _ = stack([case.reference for case in cases])
    ordered = np.array([isinstance(case.axis.axis, NumericAxis) for case in cases])
    found = divergences(current, reference, cells=cells, ordered=ordered)
    floor = noise(current, reference)
    parts = js_contribution(current, reference, cells)
    of_length = prepared.calibrations.get(seen.look.window.seconds, NOT_CALIBRATED)
    tests = tested(
        Counts(current, reference, cells, ordered), cases, of_length,
        min_rows=monitor.min_rows, lengths=len(monitor.window_seconds),
    )  # fmt: skip
    for i, case in enumerate(cases):
        evidence = Evidence(
            rows=int(current[i].sum()),
            reference_rows=int(reference[i].sum()),
            min_rows=monitor.min_rows,
            divergence=found.at(i),
            js_guard=float(floor.js_guard[i]),
            p_value=tests[i].p_value,
            adjusted_p=tests[i].adjusted_p,
            effect=tests[i].effect,
            lengths=len(monitor.window_seconds),
        )
        judgement = judge(case.feature.threshold, evidence)
        row = judged_row(
            monitor, case, evidence, judgement, tests[i],
            js_noise=float(floor.expected_js[i]), now=now,
        )  # fmt: skip
        flagged = judgement.verdict in (Verdict.WARNING, Verdict.CRITICAL)
        kept = bins(case, parts[i]) if seen.keep_bins or flagged else ()
        yield Judged(row, kept, judgement.above_clear, cap=seen.cap, plain=judgement.plain)


def _volume(
    monitor: MonitorSettings,
    prepared: Prepared,
    seen: Seen,
    reference_rows: IntArray,
    past: Past,
    now: datetime,
) -> Judged:
    rows = seen.counts.rows
    judgement = judge_volume(monitor.volume, rows=rows, reference_window_rows=reference_rows)
    row = plain_row(
        monitor, VOLUME, seen.look, judgement,
        message=sentence.volume(rows, judgement),
        rows=rows, reference=_reference(prepared, VOLUME), now=now,
    )  # fmt: skip
    row = _excluded(row, past.reason(VOLUME, seen.look.span))
    usual = reference_rows.size == 0 or int(reference_rows.min()) > 0
    return Judged(row, (), judgement.above_clear, expected=usual)


def _grey(
    monitor: MonitorSettings,
    prepared: Prepared,
    feature: FeatureSettings,
    seen: Seen,
    trouble: ColumnTrouble | None,
    past: Past,
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
        monitor, feature.name, seen.look, Judgement(verdict, reason, math.nan, False),
        message=message, rows=seen.counts.rows, reference=_reference(prepared, feature.name),
        now=now,
    )  # fmt: skip
    return Judged(_excluded(row, past.reason(feature.name, seen.look.span)))


def _excluded(row: ResultRow, reason: str) -> ResultRow:
    return replace(row, excluded=reason, message=row.message + sentence.notes(None, reason))


def _reference(prepared: Prepared, name: str) -> tuple[int, int]:
    reference = prepared.references.get(name)
    return (reference.version, reference.rows) if reference else (0, 0)
