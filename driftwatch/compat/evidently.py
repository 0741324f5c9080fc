"""What Evidently 0.7 gives for one column (`ValueDrift` with a `method`).

Source: evidently 0.7.23, `evidently/legacy/calculations/stattests/`: `jensenshannon.py`,
`kl_div.py`, `psi.py` and `get_binned_data` of `utils.py`.

Its own cells are the levels that either side holds, or, for a numeric column whose reference has
more than 20 different values, bins of equal width over both sides together (Sturges' rule). Missing
and infinite values are left out. An empty bin counts as a bin, a level that neither side holds does
not exist: therefore the measures that replace zeros come twice, for bins and for levels.
"""

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import (
    js_of_probabilities,
    kl_of_probabilities,
    psi_of_probabilities,
)
from driftwatch.stats.smoothing import check_counts, probabilities

SHARE_OF_AN_EMPTY_CELL = 1e-4
"""What stands for a share of 0, unless another share of that side is as small."""
FRACTION_OF_THE_LEAST = 1e-6
"""If one is, this much of the least share stands for it."""


def js_distance(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """Jensen-Shannon distance with natural logarithms: sqrt(JS in nats), 0..sqrt(ln 2) = 0.8326.

    JS = (KL(P||A) + KL(Q||A)) / 2 with P = L/n, Q = M/m, A = (P + Q)/2; symmetric, not smoothed.
    Counts (F, K) and the real cells of each row (F,), as `divergences` takes them, give shape (F,),
    NaN where a side has no rows; ValueError for what is no count.

    >>> print(js_distance(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.079795]
    """
    rates = probabilities(current, reference, cells)
    return np.sqrt(js_of_probabilities(rates.current, rates.reference))


def kl_of_bins(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """KL(reference||current) = sum q ln(q/p), nats, 0..: the direction is the reverse of `kl`.

    p and q are the shares L/n and M/m with their zeros replaced, each then made to sum to 1. What
    replaces a zero is 0.0001, or r/10^6 where the least other share r of its side is at most that.
    Shapes, NaN and errors are those of `js_distance`.

    >>> print(kl_of_bins(np.array([[10, 0, 90]]), np.array([[40, 20, 40]])).round(6))
    [1.750426]
    """
    p, q = _replaced(current, reference, cells, levels=False)
    return kl_of_probabilities(_normed(q), _normed(p))


def kl_of_levels(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """`kl_of_bins` without the cells that are empty on both sides."""
    p, q = _replaced(current, reference, cells, levels=True)
    return kl_of_probabilities(_normed(q), _normed(p))


def psi_of_bins(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """PSI sum (q - p) ln(q/p), nats, 0..; with zeros replaced as in `kl_of_bins`.

    p and q are not made to sum to 1 again. Symmetric. Shapes, NaN and errors are those of
    `js_distance`.

    >>> print(psi_of_bins(np.array([[10, 0, 90]]), np.array([[40, 20, 40]])).round(6))
    [2.340774]
    """
    return psi_of_probabilities(*_replaced(current, reference, cells, levels=False))


def psi_of_levels(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """`psi_of_bins` without the cells that are empty on both sides.

    They differ only where the two sides have different stand-ins for zero.
    """
    return psi_of_probabilities(*_replaced(current, reference, cells, levels=True))


def _replaced(
    current: IntArray, reference: IntArray, cells: IntArray | None, *, levels: bool
) -> tuple[FloatArray, FloatArray]:
    """Shares of both sides (F, K) with their zeros replaced; 0 in what is no cell."""
    used = check_counts(current, reference, cells)
    if levels:
        used = used & ((current > 0) | (reference > 0))
    rates = probabilities(current, reference, cells)
    return _without_zeros(rates.current, used), _without_zeros(rates.reference, used)


def _without_zeros(shares: FloatArray, used: npt.NDArray[np.bool_]) -> FloatArray:
    least = np.where(shares > 0, shares, np.inf).min(axis=-1, keepdims=True, initial=np.inf)
    instead = np.where(
        least <= SHARE_OF_AN_EMPTY_CELL, least * FRACTION_OF_THE_LEAST, SHARE_OF_AN_EMPTY_CELL
    )
    return np.where(used & (shares == 0), instead, shares)


def _normed(shares: FloatArray) -> FloatArray:
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))
