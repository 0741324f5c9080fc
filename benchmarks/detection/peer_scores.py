"""What other tools score a window with, of raw values: their figures, without their overhead.

`agreement` holds each of them to the tool itself. All tools leave missing values out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.detection.draws import Rows
from driftwatch.compat import evidently, nannyml
from driftwatch.compat.scipy import chi2_p_value
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.verdict.policy import FixedThreshold

JS_ON_COUNTS = "JS distance > 0.1"
_FEW_VALUES = 20
"""Evidently counts the values of a numeric column one by one where it has no more than that."""
ALIBI = "alibi-detect"
ALIBI_ALPHA = 0.05
"""Its default for one feature; it shares it over several."""


class OfValues(Protocol):
    """Scores of windows of ascending values against their reference: larger is more drift."""

    def __call__(self, windows: Sequence[FloatArray], reference: "Prepared", /) -> FloatArray: ...


class OfLevels(Protocol):
    """The same of rows per level, shape (W, L), against a reference of the same shape."""

    def __call__(self, windows: IntArray, reference: IntArray, /) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What scores need to know of a reference of ascending values, and need not find out again.

    sums: of the first i values, shape (m + 1,); deviation: standard; doane: NannyML's edges, and
    doane_rows what lies between them; distinct, distinct_rows: its values and the rows of each, if
    they are few, else none.
    """

    values: FloatArray
    sums: FloatArray
    deviation: float
    doane: FloatArray
    doane_rows: IntArray
    distinct: FloatArray
    distinct_rows: IntArray


def prepared(values: FloatArray) -> Prepared:
    doane = np.histogram_bin_edges(values, bins="doane")
    first = np.concatenate([[True], values[1:] != values[:-1]])
    few = np.flatnonzero(first) if np.count_nonzero(first) <= _FEW_VALUES else np.array([], int)
    return Prepared(
        values=values,
        sums=np.concatenate([[0.0], np.cumsum(values)]),
        deviation=max(float(values.std()), 0.001),
        doane=doane,
        doane_rows=histogram(values, doane),
        distinct=values[few],
        distinct_rows=np.diff(np.append(few, values.size)) if few.size else few,
    )


def histogram(values: FloatArray, edges: FloatArray) -> IntArray:
    """numpy's, of ascending values: the last bin holds its upper edge."""
    below = np.searchsorted(values, edges, side="left")
    below[-1] = np.searchsorted(values, edges[-1], side="right")
    return np.diff(below)


def wasserstein(window: FloatArray, reference: Prepared) -> float:
    """The mean distance between values of equal rank, in standard deviations of the reference.

    Window value i stands for the share i/n to (i+1)/n of the reference, or parts of its values at
    both ends; those below it and those above it are summed apart.
    """
    m, n = reference.values.size, window.size
    rank = np.arange(n + 1) * (m / n)
    split = np.searchsorted(reference.values, window).astype(np.float64)
    middle = np.clip(split, rank[:-1], rank[1:])
    at_rank, at_middle = _summed(reference, rank), _summed(reference, middle)
    above = window * (middle - rank[:-1]) - (at_middle - at_rank[:-1])
    below = (at_rank[1:] - at_middle) - window * (rank[1:] - middle)
    return float((above + below).sum()) / m / reference.deviation


def _summed(reference: Prepared, rank: npt.NDArray[np.floating]) -> FloatArray:
    """The sum of so many of the least values, the last one in part."""
    whole = np.minimum(rank.astype(np.int64), reference.values.size - 1)
    return np.asarray(reference.sums[whole] + (rank - whole) * reference.values[whole])


def kolmogorov(window: FloatArray, reference: Prepared) -> float:
    """The largest distance of the two distribution functions, 0..1."""
    m, n = reference.values.size, window.size
    at = np.arange(n)
    above = (at + 1) / n - np.searchsorted(reference.values, window, side="right") / m
    below = np.searchsorted(reference.values, window, side="left") / m - at / n
    return float(max(above.max(), below.max()))


@lru_cache(maxsize=4096)
def kolmogorov_limit(rows: int, alpha: float = ALIBI_ALPHA) -> float:
    """What the distance exceeds with that probability, of so many effective rows nm/(n + m)."""
    return float(stats.kstwo.isf(alpha, rows))


