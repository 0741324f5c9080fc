"""Divergences of probabilities: golden values with their source, scipy, and their properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from scipy.spatial import distance

from driftwatch.stats import probability
from driftwatch.stats.counts import IntArray
from tests.stats.draws import count_pairs, equal_shares, shares

LN_2 = math.log(2)
BINOMIAL, UNIFORM = [9 / 25, 12 / 25, 4 / 25], [1 / 3, 1 / 3, 1 / 3]


class TestCheckValues:
    """The check values of the design: r the reference, c the current, nothing smoothed."""

    R, C = (0.4, 0.4, 0.2), (0.5, 0.3, 0.2)

    def test_kl(self) -> None:
        assert probability.kl_of_probabilities(self.C, self.R) == pytest.approx(
            0.0252671539, abs=5e-11
        )

    def test_kl_reverse(self) -> None:
        assert probability.kl_of_probabilities(self.R, self.C) == pytest.approx(
            0.0258154085, abs=5e-11
        )

    def test_js_in_nats_and_bits(self) -> None:
        js = probability.js_of_probabilities(self.C, self.R)
        assert js == pytest.approx(0.0063671983, abs=5e-11)
        assert js / LN_2 == pytest.approx(0.0091859255, abs=5e-11)

    def test_js_distance(self) -> None:
        found = probability.js_distance_of_probabilities(self.C, self.R)
        assert found == pytest.approx(0.0958432338, abs=5e-11)

    def test_an_empty_cell_of_the_reference_makes_kl_infinite(self) -> None:
        r, c = (0.5, 0.5, 0.0), (0.4, 0.4, 0.2)
        assert probability.kl_of_probabilities(c, r) == math.inf
        assert probability.kl_of_probabilities(r, c) == pytest.approx(0.2231435513, abs=5e-11)
        assert probability.psi_of_probabilities(c, r) == math.inf
        assert probability.js_of_probabilities(c, r) == pytest.approx(0.0748817616, abs=5e-11)

    def test_disjoint_distributions_have_the_largest_js(self) -> None:
        assert probability.js_of_probabilities((0.0, 1.0), (1.0, 0.0)) == LN_2
        assert probability.js_distance_of_probabilities((0.0, 1.0), (1.0, 0.0)) == 1.0

    def test_psi(self) -> None:
        r, c = (0.4, 0.6), (0.8, 0.2)
        assert probability.kl_of_probabilities(c, r) == pytest.approx(0.3347952867, abs=5e-11)
        assert probability.psi_of_probabilities(c, r) == pytest.approx(0.7167, abs=5e-5)


class TestPublishedValues:
    def test_kl_of_a_binomial_and_the_uniform_distribution(self) -> None:
        """Wikipedia, Kullback-Leibler divergence, basic example."""
        assert probability.kl_of_probabilities(BINOMIAL, UNIFORM) == pytest.approx(
            0.0852996, abs=5e-8
        )
        assert probability.kl_of_probabilities(UNIFORM, BINOMIAL) == pytest.approx(
            0.097455, abs=5e-7
        )

    def test_kl_of_two_coins(self) -> None:
        """Cover and Thomas, Elements of Information Theory, example 2.3.1, in bits."""
        p, q = (1 / 2, 1 / 2), (3 / 4, 1 / 4)
        assert probability.kl_of_probabilities(p, q) / LN_2 == pytest.approx(0.2075, abs=5e-5)
        assert probability.kl_of_probabilities(q, p) / LN_2 == pytest.approx(0.1887, abs=5e-5)

    def test_entropy_of_seven_quarters_of_a_bit(self) -> None:
        """Cover and Thomas, Elements of Information Theory, example 2.1.1, in bits."""
        found = probability.entropy_of_probabilities((1 / 2, 1 / 4, 1 / 8, 1 / 8))
        assert found / LN_2 == pytest.approx(1.75, abs=1e-15)


class TestWorkedByHand:
    P, Q = (0.64, 0.36), (0.36, 0.64)

    def test_hellinger(self) -> None:
        # sqrt(1 - sum sqrt(pq)) = sqrt(1 - 2 * 0.8 * 0.6) = sqrt(0.04)
        assert probability.hellinger_of_probabilities(self.P, self.Q) == pytest.approx(0.2)

    def test_total_variation_is_half_of_the_absolute_changes(self) -> None:
        found = probability.total_variation_of_probabilities((0.7, 0.2, 0.1), (0.4, 0.4, 0.2))
        assert found == pytest.approx((0.3 + 0.2 + 0.1) / 2)

    def test_l_infinity_is_the_largest_change(self) -> None:
        found = probability.l_infinity_of_probabilities((0.7, 0.2, 0.1), (0.4, 0.4, 0.2))
        assert found == pytest.approx(0.3)

    def test_ks_is_the_largest_gap_of_the_running_sums(self) -> None:
        # running sums .1 .4 .9 1 and .3 .7 .8 1: the gaps are .2 .3 .1 0
        found = probability.ks_of_probabilities((0.1, 0.3, 0.5, 0.1), (0.3, 0.4, 0.1, 0.2))
        assert found == pytest.approx(0.3)

    def test_a_distribution_is_at_no_distance_from_itself(self) -> None:
        for measure in (
            probability.kl_of_probabilities,
            probability.js_of_probabilities,
            probability.js_distance_of_probabilities,
            probability.psi_of_probabilities,
            probability.hellinger_of_probabilities,
            probability.total_variation_of_probabilities,
            probability.l_infinity_of_probabilities,
            probability.ks_of_probabilities,
        ):
            assert measure([*BINOMIAL, 0.0], [*BINOMIAL, 0.0]) == 0.0


class TestScipy:
    @given(count_pairs())
    def test_kl_is_the_sum_of_rel_entr_and_scipys_relative_entropy(
        self, pair: tuple[IntArray, IntArray]
    ) -> None:
        p, q = map(shares, pair)
        found = probability.kl_of_probabilities(p, q)
        assert found == pytest.approx(special.rel_entr(p, q).sum(), abs=1e-14)
        assert found == pytest.approx(stats.entropy(p, q), abs=1e-14)

    @given(count_pairs())
    def test_kl_terms_are_rel_entr(self, pair: tuple[IntArray, IntArray]) -> None:
        p, q = map(shares, pair)
        assert probability.kl_terms(p, q) == pytest.approx(special.rel_entr(p, q), abs=1e-15)

    @given(count_pairs())
    def test_js_distance_is_scipys_in_base_two(self, pair: tuple[IntArray, IntArray]) -> None:
        p, q = map(shares, pair)
        expected = 0.0 if equal_shares(*pair) else distance.jensenshannon(p, q, base=2)
        found = probability.js_distance_of_probabilities(p, q)
        assert found == pytest.approx(expected, abs=1e-8)
        assert found**2 == pytest.approx(expected**2, abs=1e-14)

    @given(count_pairs())
    def test_entropy_is_scipys(self, pair: tuple[IntArray, IntArray]) -> None:
        p = shares(pair[0])
        expected = stats.entropy(p)
        assert probability.entropy_of_probabilities(p) == pytest.approx(expected, abs=1e-14)

    @given(count_pairs())
    def test_total_variation_and_l_infinity_are_scipys_distances(
        self, pair: tuple[IntArray, IntArray]
    ) -> None:
        p, q = map(shares, pair)
        assert probability.total_variation_of_probabilities(p, q) == pytest.approx(
            distance.cityblock(p, q) / 2
        )
        assert probability.l_infinity_of_probabilities(p, q) == pytest.approx(
            distance.chebyshev(p, q)
        )

    @given(count_pairs())
    def test_hellinger_is_the_euclidean_distance_of_the_roots(
        self, pair: tuple[IntArray, IntArray]
    ) -> None:
        p, q = map(shares, pair)
        expected = distance.euclidean(np.sqrt(p), np.sqrt(q)) / math.sqrt(2)
        assert probability.hellinger_of_probabilities(p, q) == pytest.approx(expected, abs=1e-15)

    @given(count_pairs())
    def test_pooled_weights_make_js_the_likelihood_ratio_statistic(
        self, pair: tuple[IntArray, IntArray]
    ) -> None:
        """G = 2 N JSD with weights n/N and m/N, exactly."""
        current, reference = pair
        n, m = current.sum(), reference.sum()
        table = np.stack(pair)[:, (current + reference) > 0]
        g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
        js = probability.js_of_probabilities(*map(shares, pair), weight=n / (n + m))
        assert 2 * (n + m) * js == pytest.approx(g, rel=1e-9, abs=1e-9)


class TestProperties:
    @given(count_pairs())
    def test_kl_is_zero_for_equals_and_positive_otherwise(
        self, pair: tuple[IntArray, IntArray]
    ) -> None:
        kl = probability.kl_of_probabilities(*map(shares, pair))
        if equal_shares(*pair):
            assert kl == pytest.approx(0, abs=1e-15)
        else:
            assert kl > 1e-12

    @given(count_pairs())
    def test_js_is_symmetric_bounded_and_zero_for_equals_alone(
        self, pair: tuple[IntArray, IntArray]
    ) -> None:
        p, q = map(shares, pair)
        js = probability.js_of_probabilities(p, q)
        assert js == probability.js_of_probabilities(q, p)
        assert 0 <= js <= LN_2
        if equal_shares(*pair):
            assert js == pytest.approx(0, abs=1e-15)
        else:
            assert js > 1e-12

    @given(count_pairs(max_cells=4), count_pairs(max_cells=4))
    def test_js_distance_obeys_the_triangle_inequality(
        self, one: tuple[IntArray, IntArray], other: tuple[IntArray, IntArray]
    ) -> None:
        width = max(one[0].size, other[0].size)
        a, b, c = (shares(np.pad(x, (0, width - x.size))) for x in (*one, other[0]))
        d = probability.js_distance_of_probabilities
        assert d(a, c) <= d(a, b) + d(b, c) + 1e-7

    @given(count_pairs())
    def test_js_is_largest_exactly_without_a_common_cell(
        self, pair: tuple[IntArray, IntArray]
    ) -> None:
        js = probability.js_of_probabilities(*map(shares, pair))
        disjoint = not np.any((pair[0] > 0) & (pair[1] > 0))
        assert (js == pytest.approx(LN_2, abs=1e-15)) == disjoint

    @given(count_pairs())
    def test_psi_is_the_sum_of_both_directions_of_kl(self, pair: tuple[IntArray, IntArray]) -> None:
        p, q = map(shares, pair)
        kl = probability.kl_of_probabilities
        psi = probability.psi_of_probabilities(p, q)
        assert psi == pytest.approx(probability.psi_of_probabilities(q, p), abs=1e-14)
        assert psi == pytest.approx(kl(p, q) + kl(q, p), abs=1e-13)

    @given(count_pairs())
    def test_the_known_inequalities_hold(self, pair: tuple[IntArray, IntArray]) -> None:
        """Pinsker, Le Cam and Lin: how the distances bound each other."""
        p, q = map(shares, pair)
        tv = probability.total_variation_of_probabilities(p, q)
        hellinger = probability.hellinger_of_probabilities(p, q)
        rounding = 1e-12
        assert tv <= np.sqrt(probability.kl_of_probabilities(p, q) / 2) + 1e-7
        assert hellinger**2 <= tv + rounding
        assert tv <= math.sqrt(2) * hellinger + 1e-7
        assert probability.js_of_probabilities(p, q) <= LN_2 * tv + rounding
        assert probability.l_infinity_of_probabilities(p, q) <= tv + rounding
        assert probability.ks_of_probabilities(p, q) <= tv + rounding

    @given(count_pairs())
    def test_entropy_is_at_most_that_of_equal_cells(self, pair: tuple[IntArray, IntArray]) -> None:
        entropy = probability.entropy_of_probabilities(shares(pair[0]))
        assert 0 <= entropy <= math.log(pair[0].size) + 1e-14

    @given(count_pairs(), st.floats(1e-9, 1 - 1e-9))
    def test_any_weight_gives_a_js_within_its_bounds(
        self, pair: tuple[IntArray, IntArray], weight: float
    ) -> None:
        js = probability.js_of_probabilities(*map(shares, pair), weight=weight)
        entropy_of_weight = special.entr([weight, 1 - weight]).sum()
        assert 0 <= js <= entropy_of_weight + 1e-14

    def test_nan_stays_nan(self) -> None:
        nothing = np.array([np.nan, np.nan])
        assert np.isnan(probability.kl_of_probabilities(nothing, [0.5, 0.5]))
        assert np.isnan(probability.js_of_probabilities(nothing, [0.5, 0.5]))
        assert np.isnan(probability.psi_of_probabilities(nothing, [0.5, 0.5]))
        assert np.isnan(probability.entropy_of_probabilities(nothing))
        assert np.isnan(probability.l_infinity_of_probabilities(nothing, [0.5, 0.5]))

    def test_leading_axes_are_kept_and_weights_go_with_them(self) -> None:
        p = np.array([[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]])
        q = np.array([[0.4, 0.6], [0.9, 0.1], [0.0, 1.0]])
        weights = np.array([0.2, 0.5, 0.9])
        together = probability.js_of_probabilities(p, q, weight=weights)
        apart = [
            float(probability.js_of_probabilities(a, b, weight=w))
            for a, b, w in zip(p, q, weights, strict=True)
        ]
        assert together.tolist() == apart
