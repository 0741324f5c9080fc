"""Calibration: what the reference's own windows do, so that season and wobble are not drift.

Each window of the reference is compared with the rest of its phase, as a current one would be. By
sampling alone X² is E on average; how far it exceeds that is `phi`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.effect import sigmas_of_js
from driftwatch.stats.leave_one_out import LeftOut, left_out
from driftwatch.stats.null import Null, uncalibrated
from driftwatch.stats.season import SeasonKey

MIN_WINDOWS = 30
"""Fewer windows say too little of how much they vary among themselves."""

REFERENCE_RATIO = 10
"""With fewer times the rows of a window, all windows share the luck of one small reference."""


class Shortcoming(StrEnum):
    """Why a calibration says less than it could, and what is done instead."""

    NO_WINDOWS = "no_windows"
    """The reference has no two windows of this length: sampling alone is the null, phi = 1."""
    FEW_WINDOWS = "few_windows"
    """Fewer than 30: what they say stands, with a cv2 and degrees of freedom that allow for it."""
    CARRIED = "carried"
    """Too few windows of this length: those of a shorter one tell it, phi by its slope."""
    SHORT_REFERENCE = "short_reference"
    """The rest of a phase has fewer than ten times the rows of a window: judged as it is."""
    SHORTER_THAN_SEASON = "shorter_than_season"
    """A season key was not tried, because its phases do not come twice: a coarser one is used. Or
    windows are more like those beside them than like the rest: a season longer than the reference,
    or a trend, which count as its wobble."""
    ONE_YEAR = "one_year"
    """Compared with one time of one year: how much years differ is taken from its weeks."""
    CONSTANT = "constant"
    """All rows of the reference are in one cell (after merging): phi = 1."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What windows of one length of F features do without drift; arrays have shape (F,).

    null: see `Null`; season: the key under which each feature's windows are compared;
    current_rows, reference_rows: medians of n and of m, the rest of a phase, over the windows that
    were judged, and effective_rows the mean of their nt, NaN without any; chance_cv2: the cv2 of
    sampling alone, 0 without any; wobble: the effect of the median window in sigmas, debiased for
    sampling alone, 0..EFFECT_MAX, NaN without any: what a feature does by itself, so less than that
    is not worth a limit; shortcomings: of each feature.
    """

    null: Null
    season: tuple[SeasonKey, ...]
    current_rows: FloatArray
    reference_rows: FloatArray
    effective_rows: FloatArray
    chance_cv2: FloatArray
    wobble: FloatArray
    shortcomings: tuple[frozenset[Shortcoming], ...]


def calibrate(
    counts: IntArray,
    *,
    ordered: npt.NDArray[np.bool_],
    phases: Mapping[SeasonKey, IntArray],
    cells: IntArray | None = None,
) -> Calibration:
    """The null of each feature from W windows of the reference that do not overlap.

    counts: rows per cell of the windows in the order of time, empty ones too, shape (W, F, K),
    padded with zeros; ordered, cells: see `divergences`, shape (F,); phases: the season keys to
    choose from, the coarsest first, with the phase of each window under it, shape (W,), such as
    its hour of day; of keys with the time of year as `stats.year` has them. Windows with fewer
    than 30 rows of a feature, or without a fellow in another block of time, tell nothing of it.
    With r = X²/E of each of the others:

    phi = max(1, mean r); rho = max(0, sum (X² - E)/E nt / sum nt²), what a row more adds;
    cv2 = max(var r / (mean r)² (1 + 2/W), mean V/E²); location_rms, rest_rms, spread_rms: the root
    of the mean of z²; cell_rms, edge_rms: that of the cell, or of the rows below the edge, where it
    is largest; the key by `season_cost`.

    Never NaN in `null`: without windows or in a constant feature it is that of sampling alone.
    ValueError for shapes that do not fit, or no key. Source for phi: McCullagh and Nelder,
    Generalized Linear Models (1989), section 4.5, over-dispersion.
    """
    windows, features, width = counts.shape
    width_of = np.full(features, width) if cells is None else cells
    if ordered.shape != (features,) or width_of.shape != (features,):
        raise ValueError(f"ordered and cells hold {features} values each")
    if not phases or any(phase.shape != (windows,) for phase in phases.values()):
        raise ValueError(f"each of one or more season keys has {windows} phases")
    return _told(
        left_out(counts, ordered=ordered, cells=width_of, phases=phases), season=tuple(phases)
    )


def no_calibration(features: int) -> Calibration:
    """That of a reference without windows of its own, such as training data: sampling alone.

    >>> found = no_calibration(1)
    >>> found.null.phi.tolist(), [str(one) for one in found.shortcomings[0]]
    ([1.0], ['no_windows'])
    """
    unknown = np.full(features, np.nan)
    return Calibration(
        null=uncalibrated(features),
        season=(SeasonKey.NONE,) * features,
        current_rows=unknown,
        reference_rows=unknown,
        effective_rows=unknown,
        chance_cv2=np.zeros(features),
        wobble=unknown,
        shortcomings=(frozenset({Shortcoming.NO_WINDOWS}),) * features,
    )


def _told(windows: LeftOut, *, season: tuple[SeasonKey, ...]) -> Calibration:
    tests = windows.comparisons
    number = (~np.isnan(tests.statistic)).sum(axis=0)
    varies = tests.expected > 0
    expected = np.where(varies, tests.expected, np.nan)
    ratio = tests.statistic / expected
    chance = _mean(tests.variance / np.square(expected), otherwise=0.0)
    median_rows = _median(windows.current_rows)
    reference_rows = _median(windows.reference_rows)
    null = Null(
        phi=np.maximum(_mean(ratio, otherwise=1.0), 1.0),
        rho=_slope(ratio - 1, np.where(varies, tests.effective_rows, np.nan)),
        cv2=np.maximum(_cv2(ratio), chance),
        location_rms=_rms(tests.location),
        rest_rms=_rms(tests.rest),
        spread_rms=_rms(tests.spread),
        cell_rms=_largest(windows.cell_square),
        edge_rms=_largest(windows.edge_square),
        windows=number.astype(np.int64),
    )
    found = {
        Shortcoming.NO_WINDOWS: number == 0,
        Shortcoming.FEW_WINDOWS: (number > 0) & (number < MIN_WINDOWS),
        Shortcoming.SHORT_REFERENCE: reference_rows < REFERENCE_RATIO * median_rows,
        Shortcoming.SHORTER_THAN_SEASON: windows.untried | windows.moves,
        Shortcoming.ONE_YEAR: windows.once,
        Shortcoming.CONSTANT: (number > 0) & ~varies.any(axis=0),
    }
    return Calibration(
        null=null,
        season=tuple(season[key] for key in windows.key),
        current_rows=median_rows,
        reference_rows=reference_rows,
        effective_rows=_mean(tests.effective_rows, otherwise=np.nan),
        chance_cv2=chance,
        wobble=sigmas_of_js(_median(windows.js)),
        shortcomings=_per_feature(found, number.size),
    )


def _slope(excess: FloatArray, effective_rows: FloatArray) -> FloatArray:
    """Least squares through the origin of r - 1 on nt, at least 0."""
    over = np.nansum(excess * effective_rows, axis=0)
    square = np.nansum(np.square(effective_rows), axis=0)
    return np.asarray(np.maximum(over / np.where(square > 0, square, 1.0), 0.0))


def _cv2(ratio: FloatArray) -> FloatArray:
    """var/mean² with a correction for few windows; 0 with fewer than two."""
    count = (~np.isnan(ratio)).sum(axis=0)
    mean = _mean(ratio, otherwise=1.0)
    square = np.nansum(np.square(ratio - mean), axis=0) / np.maximum(count - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = square / np.square(mean) * (1 + 2 / count)
    return np.asarray(np.where((count > 1) & (mean > 0), found, 0.0))


def _rms(z: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(np.sqrt(_mean(np.square(z), otherwise=1.0)), 1.0))


def _largest(square: FloatArray) -> FloatArray:
    """Of mean squares (F, K), as a root, at least 1."""
    return np.asarray(np.maximum(np.sqrt(square.max(axis=1, initial=0.0)), 1.0))


def _mean(values: FloatArray, *, otherwise: float) -> FloatArray:
    """Over windows, without NaN; `otherwise` where there is nothing else."""
    count = (~np.isnan(values)).sum(axis=0)
    return np.asarray(
        np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), otherwise)
    )


def _median(values: FloatArray) -> FloatArray:
    """Over windows, without NaN; NaN where there is nothing else."""
    found = np.full(values.shape[1], np.nan)
    told = ~np.isnan(values).all(axis=0)
    if told.any():
        found[told] = np.nanmedian(values[:, told], axis=0)
    return found


def _per_feature(
    found: Mapping[Shortcoming, npt.NDArray[np.bool_]], features: int
) -> tuple[frozenset[Shortcoming], ...]:
    return tuple(
        frozenset(shortcoming for shortcoming, where in found.items() if where[feature])
        for feature in range(features)
    )
