"""Evidently's figures: worked by hand, and how they relate to ours. test_peers.py runs it."""

import math

import numpy as np
import pytest
from hypothesis import given

from driftwatch.compat import evidently
from driftwatch.stats.counts import IntArray
from driftwatch.stats.probability import js_distance_of_probabilities
from tests.stats.draws import count_pairs, shares

CURRENT, REFERENCE = np.array([[50, 30, 20]]), np.array([[40, 40, 20]])


def test_the_distance_is_not_normed_to_one() -> None:
    apart = evidently.js_distance(np.array([[5, 0]]), np.array([[0, 9]]))
    assert apart == pytest.approx(math.sqrt(math.log(2)))


@given(count_pairs())
def test_the_distance_is_ours_by_a_constant(pair: tuple[IntArray, IntArray]) -> None:
    found = evidently.js_distance(pair[0][np.newaxis], pair[1][np.newaxis])
    ours = js_distance_of_probabilities(*map(shares, pair))
    assert found == pytest.approx(ours * math.sqrt(math.log(2)), abs=1e-12)


def test_kl_is_that_of_the_reference_against_the_current_rows() -> None:
    """0.4 ln(0.4/0.5) + 0.4 ln(0.4/0.3), the check value of KL(reference||current)."""
    assert evidently.kl_of_bins(CURRENT, REFERENCE) == pytest.approx(0.0258154085, abs=5e-11)


def test_a_zero_becomes_a_ten_thousandth() -> None:
    current, reference = np.array([[10, 0, 90]]), np.array([[40, 20, 40]])
    p = np.array([0.1, 0.0001, 0.9])
    q = np.array([0.4, 0.2, 0.4])
    psi = sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert evidently.psi_of_bins(current, reference) == pytest.approx(psi, rel=1e-12)
    kl = sum(b * math.log(b / (a / 1.0001)) for a, b in zip(p, q, strict=True))
    assert evidently.kl_of_bins(current, reference) == pytest.approx(kl, rel=1e-12)


@pytest.mark.parametrize(
    ("rows", "instead"),
    [(9_999, 1e-4), (10_000, 1e-10), (50_000, 2e-11)],
    ids=["above", "at", "below"],
)
def test_beside_a_share_as_small_it_is_a_millionth_of_that(rows: int, instead: float) -> None:
    """The stand-in falls by six orders at once, where the least share is 0.0001."""
    current, reference = np.array([[1, 0, rows - 1]]), np.array([[1, 1, 2]])
    p, q = np.array([1 / rows, instead, 1 - 1 / rows]), np.array([0.25, 0.25, 0.5])
    psi = ((p - q) * np.log(p / q)).sum()
    assert evidently.psi_of_bins(current, reference) == pytest.approx(psi, rel=1e-12)


def test_a_bin_that_is_empty_on_both_sides_counts_but_a_level_does_not() -> None:
    current, reference = np.array([[20_000, 0, 1]]), np.array([[3, 0, 5]])
    without = np.delete(current, 1, axis=1), np.delete(reference, 1, axis=1)
    for bins, levels in (
        (evidently.kl_of_bins, evidently.kl_of_levels),
        (evidently.psi_of_bins, evidently.psi_of_levels),
    ):
        assert levels(current, reference) == pytest.approx(bins(*without), rel=1e-12)
        assert abs(bins(current, reference) - bins(*without)) > 1e-5


@given(count_pairs())
def test_psi_is_symmetric(pair: tuple[IntArray, IntArray]) -> None:
    one, other = (counts[np.newaxis] for counts in pair)
    for psi in (evidently.psi_of_bins, evidently.psi_of_levels):
        assert psi(one, other) == pytest.approx(psi(other, one), rel=1e-12, abs=1e-13)
