"""Carrying a calibration from windows of one length to longer ones, of which there are too few."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from driftwatch.stats.calibration import (
    MIN_WINDOWS,
    REFERENCE_RATIO,
    Calibration,
    Shortcoming,
)
from driftwatch.stats.counts import FloatArray
from driftwatch.stats.noise import effective_rows
from driftwatch.stats.null import Null

MOST_CV2 = 2.0
"""cv2 of a wobble in one direction, normal in size: the square of a normal score has it."""


def carried(
    own: Calibration,
    shorter: Calibration,
    *,
    current_rows: npt.ArrayLike,
    reference_rows: npt.ArrayLike,
) -> Calibration:
    """own, and where it has fewer than 30 windows and shorter has more, what shorter tells of it.

    current_rows, reference_rows: n and m of the longer windows, shape (F,) or single numbers. With
    g = nt/nt_s, how many times the effective rows of a shorter window they have:

    phi = max(phi_s, 1 + rho nt); rms = sqrt(1 + (rms_s² - 1) g); cv2 = (C(phi) + s g²)/phi², where
    C(phi) = chance (2 phi - 1) is the variance of X²/E about a given shift, s = cv2_s phi_s² -
    C(phi_s), at least 0, that of the shifts, and cv2 is at least chance and at most
    max(`MOST_CV2`, cv2_s). This takes shifts that last as long as the longer window, so that its
    rows do not average them out; a wobble that is over sooner is overstated: such windows find less
    than they could, and do not cry wolf. The season key is that of the shorter windows.
    Shortcomings say `carried`. Never NaN in `null` where the rows are numbers. Source for C: the
    noncentral chi-square, whose variance is 2 (k-1) + 4 h for a mean of k - 1 + h.
    """
    take = (own.null.windows < MIN_WINDOWS) & (shorter.null.windows > own.null.windows)
    n, m = (
        np.broadcast_to(np.asarray(x, np.float64), take.shape)
        for x in (current_rows, reference_rows)
    )
    nt = effective_rows(current=n, reference=m)
    null = _carried_null(shorter, nt)
    short = m < REFERENCE_RATIO * n

    def either(theirs: npt.NDArray[np.generic], ours: npt.NDArray[np.generic]) -> FloatArray:
        return np.where(take, theirs, ours).astype(theirs.dtype)

    return Calibration(
        null=Null(
            phi=either(null.phi, own.null.phi),
            rho=either(null.rho, own.null.rho),
            cv2=either(null.cv2, own.null.cv2),
            location_rms=either(null.location_rms, own.null.location_rms),
            rest_rms=either(null.rest_rms, own.null.rest_rms),
            spread_rms=either(null.spread_rms, own.null.spread_rms),
            cell_rms=either(null.cell_rms, own.null.cell_rms),
            edge_rms=either(null.edge_rms, own.null.edge_rms),
            windows=np.where(take, null.windows, own.null.windows),
        ),
        season=tuple(
            theirs if taken else ours
            for taken, theirs, ours in zip(take, shorter.season, own.season, strict=True)
        ),
        current_rows=either(n, own.current_rows),
        reference_rows=either(m, own.reference_rows),
        effective_rows=either(nt, own.effective_rows),
        chance_cv2=either(shorter.chance_cv2, own.chance_cv2),
        wobble=either(shorter.wobble, own.wobble),
        shortcomings=tuple(
            _shortcomings(theirs, short=bool(is_short)) if taken else ours
            for taken, theirs, ours, is_short in zip(
                take, shorter.shortcomings, own.shortcomings, short, strict=True
            )
        ),
    )


def _carried_null(shorter: Calibration, nt: FloatArray) -> Null:
    null = shorter.null
    nt_shorter = effective_rows(current=shorter.current_rows, reference=shorter.reference_rows)
    growth = np.where(nt_shorter > 0, nt / nt_shorter, 1.0)
    phi = null.at(nt)
    chance = shorter.chance_cv2
    shifts = np.maximum(null.cv2 * np.square(null.phi) - chance * (2 * null.phi - 1), 0.0)
    cv2 = (chance * (2 * phi - 1) + shifts * np.square(growth)) / np.square(phi)
    return replace(
        null.grown(growth), phi=phi, cv2=np.clip(cv2, chance, np.maximum(MOST_CV2, null.cv2))
    )


def _shortcomings(of_shorter: frozenset[Shortcoming], *, short: bool) -> frozenset[Shortcoming]:
    kept = of_shorter - {Shortcoming.SHORT_REFERENCE} | {Shortcoming.CARRIED}
    return kept | {Shortcoming.SHORT_REFERENCE} if short else kept
