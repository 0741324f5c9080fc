"""Counts of panes add up to those of a window."""

import math
from dataclasses import replace

import numpy as np
import pytest

from driftwatch.stats.counts import ColumnPanes, PaneCounts


def column(panes: int, *, cells: int = 3) -> ColumnPanes:
    """Pane i has i rows in each cell, the total i and the one value i; pane 0 has no value."""
    steps = np.arange(panes)
    value = np.where(steps > 0, steps, math.nan)
    return ColumnPanes(
        cells=np.tile(steps[:, np.newaxis], cells),
        infinite=steps,
        total=steps.astype(np.float64),
        total_squares=np.square(steps, dtype=np.float64),
        minimum=value,
        maximum=value,
    )


def test_a_window_is_the_sum_of_its_panes() -> None:
    window = column(4).sum()
    assert window.cells.tolist() == [[6, 6, 6]]
    assert window.infinite.tolist() == [6]
    assert window.total.tolist() == [6.0]
    assert window.total_squares.tolist() == [14.0]
    assert (window.minimum.tolist(), window.maximum.tolist()) == ([1.0], [3.0])


def test_sums_beyond_the_largest_number_are_no_warning() -> None:
    most = np.finfo(np.float64).max
    huge = replace(column(4), total=np.array([most, most, -math.inf, 0.0]))
    assert math.isnan(huge.sum().total[0])
    assert replace(huge, total=np.full(4, most)).sum().total.tolist() == [math.inf]


@pytest.mark.parametrize("panes", [0, 1])
def test_the_sum_of_panes_without_values_has_no_extremes(panes: int) -> None:
    window = column(panes).sum()
    assert window.cells.tolist() == [[0, 0, 0]]
    assert np.isnan(window.minimum).all()
    assert np.isnan(window.maximum).all()


def test_moments_have_one_number_per_pane() -> None:
    good = column(2)
    with pytest.raises(ValueError, match="shape"):
        ColumnPanes(good.cells, good.infinite, good.total[:1], good.total, good.total, good.total)


def test_every_column_of_a_scan_has_its_panes() -> None:
    starts, rows = np.array([0, 300]), np.array([0, 3])
    PaneCounts(300, starts, rows, {"delay": column(2)})
    with pytest.raises(ValueError, match="'delay' has 3 panes"):
        PaneCounts(300, starts, rows, {"delay": column(3)})
    with pytest.raises(ValueError, match="one shape"):
        PaneCounts(300, starts, rows[:1], {})
