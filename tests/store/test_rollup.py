"""Sums of groups of panes, and which lengths are rolled up into which."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.store.panes import no_counts
from driftwatch.store.rollup import levels_above, sum_groups
from tests.store.samples import column_panes


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=40), st.integers(0, 99))
def test_groups_equal_the_plain_sums(pairs: list[tuple[int, int]], seed: int) -> None:
    """A pane may be in no group, in one or in several."""
    rng = np.random.default_rng(seed)
    panes = column_panes(rng, rng.integers(0, 5, 10), 4)
    pairs = sorted(pairs, key=lambda pair: pair[1])
    index = np.array([pane for pane, _ in pairs], np.int64)
    sums = sum_groups(panes, index, np.array([group for _, group in pairs], np.int64), 6)
    for group in range(6):
        chosen = [pane for pane, of_group in pairs if of_group == group]
        assert sums.cells[group].tolist() == panes.cells[chosen].sum(axis=0).tolist()
        assert sums.infinite[group] == panes.infinite[chosen].sum()
        assert sums.total[group] == panes.total[chosen].sum()
        assert sums.total_squares[group] == panes.total_squares[chosen].sum()
        low, high = panes.minimum[chosen], panes.maximum[chosen]
        known = ~np.isnan(low)
        if known.any():
            assert (sums.minimum[group], sums.maximum[group]) == (low[known].min(), np.nanmax(high))
        else:
            assert np.isnan([sums.minimum[group], sums.maximum[group]]).all()


def test_no_panes_are_zeros() -> None:
    none = np.zeros(0, np.int64)
    sums = sum_groups(no_counts(0, 3), none, none, 2)
    assert sums.cells.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_lengths_above() -> None:
    assert levels_above(60) == [3600, 86_400]
    assert levels_above(1800) == [3600, 86_400]
    assert levels_above(7200) == [86_400]
    assert levels_above(86_400) == levels_above(604_800) == levels_above(7 * 60) == []
