"""driftwatch's own verdict on arrays of windows, put together as `evaluate.tested` does."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.discovery import discoveries
from driftwatch.stats.divergence import Divergence
from driftwatch.stats.effect import effect
from driftwatch.stats.noise import effective_rows
from driftwatch.stats.null import Null, uncalibrated
from driftwatch.stats.significance import significance
from driftwatch.verdict.judge import DISCOVERY_RATE, Evidence, Judgement, judge_calibrated
from driftwatch.verdict.policy import CalibratedThreshold, Reason, Verdict

_AT_ONCE = 20_000
_UNUSED = Divergence(*[np.nan] * 12)
"""A calibrated verdict looks at no divergence but the effect."""
_MIN_ROWS = 100
_OK = Judgement(Verdict.OK, Reason.WITHIN_NOISE, np.nan, above_clear=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """p and effect of N windows, each of shape (N,)."""

    p: FloatArray
    effect: FloatArray


def evidence(
    current: IntArray,
    reference: IntArray,
    *,
    ordered: bool,
    null: Null | None = None,
    usual_rows: FloatArray | None = None,
) -> Measured:
    """N windows of one kind of feature, shape (N, K), against a reference that broadcasts to it.

    null, usual_rows: of each window, and the effective rows of the windows that told it, (N,).
    """
    parts = []
    kept = np.broadcast_to(reference, current.shape)
    if null is not None and usual_rows is not None:
        own_rows = effective_rows(current=current.sum(axis=1), reference=kept.sum(axis=1))
        null = null.grown(own_rows / usual_rows)
    for at in range(0, len(current), _AT_ONCE):
        some = slice(at, at + _AT_ONCE)
        own = uncalibrated(len(current[some])) if null is None else _part(null, some)
        parts.append(_tested(current[some], kept[some], ordered, own))
    return Measured(
        np.concatenate([one.p for one in parts]), np.concatenate([one.effect for one in parts])
    )


def _tested(current: IntArray, reference: IntArray, ordered: bool, null: Null) -> Measured:
    found = significance(current, reference, ordered=np.full(len(current), ordered), null=null)
    whole = found.omnibus
    far = effect(
        current, reference,
        statistic=whole.statistic, expected=whole.expected, phi=null.at(whole.effective_rows),
    )  # fmt: skip
    return Measured(found.p, far)


def _part(null: Null, some: slice) -> Null:
    return Null(*(getattr(null, name)[some] for name in Null.__slots__))


def judgements(
    tests: Measured,
    *,
    adjusted_p: FloatArray | None = None,
    lengths: int = 1,
    threshold: CalibratedThreshold | None = None,
) -> list[Judgement]:
    """What the policy says of each window, by default the one that is shipped.

    adjusted_p: among all features of the window; None: each window has one feature.
    """
    policy = threshold or CalibratedThreshold()
    adjusted = tests.p if adjusted_p is None else adjusted_p
    found = [_OK] * tests.p.size
    # A window with a larger p is neither flagged nor keeps an alert, whatever its effect.
    for i in np.flatnonzero(tests.p <= 10 * policy.alpha).tolist():
        seen = Evidence(
            rows=_MIN_ROWS, reference_rows=_MIN_ROWS, min_rows=_MIN_ROWS,
            divergence=_UNUSED, js_guard=np.nan,
            p_value=float(tests.p[i]), adjusted_p=float(adjusted[i]),
            effect=float(tests.effect[i]), lengths=lengths,
        )  # fmt: skip
        found[i] = judge_calibrated(policy, seen)
    return found


def flagged(
    tests: Measured, *, adjusted_p: FloatArray | None = None, alpha: float | None = None
) -> npt.NDArray[np.bool_]:
    """Which windows are a warning or worse, shape (N,). alpha: the default one where it is None."""
    threshold = CalibratedThreshold() if alpha is None else CalibratedThreshold(alpha=alpha)
    found = judgements(tests, adjusted_p=adjusted_p, threshold=threshold)
    return np.array([one.verdict is not Verdict.OK for one in found], np.bool_)


def adjusted(p: FloatArray) -> FloatArray:
    """p among all features of each window, shape (windows, features) as p."""
    return np.stack([discoveries(of_window, q=DISCOVERY_RATE).adjusted_p for of_window in p])
