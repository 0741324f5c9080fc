"""Whether a feature explains what the prediction did: counts of feature bin x prediction bin.

A prediction moves because the inputs moved or because the model answers the same inputs otherwise.
The chain rule splits a divergence into these two exactly. That y given x moved does not yet mean
that the model changed: another input may have moved, of which x knows nothing. So the number to
decide by is the explained share: how much of the prediction's own change is what the reference's
answers give on the current inputs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.noise import effective_rows, expected_js, js_guard
from driftwatch.stats.probability import js_of_probabilities, kl_of_probabilities
from driftwatch.stats.smoothing import PSEUDO_ROWS, check_counts, real_cells

EXPLAINS = 0.5
"""From this explained share on, a flagged feature is said to explain the prediction's change."""

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ChainRule:
    """Of F features, each of shape (F,), in nats, NaN where n = 0 or m = 0:
    joint = inputs + answers, where joint: KL(P(x,y)||Q(x,y)), inputs: KL(P(x)||Q(x)),
    answers: the mean over P(x) of KL(P(y|x)||Q(y|x)); all 0.. and finite."""

    joint: FloatArray
    inputs: FloatArray
    answers: FloatArray


@dataclass(frozen=True, slots=True)
class Explained:
    """Of F features. share: 0..1 of the prediction's change, shape (F,), 0 where it is not
    applicable; applicable: whether the prediction changed at all beyond noise, shape (F,)."""

    share: FloatArray
    applicable: _Mask


def chain_rule(current: IntArray, reference: IntArray, cells: IntArray | None = None) -> ChainRule:
    """The chain rule of KL, with current probabilities P raw and reference ones Q smoothed.

    current, reference: rows with x in one bin and y in another, shape (F, Kx, Ky), padded with
    zeros along x; cells: the real x cells of each feature, shape (F,), None: all Kx. The reference
    gets 0.5 rows per cell, in each x spread over y as the reference's own y is, so that an x which
    it never had gets its answers on the whole: Q(x,y) = (M_xy + Ky q_y/2)/(m + Kx Ky/2), with
    q_y = (M_y + 0.5)/(m + Ky/2). ValueError for what is no count. Source: Cover and Thomas,
    Elements of Information Theory, 2nd edition, theorem 2.5.3.

    >>> moved = chain_rule(np.array([[[80, 0], [0, 20]]]), np.array([[[500, 0], [0, 500]]]))
    >>> print(moved.joint.round(3), moved.inputs.round(3), moved.answers.round(3))
    [0.194] [0.193] [0.001]
    """
    real = _checked(current, reference, cells)
    smoothed = _smoothed(reference, real)
    p = current / _rows(current, reference)[:, np.newaxis, np.newaxis]
    q = smoothed / smoothed.sum(axis=(1, 2), keepdims=True)
    features = len(current)
    joint = kl_of_probabilities(p.reshape(features, -1), q.reshape(features, -1))
    inputs = kl_of_probabilities(p.sum(axis=2), q.sum(axis=2))
    return ChainRule(joint=joint, inputs=inputs, answers=np.maximum(joint - inputs, 0.0))


def explained_share(
    current: IntArray, reference: IntArray, cells: IntArray | None = None
) -> Explained:
    """e = 1 - JS(P_y, sum_x P(x) Q(y|x)) / JS(P_y, Q_y), clipped to 0..1.

    Arguments, smoothing of Q(y|x) and errors as those of `chain_rule`. Both JS are taken less what
    sampling gives them on average, `expected_js`. Not applicable: n = 0 or m = 0, or JS(P_y, Q_y)
    within `js_guard`, what sampling reaches once in 1,000 windows: then nothing is to explain.
    1 for a feature through which all of the change came, about 0 for every feature if the model
    changed or if an input moved that this one knows nothing of.

    >>> reference = np.array([[[450, 50], [50, 450]]])
    >>> driver, model = np.array([[[720, 80], [20, 180]]]), np.array([[[350, 150], [10, 490]]])
    >>> for current in (driver, model, reference):
    ...     found = explained_share(current, reference)
    ...     print(found.share.round(2), found.applicable)
    [1.] [ True]
    [0.] [ True]
    [0.] [False]
    """
    real = _checked(current, reference, cells)
    smoothed = _smoothed(reference, real)
    rows = smoothed.sum(axis=2, keepdims=True)
    answers = np.divide(smoothed, rows, out=np.zeros_like(smoothed), where=rows > 0)
    n = _rows(current, reference)[:, np.newaxis]
    given = np.einsum("fx,fxy->fy", current.sum(axis=2) / n, answers)
    now, before = current.sum(axis=1), reference.sum(axis=1)
    p, q = now / n, before / np.maximum(before.sum(axis=1, keepdims=True), 1)
    used = np.asarray(np.count_nonzero(now + before, axis=1))
    nt = effective_rows(current=now.sum(axis=1), reference=before.sum(axis=1))
    noise = expected_js(used, nt)
    whole = js_of_probabilities(p, q)
    applicable = whole > js_guard(used, nt)
    left = np.maximum(js_of_probabilities(p, given) - noise, 0.0)
    share = np.zeros(len(current))
    share[applicable] = 1.0 - left[applicable] / (whole - noise)[applicable]
    return Explained(share=np.clip(share, 0.0, 1.0), applicable=applicable)


def prediction_only(found: Explained, flagged: _Mask) -> bool:
    """Whether the prediction's change is its own: it changed, and no flagged feature (F,) explains
    half of it. Then the model, its serving or an input that is not watched has changed.

    >>> found = Explained(np.array([0.9, 0.1]), np.array([True, True]))
    >>> prediction_only(found, np.array([False, True]))
    True
    """
    explains = found.applicable & flagged & (found.share >= EXPLAINS)
    return bool(found.applicable.any() and not explains.any())


def _checked(current: IntArray, reference: IntArray, cells: IntArray | None) -> _Mask:
    """Which x cells (F, Kx) are real; ValueError unless both are counts (F, Kx, Ky)."""
    if current.ndim != 3 or current.shape != reference.shape:
        raise ValueError(
            f"joint counts are of one shape (F, Kx, Ky), not {current.shape} and {reference.shape}"
        )
    features, wide, deep = current.shape
    flat = (features, wide * deep)
    real = np.full(features, wide) if cells is None else cells
    check_counts(current.reshape(flat), reference.reshape(flat), real * deep)
    return real_cells(real, wide)


def _smoothed(reference: IntArray, real: _Mask) -> FloatArray:
    """Reference rows (F, Kx, Ky) with the added ones, 0 in the padding."""
    deep = reference.shape[2]
    of_y = reference.sum(axis=1) + PSEUDO_ROWS
    shares = of_y / of_y.sum(axis=1, keepdims=True)
    added = PSEUDO_ROWS * deep * shares[:, np.newaxis, :] * real[:, :, np.newaxis]
    return np.asarray(reference + added)


def _rows(current: IntArray, reference: IntArray) -> FloatArray:
    """n of each feature, NaN where n = 0 or m = 0."""
    n, m = current.sum(axis=(1, 2)), reference.sum(axis=(1, 2))
    return np.where((n > 0) & (m > 0), n, np.nan)
