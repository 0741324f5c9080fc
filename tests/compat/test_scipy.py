"""scipy's figures are what scipy gives."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats
from scipy.spatial import distance

from driftwatch.compat import scipy as profile
from driftwatch.stats.counts import IntArray
from tests.stats.draws import count_pairs


@given(count_pairs())
def test_the_distance(pair: tuple[IntArray, IntArray]) -> None:
    found = profile.js_distance(pair[0][np.newaxis], pair[1][np.newaxis])
    # scipy takes the root of the last digit's rounding below zero, too.
    expected = np.nan_to_num(distance.jensenshannon(*pair))
    assert found**2 == pytest.approx(expected**2, abs=1e-14)


@given(count_pairs())
def test_kl(pair: tuple[IntArray, IntArray]) -> None:
    found = profile.kl(pair[0][np.newaxis], pair[1][np.newaxis])
    assert found == pytest.approx(stats.entropy(*pair), rel=1e-12, abs=1e-13)


@given(count_pairs())
def test_chi2_and_its_p_value(pair: tuple[IntArray, IntArray]) -> None:
    table = np.stack(pair)[:, np.add(*pair) > 0]
    expected = stats.chi2_contingency(table)
    current, reference = (counts[np.newaxis] for counts in pair)
    found = profile.chi2(current, reference)
    assert found == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert profile.chi2_p_value(current, reference) == pytest.approx(
        expected.pvalue, rel=1e-9, abs=1e-12
    )


@given(count_pairs(max_cells=2, max_rows=30))
def test_the_correction_of_small_tables(pair: tuple[IntArray, IntArray]) -> None:
    table = np.stack(pair)[:, np.add(*pair) > 0]
    found = profile.chi2(pair[0][np.newaxis], pair[1][np.newaxis])
    expected = stats.chi2_contingency(table).statistic
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_chi2_worked_by_hand() -> None:
    """Fisher's tea: 3 1 / 1 3; E = 2 everywhere, |O - E| = 1 less a half: 4 * 0.25 / 2."""
    found = profile.chi2(np.array([[3, 1]]), np.array([[1, 3]]))
    assert found == pytest.approx(0.5)
