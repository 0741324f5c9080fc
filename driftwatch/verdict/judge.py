"""From what was measured and a policy to a judgement: pure functions, one per kind of policy."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftwatch.stats.counts import IntArray
from driftwatch.stats.divergence import Divergence
from driftwatch.verdict.policy import (
    CalibratedThreshold,
    FixedThreshold,
    Measure,
    Policy,
    Reason,
    Verdict,
    VolumeThreshold,
)

MIN_REFERENCE_WINDOWS = 5
"""Fewer windows of the reference do not tell how much the volume varies by itself."""

DISCOVERY_RATE = 0.01
"""The share of false ones among all that is flagged in one window, at most."""

PLAIN_P = 1e-6
"""A window with such a p-value, adjusted for all features that are seen together, fires an alert
alone: so that a monitor of many features is not woken by single windows more often than one of few.
"""

_KEPT_ALPHA = 10
"""An alert that fires goes on firing up to so many times alpha."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one feature in one window: all that a policy may look at.

    rows, reference_rows: n and m; min_rows: below it a window is not judged; divergence and
    js_guard (nats): see `stats.divergence` and `stats.noise`, NaN where n = 0 or m = 0. p_value:
    see `stats.significance`; adjusted_p: the same among all features of the window, see
    `stats.discovery`; effect: see `stats.effect`. All three are NaN where n = 0 or m = 0, and where
    nothing was compared. lengths: of how many window lengths this is one.
    """

    rows: int
    reference_rows: int
    min_rows: int
    divergence: Divergence
    js_guard: float
    p_value: float = math.nan
    adjusted_p: float = math.nan
    effect: float = math.nan
    lengths: int = 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason.

    value: the measured value in the unit of its measure, NaN where there is none; above_clear:
    judged, and real and large enough that an alert which fires already goes on firing; plain:
    flagged so plainly that an alert fires at once.
    """

    verdict: Verdict
    reason: Reason
    value: float
    above_clear: bool
    plain: bool = False

    @property
    def flagged(self) -> bool:
        return self.verdict in (Verdict.WARNING, Verdict.CRITICAL)


def judge(policy: Policy, evidence: Evidence) -> Judgement:
    """The judgement of one feature in one window by its policy."""
    return _JUDGES[type(policy)](policy, evidence)


def judge_fixed(threshold: FixedThreshold, evidence: Evidence) -> Judgement:
    """Far by the limits of one measure, and real by the noise guard of JS, whatever the measure.

    A limit is reached at value >= limit; the guard is exceeded at js > js_guard. No rows, or no
    value (ks where there are no ordered values), are `no_data`; fewer than min_rows, or no
    reference, are `learning`.
    """
    value = measured(threshold.measure, evidence.divergence)
    blind = _why_blind(evidence, value)
    if blind is not None:
        return Judgement(*blind, value=value, above_clear=False)
    return _graded(
        value,
        reached=value,
        real=evidence.divergence.js > evidence.js_guard,
        threshold=threshold,
    )


def judge_calibrated(threshold: CalibratedThreshold, evidence: Evidence) -> Judgement:
    """Real by the p-value, among all features of the window, and far by the effect.

    Real: p <= alpha / lengths, and adjusted_p <= 1 % / lengths (Benjamini and Hochberg): the false
    share of what is flagged over all lengths together is at most the sum of those of each length,
    so that at most 1 % of it is false. A limit is reached at effect >= limit. Plain: flagged, and
    adjusted_p <= 1e-6 / lengths. Blind as `judge_fixed`.
    """
    value = evidence.effect
    blind = _why_blind(evidence, value)
    if blind is not None:
        return Judgement(*blind, value=value, above_clear=False)
    alpha = threshold.alpha / evidence.lengths
    found = _graded(
        value,
        reached=value,
        real=evidence.p_value <= alpha and evidence.adjusted_p <= DISCOVERY_RATE / evidence.lengths,
        threshold=threshold,
    )
    flagged = found.verdict is not Verdict.OK
    kept = evidence.p_value <= _KEPT_ALPHA * alpha and value >= threshold.clear
    return Judgement(
        found.verdict, found.reason, value,
        above_clear=flagged or kept,
        plain=flagged and evidence.adjusted_p <= PLAIN_P / evidence.lengths,
    )  # fmt: skip


def judge_volume(
    threshold: VolumeThreshold, *, rows: int, reference_window_rows: IntArray
) -> Judgement:
    """Rows of a window against the reference's own windows of that length.

    reference_window_rows: rows of each of them, empty ones included, shape (W,). The value is the
    factor rows / median (inf over a median of 0, NaN without windows); it counts both ways, so that
    a third reaches a limit of 3. Rows within the reference's own minimum and maximum are never
    flagged: it did that itself. No rows are `no_data`; fewer than five windows, `learning`.

    >>> windows = np.array([90, 100, 100, 100, 110])
    >>> found = judge_volume(VolumeThreshold(), rows=40, reference_window_rows=windows)
    >>> found.verdict.value, found.value
    ('warning', 0.4)
    """
    value = _factor(rows, reference_window_rows)
    if rows == 0:
        return Judgement(Verdict.NO_DATA, Reason.EMPTY_WINDOW, value, above_clear=False)
    if reference_window_rows.size < MIN_REFERENCE_WINDOWS:
        return Judgement(Verdict.LEARNING, Reason.FEW_REFERENCE_WINDOWS, value, above_clear=False)
    low, high = int(reference_window_rows.min()), int(reference_window_rows.max())
    return _graded(
        value,
        reached=max(value, 1 / value),
        real=not low <= rows <= high,
        threshold=threshold,
    )


def measured(measure: Measure, divergence: Divergence) -> float:
    """The value of one measure but the effect; each is a field of `Divergence` by its own name."""
    value: float = getattr(divergence, measure.value)
    return value


def _why_blind(evidence: Evidence, value: float) -> tuple[Verdict, Reason] | None:
    if evidence.rows == 0:
        return Verdict.NO_DATA, Reason.EMPTY_WINDOW
    if evidence.rows < evidence.min_rows:
        return Verdict.LEARNING, Reason.TOO_FEW_ROWS
    if evidence.reference_rows == 0:
        return Verdict.LEARNING, Reason.NO_REFERENCE
    if math.isnan(value):
        return Verdict.NO_DATA, Reason.NO_ORDERED_VALUES
    return None


def _graded(
    value: float, *, reached: float, real: bool, threshold: Policy | VolumeThreshold
) -> Judgement:
    """The highest limit that `reached` reaches, if it is real as well."""
    verdict = Verdict.OK
    for level, limit in (
        (Verdict.WARNING, threshold.warning),
        (Verdict.CRITICAL, threshold.critical),
    ):
        if limit is not None and reached >= limit:
            verdict = level
    reason = Reason.WITHIN_THRESHOLD if verdict is Verdict.OK else Reason.ABOVE_THRESHOLD
    if verdict is not Verdict.OK and not real:
        verdict, reason = Verdict.OK, Reason.WITHIN_NOISE
    return Judgement(verdict, reason, value, above_clear=real and reached >= threshold.clear)


def _factor(rows: int, reference_window_rows: IntArray) -> float:
    if reference_window_rows.size == 0:
        return math.nan
    median = float(np.median(reference_window_rows))
    if median > 0:
        return rows / median
    return math.inf if rows else math.nan


_JUDGES: dict[type[Policy], Callable[[Any, Evidence], Judgement]] = {
    CalibratedThreshold: judge_calibrated,
    FixedThreshold: judge_fixed,
}
