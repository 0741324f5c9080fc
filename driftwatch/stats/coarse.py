"""Coarse axes: neighbouring bins merged, so that counts of one column by another stay small.

A coarse axis follows from its axis alone. Nothing of it is stored: counts on it are counts of that
version of the axis.
"""

from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis

COARSE_CELLS = 10
"""Value cells of a coarse axis at most: bins, or levels with `other`. Missing and unseen stay."""


def coarse(axis: Axis) -> Axis:
    """The axis with at most 10 value cells: every edge of it is an edge of the axis, about as many
    bins lie between any two of them; the levels are the most frequent ones.

    An axis that is small enough is itself.

    >>> coarse(NumericAxis(tuple(float(edge) for edge in range(1, 20)))).edges
    (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0)
    >>> coarse(CategoricalAxis(tuple("abcdefghijkl"), ("m",))).labels()[-4:]
    ('i', 'other', 'unseen', 'missing')
    """
    if isinstance(axis, CategoricalAxis):
        kept, others = axis.levels[: COARSE_CELLS - 1], axis.levels[COARSE_CELLS - 1 :]
        return CategoricalAxis(kept, (*others, *axis.known)) if others else axis
    bins = len(axis.edges) + 1
    if bins <= COARSE_CELLS:
        return axis
    firsts = [(2 * i * bins + COARSE_CELLS) // (2 * COARSE_CELLS) for i in range(1, COARSE_CELLS)]
    return NumericAxis(tuple(axis.edges[first - 1] for first in firsts), axis.scale)
