"""Whether it is real: one p per feature, of X², of location and spread, and of single cells."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.cellwise import cell_p
from driftwatch.stats.contrast import contrast_p, contrasts, spread_p
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.null import Null, uncalibrated
from driftwatch.stats.omnibus import Omnibus, omnibus
from driftwatch.stats.smoothing import check_counts
from driftwatch.stats.wobble import wobble_tail

SMALLEST_P = 1e-300
"""No p is below it, so that each has a logarithm."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much of alpha each test is given; they sum to 1. cells: the least p of all cells times
    their number; special: the same for missing, and for unseen where cells have no order."""

    omnibus: float
    location: float
    spread: float
    cells: float
    special: float


NUMERIC = Weights(omnibus=0.2, location=0.45, spread=0.1, cells=0.15, special=0.1)
CATEGORICAL = Weights(omnibus=0.5, location=0.0, spread=0.0, cells=0.35, special=0.15)


@dataclass(frozen=True, slots=True)
class Significance:
    """The test of F features; arrays have shape (F,), p_cells (F, K).

    p: of all tests together; p_omnibus: of X²; p_location, z_location, p_spread, z_spread: of the
    contrasts, NaN where there are no values on one side or cells have no order, z before it is
    divided by what windows vary; p_cells: of each cell alone, two-sided, so that its least names
    the cell; omnibus: X² and its moments by sampling alone. p are in 1e-300..1, NaN where n = 0 or
    m = 0.
    """

    p: FloatArray
    p_omnibus: FloatArray
    p_location: FloatArray
    p_spread: FloatArray
    p_cells: FloatArray
    z_location: FloatArray
    z_spread: FloatArray
    omnibus: Omnibus


def significance(
    current: IntArray,
    reference: IntArray,
    *,
    ordered: npt.NDArray[np.bool_],
    cells: IntArray | None = None,
    null: Null | None = None,
) -> Significance:
    """How likely counts (F, K), padded with zeros, are without drift.

    ordered, cells: see `divergences`; null: what windows of each feature do without drift,
    sampling alone where it is None. With nt effective rows:

    p_omnibus is the largest of three tails: of the Gamma distribution whose mean is phi E,
    phi = max(null.phi, 1 + rho nt), and whose shape is 1/max(cv2, V/E²); of the one with the first
    three moments of X², which sparse cells skew; and where phi > 1 of `wobble_tail`. p_location is
    by `contrast_p`, p_spread by `spread_p`; p_cells are those of `cell_p`, brought to z and
    treated as location is. Parts p_i of weight w_i (`NUMERIC`, `CATEGORICAL`) make
    h = 1/sum(w_i/p_i) and p = h (1 - h ln h): the harmonic mean, which needs no independence where
    p is small, with the next term of its tail. It is 1 where all rows are in one cell.

    ValueError for what is no count or shapes that do not fit. Sources: Wilson, The Harmonic Mean
    p-value for Combining Dependent Tests, PNAS 116 (2019); Satterthwaite, Biometrics Bulletin 2
    (1946), for the Gamma tail. Why these weights: docs/adr/0022.

    >>> found = significance(np.array([[10, 20, 40, 0]]), np.array([[200, 200, 200, 0]]),
    ...     ordered=np.array([True]))
    >>> print(found.p.round(6), found.p_cells.argmin(axis=1))
    [6.4e-05] [2]
    """
    check_counts(current, reference, cells)
    features, width = current.shape
    width_of = np.full(features, width) if cells is None else cells
    if ordered.shape != (features,):
        raise ValueError(f"ordered must hold {features} values, not {ordered.shape}")
    null = uncalibrated(features) if null is None else null
    whole = omnibus(current, reference, ordered=ordered)
    ranks = contrasts(current, reference, ordered=ordered, cells=width_of)
    p_omnibus = _floored(_omnibus_p(whole, null))
    p_location = _floored(contrast_p(ranks.location, rms=null.location_rms, windows=null.windows))
    p_spread = _floored(spread_p(ranks.spread, rms=null.spread_rms, windows=null.windows))
    p_cells = _widened(_floored(cell_p(current, reference)), null)
    occupied = current + reference > 0
    special_cells = occupied & _special(width_of, ordered, width)
    parts = Parts(
        omnibus=p_omnibus,
        location=p_location,
        spread=p_spread,
        cells=_least(p_cells, occupied),
        special=_least(p_cells, special_cells),
    )
    p = np.where(ordered, combined(parts, NUMERIC), combined(parts, CATEGORICAL))
    return Significance(
        p=np.where(np.isnan(whole.effective_rows), np.nan, p),
        p_omnibus=p_omnibus,
        p_location=p_location,
        p_spread=p_spread,
        p_cells=p_cells,
        z_location=ranks.location,
        z_spread=ranks.spread,
        omnibus=whole,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """p of the tests that `Weights` weighs, each of shape (F,); NaN counts as 1."""

    omnibus: FloatArray
    location: FloatArray
    spread: FloatArray
    cells: FloatArray
    special: FloatArray


def combined(parts: Parts, weights: Weights) -> FloatArray:
    """p = h (1 - h ln h) of the weighted harmonic mean h of the parts, shape (F,).

    >>> one = np.array([1.0])
    >>> print(combined(Parts(np.array([1e-6]), one, one, one, one), NUMERIC).round(9))
    [5.e-06]
    """
    inverse = np.zeros(parts.omnibus.shape)
    for part, weight in (
        (parts.omnibus, weights.omnibus),
        (parts.location, weights.location),
        (parts.spread, weights.spread),
        (parts.cells, weights.cells),
        (parts.special, weights.special),
    ):
        if weight > 0:
            inverse += weight / np.where(np.isnan(part), 1.0, part)
    mean = np.minimum(1 / inverse, 1.0)
    return _floored(mean * (1 - mean * np.log(mean)))


def _omnibus_p(whole: Omnibus, null: Null) -> FloatArray:
    """1 where nothing can vary, NaN where n = 0 or m = 0."""
    varies = (whole.expected > 0) & (whole.variance > 0)
    expected = np.where(varies, whole.expected, 1.0)
    variance = np.where(varies, whole.variance, 1.0)
    statistic = np.where(varies, whole.statistic, 0.0)
    shape = 1 / np.maximum(null.cv2, variance / np.square(expected))
    phi = null.at(whole.effective_rows)
    tail = special.gammaincc(shape, statistic * shape / (expected * phi))
    tail[np.isnan(whole.effective_rows)] = np.nan
    # Heavier tails cost more than all else: only where they could decide.
    near = np.flatnonzero(tail < 0.05)
    skewed = _skewed_tail(
        statistic[near] / phi[near], expected[near], variance[near], whole.third[near]
    )
    tail[near] = np.maximum(tail[near], skewed)
    wobbling = near[phi[near] > 1]
    of_wobble = wobble_tail(
        statistic=statistic[wobbling],
        expected=expected[wobbling],
        variance=variance[wobbling],
        phi=phi[wobbling],
    )
    tail[wobbling] = np.maximum(tail[wobbling], of_wobble)
    return np.asarray(tail)


def _skewed_tail(
    statistic: FloatArray, expected: FloatArray, variance: FloatArray, third: FloatArray
) -> FloatArray:
    """Of a Gamma with an origin of its own, which takes three moments (Pearson's type III)."""
    scale = third / (2 * variance)
    shape = variance / np.square(scale)
    origin = expected - shape * scale
    return np.asarray(special.gammaincc(shape, np.maximum(statistic - origin, 0.0) / scale))


def _widened(p: FloatArray, null: Null) -> FloatArray:
    """p of cells as they vary over the reference's windows; in place."""
    told = np.flatnonzero((null.windows > 0) | (null.cell_rms > 1))
    if told.size:
        z = special.ndtri(p[told] / 2)
        rms, windows = null.cell_rms[told, np.newaxis], null.windows[told, np.newaxis]
        p[told] = _floored(contrast_p(z, rms=rms, windows=windows))
    return p


def _special(cells: IntArray, ordered: npt.NDArray[np.bool_], width: int) -> npt.NDArray[np.bool_]:
    """Missing, each row's last cell, and unseen, the one before it where cells have no order."""
    from_end = cells[:, np.newaxis] - 1 - np.arange(width)
    return np.asarray((from_end == 0) | ((from_end == 1) & ~ordered[:, np.newaxis]))


def _least(p_cells: FloatArray, among: npt.NDArray[np.bool_]) -> FloatArray:
    """Bonferroni's p of some cells, shape (F,); 1 where there are none."""
    least = np.where(among, p_cells, 1.0).min(axis=1, initial=1.0)
    return np.asarray(np.minimum(least * among.sum(axis=1), 1.0) + (~among.any(axis=1)))


def _floored(p: FloatArray) -> FloatArray:
    return np.asarray(np.clip(p, SMALLEST_P, 1.0))
