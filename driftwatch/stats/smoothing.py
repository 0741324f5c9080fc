"""From counts to probabilities: raw, and smoothed where a logarithm needs it.

Counts of F features with different numbers of cells are stacked in one array of shape (F, K),
padded with zeros to the widest. `cells` (F,) is the number of real cells of each row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray

PSEUDO_ROWS = 0.5
"""Rows that smoothing adds to each cell (Krichevsky and Trofimov's estimator)."""


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Probabilities of F features, each array of shape (F, K), 0 in the padding.

    current: P = L/n; reference: Q = M/m, both raw. reference_smoothed: Q' = (M + 0.5)/(m + 0.5 K);
    current_smoothed: P' = (L + 0.5 K Q')/(n + 0.5 K), which leans towards the reference where rows
    are few, so that P' = Q' without any. K is the number of real cells of the row. A row with n = 0
    or m = 0 is all NaN.
    """

    current: FloatArray
    reference: FloatArray
    current_smoothed: FloatArray
    reference_smoothed: FloatArray


def stack(rows: Sequence[npt.NDArray[np.integer]]) -> tuple[IntArray, IntArray]:
    """Rows of different lengths as one array (F, K), padded with zeros, and their lengths (F,).

    No rows give shapes (0, 0) and (0,). ValueError for a row that is not one-dimensional.

    >>> counts, cells = stack([np.array([3, 1]), np.array([2, 0, 5])])
    >>> counts.tolist(), cells.tolist()
    ([[3, 1, 0], [2, 0, 5]], [2, 3])
    """
    if any(row.ndim != 1 for row in rows):
        raise ValueError("each row of counts has one dimension")
    cells = np.array([row.size for row in rows], dtype=np.int64)
    counts = np.zeros((len(rows), int(cells.max(initial=0))), dtype=np.int64)
    if rows:
        counts[real_cells(cells, counts.shape[1])] = np.concatenate(rows)
    return counts, cells


def probabilities(
    current: IntArray, reference: IntArray, cells: IntArray | None = None
) -> Probabilities:
    """Raw and smoothed probabilities of counts (F, K); `cells` None: all K cells are real.

    ValueError for counts that are not integers, negative, of two shapes, or beyond a row's cells.
    """
    real = check_counts(current, reference, cells)
    n = current.sum(axis=1, keepdims=True)
    m = reference.sum(axis=1, keepdims=True)
    usable = (n > 0) & (m > 0)
    current_rows = np.where(usable, n, np.nan)
    reference_rows = np.where(usable, m, np.nan)
    added = PSEUDO_ROWS * real.sum(axis=1, keepdims=True)
    reference_smoothed = (reference + PSEUDO_ROWS * real) / (reference_rows + added)
    return Probabilities(
        current=current / current_rows,
        reference=reference / reference_rows,
        current_smoothed=(current + added * reference_smoothed) / (current_rows + added),
        reference_smoothed=reference_smoothed,
    )


def check_counts(
    current: IntArray, reference: IntArray, cells: IntArray | None = None
) -> npt.NDArray[np.bool_]:
    """Which cells (F, K) are real; ValueError unless both are counts (F, K), zero elsewhere."""
    if current.ndim != 2 or current.shape != reference.shape:
        raise ValueError(
            f"counts are of one shape (F, K), not {current.shape} and {reference.shape}"
        )
    if current.dtype.kind not in "iu" or reference.dtype.kind not in "iu":
        raise ValueError(f"counts are integers, not {current.dtype} and {reference.dtype}")
    if current.min(initial=0) < 0 or reference.min(initial=0) < 0:
        raise ValueError("counts are not negative")
    features, width = current.shape
    if cells is None:
        return np.ones((features, width), dtype=np.bool_)
    if cells.shape != (features,) or cells.max(initial=0) > width:
        raise ValueError(f"cells must hold {features} numbers of at most {width} cells")
    real = real_cells(cells, width)
    if current[~real].any() or reference[~real].any():
        raise ValueError("a row has counts beyond its cells")
    return real


def real_cells(cells: IntArray, width: int) -> npt.NDArray[np.bool_]:
    """Which of `width` columns are cells of each row, not padding: shape (F, width).

    >>> real_cells(np.array([1, 3]), 3).tolist()
    [[True, False, False], [True, True, True]]
    """
    return np.asarray(np.arange(width) < cells[:, np.newaxis])
