"""Whether it is real: one p per feature, of X², location and spread, edges and single cells."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.cellwise import cell_p
from driftwatch.stats.combination import CATEGORICAL, NUMERIC, Parts, combined, floored, harmonic
from driftwatch.stats.contrast import contrast_p, contrasts, spread_p
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.edgewise import edge_p
from driftwatch.stats.null import Null, uncalibrated
from driftwatch.stats.omnibus import Omnibus, omnibus
from driftwatch.stats.smoothing import check_counts
from driftwatch.stats.wobble import wobble_tail

_FAR_P = 1e-4
_WELL_FILLED = 5.0
"""Current rows that a cell must expect for X² to say how far below `_FAR_P` its p is."""


@dataclass(frozen=True, slots=True)
class Significance:
    """The test of F features; arrays have shape (F,), p_cells (F, K).

    p: of all tests together; parts: of each of them; p_cells: of each cell alone, two-sided, so
    that its least names the cell; z_location, z_spread: the contrasts, before they are divided by
    what windows vary, NaN where there are no values on one side or cells have no order; omnibus: X²
    and its moments by sampling alone. p are in 1e-300..1, NaN where n = 0 or m = 0.
    """

    p: FloatArray
    parts: Parts
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

    X² has the largest of three tails: of the Gamma distribution whose mean is phi E,
    phi = max(null.phi, 1 + rho nt), and whose shape is 1/max(cv2, V/E²); of the one with the first
    three moments of X², which sparse cells skew; and where phi > 1 of `wobble_tail`. Location has
    the p of `contrast_p`, spread that of `spread_p`; cells and edges those of `cell_p` and
    `edge_p`, brought to z and treated as location is. Parts p_i of weight w_i (see `combined`) make
    h = 1/sum(w_i/p_i) and p = h (1 - h ln h): the harmonic mean, which needs no independence where
    p is small, with the next term of its tail. It is 1 where all rows are in one cell.

    Edges are one part by their harmonic mean, cells by theirs with weights that are half equal and
    half the share of all rows. ValueError for what is no count or shapes that do not fit. Sources:
    Wilson, The Harmonic Mean p-value for Combining Dependent Tests, PNAS 116 (2019); Satterthwaite,
    Biometrics Bulletin 2 (1946), for the Gamma tail. Why these weights: docs/adr/0022.

    >>> found = significance(np.array([[10, 20, 40, 0]]), np.array([[200, 200, 200, 0]]),
    ...     ordered=np.array([True]))
    >>> print(found.p.round(6), found.p_cells.argmin(axis=1))
    [8.8e-05] [2]
    """
    check_counts(current, reference, cells)
    features, width = current.shape
    width_of = np.full(features, width) if cells is None else cells
    if ordered.shape != (features,):
        raise ValueError(f"ordered must hold {features} values, not {ordered.shape}")
    null = uncalibrated(features) if null is None else null
    whole = omnibus(current, reference, ordered=ordered)
    ranks = contrasts(current, reference, ordered=ordered, cells=width_of)
    p_cells = _widened(floored(cell_p(current, reference)), null.cell_rms, null.windows)
    p_edges = edge_p(current, reference, ordered=ordered, cells=width_of)
    p_edges = _widened(floored(p_edges), null.edge_rms, null.windows)
    both = current + reference
    last_but_one = _of_cell(p_cells, both, width_of - 2)
    parts = Parts(
        omnibus=floored(_far_p(_omnibus_p(whole, null), current, reference, ordered, null)),
        location=_of_order(_contrast(ranks.location, null.location_rms, null), ordered),
        rest=_contrast(ranks.rest, null.rest_rms, null),
        spread=_of_order(
            floored(spread_p(ranks.spread, rms=null.spread_rms, windows=null.windows)), ordered
        ),
        edges=_of_order(harmonic(p_edges, (~np.isnan(p_edges)).astype(np.float64)), ordered),
        cells=harmonic(p_cells, _cell_weights(both)),
        underflow=np.where(ordered, _of_cell(p_cells, both, 0 * width_of), np.nan),
        overflow=np.where(ordered, last_but_one, np.nan),
        unseen=np.where(ordered, np.nan, last_but_one),
        missing=_of_cell(p_cells, both, width_of - 1),
    )
    p = np.where(ordered, combined(parts, NUMERIC), combined(parts, CATEGORICAL))
    return Significance(
        p=np.where(np.isnan(whole.effective_rows), np.nan, p),
        parts=parts,
        p_cells=p_cells,
        z_location=ranks.location,
        z_spread=ranks.spread,
        omnibus=whole,
    )


def _contrast(z: FloatArray, rms: FloatArray, null: Null) -> FloatArray:
    return floored(contrast_p(z, rms=rms, windows=null.windows))


def _of_order(p: FloatArray, ordered: npt.NDArray[np.bool_]) -> FloatArray:
    """1 where a side has no values, which the current rows decide; NaN without order."""
    return np.where(ordered, np.where(np.isnan(p), 1.0, p), np.nan)


def _cell_weights(both: IntArray) -> FloatArray:
    occupied = both > 0
    rows = np.maximum(both.sum(axis=1, keepdims=True), 1)
    number = np.maximum(occupied.sum(axis=1, keepdims=True), 1)
    return np.asarray(both / rows + occupied / number)


def _of_cell(p_cells: FloatArray, both: IntArray, at: IntArray) -> FloatArray:
    """p of one cell of each feature, shape (F,): NaN where neither side has a row in it."""
    if not p_cells.size:
        return np.full(at.shape, np.nan)
    features, inside = np.arange(at.size), np.maximum(at, 0)
    occupied = (at >= 0) & (both[features, inside] > 0)
    return np.where(occupied, p_cells[features, inside], np.nan)


def _far_p(
    p: FloatArray,
    current: IntArray,
    reference: IntArray,
    ordered: npt.NDArray[np.bool_],
    null: Null,
) -> FloatArray:
    """p of X², below `_FAR_P` only as far as cells that expect `_WELL_FILLED` rows bear it out.

    The square of a cell that expects one row has a tail that no Gamma has: of 100 rows of eight
    levels p fell below 0.000001 fifteen times too often. `cell_p` sees such a cell exactly.
    """
    far = np.flatnonzero(p < _FAR_P)
    if far.size:
        filled = omnibus(current[far], reference[far], ordered=ordered[far], least=_WELL_FILLED)
        sure = _omnibus_p(filled, Null(*(getattr(null, one.name)[far] for one in fields(Null))))
        p[far] = np.maximum(p[far], np.minimum(sure, _FAR_P))
    return p


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


def _widened(p: FloatArray, rms: FloatArray, windows: IntArray) -> FloatArray:
    """p (F, K) of cells or edges as they vary over the reference's windows; in place."""
    told = np.flatnonzero((windows > 0) | (rms > 1))
    if told.size:
        z = special.ndtri(p[told] / 2)
        of_feature = rms[told, np.newaxis], windows[told, np.newaxis]
        p[told] = floored(contrast_p(z, rms=of_feature[0], windows=of_feature[1]))
    return p
