"""What TensorFlow Data Validation gives for one feature (`skew_comparator`, `drift_comparator`).

Source: tensorflow/data-validation, `tensorflow_data_validation/anomalies/metrics.cc`:
`JensenShannonDivergence` and `LInftyDistance`.

Its own cells are the values of a string feature, or the joint edges of both sides' histograms, each
bucket's rows spread evenly over its parts. Numeric NaN are in it, but as one cell per side, so that
NaN of one side differ from NaN of the other: to repeat that, give NaN of the current rows and NaN
of the reference two cells of their own.
"""

import numpy as np

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import (
    LN_2,
    js_of_probabilities,
    l_infinity_of_probabilities,
)
from driftwatch.stats.smoothing import probabilities


def js(current: IntArray, reference: IntArray, *, cells: IntArray | None = None) -> FloatArray:
    """Jensen-Shannon divergence with logarithms to the base 2, no root: bits, 0..1.

    (KL(P||A) + KL(Q||A)) / 2 with P = L/n, Q = M/m, A = (P + Q)/2; symmetric, not smoothed, at most
    1. Counts (F, K) and the real cells of each row (F,), as `divergences` takes them, give shape
    (F,), NaN where a side has no rows (an error there); ValueError for what is no count.

    >>> print(js(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.009186]
    """
    rates = probabilities(current, reference, cells)
    return np.minimum(js_of_probabilities(rates.current, rates.reference) / LN_2, 1.0)


def l_infinity(
    current: IntArray, reference: IntArray, *, cells: IntArray | None = None
) -> FloatArray:
    """Largest change of one string value, max |Q - P|, 0..1; symmetric, not smoothed.

    Shapes, NaN and errors are those of `js`, but a feature without values has 0 there.

    >>> print(l_infinity(np.array([[50, 30, 20]]), np.array([[40, 40, 20]])).round(6))
    [0.1]
    """
    rates = probabilities(current, reference, cells)
    return l_infinity_of_probabilities(rates.current, rates.reference)
