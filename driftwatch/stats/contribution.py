"""What each cell adds to a divergence, and which cells carry it."""

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import js_terms, kl_terms
from driftwatch.stats.smoothing import probabilities


def js_contribution(
    current: IntArray, reference: IntArray, cells: IntArray | None = None
) -> FloatArray:
    """What each cell adds to JS: (P ln(P/A) + Q ln(Q/A))/2, A = (P + Q)/2, in nats, shape (F, K).

    Never negative, 0 where P = Q and in the padding; each row sums to `Divergences.js`. NaN in
    every cell of a row with n = 0 or m = 0. Arguments and errors as those of `divergences`.

    >>> print(js_contribution(np.array([[0, 5]]), np.array([[9, 0]])).round(4))
    [[0.3466 0.3466]]
    """
    rates = probabilities(current, reference, cells)
    return np.asarray(np.maximum(js_terms(rates.current, rates.reference), 0.0))


def kl_contribution(
    current: IntArray, reference: IntArray, cells: IntArray | None = None
) -> FloatArray:
    """What each cell adds to KL(current||reference): P ln(P/Q'), in nats, shape (F, K).

    Negative where the cell lost rows, 0 without current rows and in the padding; each row sums to
    `Divergences.kl`. NaN in every cell of a row with n = 0 or m = 0. Arguments and errors as those
    of `divergences`.
    """
    rates = probabilities(current, reference, cells)
    return kl_terms(rates.current, rates.reference_smoothed)


def carriers(contribution: FloatArray, *, share: float = 0.8) -> npt.NDArray[np.bool_]:
    """Which cells carry it: the fewest, largest first, that reach `share` of the row's total.

    contribution: shape (F, K), of `js_contribution` or `kl_contribution`; the mask has that shape.
    Of equal cells the first one comes first; a cell that adds nothing or less never carries. A row
    of zeros or NaN has no carriers.

    >>> carriers(np.array([[0.01, 0.2, 0.07, 0.0]]), share=0.9).tolist()
    [[False, True, True, False]]
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share lies in (0, 1], not {share}")
    order = np.argsort(-contribution, axis=1, kind="stable")
    largest_first = np.take_along_axis(contribution, order, axis=1)
    before = np.cumsum(largest_first, axis=1) - largest_first
    wanted = share * contribution.sum(axis=1, keepdims=True)
    chosen = (before < wanted) & (largest_first > 0)
    mask = np.zeros(contribution.shape, dtype=np.bool_)
    np.put_along_axis(mask, order, chosen, axis=1)
    return mask
