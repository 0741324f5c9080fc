"""Contrasts: Wilcoxon's z of scipy, the variance over all deals, and what they do not see."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from driftwatch.stats.contrast import contrast_p, contrasts, spread_p
from driftwatch.stats.counts import IntArray
from tests.stats.draws import count_pairs

ORDERED = np.array([True])


def padded(*counts: int) -> IntArray:
    """One row with an empty `missing`."""
    return np.array([[*counts, 0]])


def test_location_is_wilcoxon_with_ties() -> None:
    current, reference = padded(10, 20, 40, 5), padded(100, 120, 90, 11)
    x, y = (np.repeat(np.arange(5), side[0]) for side in (current, reference))
    told = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False)
    found = contrasts(current, reference, ordered=ORDERED)
    assert 2 * stats.norm.sf(found.location[0]) == pytest.approx(told.pvalue, rel=1e-9)


def test_over_all_deals_both_are_standard_and_not_correlated() -> None:
    """But for the few deals with |z| above 2, whose tail is that of a Gamma."""
    rows = np.repeat(np.arange(4), [3, 2, 4, 2])
    live = np.array(
        [np.bincount(rows[list(one)], minlength=5) for one in combinations(range(11), 4)]
    )
    reference = np.bincount(rows, minlength=5) - live
    found = contrasts(live, reference, ordered=np.ones(len(live), np.bool_))
    assert found.location.mean() == pytest.approx(0, abs=1e-3)
    assert found.spread.mean() == pytest.approx(0, abs=1e-3)
    assert np.mean(found.location**2) == pytest.approx(1, rel=5e-3)
    assert np.mean(found.spread**2) == pytest.approx(1, rel=5e-3)
    assert np.mean(found.location * found.spread) == pytest.approx(0, abs=1e-3)


def test_a_gamma_stands_for_what_few_rows_carry() -> None:
    """One row in a thousand has another value, so that their number is nearly Poisson's; location
    of atom and others is that number. 6 or more of 0.3 come once in 5 million windows."""
    reference = padded(99_700, 300)
    found = contrasts(padded(94, 6), reference, ordered=ORDERED)
    exact = stats.hypergeom.sf(5, 100_100, 306, 100)
    assert exact < stats.norm.sf(found.location[0]) < 1000 * exact
    rows = np.array([6, 94])
    assert stats.norm.sf(abs(_normal_z(rows, np.array([300, 99_700])))) < 1e-20


def _normal_z(live: IntArray, kept: IntArray) -> float:
    n, m, c = live.sum(), kept.sum(), (live + kept)[0]
    total = n + m
    variance = n * m * c * (total - c) / (total**2 * (total - 1))
    return float((live[0] - c * n / total) / np.sqrt(variance))


def test_signs() -> None:
    even = padded(100, 100, 100, 100)
    higher = contrasts(padded(5, 10, 15, 20), even, ordered=ORDERED)
    wider = contrasts(padded(20, 5, 5, 20), even, ordered=ORDERED)
    assert higher.location[0] > 2
    assert wider.spread[0] > 2
    assert wider.location[0] == pytest.approx(0)


def test_the_others_of_an_atom_are_ranked_by_themselves() -> None:
    """As if the atom were not there; a cell of less than a quarter of the values is none."""
    current, reference = padded(60, 5, 10, 25), padded(600, 200, 150, 50)
    found = contrasts(current, reference, ordered=ORDERED)
    alone = contrasts(padded(5, 10, 25), padded(200, 150, 50), ordered=ORDERED)
    assert found.rest == pytest.approx(alone.location)
    assert found.rest[0] > 1.5 * found.location[0]
    even = contrasts(padded(20, 21, 20, 20, 20), padded(*[200] * 5), ordered=ORDERED)
    assert np.isnan(even.rest).all()
    assert np.isnan(contrasts(current, reference, ordered=~ORDERED).rest).all()


def test_missing_rows_are_left_out() -> None:
    current, reference = np.array([[3, 9, 70, 0]]), np.array([[50, 50, 5, 0]])
    cells = np.array([3])
    found = contrasts(current, reference, ordered=ORDERED, cells=cells)
    without = contrasts(padded(3, 9), padded(50, 50), ordered=ORDERED)
    assert found.location[0] == pytest.approx(without.location[0])


def test_two_cells_have_no_spread_and_one_has_nothing() -> None:
    found = contrasts(padded(3, 9), padded(50, 50), ordered=ORDERED)
    assert found.spread.tolist() == [0.0]
    constant = contrasts(padded(9, 0), padded(50, 0), ordered=ORDERED)
    assert (constant.location.tolist(), constant.spread.tolist()) == ([0.0], [0.0])


def test_without_values_or_without_an_order_they_are_unknown() -> None:
    current, reference = np.array([[0, 0, 5], [1, 2, 3]]), np.array([[9, 9, 9], [9, 9, 9]])
    found = contrasts(current, reference, ordered=np.array([True, False]))
    assert np.isnan(found.location).all()
    assert np.isnan(found.spread).all()


@given(count_pairs())
def test_the_other_way_round_only_the_sign_of_location_changes(
    pair: tuple[IntArray, IntArray],
) -> None:
    current, reference = (padded(*side) for side in pair)
    found = contrasts(current, reference, ordered=ORDERED)
    turned = contrasts(padded(*pair[0][::-1]), padded(*pair[1][::-1]), ordered=ORDERED)
    assert found.location[0] == pytest.approx(-turned.location[0], abs=1e-6)
    assert found.spread[0] == pytest.approx(turned.spread[0], abs=1e-6)


def test_p_is_normal_or_students() -> None:
    z, rms = np.array([3.0, -3.0, 3.0, np.nan]), np.array([1.0, 1.5, 1.5, 1.0])
    found = contrast_p(z, rms=rms, windows=np.array([0, 0, 30, 0]))
    want = [stats.norm.sf(3.0), stats.norm.sf(2.0), stats.t(29).sf(2.0)]
    assert found[:3] == pytest.approx(2 * np.array(want))
    assert np.isnan(found[3])
    one = contrast_p(np.array([1.0]), rms=np.ones(1), windows=np.ones(1, np.int64))
    assert one == pytest.approx(0.5)  # Cauchy's


def test_a_spread_that_follows_a_wobble_of_the_location_is_no_news() -> None:
    """z = e + k s², e and s standard normal: Student's p is too small, the other is not."""
    random = np.random.default_rng(5)
    bend, size = 0.8, 200_000
    z = random.normal(size=size) + bend * np.square(random.normal(size=size))
    rms = np.full(size, np.sqrt(1 + 3 * bend**2))
    windows = np.full(size, 1000)
    found = spread_p(z, rms=rms, windows=windows)
    for limit in (0.01, 0.001):
        assert np.mean(found <= limit) == pytest.approx(limit, rel=0.2)
        assert np.mean(contrast_p(z, rms=rms, windows=windows) <= limit) > 1.8 * limit


def test_a_spread_that_does_not_stray_has_the_p_of_a_contrast() -> None:
    z, windows = np.array([0.3, 4.0, -9.0, np.nan]), np.array([0, 30, 0, 30])
    found = spread_p(z, rms=np.ones(4), windows=windows)
    assert found == pytest.approx(contrast_p(z, rms=np.ones(4), windows=windows), nan_ok=True)
