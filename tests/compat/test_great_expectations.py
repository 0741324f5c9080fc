"""Great Expectations' KL: the value of its documentation, its holdouts worked by hand, scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftwatch.compat.great_expectations import kl_of_bins, kl_of_levels
from driftwatch.stats.counts import IntArray
from tests.stats.draws import count_pairs

HOLDOUTS = st.floats(1e-9, 0.49)


def test_the_failing_case_of_its_documentation() -> None:
    """`ExpectColumnKLDivergenceToBeLessThan`, code examples: A, B, C against equal weights."""
    current, reference = np.array([[5, 3, 2]]), np.array([[1, 1, 1]])
    assert kl_of_levels(current, reference) == pytest.approx(0.06895927460353621, rel=1e-12)
    assert kl_of_bins(current, reference) == pytest.approx(0.06895927460353621, rel=1e-12)


@given(count_pairs())
def test_without_holdouts_it_is_scipys_entropy(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = pair
    expected = stats.entropy(current, reference)
    for profile in (kl_of_bins, kl_of_levels):
        found = profile(current[np.newaxis], reference[np.newaxis])
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-13)


class TestLevels:
    def test_a_level_that_was_not_expected_takes_the_holdout(self) -> None:
        """Weights .5 .5 become .45 .45, and each of two new levels has half of .1."""
        found = kl_of_levels(
            np.array([[40, 40, 15, 5]]), np.array([[7, 7, 0, 0]]), tail_weight_holdout=0.1
        )
        by_hand = 0.8 * math.log(0.4 / 0.45) + 0.15 * math.log(3) + 0.05 * math.log(1)
        assert found == pytest.approx(by_hand, rel=1e-12)

    def test_without_such_a_level_the_holdout_does_nothing(self) -> None:
        current, reference = np.array([[40, 60, 0]]), np.array([[30, 60, 10]])
        held = kl_of_levels(current, reference, tail_weight_holdout=0.2)
        assert held == kl_of_levels(current, reference)

    @given(count_pairs(), HOLDOUTS)
    def test_with_a_holdout_it_is_finite(
        self, pair: tuple[IntArray, IntArray], holdout: float
    ) -> None:
        current, reference = pair
        found = kl_of_levels(
            current[np.newaxis], reference[np.newaxis], tail_weight_holdout=holdout
        )
        assert np.isfinite(found).all()
        assert found >= 0


class TestBins:
    def test_empty_bins_share_the_internal_holdout(self) -> None:
        """Weights .5 0 .5 0 become .4 .1 .4 .1."""
        found = kl_of_bins(
            np.array([[50, 20, 20, 10]]), np.array([[5, 0, 5, 0]]), internal_weight_holdout=0.2
        )
        by_hand = 0.5 * math.log(0.5 / 0.4) + 0.2 * math.log(2) + 0.2 * math.log(0.5)
        assert found == pytest.approx(by_hand, rel=1e-12)

    def test_without_empty_bins_the_internal_holdout_cancels(self) -> None:
        current, reference = np.array([[40, 60]]), np.array([[30, 70]])
        held = kl_of_bins(current, reference, internal_weight_holdout=0.3)
        assert held == pytest.approx(kl_of_bins(current, reference), rel=1e-12)

    def test_tails_share_the_tail_holdout(self) -> None:
        """Weights .5 .5 become .35 .35 with .15 on each side."""
        found = kl_of_bins(
            np.array([[15, 35, 35, 15]]), np.array([[0, 5, 5, 0]]), tail_weight_holdout=0.3
        )
        assert found == pytest.approx(0, abs=1e-15)

    def test_both_holdouts(self) -> None:
        """Weights .5 0 .5 become .35 .1 .35 with .1 on each side."""
        found = kl_of_bins(
            np.array([[20, 20, 20, 20, 20]]),
            np.array([[0, 5, 0, 5, 0]]),
            tail_weight_holdout=0.2,
            internal_weight_holdout=0.1,
        )
        by_hand = 0.4 * math.log(0.2 / 0.35) + 0.6 * math.log(2)
        assert found == pytest.approx(by_hand, rel=1e-12)

    def test_the_last_cell_of_a_narrow_feature_is_its_tail(self) -> None:
        current = np.array([[15, 35, 35, 15], [10, 80, 10, 0]])
        reference = np.array([[0, 5, 5, 0], [0, 9, 0, 0]])
        found = kl_of_bins(current, reference, cells=np.array([4, 3]), tail_weight_holdout=0.3)
        alone = kl_of_bins(current[1:, :3], reference[1:, :3], tail_weight_holdout=0.3)
        assert found == pytest.approx([0, alone[0]], rel=1e-12, abs=1e-15)

    def test_reference_rows_in_the_tails_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no rows in the outer cells"):
            kl_of_bins(np.array([[1, 2, 3]]), np.array([[1, 2, 0]]), tail_weight_holdout=0.1)

    @given(count_pairs(), HOLDOUTS, HOLDOUTS)
    def test_with_both_holdouts_it_is_finite(
        self, pair: tuple[IntArray, IntArray], internal: float, tail: float
    ) -> None:
        current, reference = (np.pad(counts, 1)[np.newaxis] for counts in pair)
        current[0, 0] = 3
        found = kl_of_bins(
            current, reference, internal_weight_holdout=internal, tail_weight_holdout=tail
        )
        assert np.isfinite(found).all()
        assert found >= 0


@pytest.mark.parametrize("holdout", [-0.1, 1.0, 1.5])
def test_a_holdout_is_a_share(holdout: float) -> None:
    counts = np.array([[1, 2, 3]])
    with pytest.raises(ValueError, match="holdouts are"):
        kl_of_levels(counts, counts, tail_weight_holdout=holdout)
    with pytest.raises(ValueError, match="holdouts are"):
        kl_of_bins(counts, counts, internal_weight_holdout=holdout)
