"""Eight regimes without drift: seasons, and hours that resemble their neighbours."""

from collections.abc import Mapping

import numpy as np

from benchmarks.detection.history import Course, Regime
from driftwatch.stats.counts import FloatArray

MISSING = 0.02


def _course(
    hours: int,
    features: int,
    mean: FloatArray | float = 0.0,
    sigma: FloatArray | float = 1.0,
    missing: FloatArray | float = MISSING,
) -> Course:
    def every(values: FloatArray | float) -> FloatArray:
        array = np.asarray(values, np.float64)
        column = array[:, np.newaxis] if array.ndim == 1 else array
        return np.broadcast_to(column, (hours, features)).copy()

    return Course(every(mean), every(sigma), every(missing))


def _wave(hours: int, period: int) -> FloatArray:
    return np.asarray(np.sin(2 * np.pi * np.arange(hours) / period))


def _flat(hours: int, features: int, _: np.random.Generator) -> Course:
    return _course(hours, features)


def _daily(hours: int, features: int, _: np.random.Generator) -> Course:
    return _course(hours, features, mean=0.5 * _wave(hours, 24))


def _weekly(hours: int, features: int, _: np.random.Generator) -> Course:
    return _course(hours, features, mean=0.5 * _wave(hours, 168))


def _weekend(hours: int, features: int, _: np.random.Generator) -> Course:
    mean = np.where(np.arange(hours) // 24 % 7 >= 5, -0.5, 0.0)
    return _course(hours, features, mean=mean)


def _wobble(sigma: float, lasting: float) -> Regime:
    """A mean that is an autoregressive process of order 1."""

    def regime(hours: int, features: int, random: np.random.Generator) -> Course:
        kept = 1 - 1 / lasting
        mean = random.normal(scale=sigma, size=(hours, features))
        for hour in range(1, hours):
            mean[hour] = kept * mean[hour - 1] + np.sqrt(1 - kept * kept) * mean[hour]
        return _course(hours, features, mean=mean)

    return regime


def _breathing(hours: int, features: int, _: np.random.Generator) -> Course:
    return _course(hours, features, sigma=1 + 0.25 * _wave(hours, 24))


def _gaps(hours: int, features: int, _: np.random.Generator) -> Course:
    return _course(hours, features, missing=0.05 + 0.03 * _wave(hours, 24))


REGIMES: Mapping[str, Regime] = {
    "none": _flat,
    "daily, half a sigma": _daily,
    "weekly, half a sigma": _weekly,
    "weekends lower by half a sigma": _weekend,
    "mean of 0.1 sigma, forgotten in 10 hours": _wobble(0.1, 10.0),
    "mean of 0.06 sigma, forgotten in 3 days": _wobble(0.06, 72.0),
    "daily spread, a quarter": _breathing,
    "daily missing, 2 to 8 %": _gaps,
}
FLAT = _flat
