"""Which cell: how likely its current rows are, given all the rows that it has."""

import numpy as np
from scipy import special

from driftwatch.stats.counts import FloatArray, IntArray

_CERTAIN_Z = 2.0
"""Nearer than this, p is above 0.04 and no decision rests on its digits: the normal one does."""

_SUMMED_BELOW = 10
"""With fewer rows in one of the four cells of a table the tail is summed, which takes few terms."""


def cell_p(current: IntArray, reference: IntArray) -> FloatArray:
    """Two-sided mid-p of each cell's current rows, shape (F, K) as the counts; 0..1.

    1 in a cell without rows or with all of them, NaN where n = 0 or m = 0; see `deal_p`.

    >>> print(cell_p(np.array([[8, 2, 0]]), np.array([[10, 90, 0]])).round(7))
    [[4.1e-06 4.1e-06 1.0e+00]]
    """
    n, m = current.sum(axis=1, keepdims=True), reference.sum(axis=1, keepdims=True)
    return deal_p(current, reference, n, m)


def deal_p(
    live_rows: IntArray, kept_rows: IntArray, current_rows: IntArray, reference_rows: IntArray
) -> FloatArray:
    """Two-sided mid-p that of c = L + M rows of some kind L are current; 0..1.

    live_rows, kept_rows: L and M, shape (F, K); current_rows, reference_rows: n and m, rows in all,
    shape (F, 1). L is hypergeometric by chance; p is twice the smaller of P(X < L) + P(X = L)/2 and
    P(X > L) + P(X = L)/2. Normal where |z| < 2, else the exact sum of the tail or, with many rows,
    its double saddlepoint, off by less than 1 %. 1 where c = 0 or c = n + m, NaN where n = 0 or
    m = 0. Sources: Lancaster, Significance Tests in Discrete Distributions, J. Am. Stat. Assoc. 56
    (1961), for mid-p; Skovgaard, Saddlepoint Expansions for Conditional Distributions, J. Appl.
    Prob. 24 (1987).
    """
    live, kept = live_rows.astype(np.float64), kept_rows.astype(np.float64)
    n, m = current_rows.astype(np.float64), reference_rows.astype(np.float64)
    total = n + m
    usable = (n > 0) & (m > 0)
    both = live + kept
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = both * (n / total)
        variance = mean * (m / total) * ((total - both) / (total - 1))
        z = (live - mean) / np.sqrt(variance)
    varies = usable & (variance > 0)
    found = np.where(varies, 2 * special.ndtr(-np.abs(z)), np.where(usable, 1.0, np.nan))
    far = np.nonzero(varies & (np.abs(z) >= _CERTAIN_Z))
    if far[0].size:
        # Few current rows are many of the reference: one tail is enough.
        above = live[far] > mean[far]
        x = np.where(above, live[far], kept[far])
        rows = np.where(above, n[far[0], 0], m[far[0], 0])
        tail = _upper(x, both[far], rows, total[far[0], 0])
        found[far] = np.minimum(2 * tail, 1.0)
    return np.asarray(found)


def _upper(x: FloatArray, both: FloatArray, rows: FloatArray, total: FloatArray) -> FloatArray:
    """P(X > x) + P(X = x)/2 of `both` rows of which each is dealt to `rows` of `total` places."""
    found = np.empty_like(x)
    least = np.minimum(np.minimum(x, total - both - rows + x), np.minimum(both, rows) - x)
    summed = least < _SUMMED_BELOW
    for part, tail in ((summed, _sum), (~summed, _saddlepoint)):
        found[part] = tail(x[part], both[part], rows[part], total[part])
    return found


def _sum(x: FloatArray, both: FloatArray, rows: FloatArray, total: FloatArray) -> FloatArray:
    """Term by term from x on, each from the one before, until no more counts."""
    others = total - both - rows
    log_first = (
        _log_choose(both, x) + _log_choose(total - both, rows - x) - _log_choose(total, rows)
    )
    term, series = np.ones_like(x), np.full_like(x, 0.5)
    left, right, low, high = both - x, rows - x, x + 1, others + x + 1
    while np.any(term > 1e-9 * series):
        term = term * (left * right / (low * high))
        series += term
        left, right, low, high = left - 1, right - 1, low + 1, high + 1
    return np.asarray(np.exp(log_first) * series)


def _log_choose(whole: FloatArray, part: FloatArray) -> FloatArray:
    return np.asarray(
        special.gammaln(whole + 1) - special.gammaln(part + 1) - special.gammaln(whole - part + 1)
    )


def _saddlepoint(
    x: FloatArray, both: FloatArray, rows: FloatArray, total: FloatArray
) -> FloatArray:
    """With the 2 x 2 table a = x, b, c, d, t its log odds ratio, G its likelihood ratio and
    w = sqrt(G), u = 2 tanh(t/2) sqrt(a b c d N/(its four margins)), which takes half of the step
    at x as mid-p does: Q(w) + q(w) (1/u - 1/w), q the normal density."""
    b, c = both - x, rows - x
    d = total - both - c
    rest, away = total - both, total - rows
    odds = np.log(x * d / (b * c))
    # Each cell over what it expects, as 1 + off/expected: differences of large logarithms lose it.
    off = x - both * (rows / total)
    half_g = (
        x * np.log1p(off / (both * rows / total))
        + b * np.log1p(-off / (both * away / total))
        + c * np.log1p(-off / (rest * rows / total))
        + d * np.log1p(off / (rest * away / total))
    )
    w = np.sqrt(2 * half_g)
    u = 2 * np.tanh(odds / 2) * np.sqrt((x / both) * (b / rest) * (c / rows) * (d / away) * total)
    density = np.exp(-half_g) / np.sqrt(2 * np.pi)
    return np.asarray(special.ndtr(-w) + density * (1 / u - 1 / w))
