"""The p of single cells: scipy's exact hypergeometric, symmetry, and where nothing can vary."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from driftwatch.stats.cellwise import cell_p
from driftwatch.stats.counts import FloatArray, IntArray
from tests.stats.draws import count_pairs


def exact(rows: IntArray, both: IntArray, n: int, m: int) -> FloatArray:
    law = stats.hypergeom(n + m, both, n)
    half = law.pmf(rows) / 2
    least = np.minimum(law.cdf(rows - 1) + half, law.sf(rows) + half)
    return np.asarray(np.minimum(2 * least, 1))


@pytest.mark.parametrize(
    ("n", "m"), [(100, 1000), (300, 100_000), (1000, 1000), (10_000, 100_000), (9000, 300)]
)
@pytest.mark.parametrize("share", [0.0005, 0.003, 0.01, 0.05, 0.3, 0.9])
def test_the_tails_are_those_of_scipy(n: int, m: int, share: float) -> None:
    c = max(6, int(share * (n + m)))
    mean = c * n / (n + m)
    sigma = np.sqrt(mean * m / (n + m) * (n + m - c) / (n + m - 1))
    z = np.concatenate([-np.arange(2.0, 8.0, 0.25), np.arange(2.0, 8.0, 0.25)])
    rows = np.unique(np.round(mean + z * sigma).astype(np.int64))
    rows = rows[(rows >= max(0, c - m)) & (rows <= min(c, n)) & (abs(rows - mean) >= 2 * sigma)]
    want = exact(rows, np.full_like(rows, c), n, m)
    told = want > 1e-12  # beyond, scipy's own sum loses its digits
    current = np.stack([rows, n - rows], axis=1)
    reference = np.stack([c - rows, m - c + rows], axis=1)
    found = cell_p(current, reference)
    assert told.any()
    assert found[told, 0] == pytest.approx(want[told], rel=0.01)
    assert found[:, 1] == pytest.approx(found[:, 0], rel=0.01)


def test_by_hand() -> None:
    # 3 of 3 rows of a cell in 4 of 10 places: C(4,3) C(6,0)/C(10,3) = 4/120, whose half counts.
    found = cell_p(np.array([[3, 1]]), np.array([[0, 6]]))
    assert found[0] == pytest.approx(4 / 120)


def test_a_tail_far_out_is_small_and_not_negative() -> None:
    found = cell_p(np.array([[900, 100]]), np.array([[1000, 99_000]]))
    assert (found >= 0).all()
    assert (found < 1e-300).all()


def test_nothing_can_vary_in_an_empty_cell_or_the_only_one() -> None:
    assert cell_p(np.array([[5, 0]]), np.array([[50, 0]])).tolist() == [[1.0, 1.0]]


def test_without_rows_on_one_side_it_is_unknown() -> None:
    found = cell_p(np.array([[0, 0], [1, 2]]), np.array([[3, 4], [0, 0]]))
    assert np.isnan(found).all()


@given(count_pairs())
def test_both_sides_are_alike(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = (side[np.newaxis] for side in pair)
    found = cell_p(current, reference)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found, cell_p(reference, current), rtol=0.02, atol=1e-300)
