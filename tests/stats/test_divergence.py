"""Divergences of counts: by hand, against scipy on the stated probabilities, and invariances."""

import dataclasses
import math
import subprocess
import sys
import time
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.divergence import Divergence, Divergences, divergences, stack
from tests.stats.draws import count_pairs

FIELDS = [field.name for field in dataclasses.fields(Divergences)]


def single(
    current: IntArray, reference: IntArray, *, ordered: bool = False, cells: int | None = None
) -> Divergence:
    return divergences(
        current[np.newaxis],
        reference[np.newaxis],
        cells=None if cells is None else np.array([cells]),
        ordered=np.array([ordered]),
    ).at(0)


def values(divergence: Divergence) -> FloatArray:
    return np.array(dataclasses.astuple(divergence))


class TestWorkedByHand:
    """L = (3, 1), M = (1, 3): Q' = (.3, .7) and P' = (.66, .34), see the tests of smoothing."""

    found = single(np.array([3, 1]), np.array([1, 3]))

    def test_kl_is_of_the_raw_current_and_the_smoothed_reference(self) -> None:
        expected = 0.75 * math.log(0.75 / 0.3) + 0.25 * math.log(0.25 / 0.7)
        assert self.found.kl == pytest.approx(expected)
        assert self.found.kl == pytest.approx(0.4298131946, abs=5e-10)

    def test_kl_reverse_is_of_both_smoothed(self) -> None:
        assert self.found.kl_reverse == pytest.approx(0.2689570941, abs=5e-10)

    def test_psi_is_of_both_smoothed(self) -> None:
        assert self.found.psi == pytest.approx(0.5438131480, abs=5e-10)

    def test_the_others_are_of_raw_probabilities(self) -> None:
        # 3/4 ln(3/4 / (1/2)) + 1/4 ln(1/4 / (1/2)), the same from both sides
        assert self.found.js == pytest.approx(0.75 * math.log(1.5) - 0.25 * math.log(2))
        assert self.found.js_distance == pytest.approx(math.sqrt(self.found.js / math.log(2)))
        # Bhattacharyya's coefficient is 2 sqrt(3/16)
        assert self.found.hellinger == pytest.approx(math.sqrt(1 - math.sqrt(3) / 2))
        assert self.found.total_variation == 0.5
        assert self.found.l_infinity == 0.5

    def test_cross_entropy_is_that_of_the_smoothed_reference(self) -> None:
        assert self.found.entropy == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
        expected = -0.75 * math.log(0.3) - 0.25 * math.log(0.7)
        assert self.found.cross_entropy == pytest.approx(expected)
        assert self.found.perplexity == pytest.approx(math.exp(expected))


@pytest.mark.parametrize(
    ("current", "reference", "js"),
    [
        ([50, 30, 20], [40, 40, 20], 0.0063671983),
        ([40, 40, 20], [50, 50, 0], 0.0748817616),
        ([0, 7], [5, 0], math.log(2)),
    ],
)
def test_js_of_counts_has_the_check_values_of_the_design(
    current: list[int], reference: list[int], js: float
) -> None:
    assert single(np.array(current), np.array(reference)).js == pytest.approx(js, abs=5e-11)


@pytest.mark.parametrize(
    ("current", "reference", "kl", "kl_reverse", "psi"),
    [
        ([50, 30, 20], [40, 40, 20], 0.0252671539, 0.0258154085, 0.0510825624),
        ([80, 20], [40, 60], 0.3347952867, 0.3819085010, 0.7167037877),
    ],
)
def test_with_many_rows_smoothing_vanishes_into_the_check_values(
    current: list[int], reference: list[int], kl: float, kl_reverse: float, psi: float
) -> None:
    found = single(np.array(current) * 10**9, np.array(reference) * 10**9)
    assert found.kl == pytest.approx(kl, abs=1e-9)
    assert found.kl_reverse == pytest.approx(kl_reverse, abs=1e-9)
    assert found.psi == pytest.approx(psi, abs=1e-9)


def test_a_cell_that_the_reference_never_had_gives_a_large_but_finite_kl() -> None:
    found = single(np.array([40, 40, 20]), np.array([50, 50, 0]))
    assert found.kl == pytest.approx(
        0.8 * math.log(0.4 / (50.5 / 101.5)) + 0.2 * math.log(0.2 / (0.5 / 101.5))
    )


