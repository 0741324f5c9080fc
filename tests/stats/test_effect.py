"""The effect in equivalent sigmas: quadrature, normal samples, and what is left without drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.effect import (
    EFFECT_MAX,
    debiased_js,
    effect,
    js_of_sigmas,
    sigmas_of_js,
)
from driftwatch.stats.omnibus import omnibus
from driftwatch.stats.probability import LN_2, js_of_probabilities
from tests.stats.draws import count_pairs

EDGES = stats.norm.ppf(np.sort([*np.arange(1, 20) / 20, 0.001, 0.01, 0.99, 0.999]))


def of_normal(shift: float) -> FloatArray:
    """Probabilities of N(shift, 1) in 20 quantile bins of N(0, 1) and four tail cells."""
    return np.diff([0.0, *stats.norm.cdf(EDGES - shift), 1.0])


def pearson(current: IntArray, reference: IntArray) -> tuple[FloatArray, FloatArray]:
    """X² of each row, and k - 1."""
    both = current + reference
    n, m = current.sum(axis=-1), reference.sum(axis=-1)
    rest = np.square(current - both * (n / (n + m))[..., np.newaxis]) / np.maximum(both, 1)
    return rest.sum(axis=-1) * (n + m) ** 2 / (n * m), (both > 0).sum(axis=-1) - 1.0


@pytest.mark.parametrize("shift", [0.05, 0.5, 1.0, 2.5, 6.0])
def test_the_table_inverts_a_quadrature_of_its_own(shift: float) -> None:
    def term(x: float) -> float:
        p, q = stats.norm.pdf(x), stats.norm.pdf(x - shift)
        a = (p + q) / 2
        return float((p * np.log(p / a) + q * np.log(q / a)) / 2)

    js, _ = integrate.quad(term, -12, 12 + shift, epsabs=1e-13, limit=200)
    assert js_of_sigmas(shift) == pytest.approx(js, abs=1e-12)
    assert sigmas_of_js(js) == pytest.approx(shift, abs=1e-5)


@given(st.floats(0, EFFECT_MAX))
def test_the_table_is_the_inverse(shift: float) -> None:
    assert sigmas_of_js(js_of_sigmas(shift)) == pytest.approx(shift, abs=1e-5)


@given(st.lists(st.floats(0, LN_2), min_size=2, max_size=9))
def test_more_js_is_never_less_effect_and_always_finite(js: list[float]) -> None:
    found = sigmas_of_js(np.sort(js))
    assert (np.diff(found) >= 0).all()
    assert (found >= np.sqrt(8 * np.sort(js)) * (1 - 1e-4) - 1e-9).all() or found[-1] == EFFECT_MAX
    assert found[-1] <= EFFECT_MAX


def test_the_ends_of_the_table() -> None:
    assert sigmas_of_js([0.0, LN_2]).tolist() == [0.0, EFFECT_MAX]
    assert np.isnan(sigmas_of_js(np.nan))


def test_small_effects_have_the_js_distances_of_the_literature() -> None:
    """sqrt(d²/8 / ln 2): the second-order term of every f-divergence, here of JS."""
    distances = np.sqrt(js_of_sigmas([0.05, 0.1, 0.2, 0.5]) / LN_2)
    assert distances.round(3).tolist() == [0.021, 0.042, 0.085, 0.209]


@pytest.mark.parametrize("shift", [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0])
def test_bins_lose_little(shift: float) -> None:
    binned = sigmas_of_js(js_of_probabilities(of_normal(shift), of_normal(0.0)))
    assert 0.98 * shift < binned < shift


@pytest.mark.parametrize("rows", [1_000, 10_000])
@pytest.mark.parametrize("shift", [0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0])
def test_the_median_window_reads_the_truth(rows: int, shift: float) -> None:
    """Within 0.02 up to half a sigma, within 5 % beyond; the reference has ten times the rows."""
    random = np.random.default_rng(20261127)
    current = random.multinomial(rows, of_normal(shift), size=1_000)
    reference = random.multinomial(10 * rows, of_normal(0.0), size=1_000)
    statistic, expected = pearson(current, reference)
    found = effect(current, reference, statistic=statistic, expected=expected)
    allowed = 0.02 if shift <= 0.5 else 0.05 * shift
    assert np.median(found) == pytest.approx(shift, abs=allowed)


def test_without_drift_the_median_is_none_where_raw_js_reads_a_sixth_of_a_sigma() -> None:
    random = np.random.default_rng(5)
    current = random.multinomial(1_000, of_normal(0.0), size=1_000)
    reference = random.multinomial(10_000, of_normal(0.0), size=1_000)
    statistic, expected = pearson(current, reference)
    found = effect(current, reference, statistic=statistic, expected=expected)
    assert np.median(found) == 0.0
    raw = js_of_probabilities(current / 1_000, reference / 10_000)
    assert sigmas_of_js(raw.mean()) > 0.15


@given(count_pairs(), st.floats(1, 50))
def test_debiasing_takes_off_and_phi_takes_off_more(
    pair: tuple[IntArray, IntArray], phi: float
) -> None:
    current, reference = pair
    statistic, expected = pearson(current, reference)
    js = js_of_probabilities(current / current.sum(), reference / reference.sum())
    plain = debiased_js(current, reference, statistic=statistic, expected=expected)
    calibrated = debiased_js(current, reference, statistic=statistic, expected=expected, phi=phi)
    assert 0 <= calibrated <= plain <= js


@given(count_pairs())
def test_padding_and_stacking_change_nothing(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = pair
    statistic, expected = pearson(current, reference)
    alone = effect(current, reference, statistic=statistic, expected=expected)
    wide = effect(
        np.tile(np.append(current, [0, 0]), (3, 2, 1)),
        np.tile(np.append(reference, [0, 0]), (3, 2, 1)),
        statistic=np.full((3, 2), statistic),
        expected=np.full((3, 2), expected),
    )
    assert wide == pytest.approx(np.full((3, 2), alone))


def test_worked_by_hand() -> None:
    """P = (3/4, 1/4), Q = (1/4, 3/4), A = 1/2 each: J = ln 2 - H(1/4) = 0.130812.

    b = 2 (1 - 1/2 (2 * 3/16 / (1/2)))/(4 * 40) = 0.0078125; X² = 80 (1/4) = 20, E = 80/79.
    """
    arguments = np.array([[30, 10]]), np.array([[10, 30]])
    plain = debiased_js(*arguments, statistic=[20.0], expected=[80 / 79])
    assert plain == pytest.approx(0.130812 - 0.0078125, abs=1e-6)
    half = debiased_js(*arguments, statistic=[20.0], expected=[80 / 79], phi=79 / 8)
    assert half == pytest.approx(0.130812 / 2, abs=1e-6)


def test_disjoint_counts_have_a_finite_effect() -> None:
    found = effect(
        np.array([[10**6, 0]]), np.array([[0, 10**7]]), statistic=[1.1e7], expected=[1.0]
    )
    assert 7.9 < found[0] <= EFFECT_MAX


def test_rows_in_one_cell_have_no_effect_and_no_rows_have_none_to_tell() -> None:
    counts = np.array([[0, 9, 0], [0, 0, 0], [1, 2, 3]])
    other = np.array([[0, 50, 0], [1, 2, 3], [0, 0, 0]])
    found = effect(counts, other, statistic=[0.0, np.nan, np.nan], expected=[0.0, 2.0, 2.0])
    assert found[0] == 0.0
    assert np.isnan(found[1:]).all()
    empty = np.zeros((0, 4), dtype=np.int64)
    assert effect(empty, empty, statistic=[], expected=[]).shape == (0,)


def test_a_value_that_the_reference_never_had_is_far() -> None:
    """Its cell is merged for X² with one that held all rows, or those that it replaces."""
    constant = (np.array([[0, 60, 0]]), np.array([[90, 0, 0]]))
    replaced = (np.array([[300, 200, 100, 0]]), np.array([[5000, 5000, 0, 0]]))
    for current, reference in (constant, replaced):
        merged = omnibus(current, reference, ordered=np.array([True]))
        found = debiased_js(
            current, reference, statistic=merged.statistic, expected=merged.expected
        )
        js = js_of_probabilities(current / current.sum(), reference / reference.sum())
        assert found == pytest.approx(js, rel=0.05)
