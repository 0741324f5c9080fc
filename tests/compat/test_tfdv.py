"""TensorFlow Data Validation's figures, from its own tests: `anomalies/metrics_test.cc`."""

import numpy as np
import pytest
from hypothesis import given

from driftwatch.compat import tfdv
from driftwatch.stats.counts import IntArray
from driftwatch.stats.divergence import divergences
from tests.stats.draws import count_pairs


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([2, 2, 0, 0], [0, 1, 1, 2], 0.65563906222),  # DifferentBucketBoundaries, rebucketed
        ([2, 2, 0, 0], [0, 0, 2, 2], 1.0),  # NoOverlap
        ([3, 1], [4, 0], 0.13792538096),  # WithNaNs
        ([3, 1, 2], [3, 1, 2], 0.0),
    ],
)
def test_js_of_its_own_tests(one: list[int], other: list[int], expected: float) -> None:
    for current, reference in ((one, other), (other, one)):
        found = tfdv.js(np.array([current]), np.array([reference]))
        assert found == pytest.approx(expected, abs=2e-11)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 9], [3, 7], 0.2),  # "Normal distribution."
        ([0, 9, 1], [3, 7, 0], 0.3),  # "Missing value in both."
        ([3, 7, 0], [0, 9, 1], 0.3),  # "Missing value in both, flipped."
    ],
)
def test_l_infinity_of_its_own_tests(one: list[int], other: list[int], expected: float) -> None:
    assert tfdv.l_infinity(np.array([one]), np.array([other])) == pytest.approx(expected)


def test_nan_of_both_sides_are_two_cells_there() -> None:
    apart = tfdv.js(np.array([[3, 1, 0]]), np.array([[3, 0, 1]]))
    together = tfdv.js(np.array([[3, 1]]), np.array([[3, 1]]))
    assert apart == pytest.approx(0.25)
    assert together == 0


@given(count_pairs())
def test_js_is_the_square_of_our_distance(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = (counts[np.newaxis] for counts in pair)
    ours = divergences(current, reference)
    assert tfdv.js(current, reference) == pytest.approx(ours.js_distance**2, abs=1e-15)
    assert tfdv.l_infinity(current, reference) == ours.l_infinity
