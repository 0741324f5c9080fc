"""Counts of hourly windows of a normal feature whose mean moves by a season or by itself."""

from collections.abc import Callable

import numpy as np
from scipy import special

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.season import SeasonKey

ROWS = 600
_SHARES = np.sort([*np.arange(1, 20) / 20, 0.001, 0.01, 0.99, 0.999])

Phases = dict[SeasonKey, IntArray]
Mean = Callable[[int, int], FloatArray]
"""The mean of each hour of each feature, of hours and features."""


def phases(hours: int, *, start: int = 0) -> Phases:
    """The phase of each hour; hour 0 is a Monday's first."""
    hour = np.arange(start, start + hours)
    weekend = hour // 24 % 7 >= 5
    return {
        SeasonKey.NONE: np.zeros_like(hour),
        SeasonKey.HOUR: hour % 24,
        SeasonKey.HOUR_WEEKEND: hour % 24 + 24 * weekend,
        SeasonKey.HOUR_OF_WEEK: hour % 168,
    }


def daily(hours: int, features: int) -> FloatArray:
    """The mean of each hour, shape (hours, features): half a sigma up and down each day."""
    one = 0.5 * np.sin(2 * np.pi * np.arange(hours) / 24)
    return np.repeat(one[:, np.newaxis], features, axis=1)


def weekly(hours: int, features: int) -> FloatArray:
    one = 0.5 * np.sin(2 * np.pi * np.arange(hours) / 168)
    return np.repeat(one[:, np.newaxis], features, axis=1)


def weekend(hours: int, features: int) -> FloatArray:
    one = np.where(np.arange(hours) // 24 % 7 >= 5, -0.5, 0.0)
    return np.repeat(one[:, np.newaxis], features, axis=1)


def wobble(
    hours: int, features: int, *, sigma: float, lasting: float, random: np.random.Generator
) -> FloatArray:
    """A mean that forgets itself in `lasting` hours: an autoregressive process of order 1."""
    kept = 1 - 1 / lasting
    steps = random.normal(scale=sigma, size=(hours, features))
    for hour in range(1, hours):
        steps[hour] = kept * steps[hour - 1] + np.sqrt(1 - kept * kept) * steps[hour]
    return steps


def edges_of(means: FloatArray, random: np.random.Generator) -> FloatArray:
    """The edges of an axis that is fitted to all hours: 20 quantile bins and four tail cells."""
    values = random.choice(means.ravel(), 200_000) + random.normal(size=200_000)
    return np.asarray(np.quantile(values, _SHARES))


def counts_of(
    means: FloatArray,
    edges: FloatArray,
    random: np.random.Generator,
    rows: IntArray | int = ROWS,
) -> IntArray:
    """Rows per cell, shape (hours, features, 25), of which the last, `missing`, has none."""
    below = special.ndtr(edges - means[..., np.newaxis])
    limits = np.pad(below, [(0, 0), (0, 0), (1, 1)])
    limits[..., -1] = 1.0
    return np.pad(random.multinomial(rows, np.diff(limits)), [(0, 0), (0, 0), (0, 1)])
