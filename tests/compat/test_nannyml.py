"""NannyML's figures are four of ours and of scipy's. test_peers.py runs it."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from driftwatch.compat import nannyml
from driftwatch.stats.counts import IntArray
from driftwatch.stats.divergence import divergences
from tests.stats.draws import count_pairs


@given(count_pairs())
def test_its_distances_are_ours(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = (counts[np.newaxis] for counts in pair)
    ours = divergences(current, reference)
    assert nannyml.js_distance(current, reference) == ours.js_distance
    assert nannyml.hellinger(current, reference) == ours.hellinger
    assert nannyml.l_infinity(current, reference) == ours.l_infinity


def test_the_check_value_of_the_distance() -> None:
    found = nannyml.js_distance(np.array([[50, 30, 20]]), np.array([[40, 40, 20]]))
    assert found == pytest.approx(0.0958432338, abs=5e-11)


@given(count_pairs())
def test_unseen_levels_in_one_cell_or_in_many_are_the_same(
    pair: tuple[IntArray, IntArray],
) -> None:
    current, reference = pair
    known = reference > 0
    pooled = [np.append(counts[known], counts[~known].sum())[np.newaxis] for counts in pair]
    for measure in (nannyml.js_distance, nannyml.hellinger):
        apart = measure(current[np.newaxis], reference[np.newaxis])
        assert measure(*pooled) ** 2 == pytest.approx(apart**2, abs=1e-13)


def test_two_levels_are_corrected() -> None:
    current, reference = np.array([[30, 70]]), np.array([[45, 55]])
    table = [[30, 70], [45, 55]]
    corrected = stats.chi2_contingency(table, correction=True).statistic
    assert corrected < stats.chi2_contingency(table, correction=False).statistic
    assert nannyml.chi2(current, reference) == pytest.approx(corrected, rel=1e-12)
