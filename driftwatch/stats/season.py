"""Seasons: which windows of the reference a window is compared with.

A phase is a number that says where in the season a window lies, under one key: under `hour` its
hour of day. Each window is compared with the rest of the reference in its own phase.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray

FINER = 0.9
"""A finer key must cost less than this share of the best coarser one: it starves its phases."""

ALONE = 0.1
"""A key is of no use where more than this share of the windows have no fellow in their phase."""


class SeasonKey(StrEnum):
    """What two windows must have in common to be compared, the coarsest first."""

    NONE = "none"
    HOUR = "hour"
    HOUR_WEEKEND = "hour_weekend"
    HOUR_OF_WEEK = "hour_of_week"


def rest_of_phase(counts: IntArray, phases: IntArray) -> IntArray:
    """What each window is compared with: the counts of its phase without its own.

    counts: W windows, shape (W, ...); phases: shape (W,), any whole numbers. Shape (W, ...); all
    zeros where a window is the only one of its phase.

    >>> rest_of_phase(np.array([[1], [2], [4], [8]]), np.array([0, 1, 0, 0])).tolist()
    [[12], [0], [9], [5]]
    """
    _, phase = np.unique(phases, return_inverse=True)
    order = np.argsort(phase, kind="stable")
    starts = np.flatnonzero(np.diff(phase[order], prepend=-1))
    if starts.size == 0:
        return counts.copy()
    totals = np.add.reduceat(counts[order], starts, axis=0)
    return np.asarray(totals[phase] - counts)


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
    statistic: FloatArray,
    expected: FloatArray,
    effective_rows: FloatArray,
    reference_rows: FloatArray,
) -> FloatArray:
    """What comparing under a key costs: max(0, mean (X² - E)/nt) + mean E/m, shape (F,).

    The first term is the wobble that the key leaves in, in squared sigmas; the second one what
    the noise of a smaller reference adds. All of shape (W, F): X² of each window against the rest
    of its phase, its mean E, nt = n m/(n + m), and m; NaN in windows that are not judged. inf
    where none is.
    """
    judged = ~np.isnan(statistic)
    count = judged.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        wobble = np.where(judged, (statistic - expected) / effective_rows, 0.0).sum(axis=0)
        noise = np.where(judged, expected / reference_rows, 0.0).sum(axis=0)
        cost = np.where(count > 0, np.maximum(wobble / count, 0.0) + noise / count, np.inf)
    return np.asarray(cost)


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
