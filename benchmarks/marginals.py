"""Eight marginals of features, and shifts of them by degrees, as probabilities of cells.

A marginal is a grid of its quantiles, so that a shift is exact: only counts are drawn.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from driftwatch.stats.counts import FloatArray, IntArray

GRID = 100_000
REFERENCE_ROWS = 100_000
_MISSING = 0.01
_TOP = 50
_SHARES = np.sort([*np.arange(1, 20) / 20, 0.001, 0.01, 0.99, 0.999])
_AT = (np.arange(GRID) + 0.5) / GRID

NUMERIC: Mapping[str, FloatArray] = {
    "normal": special.ndtri(_AT),
    "lognormal": np.exp(special.ndtri(_AT)),
    "t, 3 degrees": stats.t.ppf(_AT, 3),
    "60 % zeros": np.where(_AT < 0.6, 0.0, -np.log1p(-np.maximum(_AT - 0.6, 0) / 0.4)),
    "uniform": _AT,
    "Poisson of 3": stats.poisson.ppf(_AT, 3),
}


def _zipf(levels: int, power: float) -> FloatArray:
    found = np.arange(1, levels + 1) ** -power
    return np.asarray(found / found.sum())


LEVELS: Mapping[str, FloatArray] = {
    "8 levels": _zipf(8, 0.7),
    "1,000 levels": _zipf(1000, 1.2),
}


@dataclass(frozen=True, slots=True)
class Feature:
    """Counts of one reference, shape (K,), and the probabilities of a window's cells by shift."""

    marginal: str
    ordered: bool
    reference: IntArray
    shares: Mapping[tuple[str, float], FloatArray]


def features(name: str, references: int, random: np.random.Generator) -> Iterator[Feature]:
    """Some references of one marginal, each with an axis of its own."""
    for _ in range(references):
        if name in NUMERIC:
            yield _numeric(name, random)
        else:
            yield _categorical(name, random)


def _numeric(name: str, random: np.random.Generator) -> Feature:
    grid = NUMERIC[name]
    rows = random.choice(grid, REFERENCE_ROWS)
    edges = _edges(rows)
    missing = random.binomial(REFERENCE_ROWS, _MISSING)

    def cells(values: FloatArray) -> IntArray:
        return np.bincount(np.searchsorted(edges, values, "right"), minlength=edges.size + 1)

    shares = {
        (kind, degree): _with_missing(cells(shift(grid, degree)) / GRID, _MISSING)
        for kind, (shift, degrees) in _NUMERIC_SHIFTS.items()
        for degree in degrees
    }
    still = shares["none", 0.0]
    for degree in (0.005, 0.01, 0.02, 0.04):
        shares["missing", degree] = _with_missing(still[:-1] / (1 - _MISSING), _MISSING + degree)
    kept = np.append(cells(rows[missing:]), missing)
    return Feature(name, True, kept, shares)


def _edges(rows: FloatArray) -> FloatArray:
    """20 quantile bins, tails, both ends, a bin of its own for each value of 5 % of the rows."""
    edges = np.unique(np.quantile(rows, _SHARES, method="inverted_cdf"))
    values, counts = np.unique(rows, return_counts=True)
    atoms = values[counts >= 0.05 * rows.size]
    ends = [rows.min(), np.nextafter(rows.max(), np.inf)]
    return np.unique(np.concatenate([ends, edges, atoms, np.nextafter(atoms, np.inf)]))


def _with_missing(shares: FloatArray, missing: float) -> FloatArray:
    return np.append(shares * (1 - missing), missing)


def _every(part: float) -> slice:
    """That part of a grid, spread over all of it."""
    step = round(1 / part)
    return slice(step // 2, None, step)


def _scale(grid: FloatArray) -> float:
    """Its standard deviation, were it normal; as wide for all that have heavy tails."""
    low, high = np.quantile(grid, [0.1, 0.9])
    return float(high - low) / 2.563


def _located(grid: FloatArray, degree: float) -> FloatArray:
    if np.all(grid == np.round(grid)):
        moved = grid.copy()
        moved[_every(degree * _scale(grid))] += 1
        return moved
    if np.mean(grid == 0) > 0.1:
        return np.where(grid > 0, grid * (1 + 2 * degree), 0.0)
    return grid + degree * _scale(grid)


def _wider(grid: FloatArray, degree: float) -> FloatArray:
    centre = np.median(grid[grid != 0]) if np.mean(grid == 0) > 0.1 else np.median(grid)
    moved = centre + (grid - centre) * (1 + degree)
    return np.where(grid == 0, grid, np.round(moved) if np.all(grid == np.round(grid)) else moved)


def _tailed(grid: FloatArray, degree: float) -> FloatArray:
    moved = grid.copy()
    moved[_every(degree)] += 8 * _scale(grid)
    return moved


def _spiked(grid: FloatArray, degree: float) -> FloatArray:
    moved = grid.copy()
    moved[_every(degree)] = np.quantile(grid, 0.7, method="inverted_cdf")
    return moved


_Shift = Callable[[FloatArray, float], FloatArray]
_NUMERIC_SHIFTS: Mapping[str, tuple[_Shift, tuple[float, ...]]] = {
    "none": (lambda grid, _: grid, (0.0,)),
    "location": (_located, (0.05, 0.1, 0.2, 0.4)),
    "spread": (_wider, (0.05, 0.1, 0.2, 0.4)),
    "tail": (_tailed, (0.002, 0.005, 0.01, 0.02)),
    "spike": (_spiked, (0.01, 0.02, 0.04, 0.08)),
}


def _categorical(name: str, random: np.random.Generator) -> Feature:
    """The top 50 levels, other, unseen and missing; levels with one row are not in the axis."""
    shares = LEVELS[name]
    missing = random.binomial(REFERENCE_ROWS, _MISSING)
    rows = random.multinomial(REFERENCE_ROWS - missing, shares)
    known = np.flatnonzero(rows >= 2)
    top = known[np.argsort(-rows[known], kind="stable")[:_TOP]]
    other = np.setdiff1d(known, top)
    # Good and Turing's share of what a window holds of levels with at most one row here.
    unseen = np.sum(rows == 1) + 2 * np.sum(rows == 2)
    kept = np.array([*rows[top], rows[other].sum() - 2 * np.sum(rows == 2), unseen, missing])

    def cells(moved: FloatArray, fresh: float, missing: float) -> FloatArray:
        found = np.array([*moved[top], moved[other].sum(), moved[rows < 2].sum()]) * (1 - fresh)
        found[-1] += fresh
        return _with_missing(found, missing)

    found = {("none", 0.0): cells(shares, 0.0, _MISSING)}
    for degree in (0.01, 0.02, 0.04, 0.08):
        spike = shares * (1 - degree)
        spike[1] += degree
        found["spike", degree] = cells(spike, 0.0, _MISSING)
    for degree in (0.05, 0.1, 0.2, 0.4):
        sign = np.where(np.arange(shares.size) % 2, 1.0, -1.0)
        mixed = shares * (1 + degree * sign)
        found["mix", degree] = cells(mixed / mixed.sum(), 0.0, _MISSING)
    for degree in (0.002, 0.005, 0.01, 0.02):
        found["unseen", degree] = cells(shares, degree, _MISSING)
    for degree in (0.005, 0.01, 0.02, 0.04):
        found["missing", degree] = cells(shares, 0.0, _MISSING + degree)
    return Feature(name, False, kept, found)
