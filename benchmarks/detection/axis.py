"""The axes that a source fits, of arrays: the one place where its rule is written a second time.

The source fits in SQL; `tests/benchmarks/test_detection_axis.py` holds both to one outcome.
"""

from fractions import Fraction
from math import ceil

import numpy as np

from driftwatch.source.fit import KNOWN_LEVELS
from driftwatch.stats.axis import CategoricalAxis, NumericAxis
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.unseen import with_expected_unseen

COUNT = 20
LEVELS = 50
_TAILS = (Fraction(1, 1000), Fraction(1, 100), Fraction(99, 100), Fraction(999, 1000))
_ATOM = Fraction(1, 20)


def numeric_axis(values: FloatArray, rows: IntArray) -> NumericAxis:
    """The axis of ascending values, which may repeat, each with so many rows.

    >>> numeric_axis(np.array([0.0, 1.0, 2.0]), np.array([50, 49, 1])).edges
    (0.0, 5e-324, 1.0, 1.0000000000000002, 2.0, 2.0000000000000004)
    """
    below = np.cumsum(rows)
    total = int(below[-1])

    def at(share: Fraction) -> float:
        rank = ceil(share * total)
        return float(values[np.searchsorted(below, rank)])

    edges = {at(Fraction(i, COUNT)) for i in range(1, COUNT)} | {at(tail) for tail in _TAILS}
    # A value of 5 % of the rows covers a multiple of 5 %, or is the last one.
    for value in {*edges, at(Fraction(1))}:
        first, last = np.searchsorted(values, [value, np.nextafter(value, np.inf)])
        if Fraction(int(rows[first:last].sum()), total) >= _ATOM:
            edges |= {value, float(np.nextafter(value, np.inf))}
    edges |= {float(values[0]), float(np.nextafter(values[-1], np.inf))}
    return NumericAxis(tuple(sorted(edge + 0.0 for edge in edges)))


def level_axis(rows: IntArray) -> CategoricalAxis:
    """The axis of levels named by their numbers, of which so many rows were seen, shape (L,).

    >>> axis = level_axis(np.array([1, 7, 9, 0, 2]))
    >>> axis.levels, axis.known
    (('00002', '00001', '00004'), ())
    """
    repeated = np.flatnonzero(rows >= 2)
    by_rows = repeated[np.argsort(-rows[repeated], kind="stable")]
    others = np.sort(by_rows[LEVELS:])[:KNOWN_LEVELS]
    return CategoricalAxis(
        tuple(f"{level:05}" for level in by_rows[:LEVELS]),
        tuple(f"{level:05}" for level in others),
        twice=int((rows[others] == 2).sum()),
    )


def cells_of_values(axis: NumericAxis, values: FloatArray, missing: int) -> IntArray:
    """Rows per cell of ascending values and of missing rows, shape (cells,).

    >>> cells_of_values(NumericAxis((0.0, 1.0)), np.array([-1.0, 0.0, 0.5, 3.0]), 2).tolist()
    [1, 2, 1, 2]
    """
    below = np.searchsorted(values, np.array(axis.edges), side="left")
    return np.diff(np.array([0, *below, values.size, values.size + missing]))


def cells_of_levels(axis: CategoricalAxis, rows: FloatArray, missing: float) -> FloatArray:
    """Rows (or shares) per cell of those per level, shape (..., L), and of missing ones (...).

    >>> axis = CategoricalAxis(("00002",), ("00000",))
    >>> cells_of_levels(axis, np.array([1.0, 2.0, 4.0]), 3.0).tolist()
    [4.0, 1.0, 2.0, 3.0]
    """
    levels, known = ([int(level) for level in some] for some in (axis.levels, axis.known))
    own, other = rows[..., levels], rows[..., known].sum(axis=-1)
    unseen = np.delete(rows, levels + known, axis=-1).sum(axis=-1)
    rest = np.stack([other, unseen, np.broadcast_to(missing, other.shape)], axis=-1)
    return np.concatenate([own, rest], axis=-1)


def compared_with(axis: NumericAxis | CategoricalAxis, cells: IntArray) -> IntArray:
    """The reference that the axis was fitted to, as windows are compared with it."""
    return with_expected_unseen(axis, cells)
