"""The null: what windows do when nothing has drifted, as the reference's own windows show it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Null:
    """How F features vary without drift, each of shape (F,).

    phi: mean of X²/E over the reference's windows, at least 1: how much more they vary than
    sampling alone; rho: its slope, so that a window of nt effective rows has at least 1 + rho nt;
    cv2: squared coefficient of variation of X²/E, 0 where chance alone tells it; location_rms,
    rest_rms, spread_rms, cell_rms, edge_rms: root mean square of the z scores of the contrasts, of
    the cells and of the rows below edges, 1 where sampling explains them; windows: how many
    windows tell it, 0 where none does.
    """

    phi: FloatArray
    rho: FloatArray
    cv2: FloatArray
    location_rms: FloatArray
    rest_rms: FloatArray
    spread_rms: FloatArray
    cell_rms: FloatArray
    edge_rms: FloatArray
    windows: IntArray

    def at(self, nt: FloatArray) -> FloatArray:
        """phi of windows of nt effective rows, shape (F,): max(phi, 1 + rho nt); NaN stays."""
        return np.asarray(np.maximum(self.phi, 1 + self.rho * nt))

    def grown(self, growth: npt.ArrayLike) -> "Null":
        """That of windows with `growth` times the effective rows of those that told it, shape (F,).

        What is not sampling is a shift, whose z² grows with the rows: rms = sqrt(1 + (rms² - 1) g).
        Fewer rows (g < 1), and NaN, change nothing, as with phi: it may be no shift after all.

        >>> usual = replace(uncalibrated(2), location_rms=np.array([1.0, 2.0]))
        >>> usual.grown([8.0, 8.0]).location_rms.tolist()
        [1.0, 5.0]
        """
        times = np.fmax(growth, 1.0)
        return replace(
            self,
            location_rms=_grown(self.location_rms, times),
            rest_rms=_grown(self.rest_rms, times),
            spread_rms=_grown(self.spread_rms, times),
            cell_rms=_grown(self.cell_rms, times),
            edge_rms=_grown(self.edge_rms, times),
        )


def uncalibrated(features: int) -> Null:
    """Sampling alone, of features whose reference has no windows.

    >>> uncalibrated(2).at(np.array([100.0, 900.0])).tolist()
    [1.0, 1.0]
    """
    one, none = np.ones(features), np.zeros(features)
    return Null(one, none, none, one, one, one, one, one, np.zeros(features, np.int64))


def _grown(rms: FloatArray, times: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(1 + (np.square(rms) - 1) * times))
