"""Seasons: which windows of the reference a window is compared with.

A phase is a number that says where in the season a window lies, under one key: under `hour` its
hour of day. Each window is compared with the rest of the reference in its own phase. Keys with the
time of year: see `stats.year`.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray

FINER = 0.9
"""A finer key must cost less than this share of the best coarser one: costs are estimates."""

BLOCKS = 10
"""Into how many blocks in a row the windows of a reference fall."""

ALONE = 0.1
"""A key is of no use where more than this share of the windows have no fellow in their phase."""


class SeasonKey(StrEnum):
    """What two windows must have in common to be compared, the coarsest first."""

    NONE = "none"
    HOUR = "hour"
    HOUR_WEEKEND = "hour_weekend"
    HOUR_OF_WEEK = "hour_of_week"
    YEAR = "year"
    HOUR_YEAR = "hour_year"
    HOUR_WEEKEND_YEAR = "hour_weekend_year"
    HOUR_OF_WEEK_YEAR = "hour_of_week_year"

    @property
    def of_year(self) -> bool:
        """Whether the time of year is part of it."""
        return self in _OF_YEAR


_OF_YEAR = {
    SeasonKey.YEAR,
    SeasonKey.HOUR_YEAR,
    SeasonKey.HOUR_WEEKEND_YEAR,
    SeasonKey.HOUR_OF_WEEK_YEAR,
}


def rest_of_phase(counts: IntArray, phases: IntArray) -> IntArray:
    """What each window is compared with: the windows of its phase that lie in another block.

    counts: W windows in the order of time, shape (W, ...); phases: shape (W,), any whole numbers.
    Shape (W, ...); all zeros where a phase has no window elsewhere. A block is a `BLOCKS`th of the
    windows in a row: those next to a window share its wobble, as none of the reference will share
    that of a current window. Source: Burman, Chow and Nolan, A Cross-Validatory Method for
    Dependent Data, Biometrika 81 (1994).

    >>> rest_of_phase(np.array([[1], [2], [4], [8]]), np.array([0, 1, 0, 0])).tolist()
    [[12], [0], [9], [5]]
    """
    _, phase = np.unique(phases, return_inverse=True)
    return totals(counts, phase) - totals(counts, phase * BLOCKS + _block(phases.size))


def beside(counts: IntArray, phases: IntArray) -> IntArray:
    """The windows of its phase in the two blocks next to its own; arguments as `rest_of_phase`.

    What is nearer to these than to all the rest moves slowly through the reference.

    >>> beside(np.arange(10)[:, np.newaxis], np.zeros(10, np.int64))[:, 0].tolist()
    [1, 2, 4, 6, 8, 10, 12, 14, 16, 8]
    """
    block = _block(phases.size)
    names, phase = np.unique(phases, return_inverse=True)
    table = np.zeros((names.size, BLOCKS + 2, *counts.shape[1:]), counts.dtype)
    np.add.at(table, (phase, block + 1), counts)
    return np.asarray(table[phase, block] + table[phase, block + 2])


def _block(windows: int) -> IntArray:
    return np.arange(windows) * BLOCKS // max(windows, BLOCKS)


def totals(counts: IntArray, group: npt.NDArray[np.integer]) -> IntArray:
    """The sum of each window's group, shape (W, ...)."""
    groups, number = np.unique(group, return_inverse=True)
    if groups.size == 0:
        return counts
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    return np.asarray(np.add.reduceat(counts[order], starts, axis=0)[number])


def has_fellows(
    rest_rows: npt.NDArray[np.integer], judged: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Whether a key is of use to each feature: of its judged windows at most `ALONE` are alone.

    rest_rows: rows that each window is compared with, shape (W, F); judged: which windows have
    enough rows of their own, shape (W, F). Shape (F,); True where no window is judged.
    """
    alone = ((rest_rows == 0) & judged).sum(axis=0)
    return np.asarray(alone <= ALONE * judged.sum(axis=0))


def season_cost(
    *,
    ratio: FloatArray,
    location: FloatArray,
    spread: FloatArray,
    effective_rows: FloatArray,
) -> FloatArray:
    """How far windows without drift seem to be off under a key: mean of t/nt, shape (F,).

    All of shape (W, F), of each window against the rest of its phase: ratio is r = X²/E, NaN where
    it is not judged; location and spread are z scores, NaN where cells have no order; nt = n m/N. t
    is the mean of r and of those of z² that are numbers, 1 by sampling alone, so that t/nt is the
    square of a shift in sigmas. A season that is left in makes t larger; a finer key makes m and so
    nt smaller: with m = n half of n. inf where no window is judged.
    """
    judged = ~np.isnan(ratio)
    squares = np.stack([ratio, np.square(location), np.square(spread)])
    numbers = ~np.isnan(squares)
    of_tests = np.where(numbers, squares, 0.0).sum(axis=0) / np.maximum(numbers.sum(axis=0), 1)
    shifts = np.where(judged, of_tests / effective_rows, 0.0).sum(axis=0)
    count = judged.sum(axis=0)
    return np.asarray(np.where(count > 0, shifts / np.maximum(count, 1), np.inf))


def cheapest(costs: Sequence[FloatArray]) -> IntArray:
    """Which key each feature takes: the first, and a later one if it costs less than `FINER` of it.

    costs: one array (F,) per key, the coarsest first, inf where the key is of no use. Shape (F,).

    >>> costs = [np.array([1.0, 1.0, 0.0]), np.array([0.95, 0.5, 0.0]), np.array([0.8, 0.46, 0.0])]
    >>> cheapest(costs).tolist()
    [2, 1, 0]
    """
    best = costs[0].copy()
    chosen = np.zeros(best.shape, dtype=np.int64)
    for number, cost in enumerate(costs[1:], start=1):
        better = (cost < FINER * best) | (np.isinf(best) & np.isfinite(cost))
        chosen[better] = number
        best[better] = cost[better]
    return chosen
