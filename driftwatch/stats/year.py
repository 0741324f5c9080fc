"""The time of year: windows are compared with those of the weeks around theirs, in any year.

Under a key with the time of year the phase of a window is `SLICES` times its phase under the key
without it, plus the slice of the year in which it begins: a week, the last of them a day or two
longer. Phases of a year are few and far between, so that a window is compared with those of the
`REACH` slices on either side, too; the first and the last slice of the year are neighbours.
"""

from datetime import datetime

import numpy as np

from driftwatch.stats.counts import IntArray
from driftwatch.stats.season import totals

SLICES = 52
"""Weeks of a year."""

REACH = 4
"""On either side so many weeks: with its own, two months."""


def slice_of(wall: datetime) -> int:
    """The slice of the year of a clock on the wall, 0..51.

    >>> [slice_of(datetime(2012, 1, 7)), slice_of(datetime(2012, 1, 8)), slice_of(datetime.max)]
    [0, 1, 51]
    """
    return min((wall.timetuple().tm_yday - 1) // 7, SLICES - 1)


def rest_of_year(counts: IntArray, phases: IntArray) -> IntArray:
    """What each window is compared with: the windows around its phase, but not of its own week.

    counts: W windows in the order of time, shape (W, ...); phases: with the time of year, shape
    (W,). Shape (W, ...). Weeks next to it are kept, and so is its own in other years: with one year
    that is all that is known of a time of year.

    >>> weekly, rows = np.arange(52), np.arange(52)[:, np.newaxis]
    >>> rest_of_year(rows, weekly)[[10, 0], 0].tolist()
    [80, 208]
    """
    names, phase = np.unique(phases // SLICES, return_inverse=True)
    of_year = phases % SLICES
    table = np.zeros((names.size, SLICES, *counts.shape[1:]), counts.dtype)
    np.add.at(table, (phase, of_year), counts)
    number = weeks(phases)
    own = totals(counts, phase * (int(number.max(initial=0)) + 1) + number)
    return np.asarray(_around(table)[phase, of_year] - own)


def around(phase: int) -> list[int]:
    """A phase with the time of year, and those of the weeks around it, over the turn of the year,
    too.

    >>> around(50), around(SLICES)[-2:]
    ([46, 47, 48, 49, 50, 51, 0, 1, 2], [55, 56])
    """
    name, of_year = divmod(phase, SLICES)
    return [name * SLICES + (of_year + step) % SLICES for step in range(-REACH, REACH + 1)]


def weeks(phases: IntArray) -> IntArray:
    """The number of the week that each window lies in, counted from the first; shape (W,)."""
    of_year = phases % SLICES
    return np.asarray(np.cumsum(np.diff(of_year, prepend=of_year[:1]) != 0))


def _around(table: IntArray) -> IntArray:
    """Sums over the slices around each; shape (phases, SLICES, ...)."""
    return np.asarray(sum(np.roll(table, step, axis=1) for step in range(-REACH, REACH + 1)))
