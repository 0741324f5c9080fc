"""Where and how wide: contrasts of ranks, sharp where X² over all cells is blunt."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Contrasts:
    """z scores of F features, each of shape (F,), standard normal without drift.

    location: above 0 where current values are larger; spread: where they lie farther out. 0 where
    all values share a cell, NaN where one side has no values, or the cells have no order.
    """

    location: FloatArray
    spread: FloatArray


def contrasts(
    current: IntArray,
    reference: IntArray,
    *,
    ordered: npt.NDArray[np.bool_],
    cells: IntArray | None = None,
) -> Contrasts:
    """Location and spread of counts (F, K), padded with zeros, on their value cells alone.

    ordered, cells: see `divergences`; the last of a row's cells is `missing` and is left out, so
    that n, m and N count values. With c = L + M, u = (C + c/2)/N the mid-rank of a cell (C: rows
    below it), location is the contrast s = 2u - 1, Wilcoxon's; spread is 6u² - 6u + 1 (Legendre's,
    as Mood's test) without what location explains of it. z = (mean of s over current - mean over
    reference) / sqrt(var_c(s) (1/n + 1/m) N/(N-1)), the exact variance over all ways to deal the
    rows. Source: Hájek, Šidák and Sen, Theory of Rank Tests (1999).

    >>> current, reference = np.array([[10, 20, 40, 0]]), np.array([[100, 100, 100, 0]])
    >>> found = contrasts(current, reference, ordered=np.array([True]))
    >>> print(found.location.round(2), found.spread.round(2))
    [3.96] [0.36]
    """
    live, kept = _values(current, cells), _values(reference, cells)
    n, m = live.sum(axis=1).astype(np.float64), kept.sum(axis=1).astype(np.float64)
    usable = ordered & (n > 0) & (m > 0)
    n, m = np.where(usable, n, np.nan), np.where(usable, m, np.nan)
    total = n + m
    both = (live + kept).astype(np.float64)
    ranks = (np.cumsum(both, axis=1) - both / 2) / total[:, np.newaxis]
    weight = both / total[:, np.newaxis]
    location = 2 * ranks - 1
    spread = 6 * ranks * ranks - 6 * ranks + 1
    spread -= (weight * spread).sum(axis=1, keepdims=True)
    square = (weight * location * location).sum(axis=1)
    slope = (weight * location * spread).sum(axis=1) / np.where(square > 0, square, np.inf)
    spread -= slope[:, np.newaxis] * location
    return Contrasts(_z(location, live, kept, weight, n, m), _z(spread, live, kept, weight, n, m))


def _values(counts: IntArray, cells: IntArray | None) -> IntArray:
    """Without the last cell of each row."""
    if counts.shape[1] == 0:
        return counts
    values = counts.copy()
    if cells is None:
        values[:, -1] = 0
    else:
        values[np.arange(counts.shape[0]), np.maximum(cells - 1, 0)] = 0
    return values


def _z(
    score: FloatArray,
    live: IntArray,
    kept: IntArray,
    weight: FloatArray,
    n: FloatArray,
    m: FloatArray,
) -> FloatArray:
    """weight: c/N, over which every score has a mean of 0."""
    total = n + m
    difference = (score * live).sum(axis=1) / n - (score * kept).sum(axis=1) / m
    variance = (weight * score * score).sum(axis=1) * (1 / n + 1 / m) * total / (total - 1)
    flat = variance < 1e-12 / np.minimum(n, m)
    return np.asarray(np.where(flat, 0.0, difference) / np.sqrt(np.where(flat, 1.0, variance)))
