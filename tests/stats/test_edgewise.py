"""The p of rows below edges: that of two cells, and where an edge says nothing."""

import numpy as np
import pytest
from hypothesis import given

from driftwatch.stats.cellwise import cell_p
from driftwatch.stats.counts import IntArray
from driftwatch.stats.edgewise import edge_p
from tests.stats.draws import count_pairs

ORDERED = np.array([True])


def test_an_edge_makes_two_cells_of_all_values() -> None:
    current, reference = np.array([[8, 2, 5, 7, 3]]), np.array([[10, 40, 60, 20, 90]])
    found = edge_p(current, reference, ordered=ORDERED)
    for edge in (1, 2, 3):
        sides = [
            np.array([[one[0, :edge].sum(), one[0, edge:-1].sum()]]) for one in (current, reference)
        ]
        assert found[0, edge - 1] == pytest.approx(cell_p(*sides)[0, 0])
    assert np.isnan(found[0, 3:]).all()


def test_an_edge_that_says_nothing() -> None:
    """Nothing below it, nothing between it and the edge before, nothing above it."""
    found = edge_p(
        np.array([[0, 3, 0, 5, 0, 1]]), np.array([[0, 30, 0, 20, 0, 0]]), ordered=ORDERED
    )
    assert (~np.isnan(found)).tolist() == [[False, True, False, False, False, False]]
    assert np.isnan(edge_p(np.array([[1, 2, 0]]), np.array([[5, 5, 0]]), ordered=~ORDERED)).all()
    assert np.isnan(edge_p(np.array([[0, 0, 9]]), np.array([[5, 5, 0]]), ordered=ORDERED)).all()


def test_a_lost_tail_is_seen_that_no_cell_shows() -> None:
    """Of 1,000 rows 30 are expected above the third edge, ten in each of three cells."""
    reference = np.array([[50_000, 30_000, 17_000, 1000, 1000, 1000, 0]])
    current = np.array([[520, 310, 160, 4, 3, 3, 0]])
    cells = cell_p(current, reference)[0, 3:6]
    edge = edge_p(current, reference, ordered=ORDERED)[0, 2]
    assert edge < 0.0001
    assert cells.min() > 0.005


@given(count_pairs())
def test_turned_around_it_is_the_same(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = (np.append(side, 0)[np.newaxis] for side in pair)
    turned = [np.append(side[::-1], 0)[np.newaxis] for side in pair]
    found = edge_p(current, reference, ordered=ORDERED)
    back = edge_p(turned[0], turned[1], ordered=ORDERED)
    told = found[~np.isnan(found)]
    assert np.sort(told) == pytest.approx(np.sort(back[~np.isnan(back)]), rel=1e-6)
    assert ((told >= 0) & (told <= 1)).all()


def test_padding_is_not_seen() -> None:
    current, reference = np.array([[8, 2, 5, 0]]), np.array([[10, 40, 60, 9]])
    wide = [np.pad(side, [(0, 0), (0, 3)]) for side in (current, reference)]
    found = edge_p(current, reference, ordered=ORDERED)
    told = edge_p(wide[0], wide[1], ordered=ORDERED, cells=np.array([4]))
    np.testing.assert_array_equal(told[:, :4], found)
    assert np.isnan(told[:, 4:]).all()
