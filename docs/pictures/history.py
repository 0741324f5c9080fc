"""Hourly windows of a normal feature: a reference to calibrate on, and what comes after it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from docs.pictures.normal import DEFAULT, Judged, draw, judged
from driftwatch.stats.calibration import Calibration, calibrate
from driftwatch.stats.combination import NUMERIC
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.detectable import detectable_effect
from driftwatch.stats.divergence import divergences
from driftwatch.stats.noise import noise
from driftwatch.stats.season import SeasonKey


@dataclass(frozen=True, slots=True)
class History:
    """W windows after a reference, arrays of shape (W,).

    js_distance: to all of the reference; above_guard: whether sampling alone would hardly have it;
    judged: by the default policy, against the reference in the same phase; detectable: the effect
    that would be found in four windows of five.
    """

    js_distance: FloatArray
    above_guard: npt.NDArray[np.bool_]
    judged: Judged
    calibration: Calibration
    detectable: float


def history(
    random: np.random.Generator, *, rows: int, reference: FloatArray, current: FloatArray
) -> History:
    """reference, current: the mean of each hour, from a Monday's first hour on, whole weeks of the
    reference."""
    before = draw(random, rows, reference)
    hours = np.arange(reference.size)
    day = hours // 24 % 7
    phases = {
        SeasonKey.NONE: hours * 0,
        SeasonKey.HOUR: hours % 24,
        SeasonKey.HOUR_WEEKEND: hours % 24 + 24 * (day >= 5),
        SeasonKey.HOUR_OF_WEEK: hours % 168,
    }
    found = calibrate(before[:, np.newaxis], ordered=np.array([True]), phases=phases)
    phase = phases[found.season[0]]
    now = draw(random, rows, current)
    same = np.stack([before[phase == phase[at]].sum(axis=0) for at in range(now.shape[0])])
    whole = np.broadcast_to(before.sum(axis=0), now.shape)
    js = divergences(now, whole)
    return History(
        js_distance=js.js_distance,
        above_guard=js.js > noise(now, whole).js_guard,
        judged=judged(now, same, found.null),
        calibration=found,
        detectable=_detectable(found, rows, same[0]),
    )


def _detectable(found: Calibration, rows: int, reference: IntArray) -> float:
    null = found.null
    return float(
        detectable_effect(
            current_rows=rows,
            reference_rows=int(reference.sum()),
            cells=np.count_nonzero(reference),
            omnibus_alpha=NUMERIC.omnibus * DEFAULT.alpha,
            location_alpha=NUMERIC.location * DEFAULT.alpha,
            phi=null.phi,
            cv2=null.cv2,
            location_rms=null.location_rms,
        )[0]
    )
