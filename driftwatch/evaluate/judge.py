"""From the counts of windows and of the reference to results: one per feature and window."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from driftwatch.alert.policy import Severity
from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.evaluate import sentence
from driftwatch.evaluate.basis import Basis
from driftwatch.evaluate.calibrate import NOT_CALIBRATED
from driftwatch.evaluate.compare import Compared, Look, Past
from driftwatch.evaluate.groups import VERSION_PREFIX
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.rows import Case, Found, Tests, bins, judged_row, plain_row, spreads
from driftwatch.evaluate.tested import Counts, seen_together, tested
from driftwatch.evaluate.why import changes, explained, woken
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.contribution import js_contribution
from driftwatch.stats.counts import ColumnTrouble, IntArray
from driftwatch.stats.divergence import divergences, stack
from driftwatch.stats.kind import ChangeKind
from driftwatch.stats.noise import noise
from driftwatch.store.explained import ExplainedShare
from driftwatch.store.ledger import WindowCounts
from driftwatch.store.results import ResultBin, ResultRow
from driftwatch.verdict.explanation import explain_volume
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
    is excluded anyway; shares: gives what each feature explains of the prediction's change, asked
    for where that is flagged, None where nobody knows.
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
    shares: Callable[[], Sequence[ExplainedShare]] | None = None


def judge_windows(
    monitor: MonitorSettings,
    prepared: Basis,
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
    groups = [_group(monitor, prepared, seen, past) for seen in windows]
    tests = _together(monitor, groups)
    for group, of_group in zip(groups, tests, strict=True):
        seen = group.seen
        if seen.volume is not None:
            yield _volume(monitor, prepared, seen, seen.volume, past, now)
        for feature in group.blind:
            trouble = troubles.get(feature.name)
            yield _grey(monitor, prepared, feature, seen, trouble, past, now)
        if group.cases:
            yield from _features(monitor, group, of_group, now)


@dataclass(frozen=True, slots=True)
class _Group:
    """The features of one window of one segment: those that can be tested, with their counts and
    what each test says by itself, and those that are blind."""

    seen: Seen
    cases: Sequence[Case] = ()
    counts: Counts | None = None
    tests: Sequence[Tests] = ()
    blind: Sequence[FeatureSettings] = ()


def _group(monitor: MonitorSettings, prepared: Basis, seen: Seen, past: Past) -> _Group:
    found = {feature: _case(feature, prepared, seen, past) for feature in seen.features}
    cases = [case for case in found.values() if case is not None]
    blind = [one for one, case in found.items() if case is None and not seen.segment]
    if not cases:
        return _Group(seen, blind=blind)
    current, cells = stack([case.current for case in cases])
    reference, _ = stack([case.reference for case in cases])
    ordered = np.array([isinstance(case.axis.axis, NumericAxis) for case in cases])
    counts = Counts(current, reference, cells, ordered)
    of_length = prepared.calibrations.get(seen.look.window.seconds, NOT_CALIBRATED)
    tests = tested(counts, cases, of_length, lengths=len(monitor.window_seconds))
    return _Group(seen, cases, counts, tests, blind)


def _together(monitor: MonitorSettings, groups: Sequence[_Group]) -> list[list[Tests]]:
    """The tests of each group, each p adjusted for all that may page over the same window; segments
    that only explain, each by itself."""
    pools: dict[tuple[Window, str], list[int]] = {}
    for number, group in enumerate(groups):
        segment = group.seen.segment
        pages = not segment or segment.startswith(VERSION_PREFIX) or _segments_page(monitor)
        pools.setdefault((group.seen.look.window, "" if pages else segment), []).append(number)
    adjusted: list[list[Tests]] = [[] for _ in groups]
    for numbers in pools.values():
        some = [groups[number] for number in numbers]
        found = iter(
            seen_together(
                [case for group in some for case in group.cases],
                [test for group in some for test in group.tests],
                min_rows=monitor.min_rows,
            )
        )
        for number, group in zip(numbers, some, strict=True):
            adjusted[number] = [next(found) for _ in group.cases]
    return adjusted


def _segments_page(monitor: MonitorSettings) -> bool:
    return monitor.segments is not None and monitor.segments.page


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


def _case(feature: FeatureSettings, prepared: Basis, seen: Seen, past: Past) -> Case | None:
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
    monitor: MonitorSettings, group: _Group, tests: Sequence[Tests], now: datetime
) -> Iterator[Judged]:
    assert group.counts is not None, "what can be tested has counts"
    counts, cases, seen = group.counts, group.cases, group.seen
    found = divergences(
        counts.current, counts.reference, cells=counts.cells, ordered=counts.ordered
    )
    floor = noise(counts.current, counts.reference)
    parts = js_contribution(counts.current, counts.reference, counts.cells)
    evidence = [
        Evidence(
            rows=int(counts.current[i].sum()),
            reference_rows=int(counts.reference[i].sum()),
            min_rows=monitor.min_rows,
            divergence=found.at(i),
            js_guard=float(floor.js_guard[i]),
            p_value=tests[i].p_value,
            adjusted_p=tests[i].adjusted_p,
            effect=tests[i].effect,
            lengths=len(monitor.window_seconds),
        )
        for i in range(len(cases))
    ]
    judgements = [
        judge(case.feature.threshold, known) for case, known in zip(cases, evidence, strict=True)
    ]
    changed = changes(cases, judgements)
    judgements = woken(cases, judgements, changed)
    spread = spreads(cases)
    whys = explained(monitor, cases, judgements, changed, _shares(seen, cases, judgements))
    for i, case in enumerate(cases):
        of_feature = Found(
            evidence[i], judgements[i], tests[i], whys[i],
            spread=(float(spread.mean[i]), float(spread.standard_deviation[i])),
            js_noise=float(floor.expected_js[i]),
        )  # fmt: skip
        row = judged_row(monitor, case, of_feature, now)
        kept: tuple[ResultBin, ...] = ()
        if seen.keep_bins or judgements[i].flagged:
            kept = bins(case, parts[i], tests[i].p_cells, whys[i])
        yield Judged(row, kept, judgements[i].above_clear, cap=seen.cap, plain=judgements[i].plain)


def _shares(
    seen: Seen, cases: Sequence[Case], judgements: Sequence[Judgement]
) -> Sequence[ExplainedShare]:
    flagged = any(
        case.feature.prediction and judgement.flagged
        for case, judgement in zip(cases, judgements, strict=True)
    )
    return seen.shares() if flagged and seen.shares is not None else ()


def _volume(
    monitor: MonitorSettings,
    prepared: Basis,
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
    if judgement.flagged:
        told = explain_volume(rows, judgement.value)
        row = replace(
            row,
            change=ChangeKind.VOLUME,
            next_step=told.next_step,
            explanation=told.sentence,
        )
    row = _excluded(row, past.reason(VOLUME, seen.look.span))
    usual = reference_rows.size == 0 or int(reference_rows.min()) > 0
    return Judged(row, (), judgement.above_clear, expected=usual)


def _grey(
    monitor: MonitorSettings,
    prepared: Basis,
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


def _reference(prepared: Basis, name: str) -> tuple[int, int]:
    reference = prepared.references.get(name)
    return (reference.version, reference.rows) if reference else (0, 0)
