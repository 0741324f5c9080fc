"""How likely X² is of a feature whose mean wobbles: a tail that one Gamma makes too thin."""

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.counts import FloatArray

_FARTHEST = 6.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_SHIFTS = (_NODES + 1) * _FARTHEST / 2
_SHARES = _WEIGHTS * _FARTHEST * np.exp(-np.square(_SHIFTS) / 2) / np.sqrt(2 * np.pi)
_BEYOND = 2 * special.ndtr(-_FARTHEST)


def wobble_tail(
    *,
    statistic: npt.ArrayLike,
    expected: npt.ArrayLike,
    variance: npt.ArrayLike,
    phi: npt.ArrayLike,
) -> FloatArray:
    """P(X² >= statistic) where shifts of normal size explain phi: all arguments shape (F,), as p.

    statistic, expected, variance: X² and its moments by sampling alone, E and V; phi: the mean of
    X²/E without drift. A shift of z standard deviations of the wobble adds (phi - 1) z² to X²/E
    and, as in a noncentral chi-square, 2 V/E² (phi - 1) z² to its variance V/E²; given z its tail
    is that of a Gamma with that mean and variance, and z is standard normal, integrated by
    Gauss-Legendre. With phi = 1 it is the Gamma tail of sampling alone. A Gamma with mean phi and
    the variance of the whole falls off too fast: at 0.001 it is exceeded up to five times too
    often. Never below 2e-9 where phi > 1; 1 where E = 0; NaN where an argument is. Source:
    Patnaik, The Non-Central Chi-Square and F-Distributions, Biometrika 36 (1949).

    >>> print(wobble_tail(statistic=[50.0, 50.0], expected=[23.0, 23.0], variance=[46.0, 46.0],
    ...     phi=[1.0, 1.3]).round(4))
    [0.0009 0.0705]
    """
    x2, mean, spread, over = (
        np.atleast_1d(np.asarray(values, dtype=np.float64))
        for values in (statistic, expected, variance, phi)
    )
    x2, mean, spread, over = np.broadcast_arrays(x2, mean, spread, over)
    constant = (mean <= 0) | (spread <= 0)
    safe = np.where(constant, 1.0, mean)
    chance = np.where(constant, 1.0, spread) / np.square(safe)
    p = _gamma_tail(x2 / safe, np.ones_like(safe), chance)
    wobbles = (over > 1) & ~constant
    added = (over[wobbles] - 1)[:, np.newaxis] * np.square(_SHIFTS)
    of_shift = _gamma_tail(
        (x2[wobbles] / safe[wobbles])[:, np.newaxis],
        1 + added,
        chance[wobbles][:, np.newaxis] * (1 + 2 * added),
    )
    p[wobbles] = np.minimum(of_shift @ _SHARES + _BEYOND, 1.0)
    p[constant & ~np.isnan(x2)] = 1.0
    return p


def _gamma_tail(value: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    shape = np.square(mean) / variance
    return np.asarray(special.gammaincc(shape, np.maximum(value, 0.0) * mean / variance))
