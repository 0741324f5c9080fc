"""Sums of groups of panes, and which lengths are rolled up into which."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.store.packs import layout_of, packs_of
from driftwatch.store.rollup import levels_above
from driftwatch.store.totals import Totals
from tests.store.samples import column_panes


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=40), st.integers(0, 99))
def test_groups_equal_the_plain_sums(pairs: list[tuple[int, int]], seed: int) -> None:
    """A pane may be in no group, in one or in several; groups may be added to in turn."""
    rng = np.random.default_rng(seed)
    panes = column_panes(rng, rng.integers(0, 5, 10), 4)
    pairs = sorted(pairs, key=lambda pair: pair[1])
    totals = Totals.of(6, layout_of([(2, 3, False), (9, 4, True)]))
    packs = packs_of({9: panes}, layout_of([(9, 4, True)]))
    half = len(pairs) // 2
    for some in (pairs[:half], pairs[half:]):
        index, groups = np.array(some, np.int64).reshape(-1, 2).T
        totals.add(packs, index, groups)
    sums = totals.packs.columns()[9]
    assert not totals.packs.columns()[2].cells.any()
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


def test_lengths_above() -> None:
    assert levels_above(60) == [3600, 86_400]
    assert levels_above(1800) == [3600, 86_400]
    assert levels_above(7200) == [86_400]
    assert levels_above(86_400) == levels_above(604_800) == levels_above(7 * 60) == []
