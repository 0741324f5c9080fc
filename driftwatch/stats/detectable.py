"""What could be found at all: the smallest effect that a window of so many rows would show."""

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.counts import FloatArray
from driftwatch.stats.effect import EFFECT_MAX
from driftwatch.stats.noise import effective_rows

POWER = 0.8
"""The share of windows that are to show it, by the convention of Cohen (1988)."""

_RANKS = 3 / np.pi
"""What ranks keep of the rows of a normal feature (Wilcoxon against Student: Pitman, 1948)."""


def detectable_effect(
    *,
    current_rows: npt.ArrayLike,
    reference_rows: npt.ArrayLike,
    cells: npt.ArrayLike,
    omnibus_alpha: npt.ArrayLike,
    location_alpha: npt.ArrayLike = 0.0,
    phi: npt.ArrayLike = 1.0,
    cv2: npt.ArrayLike = 0.0,
    location_rms: npt.ArrayLike = 1.0,
) -> FloatArray:
    """The shift, in standard deviations, that `POWER` of the windows would show, 0..EFFECT_MAX.

    current_rows, reference_rows: n and m; cells: k, those with rows; omnibus_alpha: the p that X²
    must fall below; location_alpha: that of the two-sided contrast of ranks, 0 where there is
    none; phi, cv2, location_rms: what the reference's own windows do, cv2 being never less than
    2/(k-1) of chance. All of one shape or single numbers; the smaller one of both tests' answers:

    X² has under no drift the mean E = phi (k-1), the variance V = cv2 E² and the limit t that a
    Gamma tail gives for alpha. A shift d adds h = nt d² to its mean, nt = n m/(n + m), and
    4 phi h to its variance, so h solves h - (t - E) = z sqrt(V + 4 phi h), z the normal quantile
    of the power. The contrast needs d = (z_(1-alpha/2) rms + z) / sqrt(3 nt/pi).

    To first order in d, which for n far below m overstates large ones. NaN where n = 0 or m = 0;
    EFFECT_MAX where neither test can find anything (one cell). Source: Patnaik, The Non-Central
    Chi-Square and F-Distributions, Biometrika 36 (1949), for the moments.

    >>> print(detectable_effect(current_rows=[600, 600], reference_rows=18_000, cells=24,
    ...     omnibus_alpha=4e-4, location_alpha=[0.0, 1e-4]).round(3))
    [0.269 0.201]
    """
    nt = effective_rows(current=current_rows, reference=reference_rows)
    needed = _omnibus(_floats(cells), _floats(omnibus_alpha), _floats(phi), _floats(cv2))
    ranks = _location(_floats(location_alpha), _floats(location_rms))
    found = np.sqrt(np.minimum(needed, ranks) / nt)
    return np.asarray(np.minimum(found, EFFECT_MAX))


def _omnibus(cells: FloatArray, alpha: FloatArray, phi: FloatArray, cv2: FloatArray) -> FloatArray:
    """nt d² for X²: the larger root of (h - a)² = z² (V + 4 phi h); inf with one cell."""
    z = special.ndtri(POWER)
    freedom = cells - 1
    usable = freedom > 0
    freedom = np.where(usable, freedom, 1.0)
    mean = phi * freedom
    spread = np.maximum(cv2, 2 / freedom)
    limit = special.gammainccinv(1 / spread, alpha) * spread * mean
    above = np.maximum(limit - mean, 0.0)
    half = above + 2 * z * z * phi
    noise = z * z * spread * mean * mean
    root = np.sqrt(np.maximum(half * half - above * above + noise, 0.0))
    return np.asarray(np.where(usable, half + root, np.inf))


def _location(alpha: FloatArray, rms: FloatArray) -> FloatArray:
    """nt d² for the contrast; inf where alpha is 0."""
    limit = -special.ndtri(alpha / 2) * np.maximum(rms, 1.0)
    return np.asarray(np.square(limit + special.ndtri(POWER)) / _RANKS)


def _floats(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)
