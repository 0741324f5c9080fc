"""The noise floor: tables, scipy, and simulation."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from driftwatch.stats.counts import IntArray
from driftwatch.stats.divergence import divergences
from driftwatch.stats.noise import (
    GUARD_P,
    effective_rows,
    expected_js,
    expected_kl,
    js_guard,
    noise,
)
from tests.stats.draws import count_pairs


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 10.828), (2, 13.816), (3, 16.266), (10, 29.588), (20, 45.315), (50, 86.661)],
)
def test_the_guard_has_the_quantiles_of_the_table(freedom: int, quantile: float) -> None:
    """NIST/SEMATECH e-Handbook, 1.3.6.7.4, upper critical values at 0.001."""
    guard = js_guard(freedom + 1, 1000.0)
    assert guard * 8 * 1000 == pytest.approx(quantile, abs=5e-4)


@given(count_pairs())
def test_all_of_it_equals_the_formulas(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = pair
    n, m = float(current.sum()), float(reference.sum())
    k = int(((current + reference) > 0).sum())
    nt = n * m / (n + m)
    found = noise(current[np.newaxis], reference[np.newaxis])
    assert found.effective_rows[0] == pytest.approx(nt)
    assert found.occupied_cells[0] == k
    assert found.expected_js[0] == pytest.approx((k - 1) / (8 * nt))
    assert found.expected_kl[0] == pytest.approx((k - 1) / (2 * nt))
    expected = stats.chi2.isf(0.001, k - 1) / (8 * nt) if k > 1 else 0.0
    assert found.js_guard[0] == pytest.approx(expected)


def test_worked_by_hand() -> None:
    # nt = 100 * 300 / 400 = 75; four cells have rows, the fifth and the padding have none
    found = noise(np.array([[25, 25, 50, 0, 0, 0]]), np.array([[0, 100, 100, 100, 0, 0]]))
    assert found.effective_rows.tolist() == [75.0]
    assert found.occupied_cells.tolist() == [4]
    assert found.expected_js.tolist() == [3 / 600]
    assert found.expected_kl.tolist() == [3 / 150]
    assert found.js_guard == pytest.approx(np.array([16.266 / 600]), abs=1e-6)


def test_one_occupied_cell_has_no_noise() -> None:
    found = noise(np.array([[0, 9, 0]]), np.array([[0, 50, 0]]))
    assert found.occupied_cells.tolist() == [1]
    assert found.expected_js.tolist() == found.expected_kl.tolist() == [0.0]
    assert found.js_guard.tolist() == [0.0]


@pytest.mark.parametrize(
    ("current", "reference"), [([0, 0], [4, 4]), ([4, 4], [0, 0]), ([0, 0], [0, 0])]
)
def test_without_rows_it_is_nan(current: list[int], reference: list[int]) -> None:
    found = noise(np.array([current]), np.array([reference]))
    for values in (found.effective_rows, found.expected_js, found.expected_kl, found.js_guard):
        assert np.isnan(values).all()


def test_no_features_have_no_noise() -> None:
    found = noise(np.zeros((0, 0), dtype=np.int64), np.zeros((0, 0), dtype=np.int64))
    assert found.js_guard.shape == found.effective_rows.shape == (0,)


def test_shapes_are_kept_for_many_features_and_windows() -> None:
    cells, rows = np.array([[1, 2, 21], [2, 2, 5]]), np.array([[10.0], [500.0]])
    assert js_guard(cells, rows).shape == (2, 3)
    assert js_guard(cells, rows)[1, 0] == js_guard(2, 500.0)
    assert expected_js(cells, rows).shape == expected_kl(cells, rows).shape == (2, 3)


def test_effective_rows_of_billions_do_not_overflow() -> None:
    assert effective_rows(current=4 * 10**9, reference=4 * 10**9) == 2e9
    huge = np.array([4 * 10**9])
    assert effective_rows(current=huge, reference=huge).tolist() == [2e9]


def test_sampling_alone_gives_the_expected_noise_and_rarely_reaches_the_guard() -> None:
    random = np.random.default_rng(20261123)
    shares = np.arange(1, 22) / np.arange(1, 22).sum()
    current = random.multinomial(1_000, shares, size=20_000)
    reference = random.multinomial(20_000, shares, size=20_000)
    found, floor = divergences(current, reference), noise(current, reference)
    assert found.js.mean() == pytest.approx(floor.expected_js.mean(), rel=0.02)
    assert found.kl.mean() == pytest.approx(floor.expected_kl.mean(), rel=0.05)
    assert 0.3 * GUARD_P < (found.js > floor.js_guard).mean() < 3 * GUARD_P
    assert (found.js > floor.expected_js).mean() > 0.4
