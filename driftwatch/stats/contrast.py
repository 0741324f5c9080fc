"""Where and how wide: contrasts of ranks, sharp where X² over all cells is blunt."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.counts import FloatArray, IntArray

ATOM = 0.25
"""A cell with this share of all values is taken to be one value that many rows share."""

_CERTAIN_Z = 2.0
"""Nearer than this p is above 0.04, and no decision rests on its digits."""

_SYMMETRIC = 1e-3
"""A smaller skewness changes no tail that counts."""

_FARTHEST = 7.0
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)
_WOBBLES = (_NODES + 1) * _FARTHEST / 2
_SHARES = _NODE_WEIGHTS * _FARTHEST * np.exp(-np.square(_WOBBLES) / 2) / np.sqrt(2 * np.pi)


@dataclass(frozen=True, slots=True)
class Contrasts:
    """z scores of F features, each of shape (F,), standard normal without drift.

    location: above 0 where current values are larger; spread: where they lie farther out; rest: the
    location of what is not in the largest cell, if that is an atom. 0 where all values share a
    cell, NaN where one side has no values, or the cells have no order; rest also where no cell
    holds `ATOM` of the values.
    """

    location: FloatArray
    spread: FloatArray
    rest: FloatArray


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
    rows; from 2 on it is that of the normal tail which is as heavy as that of a Gamma with their
    skewness or kurtosis. Source: Hájek, Šidák and Sen, Theory of Rank Tests (1999).

    Where many values are one (a count that is mostly 0), the ranks of all others hardly differ, and
    a shift of these is lost in how many rows have that value: they are ranked by themselves.

    >>> current, reference = np.array([[10, 20, 40, 0]]), np.array([[100, 100, 100, 0]])
    >>> found = contrasts(current, reference, ordered=np.array([True]))
    >>> print(found.location.round(2), found.spread.round(2), found.rest.round(2))
    [3.96] [0.36] [1.7]
    """
    live, kept = without_missing(current, cells), without_missing(reference, cells)
    location, spread = _location_and_spread(live, kept, ordered)
    rest = np.full(ordered.shape, np.nan)
    both = live + kept
    atomic = np.flatnonzero(
        ordered & (both.max(axis=1, initial=0) >= ATOM * np.maximum(both.sum(axis=1), 1))
    )
    if atomic.size:
        others = np.arange(both.shape[1]) != both[atomic].argmax(axis=1)[:, np.newaxis]
        rest[atomic], _ = _location_and_spread(
            live[atomic] * others, kept[atomic] * others, ordered[atomic]
        )
    return Contrasts(location, spread, rest)


def _location_and_spread(
    live: IntArray, kept: IntArray, ordered: npt.NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
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
    return _z(location, live, kept, weight, n, m), _z(spread, live, kept, weight, n, m)


def without_missing(counts: IntArray, cells: IntArray | None) -> IntArray:
    """The same counts (F, K) without those of the last cell of each row."""
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
    square = weight * score * score
    population = square.sum(axis=1)
    variance = population * (1 / n + 1 / m) * total / (total - 1)
    flat = variance < 1e-12 / np.minimum(n, m)
    z = np.where(flat, 0.0, difference) / np.sqrt(np.where(flat, 1.0, variance))
    far = np.flatnonzero(np.abs(z) >= _CERTAIN_Z)
    if far.size:
        z[far] = _lighter(z[far], square[far], score[far], n[far], m[far])
    return np.asarray(z)


def _lighter(
    z: FloatArray, square: FloatArray, score: FloatArray, n: FloatArray, m: FloatArray
) -> FloatArray:
    """z of the normal distribution whose tail is as heavy as that of the contrast, where few rows
    carry it.

    square: c/N score². A Gamma stands for the contrast, its skewness g the larger one of that of
    the contrast (in the direction of z) and sqrt(2/3 of its excess kurtosis), which is a Gamma's;
    a g of 0 or less leaves z. Of a column that is 0 in 997 of 1,000 rows, 100 rows have three
    others in one window of 300, not of 10 million.
    """
    population = square.sum(axis=1)
    third = (square * score).sum(axis=1) / population**1.5
    fourth = (square * score * score).sum(axis=1) / np.square(population) - 3
    both = 1 / n + 1 / m
    skewness = np.sign(z) * third * (1 / np.square(n) - 1 / np.square(m)) / both**1.5
    excess = fourth * (1 / n**3 + 1 / m**3) / np.square(both)
    skewness = np.maximum(skewness, np.sqrt(np.maximum(2 / 3 * excess, 0.0)))
    heavy = np.flatnonzero(skewness > _SYMMETRIC)
    shape = 4 / np.square(skewness[heavy])
    off = np.abs(z[heavy])
    tail = special.gammaincc(shape, shape + off * np.sqrt(shape))
    straight = -special.ndtri(np.maximum(tail, 1e-300))
    found = z.copy()
    found[heavy] = np.sign(z[heavy]) * np.minimum(off, straight)
    return found


def contrast_p(z: FloatArray, *, rms: FloatArray, windows: IntArray) -> FloatArray:
    """2 Q(|z|/rms), two-sided, of shapes that broadcast; NaN where z is.

    rms: how far z strays without drift, over so many windows of the reference; Q is the normal
    tail where windows = 0, else Student's with windows - 1 degrees of freedom (at least 1).

    >>> print(contrast_p(np.array([4.0]), rms=np.array([2.0]), windows=np.array([0, 30])).round(4))
    [0.0455 0.0549]
    """
    off = -np.abs(z) / rms
    normal = 2 * special.ndtr(off)
    student = 2 * special.stdtr(np.maximum(windows - 1, 1), off)
    return np.asarray(np.where(windows > 0, student, normal))


def spread_p(z: FloatArray, *, rms: FloatArray, windows: IntArray) -> FloatArray:
    """As `contrast_p` of arrays (F,), for a spread that may stray because the location does.

    A wobble s of the location, standard normal, adds k s² to z, since ranks crowd at the end that
    values move to: with 3 k² = rms² - 1 it explains all that z strays, and has a heavier tail, the
    mean over s of Q(|z| - k s²) + Q(|z| + k s²). The larger p is told; Student's alone
    errs several times too often at 0.001 where a location wobbles.

    >>> z, rms = np.array([5.0, 5.0]), np.array([1.0, 1.5])
    >>> print(spread_p(z, rms=rms, windows=np.array([0, 99])).round(6))
    [1.000e-06 7.912e-03]
    """
    found = contrast_p(z, rms=rms, windows=windows)
    # Above 0.05 they decide nothing, and are alike.
    strays = np.flatnonzero((rms > 1) & (found < 0.05))
    if strays.size:
        bend = np.sqrt((np.square(rms[strays]) - 1) / 3)
        added = bend[:, np.newaxis] * np.square(_WOBBLES)
        off = np.abs(z[strays])[:, np.newaxis]
        tail = (special.ndtr(added - off) + special.ndtr(-added - off)) @ _SHARES
        found[strays] = np.maximum(found[strays], tail)
    return found
