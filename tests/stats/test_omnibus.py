"""X² and its moments: all tables of given margins, scipy, and how sparse cells are merged."""

from collections.abc import Iterator
from math import comb

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from driftwatch.stats.counts import IntArray
from driftwatch.stats.omnibus import merge_sparse, omnibus
from tests.stats.draws import count_pairs

ORDERED, APART = np.array([True]), np.array([False])


def tables(both: tuple[int, ...], n: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """All ways to deal n current rows over cells of `both` rows, and how many ways each is."""
    if len(both) == 1:
        if n <= both[0]:
            yield (n,), comb(both[0], n)
        return
    for first in range(min(both[0], n) + 1):
        for rest, ways in tables(both[1:], n - first):
            yield (first, *rest), comb(both[0], first) * ways


def pearson(current: IntArray, reference: IntArray) -> float:
    return float(stats.chi2_contingency([current, reference], correction=False).statistic)


@pytest.mark.parametrize(("both", "n"), [((6, 6, 8), 8), ((4, 3, 5, 9), 9), ((4, 10), 5)])
def test_the_moments_are_those_of_all_tables(both: tuple[int, ...], n: int) -> None:
    cells = np.array(both)
    deals = [(np.array(live), ways) for live, ways in tables(both, n)]
    values = np.array([pearson(live, cells - live) for live, _ in deals])
    weights = [ways for _, ways in deals]
    mean = np.average(values, weights=weights)
    variance = np.average(np.square(values - mean), weights=weights)
    live = np.round(cells * n / cells.sum()).astype(np.int64)
    live[-1] = n - live[:-1].sum()
    told = omnibus(live[np.newaxis], (cells - live)[np.newaxis], ordered=ORDERED)
    assert told.cells[0] == len(both)
    assert told.expected[0] == pytest.approx(mean)
    assert told.variance[0] == pytest.approx(variance)


def test_the_third_cumulant_is_about_that_of_windows() -> None:
    random = np.random.default_rng(2)
    for rows, shares in ((40, np.full(20, 0.05)), (400, np.array([0.97, *[0.003] * 10]))):
        law = shares / shares.sum()
        current = random.multinomial(rows, law, size=200_000)
        reference = random.multinomial(100_000, law, size=200_000)
        found = omnibus(current, reference, ordered=np.zeros(200_000, np.bool_))
        third = np.mean((found.statistic - found.expected) ** 3)
        assert found.third.mean() == pytest.approx(third, rel=0.1)
        # A Gamma of the first two moments has less.
        assert np.mean(2 * found.variance**2 / found.expected) < 0.9 * third


def test_with_full_cells_it_is_that_of_chi_square() -> None:
    found = omnibus(np.full((1, 9), 10_000), np.full((1, 9), 10_000), ordered=APART)
    assert found.third[0] == pytest.approx(8 * 8, rel=1e-3)


def test_the_statistic_is_that_of_scipy() -> None:
    current, reference = np.array([30, 20, 10, 0]), np.array([200, 250, 150, 0])
    found = omnibus(current[np.newaxis], reference[np.newaxis], ordered=APART)
    assert found.statistic[0] == pytest.approx(pearson(current[:3], reference[:3]))
    assert found.effective_rows[0] == pytest.approx(60 * 600 / 660)


def test_one_cell_cannot_differ_and_an_empty_side_is_unknown() -> None:
    current = np.array([[5, 0], [0, 0], [5, 1], [1, 1]])
    reference = np.array([[90, 0], [9, 9], [0, 0], [1, 99]])
    found = omnibus(current, reference, ordered=np.ones(4, np.bool_))
    for values in (found.statistic, found.expected, found.variance, found.third):
        assert values[[0, 3]].tolist() == [0.0, 0.0]
        assert np.isnan(values[[1, 2]]).all()


def test_neighbours_are_merged_in_order() -> None:
    current = np.array([[1, 2, 3, 4, 5, 6]])
    reference = np.array([[100, 2, 3, 95, 799, 1]])
    live, kept = merge_sparse(current, reference, ordered=ORDERED)
    # 21 of 1,000: a cell needs 48 rows. 2 + 3 wait for 95; the last one joins those before it.
    assert live.tolist() == [[1, 9, 11, 0, 0, 0]]
    assert kept.tolist() == [[100, 100, 800, 0, 0, 0]]


def test_cells_without_an_order_are_lumped() -> None:
    current = np.array([[1, 2, 3, 4], [1, 2, 3, 4]])
    reference = np.array([[60, 800, 80, 60], [20, 900, 10, 70]])
    live, kept = merge_sparse(current, reference, ordered=np.zeros(2, np.bool_))
    # 10 of 1,000: a cell needs 100. The lumped 200 are enough; the 100 of the second row are, too.
    assert live.tolist() == [[2, 8, 0, 0], [2, 8, 0, 0]]
    assert kept.tolist() == [[800, 200, 0, 0], [900, 100, 0, 0]]


def test_lumped_cells_that_expect_too_little_go_to_the_largest() -> None:
    current, reference = np.array([[1, 2, 3]]), np.array([[30, 300, 670]])
    live, kept = merge_sparse(current, reference, ordered=APART)
    assert (live.tolist(), kept.tolist()) == ([[2, 4, 0]], [[300, 700, 0]])


@given(count_pairs())
def test_merging_keeps_the_rows_and_leaves_no_sparse_cell(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = (side[np.newaxis] for side in pair)
    n, m = current.sum(), reference.sum()
    for ordered in (ORDERED, APART):
        live, kept = merge_sparse(current, reference, ordered=ordered)
        assert (live.sum(), kept.sum()) == (n, m)
        left = (live + kept > 0)[0]
        assert left.sum() == 1 or (kept[0, left] * n >= m * (1 - 1e-12)).all()
        assert not left[left.sum() :].any()


@given(count_pairs())
def test_rows_do_not_know_of_each_other(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = (side[np.newaxis] for side in pair)
    mixed = np.concatenate([current, current[:, ::-1]]), np.concatenate([reference, reference * 3])
    both = omnibus(*mixed, ordered=np.array([True, False]))
    alone = omnibus(current, reference, ordered=ORDERED)
    assert both.statistic[0] == alone.statistic[0]
    assert both.variance[0] == alone.variance[0]
