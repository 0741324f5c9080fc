"""How far the current counts are from the reference: all divergences of all features at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import (
    LN_2,
    entropy_of_probabilities,
    hellinger_of_probabilities,
    js_of_probabilities,
    kl_of_probabilities,
    ks_of_probabilities,
    l_infinity_of_probabilities,
    psi_of_probabilities,
    total_variation_of_probabilities,
)
from driftwatch.stats.smoothing import probabilities, real_cells, stack

__all__ = ["CONVENTION", "Divergence", "Divergences", "divergences", "stack"]

CONVENTION = "KL(current||reference), nats, reference +0.5"
"""Direction, base and smoothing of what `divergences` gives, in one line for every result."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The divergences of one feature; see `Divergences` for what each one is."""

    kl: float
    kl_reverse: float
    js: float
    js_distance: float
    psi: float
    hellinger: float
    total_variation: float
    l_infinity: float
    ks: float
    entropy: float
    cross_entropy: float
    perplexity: float


@dataclass(frozen=True, slots=True)
class Divergences:
    """The divergences of F features, each of shape (F,).

    With L, M the current and reference counts of a row, n, m their sums, K its cells, P = L/n,
    Q = M/m, Q' = (M + 0.5)/(m + 0.5 K) and P' = (L + 0.5 K Q')/(n + 0.5 K):

    kl: sum P ln(P/Q'), nats, 0.. and finite; kl_reverse: sum Q' ln(Q'/P'), nats, 0..;
    js: Jensen-Shannon of P and Q, unsmoothed, nats, 0..ln 2; js_distance: sqrt(js / ln 2), 0..1;
    psi: sum (P' - Q') ln(P'/Q'), nats, 0..; hellinger, total_variation, l_infinity: of P and Q,
    0..1; ks: of P and Q on the value bins alone, 0..1, a lower bound of that of the values, NaN
    where they have no order or there are no values; entropy: H(P), nats, 0..ln K; cross_entropy:
    H(P) + kl, nats; perplexity: exp(cross_entropy), 1... All are NaN where n = 0 or m = 0.
    """

    kl: FloatArray
    kl_reverse: FloatArray
    js: FloatArray
    js_distance: FloatArray
    psi: FloatArray
    hellinger: FloatArray
    total_variation: FloatArray
    l_infinity: FloatArray
    ks: FloatArray
    entropy: FloatArray
    cross_entropy: FloatArray
    perplexity: FloatArray

    def at(self, row: int) -> Divergence:
        """The divergences of one row, as floats."""
        return Divergence(
            kl=float(self.kl[row]),
            kl_reverse=float(self.kl_reverse[row]),
            js=float(self.js[row]),
            js_distance=float(self.js_distance[row]),
            psi=float(self.psi[row]),
            hellinger=float(self.hellinger[row]),
            total_variation=float(self.total_variation[row]),
            l_infinity=float(self.l_infinity[row]),
            ks=float(self.ks[row]),
            entropy=float(self.entropy[row]),
            cross_entropy=float(self.cross_entropy[row]),
            perplexity=float(self.perplexity[row]),
        )


def divergences(
    current: IntArray,
    reference: IntArray,
    *,
    cells: IntArray | None = None,
    ordered: npt.NDArray[np.bool_] | None = None,
) -> Divergences:
    """All divergences of F features from their counts.

    current, reference: integer rows per cell, shape (F, K), padded with zeros to the widest.
    cells: the real cells of each row, shape (F,); None: all K. ordered: which rows, shape (F,),
    have value cells in ascending order before the last cell, `missing`; None: none has.
    ValueError for what is no count; see `Divergences` for the formulas and what empty rows give.

    >>> current, reference = np.array([[50, 30, 20]]), np.array([[40, 40, 20]])
    >>> found = divergences(current, reference)
    >>> print(found.js.round(10), found.total_variation.round(10), found.ks)
    [0.0063672] [0.1] [nan]
    """
    rates = probabilities(current, reference, cells)
    p, q = rates.current, rates.reference
    kl = kl_of_probabilities(p, rates.reference_smoothed)
    js = js_of_probabilities(p, q)
    # A row without a reference has no entropy either: it is not judged at all.
    entropy = entropy_of_probabilities(p)
    return Divergences(
        kl=kl,
        kl_reverse=kl_of_probabilities(rates.reference_smoothed, rates.current_smoothed),
        js=js,
        js_distance=np.sqrt(js / LN_2),
        psi=psi_of_probabilities(rates.current_smoothed, rates.reference_smoothed),
        hellinger=hellinger_of_probabilities(p, q),
        total_variation=total_variation_of_probabilities(p, q),
        l_infinity=l_infinity_of_probabilities(p, q),
        ks=_ks(current, reference, cells, ordered),
        entropy=entropy,
        cross_entropy=entropy + kl,
        perplexity=np.exp(entropy + kl),
    )


def _ks(
    current: IntArray,
    reference: IntArray,
    cells: IntArray | None,
    ordered: npt.NDArray[np.bool_] | None,
) -> FloatArray:
    """KS of each ordered row on its value bins, without `missing`; NaN elsewhere. Shape (F,)."""
    features, width = current.shape
    distance = np.full(features, np.nan)
    if ordered is None:
        return distance
    if ordered.shape != (features,):
        raise ValueError(f"ordered must hold {features} booleans, not {ordered.shape}")
    ends = np.full(features, width) if cells is None else cells
    values = real_cells(ends[ordered] - 1, width)
    distance[ordered] = ks_of_probabilities(
        _shares(current[ordered] * values), _shares(reference[ordered] * values)
    )
    return distance


def _shares(counts: IntArray) -> FloatArray:
    """Each row divided by its sum; NaN where that is 0."""
    rows = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(rows > 0, rows, np.nan))
