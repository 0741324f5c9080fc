"""What Great Expectations gives for one column (`ExpectColumnKLDivergenceToBeLessThan`).

Source: great-expectations/great_expectations (version 1),
`great_expectations/expectations/core/expect_column_kl_divergence_to_be_less_than.py`.

Its own cells are those of a partition object, made from the reference here: its weights are M/m.
NULL are left out. Where the divergence is infinite it reports no value.
"""

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import kl_of_probabilities
from driftwatch.stats.smoothing import check_counts, probabilities


def kl_of_bins(
    current: IntArray,
    reference: IntArray,
    *,
    cells: IntArray | None = None,
    internal_weight_holdout: float = 0.0,
    tail_weight_holdout: float = 0.0,
) -> FloatArray:
    """KL(current||reference) = sum P ln(P/W), nats, 0..inf, of a continuous partition.

    P = L/n is not smoothed. W, made to sum to 1, is (1 - i - t) M/m, but in bins that are empty in
    the reference i divided by their number, i the internal holdout. Without a tail holdout t all
    cells are bins: a partition that ends at -inf and inf, as underflow and overflow do. With one
    the first and the last cell lie outside of a finite partition and weigh t/2 each. Counts (F, K)
    and the real cells of each row (F,), as `divergences` takes them, give shape (F,), NaN where a
    side has no rows. ValueError for what is no count, for holdouts outside 0..1 or that leave
    nothing, and for reference rows in cells that are tails.

    >>> current, reference = np.array([[10, 80, 10]]), np.array([[0, 100, 0]])
    >>> print(kl_of_bins(current, reference))
    [inf]
    >>> print(kl_of_bins(current, reference, tail_weight_holdout=0.1).round(6))
    [0.044403]
    """
    _check_holdouts(internal_weight_holdout, tail_weight_holdout)
    real = check_counts(current, reference, cells)
    tails = _tails(real) if tail_weight_holdout > 0 else np.zeros_like(real)
    if reference[tails].any():
        raise ValueError("with a tail holdout the reference has no rows in the outer cells")
    rates = probabilities(current, reference, cells)
    weights = rates.reference * (1 - tail_weight_holdout - internal_weight_holdout)
    if internal_weight_holdout > 0:
        weights = _filled(weights, real & ~tails & (reference == 0), internal_weight_holdout)
    weights = np.where(tails, tail_weight_holdout / 2, weights)
    return kl_of_probabilities(rates.current, weights / weights.sum(axis=-1, keepdims=True))


def kl_of_levels(
    current: IntArray,
    reference: IntArray,
    *,
    cells: IntArray | None = None,
    tail_weight_holdout: float = 0.0,
) -> FloatArray:
    """KL(current||reference) = sum P ln(P/W), nats, 0..inf, of a categorical partition.

    P = L/n is not smoothed. W is M/m; but where the current rows have levels that the reference has
    not, it is (1 - t) M/m, and t divided by the number of these levels for each of them, t the tail
    holdout. Shapes and NaN are those of `kl_of_bins`; ValueError for what is no count and for a
    holdout outside 0..1.

    >>> print(kl_of_levels(np.array([[5, 3, 2]]), np.array([[1, 1, 1]])).round(6))
    [0.068959]
    """
    _check_holdouts(tail_weight_holdout)
    check_counts(current, reference, cells)
    rates = probabilities(current, reference, cells)
    unexpected = (current > 0) & (reference == 0)
    some = unexpected.any(axis=-1, keepdims=True)
    weights = np.where(some, 1 - tail_weight_holdout, 1.0) * rates.reference
    return kl_of_probabilities(rates.current, _filled(weights, unexpected, tail_weight_holdout))


def _check_holdouts(*holdouts: float) -> None:
    if min(holdouts) < 0 or sum(holdouts) >= 1:
        raise ValueError(f"holdouts are at least 0 and together below 1, not {holdouts}")


def _tails(real: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The first and the last real cell of each row."""
    first = np.arange(real.shape[1]) == 0
    last = real & ~np.pad(real[:, 1:], ((0, 0), (0, 1)))
    return np.asarray(real & (first | last))


def _filled(weights: FloatArray, empty: npt.NDArray[np.bool_], holdout: float) -> FloatArray:
    """Weights with a holdout spread evenly over the empty cells of each row."""
    number = np.maximum(empty.sum(axis=-1, keepdims=True), 1)
    return np.where(empty, holdout / number, weights)
