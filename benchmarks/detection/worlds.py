"""What rows are like: eight marginals without drift, and thirty shifts of them by degrees.

Numbers are a grid of equally likely values, so that the probability of every cell, and with it the
true effect, is known exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from benchmarks.detection.axis import (
    cells_of_levels,
    cells_of_values,
    compared_with,
    level_axis,
    numeric_axis,
)
from benchmarks.marginals import GRID, LEVELS, NUMERIC
from driftwatch.stats.axis import Axis, CategoricalAxis
from driftwatch.stats.counts import FloatArray, IntArray

MISSING = 0.01
_FRESH = 10
"""Levels beside those that a marginal has: without drift they have no rows."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """values: ascending and equally likely, shape (G,); missing: the share of rows without one."""

    values: FloatArray
    missing: float = MISSING

    @property
    def ordered(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Levels:
    """shares: of each level among the rows that have one, shape (L,)."""

    shares: FloatArray
    missing: float = MISSING

    @property
    def ordered(self) -> bool:
        return False


World = Numbers | Levels


@dataclass(frozen=True, slots=True)
class Kept:
    """A reference: its axis and its counts, shape (cells,), as windows are compared with them."""

    axis: Axis
    cells: IntArray


def reference(world: World, rows: int, random: np.random.Generator) -> Kept:
    """One reference of so many rows."""
    missing = int(random.binomial(rows, world.missing))
    if isinstance(world, Levels):
        return reference_of_levels(random.multinomial(rows - missing, world.shares), missing)
    drawn = random.multinomial(rows - missing, np.full(world.values.size, 1 / world.values.size))
    axis = numeric_axis(world.values, drawn)
    below = np.concatenate([[0], np.cumsum(drawn)])
    first = np.searchsorted(world.values, np.array(axis.edges), side="left")
    cells = np.diff(np.array([0, *below[first], rows - missing, rows]))
    return Kept(axis, cells)


def reference_of_values(values: FloatArray, missing: int) -> Kept:
    """The same of ascending values that were drawn before."""
    axis = numeric_axis(values, np.ones(values.size, np.int64))
    return Kept(axis, cells_of_values(axis, values, missing))


def reference_of_levels(rows: IntArray, missing: int) -> Kept:
    """The same of rows per level."""
    axis = level_axis(rows)
    cells = cells_of_levels(axis, rows.astype(np.float64), missing).astype(np.int64)
    return Kept(axis, compared_with(axis, cells))


def cell_shares(axis: Axis, world: World) -> FloatArray:
    """The probability of each cell, shape (cells,)."""
    if isinstance(world, Levels):
        assert isinstance(axis, CategoricalAxis)
        return cells_of_levels(axis, world.shares * (1 - world.missing), world.missing)
    assert not isinstance(axis, CategoricalAxis)
    cells = cells_of_values(axis, world.values, 0) / world.values.size
    cells *= 1 - world.missing
    cells[-1] = world.missing
    return cells


MARGINALS: Mapping[str, World] = {
    **{name: Numbers(values) for name, values in NUMERIC.items()},
    **{name: Levels(np.append(shares, np.zeros(_FRESH))) for name, shares in LEVELS.items()},
}
"""The eight, without drift."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A marginal by its name, how it is changed, and to what."""

    marginal: str
    change: str
    world: World


