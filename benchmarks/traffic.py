"""The rows of simulated monitors, as counts per hour: seasons, wobble, missing, but no drift.

A value is the marginal's quantile of a normal score whose mean moves with the hour of day, the
weekend and an AR(1) wobble. So the shares of the cells in an hour are exact, and only counts are
drawn: as many weeks as are wanted, at 10,000 rows an hour. Levels have such a score each, in the
logarithm of their shares.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from benchmarks.kinds import fitted
from benchmarks.marginals import GRID, LEVELS, NUMERIC
from driftwatch.stats.axis import Axis, CategoricalAxis
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray

HOURS_OF_WEEK = 168
FIT_ROWS = 20_000
"""So many rows of the reference stand for all of it where a numeric axis is fitted."""

_AT = (np.arange(GRID) + 0.5) / GRID
NUMBERS: Mapping[str, FloatArray] = {
    **NUMERIC,
    "minutes": np.round(25 - 18 * np.log(-np.log(_AT))),
}
NAMES: Mapping[str, FloatArray] = {**LEVELS, "2 levels": np.array([0.8, 0.2])}
PREDICTION = "prediction"
PREDICTIONS = ("normal", "lognormal", "2 levels")
_MIX = (*(3 * [*NUMERIC]), "minutes", "2 levels", "8 levels", "1,000 levels")
"""What features are drawn from: one in 22 has 1,000 levels."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When rows come: rows per hour, shape (H,), of which the first `reference` are learned from;
    shared: an AR(1) wobble of variance 1 that features of one monitor may share, shape (H,)."""

    rows: IntArray
    reference: int
    shared: FloatArray

    @property
    def of_day(self) -> FloatArray:
        """The angle of the hour of day, shape (H,)."""
        return np.asarray(np.arange(self.rows.size) * 2 * np.pi / 24)

    @property
    def weekend(self) -> FloatArray:
        """1 on Saturdays and Sundays, shape (H,); the first hour is that of a Monday."""
        day = np.arange(self.rows.size) % HOURS_OF_WEEK // 24
        return np.asarray(day >= 5, np.float64)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a monitor. shares, cells: probabilities and counts per hour, shape
    (H, axis.cells); mean, square, least, most: of the values in each cell but the last, NaN where
    cells have no order."""

    name: str
    marginal: str
    axis: Axis
    shares: FloatArray
    cells: IntArray
    mean: FloatArray
    square: FloatArray
    least: FloatArray
    most: FloatArray

    def panes(self, counts: IntArray) -> ColumnPanes:
        """Counts of its cells, shape (cells,), as one pane. Sums are those of the mean values of
        the cells, extremes those of the outermost cells with rows."""
        there = np.flatnonzero((counts[:-1] > 0) & np.isfinite(self.mean))
        known = counts[there]
        return ColumnPanes(
            cells=counts[np.newaxis],
            infinite=np.zeros(1, np.int64),
            total=np.array([known @ self.mean[there]]),
            total_squares=np.array([known @ self.square[there]]),
            minimum=np.array([self.least[there[0]] if there.size else np.nan]),
            maximum=np.array([self.most[there[-1]] if there.size else np.nan]),
        )


def hours(random: np.random.Generator, *, reference: int, live: int) -> Hours:
    """100 to 10,000 rows in a mean hour, by the logarithm evenly; more by day than by night and in
    most on working days; what a single hour has is Poisson."""
    still = Hours(np.zeros(reference + live, np.int64), reference, np.zeros(0))
    size = np.exp(random.uniform(np.log(100), np.log(10_000)))
    day, weekend = random.uniform(0.1, 0.8), random.uniform(-0.7, 0.1)
    level = day * np.sin(still.of_day + random.uniform(0, 2 * np.pi)) + weekend * still.weekend
    expected = size * np.exp(level) / np.mean(np.exp(level))
    return Hours(random.poisson(expected), reference, _wobble(random, still, 12.0))


def columns(
    random: np.random.Generator, when: Hours, count: int, *, shift: float = 0.0
) -> Iterator[Column]:
    """The prediction, and count - 1 features. shift: by how many sigmas the prediction is moved
    after the reference."""
    yield _column(random, when, PREDICTION, str(random.choice(PREDICTIONS)), shift)
    last: Column | None = None
    for number in range(1, count):
        name = f"feature {number:02}"
        if last is not None and random.random() < 0.15:
            last = _copy(random, when, last, name)
        else:
            marginal = str(random.choice(_MIX))
            last = _column(random, when, name, marginal, 0.0)
        yield last


def _column(
    random: np.random.Generator, when: Hours, name: str, marginal: str, shift: float
) -> Column:
    missing = _missing(random, when, may_lack=name != PREDICTION)
    if marginal in NUMBERS:
        score = _score(random, when) + shift * (np.arange(when.rows.size) >= when.reference)
        return _numeric(random, when, name, marginal, score, missing)
    return _categorical(random, when, name, marginal, shift, missing)


def _copy(random: np.random.Generator, when: Hours, other: Column, name: str) -> Column:
    """A column whose row has the cell of the other's in 50 to 90 %, else one drawn for itself from
    the hour's own: correlated with it, and with the same shares."""
    kept = random.binomial(other.cells, random.uniform(0.5, 0.9))
    fresh = random.multinomial(when.rows - kept.sum(axis=1), other.shares)
    return replace(other, name=name, cells=kept + fresh)


