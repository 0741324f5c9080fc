"""Whether anything differs at all: Pearson's X² with the moments that it has by chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.noise import effective_rows

LEAST_EXPECTED = 1.0
"""Current rows that a cell must expect to be tested alone."""


@dataclass(frozen=True, slots=True)
class Omnibus:
    """X² of F features, each of shape (F,); NaN where n = 0 or m = 0.

    statistic: Pearson's X² of the table of current and reference; expected, variance: its exact
    mean and variance over all ways to deal the N = n + m rows to the two sides; third: its third
    cumulant, about; effective_rows: nt = n m/N; cells: k, those with a row on either side. All but
    nt are of merged cells; with one cell left statistic and moments are 0.
    """

    statistic: FloatArray
    expected: FloatArray
    variance: FloatArray
    third: FloatArray
    effective_rows: FloatArray
    cells: IntArray


def omnibus(
    current: IntArray,
    reference: IntArray,
    *,
    ordered: npt.NDArray[np.bool_],
    least: float = LEAST_EXPECTED,
) -> Omnibus:
    """X² of counts (F, K), padded with zeros, after `merge_sparse`.

    With L, M the merged counts, c = L + M: X² = N²/(n m) sum (L - c n/N)²/c over cells with c > 0;
    E = N (k-1)/(N-1); V = 2N/(N-3) (v1-w1)(v2-w2) + N²/(N-1) w1 w2 with v1 = (N-2)/(N-1),
    w1 = (N/n + N/m - 4)/(N-2), v2 = (k-1)(N-k)/(N-1), w2 = (N sum 1/c - k²)/(N-2). The
    chi-square approximation, V = 2 (k-1), is far too small with many sparse cells. Fewer than four
    rows in all have a variance of 0. The third cumulant is 8 (k-1) + 22 (V - 2 (k-1)) + S, where
    S = sum 1/e² over the rows e that cells expect of the smaller side, times ((m-n)/N)²: of k
    Poisson cells it is sum (8 + 22/e + 1/e²), and their V is sum (2 + 1/e). Source: Haldane, The
    Mean and Variance of X² when Used as a Test of Homogeneity, when Expectations are Small,
    Biometrika 31 (1940).

    >>> current, reference = np.array([[30, 20, 10]]), np.array([[200, 250, 150]])
    >>> found = omnibus(current, reference, ordered=np.array([True]))
    >>> print(found.statistic.round(3), found.expected.round(3), found.variance.round(3))
    [6.836] [2.003] [3.955]
    """
    live, kept = merge_sparse(current, reference, ordered=ordered, least=least)
    n, m = live.sum(axis=1), kept.sum(axis=1)
    both = live + kept
    cells = np.count_nonzero(both, axis=1).astype(np.int64)
    nt = effective_rows(current=n, reference=m)
    usable = np.isfinite(nt)
    total = np.where(usable, n + m, np.nan)
    share = np.where(usable, n, np.nan) / total
    inverse = 1.0 / np.maximum(both, 1)
    inverse[both == 0] = 0.0
    off = live - both * share[:, np.newaxis]
    statistic = total / nt * np.einsum("fk,fk,fk->f", off, off, inverse)
    expected = total * (cells - 1) / np.maximum(total - 1, 1)
    variance = _variance(total, nt, cells, inverse.sum(axis=1))
    sparse = (total - 2 * np.minimum(n, m)) / np.minimum(share, 1 - share) / total
    third = (
        8.0 * (cells - 1)
        + 22 * np.maximum(variance - 2 * (cells - 1), 0.0)
        + np.square(sparse) * np.square(inverse).sum(axis=1)
    )
    alone = usable & (cells <= 1)
    for values in (statistic, expected, variance, third):
        values[alone] = 0.0
    return Omnibus(statistic, expected, variance, third, nt, cells)


def _variance(
    total: FloatArray, nt: FloatArray, cells: IntArray, inverse: FloatArray
) -> FloatArray:
    """total: N; N/n + N/m = N²/(n m) = N/nt."""
    n = np.maximum(total, 4)
    v1 = (n - 2) / (n - 1)
    w1 = (n / nt - 4) / (n - 2)
    v2 = (cells - 1) * (n - cells) / (n - 1)
    w2 = (n * inverse - cells * cells) / (n - 2)
    found = 2 * n / (n - 3) * (v1 - w1) * (v2 - w2) + n * n / (n - 1) * w1 * w2
    return np.asarray(np.where(total < 4, 0.0, np.maximum(found, 0.0)))


def merge_sparse(
    current: IntArray,
    reference: IntArray,
    *,
    ordered: npt.NDArray[np.bool_],
    least: float = LEAST_EXPECTED,
) -> tuple[IntArray, IntArray]:
    """The same rows in cells that each expect at least `least` current rows, n M/m.

    current, reference: shape (F, K), padded with zeros; ordered: which rows, shape (F,), have
    cells in an order: there a cell that expects less is put with those after it until they expect
    enough (what is left at the end, with those before it), else all of these are one cell. Shape
    (F, K) again, the cells that are left first. Which cells are put together depends on M and n
    alone: what is in the current window does not choose how it is tested.

    >>> live, kept = np.array([[5, 0, 0, 3]]), np.array([[90, 4, 4, 2]])
    >>> merged = merge_sparse(live, kept, ordered=np.array([True]))
    >>> [one.tolist() for one in merged]
    [[[8, 0, 0, 0]], [[100, 0, 0, 0]]]
    """
    features, width = current.shape
    n = current.sum(axis=1, dtype=np.float64)
    m = np.maximum(reference.sum(axis=1, dtype=np.float64), 1.0)
    expected = reference * (n / m)[:, np.newaxis]
    cell_of = np.zeros(current.shape, dtype=np.int64)
    in_order = np.flatnonzero(ordered)
    cell_of[in_order] = _neighbours(expected[in_order], least)
    apart = np.flatnonzero(~ordered)
    cell_of[apart] = _lumped(expected[apart], least)
    flat = (cell_of + np.arange(features)[:, np.newaxis] * width).ravel()
    size = features * width

    def summed(counts: IntArray) -> IntArray:
        found = np.bincount(flat, weights=counts.ravel(), minlength=size)
        return np.asarray(found.astype(np.int64).reshape(features, width))

    return summed(current), summed(reference)


def _neighbours(expected: FloatArray, least: float) -> IntArray:
    """The new cell of each cell, shape (F, K)."""
    cell_of = np.zeros(expected.shape, dtype=np.int64)
    number = np.zeros(expected.shape[0], dtype=np.int64)
    gathered = np.zeros(expected.shape[0])
    for cell in range(expected.shape[1]):
        cell_of[:, cell] = number
        gathered += expected[:, cell]
        enough = gathered >= least
        number += enough
        gathered[enough] = 0.0
    last = np.maximum(number - 1, 0)
    return np.minimum(cell_of, last[:, np.newaxis])


def _lumped(expected: FloatArray, least: float) -> IntArray:
    """Cells that expect enough alone, then one of all others; the largest takes these where they
    do not expect enough together."""
    alone = expected >= least
    cell_of = np.cumsum(alone, axis=1) - 1
    rest = np.where(alone, 0.0, expected).sum(axis=1)
    kept = alone.sum(axis=1)
    largest = np.zeros_like(kept)
    if expected.shape[1]:
        at = expected.argmax(axis=1)[:, np.newaxis]
        largest = np.take_along_axis(np.maximum(cell_of, 0), at, axis=1)[:, 0]
    home = np.where(rest >= least, kept, largest)
    return np.asarray(np.where(alone, cell_of, home[:, np.newaxis]))