def _shifts() -> tuple[Shift, ...]:
    normal, lognormal, heavy = NUMERIC["normal"], NUMERIC["lognormal"], NUMERIC["t, 3 degrees"]
    zeros, uniform = NUMERIC["60 % zeros"], NUMERIC["uniform"]
    few, many = LEVELS["8 levels"], LEVELS["1,000 levels"]
    wide = np.quantile(normal, 0.7, method="inverted_cdf")
    numbers = [
        ("normal", "+ 0.1 sigma", normal + 0.1),
        ("normal", "+ 0.2 sigma", normal + 0.2),
        ("normal", "+ 0.4 sigma", normal + 0.4),
        ("normal", "spread x 1.1", normal * 1.1),
        ("normal", "spread x 1.3", normal * 1.3),
        ("normal", "1 % far above", _some(normal, 0.01, normal + 6)),
        ("normal", "2 % become one value", _some(normal, 0.02, wide)),
        ("normal", "5 % become one value", _some(normal, 0.05, wide)),
        ("normal", "5 % are of N(2, 0.5)", _some(normal, 0.05, _spread_out(2.0, 0.5))),
        ("lognormal", "x 1.1", lognormal * 1.1),
        ("lognormal", "x 1.4", lognormal * 1.4),
        ("lognormal", "2 % become 10 times as large", _some(lognormal, 0.02, lognormal * 10)),
        ("t, 3 degrees", "+ 0.1", heavy + 0.1),
        ("t, 3 degrees", "+ 0.3", heavy + 0.3),
        ("t, 3 degrees", "x 1.3", heavy * 1.3),
        ("60 % zeros", "64 % zeros", _some(zeros, 0.1, 0.0)),
        ("60 % zeros", "70 % zeros", _some(zeros, 0.25, 0.0)),
        ("60 % zeros", "others x 1.3", zeros * 1.3),
        ("uniform", "+ 0.05", uniform + 0.05),
        ("uniform", "10 % narrower", 0.5 + 0.9 * (uniform - 0.5)),
        ("Poisson of 3", "mean 3.2", _poisson(3.2)),
        ("Poisson of 3", "mean 3.6", _poisson(3.6)),
    ]
    levels = [
        ("8 levels", "shares +- 15 %", _mixed(few, 0.15), MISSING),
        ("8 levels", "shares +- 30 %", _mixed(few, 0.3), MISSING),
        ("8 levels", "1 % unseen", _with_fresh(few, 0.01), MISSING),
        ("1,000 levels", "shares +- 30 %", _mixed(many, 0.3), MISSING),
        ("1,000 levels", "5 % become the second", _with_fresh(many, 0.0, second=0.05), MISSING),
        ("1,000 levels", "2 % unseen", _with_fresh(many, 0.02), MISSING),
    ]
    missing = [("normal", normal, 0.02), ("normal", normal, 0.04)]
    return (
        *(Shift(name, change, Numbers(np.sort(values))) for name, change, values in numbers),
        *(
            Shift(name, f"missing {MISSING:.0%} to {share:.0%}", Numbers(values, share))
            for name, values, share in missing
        ),
        *(Shift(name, change, Levels(shares, share)) for name, change, shares, share in levels),
    )


def located(sigmas: float) -> Numbers:
    """A normal marginal whose mean has moved."""
    return Numbers(NUMERIC["normal"] + sigmas)


def _some(values: FloatArray, part: float, others: FloatArray | float) -> FloatArray:
    """With that part of the grid, spread over all of it, replaced."""
    found, step = values.copy(), round(1 / part)
    some = slice(step // 2, None, step)
    found[some] = np.broadcast_to(others, values.shape)[some]
    return found


def _spread_out(mean: float, sigma: float) -> FloatArray:
    """Normal values without an order, so that any part of them is normal."""
    order = np.random.default_rng(0).permutation(GRID)
    return np.asarray(mean + sigma * special.ndtri((order + 0.5) / GRID))


def _poisson(mean: float) -> FloatArray:
    return np.asarray(stats.poisson.ppf((np.arange(GRID) + 0.5) / GRID, mean))


def _mixed(shares: FloatArray, by: float) -> FloatArray:
    """Every second level grows by that part of its share, the others shrink."""
    moved = shares * (1 + by * np.where(np.arange(shares.size) % 2, 1.0, -1.0))
    return np.append(moved / moved.sum(), np.zeros(_FRESH))


def _with_fresh(shares: FloatArray, fresh: float, *, second: float = 0.0) -> FloatArray:
    """Some rows have levels that were never seen, or come to the second level."""
    moved = shares * (1 - fresh - second)
    moved[1] += second
    return np.append(moved, np.full(_FRESH, fresh / _FRESH))


SHIFTS = _shifts()
