"""How a judgement is written down: result rows and their bins."""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.evaluate import sentence
from driftwatch.evaluate.prepare import Prepared
from driftwatch.stats.axis import Axis
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray
from driftwatch.stats.divergence import CONVENTION
from driftwatch.stats.moments import moments
from driftwatch.store.ledger import WindowCounts
from driftwatch.store.results import ResultBin, ResultRow
from driftwatch.verdict.judge import Evidence, Judgement
from driftwatch.window import Interval

ALL_ROWS = ""
"""The segment of all rows."""


@dataclass(frozen=True, slots=True)
class Case:
    """One feature in one window, with counts on both sides, each of shape (cells,)."""

    feature: FeatureSettings
    window: WindowCounts
    axis: Axis
    current: IntArray
    panes: ColumnPanes
    reference: IntArray


def judged_row(
    monitor: MonitorSettings,
    prepared: Prepared,
    case: Case,
    evidence: Evidence,
    judgement: Judgement,
    *,
    js_noise: float,
    now: datetime,
) -> ResultRow:
    """The result of a feature that was counted in all of the window."""
    limits = case.feature.threshold
    spread = moments(case.panes)
    d = evidence.divergence
    return ResultRow(
        monitor=monitor.name,
        feature=case.feature.name,
        segment=ALL_ROWS,
        window_seconds=case.window.interval.seconds,
        window_start=case.window.interval.start,
        window_end=case.window.interval.end,
        reference_version=prepared.references[case.feature.name].version,
        axis_version=prepared.axes[case.feature.name].version,
        rows=evidence.rows,
        missing_rows=int(case.current[-1]),
        unseen_rows=0 if case.axis.unseen is None else int(case.current[case.axis.unseen]),
        infinite_rows=int(case.panes.infinite[0]),
        reference_rows=evidence.reference_rows,
        mean=float(spread.mean[0]),
        standard_deviation=float(spread.standard_deviation[0]),
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
        js_noise=js_noise,
        js_guard=evidence.js_guard,
        measure=limits.measure,
        value=judgement.value,
        threshold_warning=_or_nan(limits.warning),
        threshold_critical=_or_nan(limits.critical),
        convention=CONVENTION,
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
        ),
        evaluated_at=now,
    )


def plain_row(
    monitor: MonitorSettings,
    feature: str,
    window: Interval,
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
        window_seconds=window.seconds,
        window_start=window.start,
        window_end=window.end,
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


def bins(case: Case, contribution: FloatArray) -> tuple[ResultBin, ...]:
    """The cells of one result, with what each adds to JS (nats)."""
    return tuple(
        ResultBin(cell, label, int(case.current[cell]), int(case.reference[cell]), float(part))
        for cell, (label, part) in enumerate(zip(case.axis.labels(), contribution, strict=False))
    )


def _share(part: int, rows: int) -> float:
    return part / rows if rows else math.nan


def _or_nan(limit: float | None) -> float:
    return math.nan if limit is None else limit