def _alibi_values(windows: Sequence[FloatArray], reference: Prepared) -> FloatArray:
    """KS over its limit at 0.05: a monotone function of its p, which takes a millisecond."""
    m = reference.values.size
    return np.array(
        [
            kolmogorov(window, reference)
            / kolmogorov_limit(round(window.size * m / (window.size + m)))
            for window in windows
        ]
    )


def _alibi_levels(windows: IntArray, reference: IntArray) -> FloatArray:
    return np.asarray(ALIBI_ALPHA / np.maximum(chi2_p_value(windows, reference), 1e-300))


def _wasserstein(windows: Sequence[FloatArray], reference: Prepared) -> FloatArray:
    return np.array([wasserstein(window, reference) for window in windows])


def _binned(window: FloatArray, reference: Prepared) -> tuple[IntArray, IntArray]:
    """Both sides in Evidently's bins: Sturges' over both together, or the values themselves."""
    if reference.distinct.size:
        every = np.union1d(reference.distinct, window)
        edges = np.append(every, np.nextafter(every[-1], np.inf))
        kept = np.zeros(every.size, np.int64)
        kept[np.searchsorted(every, reference.distinct)] = reference.distinct_rows
        return histogram(window, edges), kept
    low = min(window[0], reference.values[0])
    high = max(window[-1], reference.values[-1])
    rows = window.size + reference.values.size
    edges = np.linspace(low, high, int(np.ceil(np.log2(rows) + 1)) + 1)
    return histogram(window, edges), histogram(reference.values, edges)


def _evidently(bins: OfLevels, levels: OfLevels) -> OfValues:
    """A figure of counts in Evidently's bins; of few values as if they were levels."""

    def scores(windows: Sequence[FloatArray], reference: Prepared) -> FloatArray:
        every = [_binned(window, reference) for window in windows]
        if reference.distinct.size:
            # Windows differ in the values that they alone have.
            return np.array([levels(p[np.newaxis], q[np.newaxis])[0] for p, q in every])
        return bins(np.stack([p for p, _ in every]), np.stack([q for _, q in every]))

    return scores


def _nannyml(windows: Sequence[FloatArray], reference: Prepared) -> FloatArray:
    """In Doane's bins over the reference, and one more for all that falls outside of them."""
    inside = np.stack([histogram(window, reference.doane) for window in windows])
    sizes = np.array([window.size for window in windows])
    live = np.column_stack([inside, sizes - inside.sum(axis=1)])
    kept = np.append(reference.doane_rows, 0)
    return nannyml.js_distance(live, np.broadcast_to(kept, live.shape))


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool with one of its methods: scores of values, those of levels, and when it flags.

    limit: what a score must exceed; None: the mean and three standard deviations of the scores of
    the reference's own windows, which is NannyML's default.
    """

    values: OfValues
    levels: OfLevels
    limit: float | None

    def scores(self, windows: Sequence[Rows], reference: Prepared | IntArray) -> FloatArray:
        """Of each window, shape (windows,)."""
        if isinstance(reference, Prepared):
            floats = [one.astype(np.float64, copy=False) for one in windows]
            return self.values(floats, reference)
        rows = np.stack([one.astype(np.int64, copy=False) for one in windows])
        return self.levels(rows, np.broadcast_to(reference, rows.shape))

    def limit_of(self, windows: Sequence[Rows], reference: Prepared | IntArray) -> float:
        """What a score must exceed, by the windows that the reference consists of."""
        if self.limit is not None:
            return self.limit
        own = self.scores(windows, reference)
        return float(own.mean() + 3 * own.std())


PEERS: Mapping[str, Peer] = {
    "Evidently default": Peer(_wasserstein, evidently.js_distance, 0.1),
    "Evidently JS": Peer(
        _evidently(evidently.js_distance, evidently.js_distance), evidently.js_distance, 0.1
    ),
    "Evidently PSI": Peer(
        _evidently(evidently.psi_of_bins, evidently.psi_of_levels), evidently.psi_of_levels, 0.1
    ),
    "NannyML JS": Peer(_nannyml, nannyml.js_distance, None),
    ALIBI: Peer(_alibi_values, _alibi_levels, 1.0),
}
"""By tool and method; the default of Evidently is Wasserstein's distance, of levels JS."""

JS_LIMIT = FixedThreshold().warning or np.inf


def reference_of(rows: Rows) -> Prepared | IntArray:
    """A reference as scores want it: ascending values are floats, rows per level are integers."""
    if np.issubdtype(rows.dtype, np.integer):
        return rows.astype(np.int64, copy=False)
    return prepared(rows.astype(np.float64, copy=False))
