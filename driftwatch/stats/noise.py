"""The noise floor: what sampling alone would give, were nothing changed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.smoothing import check_counts

GUARD_P = 0.001
"""Share of undrifted windows whose JS exceeds `js_guard`, by the chi-square approximation."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise floor of F features, each of shape (F,); NaN where n = 0 or m = 0.

    effective_rows: nt = n m / (n + m); occupied_cells: k, the cells where a row of either was seen
    (0 where there is none); expected_js: (k-1)/(8 nt), nats; expected_kl: (k-1)/(2 nt), nats;
    js_guard: chi2.isf(0.001, k-1)/(8 nt), nats, which JS exceeds by sampling about once in a
    thousand windows. With one occupied cell all three are 0: there is nothing that could vary.
    """

    effective_rows: FloatArray
    occupied_cells: IntArray
    expected_js: FloatArray
    expected_kl: FloatArray
    js_guard: FloatArray


def noise(current: IntArray, reference: IntArray) -> Noise:
    """The noise floor of counts (F, K), padded with zeros; ValueError for what is no count.

    >>> found = noise(np.array([[60, 40]]), np.array([[450, 450]]))
    >>> print(found.effective_rows, found.occupied_cells, found.expected_js.round(6))
    [90.] [2] [0.001389]
    """
    check_counts(current, reference)
    nt = effective_rows(current=current.sum(axis=1), reference=reference.sum(axis=1))
    k = np.count_nonzero(current + reference, axis=1).astype(np.int64)
    return Noise(
        effective_rows=nt,
        occupied_cells=k,
        expected_js=expected_js(k, nt),
        expected_kl=expected_kl(k, nt),
        js_guard=js_guard(k, nt),
    )


def effective_rows(*, current: npt.ArrayLike, reference: npt.ArrayLike) -> FloatArray:
    """nt = n m / (n + m) of n current and m reference rows; NaN where either is 0.

    It is n where the reference is far larger, n/2 where both are of one size.

    >>> print(effective_rows(current=[100, 100, 0], reference=[100, 900, 100]))
    [50. 90. nan]
    """
    n = np.asarray(current, dtype=np.float64)
    m = np.asarray(reference, dtype=np.float64)
    usable = (n > 0) & (m > 0)
    return np.asarray(n * m / np.where(usable, n + m, np.nan))


def expected_js(cells: npt.ArrayLike, rows: npt.ArrayLike) -> FloatArray:
    """(k-1)/(8 nt): the mean of JS (nats) of two samples of one distribution, for large nt.

    cells: k, those with rows; rows: nt, see `effective_rows`. For exporting: as a guard it is
    worthless, because about half of all windows exceed a mean. Source: 8 nt JS is to first order
    Pearson's X² of the two-row table, whose mean is k - 1.
    """
    return _freedom(cells) / (8 * np.asarray(rows, dtype=np.float64))


def expected_kl(cells: npt.ArrayLike, rows: npt.ArrayLike) -> FloatArray:
    """(k-1)/(2 nt): the mean of KL (nats) of two samples of one distribution, for large nt.

    Source: Wilks, The Large-Sample Distribution of the Likelihood Ratio, Ann. Math. Stat. 9 (1938).

    >>> print(expected_kl(21, 1000))
    0.01
    """
    return _freedom(cells) / (2 * np.asarray(rows, dtype=np.float64))


def js_guard(cells: npt.ArrayLike, rows: npt.ArrayLike) -> FloatArray:
    """chi2.isf(0.001, k-1)/(8 nt): a JS (nats) above it is not sampling noise.

    cells: k, those with rows; rows: nt. 0 where k <= 1; NaN where nt is NaN. The quantile holds for
    many rows: with 10 rows a cell or fewer it is exceeded a few times more often. Source: as
    `expected_js`; the quantile is tabled in every book of statistics, 10.828 for k = 2.

    >>> print(js_guard([1, 2, 21], 1000.0).round(7))
    [0.        0.0013534 0.0056643]
    """
    freedom = _freedom(cells)
    # A monitor has few different numbers of cells: one slow inversion for each of them.
    degrees, row_of = np.unique(freedom, return_inverse=True)
    quantiles = np.where(degrees > 0, special.chdtri(np.maximum(degrees, 1.0), GUARD_P), 0.0)
    return np.asarray(quantiles[row_of].reshape(freedom.shape) / (8 * np.asarray(rows)))


def _freedom(cells: npt.ArrayLike) -> FloatArray:
    return np.maximum(np.asarray(cells, dtype=np.float64) - 1, 0.0)
