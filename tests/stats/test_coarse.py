"""Coarse axes keep the edges and levels of their axis, and hold at most ten values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.axis import CategoricalAxis, NumericAxis, Scale
from driftwatch.stats.coarse import COARSE_CELLS, coarse


@given(st.integers(1, 300))
def test_every_edge_is_one_of_the_axis_and_groups_are_about_even(edges: int) -> None:
    axis = NumericAxis(tuple(map(float, range(edges))), Scale.TIME)
    made = coarse(axis)
    assert isinstance(made, NumericAxis)
    assert made.scale is Scale.TIME
    assert set(made.edges) <= set(axis.edges)
    assert made.cells - 1 == min(COARSE_CELLS, edges + 1)
    bounds = [0, *(axis.edges.index(edge) + 1 for edge in made.edges), edges + 1]
    sizes = np.diff(bounds)
    assert sizes.max() - sizes.min() <= 1
    assert (sizes == sizes[::-1]).all() or sizes.max() - sizes.min() == 1


@pytest.mark.parametrize(("levels", "kept"), [(0, 0), (9, 9), (10, 9), (50, 9)])
def test_the_most_frequent_levels_are_kept(levels: int, kept: int) -> None:
    names = tuple(f"l{index}" for index in range(levels))
    axis = CategoricalAxis(names, ("rare",), twice=1)
    made = coarse(axis)
    assert isinstance(made, CategoricalAxis)
    assert made.levels == names[:kept]
    assert set(made.known) == {*names[kept:], "rare"}
    assert made.cells <= COARSE_CELLS + 2


def test_what_is_coarse_stays_as_it_is() -> None:
    for axis in (NumericAxis(tuple(map(float, range(40)))), CategoricalAxis(tuple("abcdefghijkl"))):
        assert coarse(coarse(axis)) == coarse(axis)
