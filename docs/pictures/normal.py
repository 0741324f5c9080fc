"""Windows of a normal feature on the axis that is fitted by default, and what is said of them."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.effect import effect
from driftwatch.stats.null import Null, uncalibrated
from driftwatch.stats.significance import significance
from driftwatch.verdict.policy import CalibratedThreshold

DEFAULT = CalibratedThreshold()
EDGES = np.sort(special.ndtri([*np.arange(1, 20) / 20, 0.001, 0.01, 0.99, 0.999]))
CELLS = EDGES.size + 2
"""The bins, and missing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a calibrated threshold says of W windows, each of shape (W,); one length of window."""

    p: FloatArray
    effect: FloatArray

    @property
    def real(self) -> npt.NDArray[np.bool_]:
        return self.p <= DEFAULT.alpha

    @property
    def flagged(self) -> npt.NDArray[np.bool_]:
        assert DEFAULT.warning is not None
        return self.real & (self.effect >= DEFAULT.warning)


def shares(mean: npt.ArrayLike) -> FloatArray:
    """Shares of the cells of N(mean, 1), shape (..., CELLS); none is missing."""
    below = special.ndtr(EDGES - np.asarray(mean, np.float64)[..., np.newaxis])
    none = np.zeros_like(below[..., :1])
    return np.diff(np.concatenate([none, below, none + 1, none + 1], axis=-1), axis=-1)


def draw(random: np.random.Generator, rows: int, mean: npt.ArrayLike) -> IntArray:
    """Counts of windows of so many rows, one for each mean, shape (..., CELLS)."""
    return np.asarray(random.multinomial(rows, shares(mean)), np.int64)


def judged(current: IntArray, reference: IntArray, null: Null | None = None) -> Judged:
    """W windows, shape (W, CELLS), each against its reference. null: that of the one feature."""
    windows = len(current)
    known = uncalibrated(windows) if null is None else _of_each(null, windows)
    ordered = np.ones(windows, np.bool_)
    found = significance(current, reference, ordered=ordered, null=known)
    whole = found.omnibus
    far = effect(
        current,
        reference,
        statistic=whole.statistic,
        expected=whole.expected,
        phi=known.at(whole.effective_rows),
    )
    return Judged(found.p, far)


def _of_each(null: Null, windows: int) -> Null:
    return Null(**{one.name: np.repeat(getattr(null, one.name), windows) for one in fields(Null)})
