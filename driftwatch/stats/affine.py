"""What a column would look like had every value been moved or multiplied: the reference, mapped.

A reference is known by its counts per bin and by the least and the largest finite value. Between
two edges its values are taken to lie evenly, so that its cumulative share F is a line through the
edges. Under x -> offset + factor x the share below an edge e is F((e - offset)/factor).
"""

import math
from dataclasses import dataclass

import numpy as np

from driftwatch.stats.counts import FloatArray

_SMALLEST = 1e-200
"""Values below it are 0 to all purposes; their errors would be 0 in floating point."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the finite values of one column in one window or reference, in the column's own unit; all
    NaN where there is none."""

    mean: float
    standard_deviation: float
    minimum: float
    maximum: float

    @property
    def known(self) -> bool:
        return math.isfinite(self.mean) and math.isfinite(self.standard_deviation)

    @property
    def varies(self) -> bool:
        """Whether the deviation has digits left beside the values' own size."""
        size = max(abs(self.minimum), abs(self.maximum), _SMALLEST)
        return self.known and self.standard_deviation > 1e-9 * size


@dataclass(frozen=True, slots=True)
class AffineMap:
    """x -> offset + factor x, factor above 0."""

    factor: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.factor < math.inf and math.isfinite(self.offset)):
            raise ValueError(f"a map needs a factor above 0 and a finite offset: {self}")

    @property
    def inverse(self) -> "AffineMap":
        return AffineMap(1 / self.factor, -self.offset / self.factor)


_FACTORS = (1000.0, 1e6, 1024.0, 100.0, 10.0, 60.0, 3600.0, 86_400.0, 24.0, 12.0, 7.0, 3.6)
_FACTORS_OF_LENGTH_AND_MASS = (2.54, 1.609344, 3.28084, 2.20462)
_AFFINE = (AffineMap(1.8, 32.0), AffineMap(1.0, 273.15))
_FORTH = (*(AffineMap(f) for f in (*_FACTORS, *_FACTORS_OF_LENGTH_AND_MASS)), *_AFFINE)

UNITS = (*_FORTH, *(one.inverse for one in _FORTH))
"""Maps between units that are mistaken for one another: decimal and binary prefixes, percent,
units of time, m/s and km/h, inches, miles, feet, pounds, degrees Fahrenheit and Kelvin."""


def mapped(
    probabilities: FloatArray, edges: FloatArray, summary: Summary, change: AffineMap
) -> FloatArray:
    """The probabilities of the bins (E + 1,), of E edges, had every value been mapped.

    probabilities: of the reference, underflow first, summing to 1; summary: its extremes, which
    close the open bins (NaN: they end at the outer edges). Sums to 1.

    >>> uniform = np.array([0.0, 0.5, 0.5, 0.0])
    >>> extent = Summary(1.0, 0.577, 0.0, 2.0)
    >>> print(mapped(uniform, np.array([0.0, 1.0, 2.0]), extent, AffineMap(offset=0.5)))
    [0.   0.25 0.5  0.25]
    """
    places, below = _line(probabilities, edges, summary)
    whence = (edges - change.offset) / change.factor
    # The end of a bin of one value stays just behind that value, wherever it is taken.
    ends = np.flatnonzero(np.diff(edges) <= np.spacing(np.abs(edges[:-1]))) + 1
    whence[ends] = np.nextafter(whence[ends - 1], np.inf)
    cumulative = np.interp(whence, places, below, left=0.0, right=1.0)
    return np.diff(cumulative, prepend=0.0, append=1.0)


def within(current: Summary, reference: Summary, change: AffineMap, *, slack: float = 0.1) -> bool:
    """Whether the current extremes lie within those of the mapped reference, widened by `slack` of
    their distance at each end. A window of fewer rows rarely goes beyond.

    >>> outliers, before = Summary(5.5, 3.5, 0.0, 35.0), Summary(5.0, 2.9, 0.0, 10.0)
    >>> within(outliers, before, AffineMap(1.2, -1.0))
    False
    """
    low = change.offset + change.factor * reference.minimum
    high = change.offset + change.factor * reference.maximum
    room = slack * (high - low)
    return low - room <= current.minimum and current.maximum <= high + room


def quantile(probabilities: FloatArray, edges: FloatArray, summary: Summary, share: float) -> float:
    """Below which value `share` of the rows lie, by the same line; arguments as of `mapped`.

    >>> uniform = np.array([0.0, 0.5, 0.5, 0.0])
    >>> quantile(uniform, np.array([0.0, 1.0, 2.0]), Summary(1.0, 0.577, 0.0, 2.0), 0.75)
    1.5
    """
    places, below = _line(probabilities, edges, summary)
    return float(np.interp(share, below, places))


def unit_map(
    current: Summary, reference: Summary, *, current_rows: int, reference_rows: int
) -> AffineMap | None:
    """The map of `UNITS` that carries mean and standard deviation of the reference to the current
    ones, None if none does.

    Both must fit within 3 standard errors and 1 %: the mean's is sqrt(s²/n + (b s_ref)²/m), that of
    ln s is sqrt(k/n)/2, where k, the square of the farthest value's distance in s, stands for the
    kurtosis that sums and extremes do not tell. Of several the one with the least sum of squares.

    >>> metres, feet = Summary(2.0, 0.5, 0.5, 4.0), Summary(6.57, 1.65, 2.0, 12.0)
    >>> unit_map(feet, metres, current_rows=1000, reference_rows=100_000)
    AffineMap(factor=3.28084, offset=0.0)
    """
    if not (current.varies and reference.varies):
        return None
    spread = current.standard_deviation
    farthest = max(current.maximum - current.mean, current.mean - current.minimum) / spread
    of_log = 0.01 + math.sqrt(max(farthest * farthest, 2.0) / current_rows) / 2
    of_reference = math.log(reference.standard_deviation)
    best, least = None, math.inf
    for unit in UNITS:
        expected = unit.factor * reference.standard_deviation
        mean = unit.offset + unit.factor * reference.mean
        error = math.hypot(spread / math.sqrt(current_rows), expected / math.sqrt(reference_rows))
        off_mean = (current.mean - mean) / (error + 0.01 * abs(mean))
        off_spread = (math.log(spread) - math.log(unit.factor) - of_reference) / of_log
        if max(abs(off_mean), abs(off_spread)) <= 3 and off_mean**2 + off_spread**2 < least:
            best, least = unit, off_mean**2 + off_spread**2
    return best


def _line(
    probabilities: FloatArray, edges: FloatArray, summary: Summary
) -> tuple[FloatArray, FloatArray]:
    """Ascending places, and the share below each of them; open bins are never without width."""
    low = np.fmin(summary.minimum, np.nextafter(edges[0], -np.inf))
    high = np.fmax(summary.maximum, np.nextafter(edges[-1], np.inf))
    below = np.concatenate(([0.0], np.cumsum(probabilities)))
    below[-1] = 1.0
    return np.concatenate(([low], edges, [high])), below
