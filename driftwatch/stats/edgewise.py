"""Below which edge: rows that moved from anywhere below an edge to anywhere above it."""

import numpy as np
import numpy.typing as npt

from driftwatch.stats.cellwise import deal_p
from driftwatch.stats.contrast import without_missing
from driftwatch.stats.counts import FloatArray, IntArray


def edge_p(
    current: IntArray,
    reference: IntArray,
    *,
    ordered: npt.NDArray[np.bool_],
    cells: IntArray | None = None,
) -> FloatArray:
    """Two-sided mid-p of the current values below each edge, shape (F, K) as the counts; 0..1.

    ordered, cells: see `divergences`; column i is of the edge above cell i, and values only are
    counted, as by `contrasts`. A tail of several cells, one of two modes and a value that many rows
    share show here, where a cell alone is too small. NaN where an edge says nothing: without
    order, where no value is below or none is above, and at the second of two edges between which
    there is none. See `cellwise.deal_p`. Source: Kolmogorov's test looks at the same differences,
    but only at the largest, which is rarely that of a tail.

    >>> found = edge_p(np.array([[8, 2, 0, 1]]), np.array([[10, 30, 60, 0]]),
    ...     ordered=np.array([True]))
    >>> print(found.round(7))
    [[4.10e-06 2.19e-04      nan      nan]]
    """
    found = np.full(current.shape, np.nan)
    rows = np.flatnonzero(ordered)
    of_ordered = None if cells is None else cells[rows]
    live = without_missing(current[rows], of_ordered)
    kept = without_missing(reference[rows], of_ordered)
    n, m = live.sum(axis=1, keepdims=True), kept.sum(axis=1, keepdims=True)
    live_below, kept_below = live.cumsum(axis=1), kept.cumsum(axis=1)
    below = live_below + kept_below
    tells = (live + kept > 0) & (below < n + m) & (n > 0) & (m > 0)
    found[rows] = np.where(tells, deal_p(live_below, kept_below, n, m), np.nan)
    return found