@given(count_pairs())
def test_scipy_agrees_on_the_stated_probabilities(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = pair
    width, n, m = current.size, current.sum(), reference.sum()
    p = current / n
    q_smoothed = (reference + 0.5) / (m + 0.5 * width)
    p_smoothed = (current + 0.5 * width * q_smoothed) / (n + 0.5 * width)
    found = single(current, reference)
    assert found.kl == pytest.approx(stats.entropy(p, q_smoothed), abs=1e-13)
    assert found.kl_reverse == pytest.approx(stats.entropy(q_smoothed, p_smoothed), abs=1e-13)
    both = special.rel_entr(p_smoothed, q_smoothed) + special.rel_entr(q_smoothed, p_smoothed)
    assert found.psi == pytest.approx(both.sum(), abs=1e-13)
    assert found.cross_entropy == pytest.approx(-special.xlogy(p, q_smoothed).sum(), abs=1e-13)


@given(count_pairs(max_rows=40))
def test_ks_is_the_largest_gap_of_scipys_empirical_distributions(
    pair: tuple[IntArray, IntArray],
) -> None:
    current, reference = (np.append(counts, [7]) for counts in pair)
    bins = np.arange(current.size - 1)
    rows = [np.repeat(bins, counts[:-1]) for counts in (current, reference)]
    gaps = np.subtract(*(stats.ecdf(values).cdf.evaluate(bins) for values in rows))
    assert single(current, reference, ordered=True).ks == pytest.approx(np.abs(gaps).max())


def test_ks_is_scipys_two_sample_statistic() -> None:
    random = np.random.default_rng(11)
    current, reference = random.integers(0, 8, 300), random.binomial(7, 0.55, 500)
    expected = stats.ks_2samp(current, reference).statistic
    counts = [np.bincount(values, minlength=9) for values in (current, reference)]
    assert single(*counts, ordered=True).ks == pytest.approx(expected)


def test_ks_does_not_look_at_missing_rows() -> None:
    few_missing = single(np.array([10, 30, 5]), np.array([20, 20, 0]), ordered=True)
    many_missing = single(np.array([10, 30, 5000]), np.array([20, 20, 0]), ordered=True)
    assert few_missing.ks == many_missing.ks == pytest.approx(0.25)


def test_ks_is_nan_without_order_and_without_values() -> None:
    current, reference = np.array([10, 30, 5]), np.array([20, 20, 0])
    assert math.isnan(single(current, reference, ordered=False).ks)
    assert math.isnan(single(np.array([0, 0, 9]), reference, ordered=True).ks)
    assert math.isnan(single(current, np.array([0, 0, 9]), ordered=True).ks)
    assert np.isnan(divergences(current[np.newaxis], reference[np.newaxis]).ks).all()


@pytest.mark.parametrize(("current", "reference"), [([0, 0], [3, 1]), ([3, 1], [0, 0])])
def test_without_rows_every_field_is_nan(current: list[int], reference: list[int]) -> None:
    found = single(np.array(current), np.array(reference), ordered=True)
    assert np.isnan(values(found)).all()


def test_an_empty_row_does_not_touch_its_neighbours() -> None:
    current, reference = np.array([[0, 0], [3, 1]]), np.array([[1, 3], [1, 3]])
    found = divergences(current, reference)
    assert math.isnan(found.at(0).js)
    assert values(found.at(1))[:8].tolist() == (
        values(single(np.array([3, 1]), np.array([1, 3])))[:8].tolist()
    )


@given(count_pairs(), st.randoms(use_true_random=False))
def test_permuting_cells_changes_nothing_but_ks(
    pair: tuple[IntArray, IntArray], random: Random
) -> None:
    order = list(range(pair[0].size))
    random.shuffle(order)
    plain = single(*pair)
    shuffled = single(pair[0][order], pair[1][order])
    assert values(shuffled) == pytest.approx(values(plain), rel=1e-12, abs=1e-13, nan_ok=True)


@given(st.lists(count_pairs(), min_size=1, max_size=6), st.data())
def test_stacked_rows_equal_single_rows(
    pairs: list[tuple[IntArray, IntArray]], data: st.DataObject
) -> None:
    ordered = np.array([data.draw(st.booleans()) for _ in pairs])
    current, cells = stack([pair[0] for pair in pairs])
    reference, _ = stack([pair[1] for pair in pairs])
    together = divergences(current, reference, cells=cells, ordered=ordered)
    for row, pair in enumerate(pairs):
        alone = single(*pair, ordered=bool(ordered[row]))
        assert values(together.at(row)) == pytest.approx(
            values(alone), rel=1e-12, abs=1e-13, nan_ok=True
        )


@given(count_pairs())
def test_every_value_is_within_its_range(pair: tuple[IntArray, IntArray]) -> None:
    found = single(*pair, ordered=True)
    for name in ("kl", "kl_reverse", "psi", "entropy", "cross_entropy"):
        assert 0 <= getattr(found, name) < math.inf, name
    for name in ("js_distance", "hellinger", "total_variation", "l_infinity"):
        assert 0 <= getattr(found, name) <= 1, name
    assert found.js <= math.log(2)
    assert found.perplexity >= 1
    assert math.isnan(found.ks) or 0 <= found.ks <= 1


def test_no_features_give_no_divergences() -> None:
    counts, cells = stack([])
    found = divergences(counts, counts, cells=cells, ordered=np.zeros(0, dtype=np.bool_))
    assert all(getattr(found, name).shape == (0,) for name in FIELDS)


def test_order_is_told_for_each_row() -> None:
    counts = np.array([[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="2 booleans"):
        divergences(counts, counts, ordered=np.array([True]))


def test_one_row_has_the_fields_of_all() -> None:
    assert [field.name for field in dataclasses.fields(Divergence)] == FIELDS
    counts = np.array([[4, 3, 2], [1, 5, 9]])
    found = divergences(counts, counts[::-1], ordered=np.array([True, True]))
    for row in (0, 1):
        assert values(found.at(row)).tolist() == [getattr(found, name)[row] for name in FIELDS]


def test_thousands_of_features_are_one_vectorised_step() -> None:
    """5,000 features of 25 cells take about 10 ms; a loop over features, seconds."""
    random = np.random.default_rng(7)
    current = random.multinomial(1_000, np.full(25, 1 / 25), size=5_000)
    reference = random.multinomial(100_000, np.full(25, 1 / 25), size=5_000)
    spent = []
    for _ in range(3):
        started = time.process_time()
        divergences(current, reference, ordered=np.ones(5_000, dtype=np.bool_))
        spent.append(time.process_time() - started)
    assert min(spent) < 0.1


def test_the_slow_distributions_of_scipy_are_not_imported() -> None:
    """They take longer to import than everything else here, at every start of a command."""
    program = (
        "import sys; import driftwatch.stats.divergence, driftwatch.stats.noise, "
        "driftwatch.stats.contribution, driftwatch.stats.moments, driftwatch.verdict.judge, "
        "driftwatch.alert.state; print('scipy.stats' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"