def _numeric(
    random: np.random.Generator,
    when: Hours,
    name: str,
    marginal: str,
    score: FloatArray,
    missing: FloatArray,
) -> Column:
    grid = NUMBERS[marginal]
    past = slice(0, when.reference)
    at = random.choice(when.reference, FIT_ROWS, p=when.rows[past] / when.rows[past].sum())
    drawn = special.ndtr(score[at] + random.normal(size=FIT_ROWS))
    values = grid[np.minimum((drawn * GRID).astype(np.int64), GRID - 1)]
    axis = fitted(values)
    edges = np.asarray(axis.edges)
    cuts = special.ndtri(np.searchsorted(grid, edges, side="left") / GRID)
    below = special.ndtr(cuts - score[:, np.newaxis])
    shares = np.diff(below, axis=1, prepend=0.0, append=1.0) * (1 - missing[:, np.newaxis])
    shares = _normed(np.hstack([shares, missing[:, np.newaxis]]))
    cells = random.multinomial(when.rows, shares)
    place = np.searchsorted(edges, values, side="right")
    within = [values[place == cell] for cell in range(axis.cells - 1)]
    # A cell that no fitted row came to lies between two edges that are next to each other.
    near = np.clip(np.arange(axis.cells - 1), 1, edges.size) - 1
    found = np.array(
        [
            (np.mean(one), np.mean(np.square(one)), np.min(one), np.max(one))
            if one.size
            else (edges[at], edges[at] ** 2, edges[at], edges[at])
            for one, at in zip(within, near, strict=True)
        ]
    )
    return Column(name, marginal, axis, shares, cells, *found.T)


def _categorical(
    random: np.random.Generator,
    when: Hours,
    name: str,
    marginal: str,
    shift: float,
    missing: FloatArray,
) -> Column:
    """The levels are drawn, so that the axis is that of the levels which the reference had. A shift
    moves the logarithm of each level's share, up and down in turn, by half of it."""
    shares = NAMES[marginal]
    score = _score(random, when)
    lean = np.clip(random.normal(0, 0.5, shares.size), -1, 1)
    level = np.log(shares) + lean * score[:, np.newaxis]
    live = np.arange(when.rows.size) >= when.reference
    level += shift * live[:, np.newaxis] * np.where(np.arange(shares.size) % 2, 0.5, -0.5)
    of_level = _normed(np.exp(level))
    lacking = random.binomial(when.rows, missing)
    rows = random.multinomial(when.rows - lacking, of_level)
    past = rows[: when.reference].sum(axis=0)
    known = np.flatnonzero(past >= 2)
    top = known[np.argsort(-past[known], kind="stable")[:50]]
    other = np.setdiff1d(known, top)
    axis = CategoricalAxis(
        tuple(f"level {i}" for i in top), tuple(f"level {i}" for i in other),
        int(np.sum(past[other] == 2)),
    )  # fmt: skip
    groups = [*np.split(top, top.size), other, np.flatnonzero(past < 2)]
    cells = np.column_stack([*(rows[:, one].sum(axis=1) for one in groups), lacking])
    found = np.column_stack([of_level[:, one].sum(axis=1) for one in groups])
    every = _normed(np.column_stack([found * (1 - missing[:, np.newaxis]), missing]))
    unknown = np.full(axis.cells - 1, np.nan)
    return Column(name, marginal, axis, every, cells, unknown, unknown, unknown, unknown)


def _normed(weights: FloatArray) -> FloatArray:
    """Not negative, and summing to 1 in each row, as a multinomial draw wants them."""
    kept = np.maximum(weights, 0.0)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))


def _score(random: np.random.Generator, when: Hours) -> FloatArray:
    """The mean of the normal score in each hour, shape (H,): of most columns with a daily and a
    weekly cycle, of some with a wobble, their own or the monitor's."""
    found = np.zeros(when.rows.size)
    if random.random() < 0.7:
        size = np.exp(random.uniform(np.log(0.02), np.log(0.5)))
        found += size * np.sin(when.of_day + random.uniform(0, 2 * np.pi))
        found += size * random.uniform(-1, 1) * when.weekend
    if random.random() < 0.4:
        size = np.exp(random.uniform(np.log(0.01), np.log(0.1)))
        lasting = float(random.choice([3.0, 12.0, 48.0]))
        own = random.random() < 0.5
        found += size * (_wobble(random, when, lasting) if own else when.shared)
    return found


def _missing(random: np.random.Generator, when: Hours, *, may_lack: bool) -> FloatArray:
    """The share of missing in each hour, shape (H,): nothing in half of the columns, else 0.1 % to
    30 %, in half of these with a daily cycle, in a quarter with a wobble of a tenth."""
    if not may_lack or random.random() < 0.5:
        return np.zeros(when.rows.size)
    level = np.full(
        when.rows.size, special.logit(np.exp(random.uniform(np.log(1e-3), np.log(0.3))))
    )
    if random.random() < 0.5:
        level += random.uniform(0.1, 0.5) * np.sin(when.of_day + random.uniform(0, 2 * np.pi))
    if random.random() < 0.25:
        level += 0.1 * _wobble(random, when, 12.0)
    return np.asarray(special.expit(level))


def _wobble(random: np.random.Generator, when: Hours, lasting: float) -> FloatArray:
    """AR(1) of variance 1 whose correlation falls to 1/e in so many hours, shape (H,)."""
    keep = np.exp(-1 / lasting)
    fresh = random.normal(size=when.rows.size)
    found = np.empty(when.rows.size)
    state = fresh[0]
    for hour, one in enumerate(fresh):
        state = keep * state + np.sqrt(1 - keep**2) * one if hour else one
        found[hour] = state
    return found
