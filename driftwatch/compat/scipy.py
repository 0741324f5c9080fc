"""What scipy's functions give on two rows of counts, called with their defaults.

Source: `scipy.spatial.distance.jensenshannon`, `scipy.stats.entropy` and
`scipy.stats.chi2_contingency` of scipy 1.15 and later; Yates, Contingency Tables Involving Small
Numbers and the chi-square Test, Suppl. J. R. Stat. Soc. 1 (1934).
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import js_of_probabilities, kl_of_probabilities
from driftwatch.stats.smoothing import check_counts, probabilities


def js_distance(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """`jensenshannon(current, reference)`: sqrt(JS in nats), 0..sqrt(ln 2) = 0.8326.

    Symmetric, not smoothed. With `base=2` it would be the `js_distance` of `divergences`. Counts
    (F, K) and the real cells of each row (F,), as `divergences` takes them, give shape (F,), NaN
    where a side has no rows; ValueError for what is no count.

    >>> print(js_distance(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.079795]
    """
    rates = probabilities(current, reference, cells)
    return np.sqrt(js_of_probabilities(rates.current, rates.reference))


def kl(current: IntArray, reference: IntArray, *, cells: IntArray | None = None) -> FloatArray:
    """`entropy(current, reference)`: KL(current||reference) = sum P ln(P/Q), nats, 0..inf.

    Not smoothed: infinite where the current rows have a cell that the reference has not. Shapes,
    NaN and errors are those of `js_distance`.

    >>> print(kl(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.025267]
    """
    rates = probabilities(current, reference, cells)
    return kl_of_probabilities(rates.current, rates.reference)


def chi2(current: IntArray, reference: IntArray, *, cells: IntArray | None = None) -> FloatArray:
    """The statistic of `chi2_contingency` on the table of both rows, 0..; it grows with n and m.

    sum (O - E)^2 / E over both rows, E = row sum * column sum / (n + m). Cells that are empty on
    both sides are left out (scipy refuses them). Where two cells are left, Yates' correction
    brings O nearer to E by a half, or to it. Shapes, NaN and errors are those of `js_distance`.

    >>> print(chi2(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [2.539683]
    """
    return _chi2(current, reference, cells)[0]


def chi2_p_value(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """The p-value of `chi2_contingency`, 0..1: of `chi2` with one less than its cells of freedom.

    1 where one cell is left. Shapes, NaN and errors are those of `js_distance`.

    >>> print(chi2_p_value(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.280876]
    """
    statistic, used = _chi2(current, reference, cells)
    p_value = special.chdtrc(np.maximum(used - 1, 1), statistic)
    return np.where((used == 1) & ~np.isnan(statistic), 1.0, p_value)


def _chi2(
    current: IntArray, reference: IntArray, cells: IntArray | None
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The statistic and the number of cells that are not empty on both sides, each (F,)."""
    check_counts(current, reference, cells)
    columns = current + reference
    used = np.asarray((columns > 0).sum(axis=-1))
    usable = current.any(axis=-1) & reference.any(axis=-1)
    statistic = np.where(usable, 0.0, np.nan)
    total = columns.sum(axis=-1, keepdims=True)
    for counts in (current, reference):
        rows = counts.sum(axis=-1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = columns * (rows / total)
            off = np.abs(counts - expected)
            off -= np.where(used == 2, 0.5, 0.0)[:, np.newaxis].clip(max=off)
            terms = off**2 / expected
        statistic += np.where(columns > 0, terms, 0.0).sum(axis=-1)
    return statistic, used
