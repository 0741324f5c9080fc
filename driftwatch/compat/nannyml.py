"""What NannyML 0.13 gives for one column (`UnivariateDriftCalculator`).

Source: nannyml 0.13.1, `nannyml/drift/univariate/methods.py`.

Its own cells are the levels of the reference, or bins of equal width over the reference (Doane's
rule), and one more for all that falls outside of them. Missing values are left out. That all unseen
levels share one cell changes neither distance: what a cell without reference rows adds to them is
proportional to its share.
"""

from driftwatch.compat.scipy import chi2 as scipy_chi2
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import (
    hellinger_of_probabilities,
    js_distance_of_probabilities,
    l_infinity_of_probabilities,
)
from driftwatch.stats.smoothing import probabilities


def js_distance(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """Jensen-Shannon distance with logarithms to the base 2: sqrt(JS in bits), 0..1.

    JS = (KL(P||A) + KL(Q||A)) / 2 with P = L/n, Q = M/m, A = (P + Q)/2; symmetric, not smoothed:
    `js_distance` of `divergences`. Counts (F, K) and the real cells of each row (F,), as
    `divergences` takes them, give shape (F,), NaN where a side has no rows; ValueError for what is
    no count.

    >>> import numpy as np
    >>> print(js_distance(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.095843]
    """
    rates = probabilities(current, reference, cells)
    return js_distance_of_probabilities(rates.current, rates.reference)


def hellinger(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """Hellinger distance sqrt(sum (sqrt Q - sqrt P)^2 / 2), 0..1; symmetric, not smoothed.

    Shapes, NaN and errors are those of `js_distance`.

    >>> import numpy as np
    >>> print(hellinger(np.array([[64, 36]]), np.array([[36, 64]])).round(6))
    [0.2]
    """
    rates = probabilities(current, reference, cells)
    return hellinger_of_probabilities(rates.current, rates.reference)


def l_infinity(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """Largest change of one level, max |Q - P|, 0..1; symmetric, not smoothed; levels alone.

    Every level, unseen ones too, needs a cell of its own: several in one may give more or less.
    Shapes, NaN and errors are those of `js_distance`.

    >>> import numpy as np
    >>> print(l_infinity(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.1]
    """
    rates = probabilities(current, reference, cells)
    return l_infinity_of_probabilities(rates.current, rates.reference)


def chi2(current: IntArray, reference: IntArray, *, cells: IntArray | None = None) -> FloatArray:
    """The chi-square statistic of levels, 0..: scipy's, with its correction; see there."""
    return scipy_chi2(current, reference, cells=cells)
