"""How a judgement is written down: result rows and their bins."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.evaluate import sentence
from driftwatch.evaluate.compare import Compared, Look
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray
from driftwatch.stats.divergence import CONVENTION
from driftwatch.stats.kind import Change
from driftwatch.stats.moments import Moments, moments
from driftwatch.stats.segment import ALL_ROWS
from driftwatch.store.axes import AxisRecord
from driftwatch.store.results import ResultBin, ResultRow
from driftwatch.verdict.explanation import Explanation
from driftwatch.verdict.judge import Evidence, Judgement


@dataclass(frozen=True, slots=True)
class Case:
    """One feature in one window of one segment, with counts on both sides, each of shape (cells,).

    excluded: why the window pages nobody, "" if it may.
    """

    feature: FeatureSettings
    segment: str
    look: Look
    axis: AxisRecord
    panes: ColumnPanes
    compared: Compared
    excluded: str

    @property
    def current(self) -> IntArray:
        found: IntArray = self.panes.cells[0]
        return found

    @property
    def reference(self) -> IntArray:
        return self.compared.cells


@dataclass(frozen=True, slots=True)
class Tests:
    """What the tests say of one feature. alpha: what p_value is held against, NaN where its
    threshold is fixed; inflation: phi of the window; wobble: see `stats.effect.wobble`; caveats:
    why the null says less than it could, of features that are calibrated; p_cells: of each cell
    alone, shape (cells,)."""

    p_value: float
    adjusted_p: float
    effect: float
    detectable_effect: float
    inflation: float
    wobble: float
    alpha: float
    caveats: tuple[str, ...]
    p_cells: FloatArray


@dataclass(frozen=True, slots=True)
class Why:
    """The change of one flagged feature, with the cells that carry it, and its explanation."""

    change: Change
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found of one feature in one window. why: None where it is not flagged; spread:
    mean and standard deviation; js_noise in nats."""

    evidence: Evidence
    judgement: Judgement
    tests: Tests
    why: Why | None
    spread: tuple[float, float]
    js_noise: float


def judged_row(monitor: MonitorSettings, case: Case, found: Found, now: datetime) -> ResultRow:
    """The result of a feature that was counted in all of the window."""
    limits = case.feature.threshold
    evidence, judgement, tests, why = found.evidence, found.judgement, found.tests, found.why
    d = evidence.divergence
    return ResultRow(
        monitor=monitor.name,
        feature=case.feature.name,
        segment=case.segment,
        window_seconds=case.look.window.seconds,
        window_start=case.look.span.start,
        window_end=case.look.span.end,
        reference_version=case.compared.version,
        axis_version=case.axis.version,
        rows=evidence.rows,
        missing_rows=int(case.current[-1]),
        unseen_rows=_unseen(case),
        infinite_rows=int(case.panes.infinite[0]),
        reference_rows=evidence.reference_rows,
        mean=found.spread[0],
        standard_deviation=found.spread[1],
        kl=d.kl,
        kl_reverse=d.kl_reverse,
        js=d.js,
        js_distance=d.js_distance,
        psi=d.psi,
        hellinger=d.hellinger,
        total_variation=d.total_variation,
        l_infinity=d.l_infinity,
        ks=d.ks,
        entropy=d.entropy,
        cross_entropy=d.cross_entropy,
        perplexity=d.perplexity,
        js_noise=found.js_noise,
        js_guard=evidence.js_guard,
        measure=limits.measure,
        value=judgement.value,
        threshold_warning=_or_nan(limits.warning),
        threshold_critical=_or_nan(limits.critical),
        effect=tests.effect,
        detectable_effect=tests.detectable_effect,
        p_value=tests.p_value,
        adjusted_p=tests.adjusted_p,
        inflation=tests.inflation,
        wobble=tests.wobble,
        alpha=tests.alpha,
        caveats=" ".join(tests.caveats),
        change=why.change.kind if why else None,
        change_share=why.change.share if why else math.nan,
        next_step=why.explanation.next_step if why else None,
        explanation=why.explanation.sentence if why else "",
        convention=CONVENTION,
        compared_with=case.compared.words,
        excluded=case.excluded,
        verdict=judgement.verdict,
        reason=judgement.reason,
        message=sentence.drift(
            case.feature.name,
            judgement,
            limits,
            rows=evidence.rows,
            min_rows=monitor.min_rows,
            missing=(
                _share(case.current[-1], evidence.rows),
                _share(case.reference[-1], evidence.reference_rows),
            ),
            constant=int(np.count_nonzero(case.reference)) == 1,
        )
        + sentence.notes(case.look.span if case.look.widened else None, case.excluded),
        evaluated_at=now,
    )


def spreads(cases: Sequence[Case]) -> Moments:
    """Mean and standard deviation of each case: all of them at once, because that is cheap."""
    values = np.array([case.current[:-1].sum() for case in cases], np.int64)
    infinite, total, total_squares, minimum, maximum = (
        np.array([getattr(case.panes, name)[0] for case in cases])
        for name in ("infinite", "total", "total_squares", "minimum", "maximum")
    )
    missing = np.zeros_like(values)
    cells = np.stack([values, missing], axis=1)
    return moments(ColumnPanes(cells, infinite, total, total_squares, minimum, maximum))


def plain_row(
    monitor: MonitorSettings,
    feature: str,
    look: Look,
    judgement: Judgement,
    *,
    message: str,
    rows: int,
    reference: tuple[int, int],
    now: datetime,
) -> ResultRow:
    """A result without divergences: the volume, or what could not be judged.

    reference: its version and rows, (0, 0) while there is none.
    """
    nothing = math.nan
    return ResultRow(
        monitor=monitor.name,
        feature=feature,
        segment=ALL_ROWS,
        window_seconds=look.window.seconds,
        window_start=look.span.start,
        window_end=look.span.end,
        reference_version=reference[0],
        axis_version=None,
        rows=rows,
        missing_rows=0,
        unseen_rows=0,
        infinite_rows=0,
        reference_rows=reference[1],
        mean=nothing,
        standard_deviation=nothing,
        kl=nothing,
        kl_reverse=nothing,
        js=nothing,
        js_distance=nothing,
        psi=nothing,
        hellinger=nothing,
        total_variation=nothing,
        l_infinity=nothing,
        ks=nothing,
        entropy=nothing,
        cross_entropy=nothing,
        perplexity=nothing,
        js_noise=nothing,
        js_guard=nothing,
        measure=None,
        value=judgement.value,
        threshold_warning=nothing,
        threshold_critical=nothing,
        convention=CONVENTION,
        verdict=judgement.verdict,
        reason=judgement.reason,
        message=message,
        evaluated_at=now,
    )


def bins(
    case: Case, contribution: FloatArray, p_cells: FloatArray, why: Why | None
) -> tuple[ResultBin, ...]:
    """The cells of one result, with what each adds to JS (nats) and how likely it is by chance."""
    carrying = why.change.cells if why else ()
    return tuple(
        ResultBin(
            cell,
            label,
            int(case.current[cell]),
            int(case.reference[cell]),
            float(contribution[cell]),
            float(p_cells[cell]),
            cell in carrying,
        )
        for cell, label in enumerate(case.axis.axis.labels())
    )


def _unseen(case: Case) -> int:
    cell = case.axis.axis.unseen
    return 0 if cell is None else int(case.current[cell])


def _share(part: int, rows: int) -> float:
    return part / rows if rows else math.nan


def _or_nan(limit: float | None) -> float:
    return math.nan if limit is None else limit
