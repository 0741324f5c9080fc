"""Mean and standard deviation from the sums that a scan brought home."""

from dataclasses import dataclass

import numpy as np

from driftwatch.stats.counts import ColumnPanes, FloatArray


@dataclass(frozen=True, slots=True)
class Moments:
    """Of P panes, in the column's own unit, each of shape (P,); NaN where no value is finite."""

    mean: FloatArray
    standard_deviation: FloatArray


def moments(panes: ColumnPanes) -> Moments:
    """Mean S/N and standard deviation sqrt(Q/N - (S/N)²) of the finite values of a numeric column.

    N is the rows of the value cells (all but the last, `missing`) without the infinite ones, S the
    sum and Q the sum of squares. The deviation is that of the rows themselves (divided by N, so
    that one row has 0), never negative. Where the two sums cancel (values far from 0 that hardly
    vary) its digits are lost: it is kept within what minimum and maximum allow, (max - mean)
    (mean - min) being the largest variance (Bhatia and Davis, Am. Math. Monthly 107, 2000). A
    column without finite values, a categorical one included, has NaN; so has one whose sums
    overflow.

    >>> found = moments(ColumnPanes(
    ...     cells=np.array([[1, 3, 0, 7]]), infinite=np.array([0]), total=np.array([10.0]),
    ...     total_squares=np.array([30.0]), minimum=np.array([1.0]), maximum=np.array([4.0])))
    >>> print(found.mean, found.standard_deviation.round(6))
    [2.5] [1.118034]
    """
    values = panes.cells[:, :-1].sum(axis=1) - panes.infinite
    rows = np.where((values > 0) & np.isfinite(panes.minimum), values, np.nan)
    total = _finite_or_nan(panes.total)
    squares = _finite_or_nan(panes.total_squares)
    mean = np.clip(total / rows, panes.minimum, panes.maximum)
    with np.errstate(over="ignore"):
        largest = (panes.maximum - mean) * (mean - panes.minimum)
        variance = squares / rows - np.square(total / rows)
    return Moments(mean=mean, standard_deviation=np.sqrt(np.clip(variance, 0.0, largest)))


def _finite_or_nan(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)
