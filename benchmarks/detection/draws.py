"""Windows as rows, for scores that need the values and not their counts alone."""

from dataclasses import dataclass

import numpy as np

from benchmarks.detection.axis import cells_of_levels, cells_of_values
from benchmarks.detection.worlds import (
    Kept,
    Levels,
    Numbers,
    World,
    reference_of_levels,
    reference_of_values,
)
from driftwatch.stats.axis import CategoricalAxis
from driftwatch.stats.counts import FloatArray, IntArray

Rows = FloatArray | IntArray
"""One window: its values, ascending and without missing ones, or its rows per level."""


@dataclass(frozen=True, slots=True)
class Window:
    rows: Rows
    missing: int


@dataclass(frozen=True, slots=True)
class Past:
    """A reference, the rows that it has, and the windows that it consists of."""

    kept: Kept
    rows: Rows
    windows: tuple[Window, ...]


def window(world: World, rows: int, random: np.random.Generator) -> Window:
    missing = int(random.binomial(rows, world.missing))
    if isinstance(world, Levels):
        return Window(random.multinomial(rows - missing, world.shares), missing)
    return Window(_values(world, rows - missing, random), missing)


def _values(world: Numbers, rows: int, random: np.random.Generator) -> FloatArray:
    points = world.values.size
    if rows < points:
        return world.values[np.sort(random.integers(0, points, rows, dtype=np.int32))]
    return np.repeat(world.values, random.multinomial(rows, np.full(points, 1 / points)))


def past(world: World, rows: int, window_rows: int, random: np.random.Generator) -> Past:
    """A reference of so many rows, drawn in windows of one size."""
    windows = tuple(window(world, window_rows, random) for _ in range(rows // window_rows))
    missing = sum(one.missing for one in windows)
    if isinstance(world, Levels):
        levels = np.sum([one.rows for one in windows], axis=0)
        return Past(reference_of_levels(levels, missing), levels, windows)
    values = np.sort(np.concatenate([one.rows for one in windows]), kind="stable")
    return Past(reference_of_values(values, missing), values, windows)


def counted(kept: Kept, drawn: Window) -> IntArray:
    """The counts of a window on the axis of its reference, shape (cells,)."""
    if isinstance(kept.axis, CategoricalAxis):
        cells = cells_of_levels(kept.axis, drawn.rows.astype(np.float64), drawn.missing)
        return cells.astype(np.int64)
    return cells_of_values(kept.axis, drawn.rows.astype(np.float64, copy=False), drawn.missing)
