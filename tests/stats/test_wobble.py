"""The tail of X² under a wobble: its limits, a simulation, and what a Gamma would say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftwatch.stats.counts import FloatArray
from driftwatch.stats.wobble import wobble_tail


def tail(statistic: FloatArray | float, *, phi: float = 1.0, freedom: float = 23.0) -> FloatArray:
    return wobble_tail(statistic=statistic, expected=freedom, variance=2 * freedom, phi=phi)


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(10, 29.588), (20, 45.315), (50, 86.661), (100, 149.449)]
)
def test_without_wobble_it_has_the_quantiles_of_the_table(freedom: int, quantile: float) -> None:
    """NIST/SEMATECH e-Handbook, 1.3.6.7.4, upper critical values of chi-square at 0.001."""
    assert tail(quantile, freedom=freedom) == pytest.approx(0.001, rel=2e-3)


@pytest.mark.parametrize("p", [0.1, 0.01, 1e-4, 1e-6])
def test_a_wobble_that_outweighs_sampling_is_a_square_of_normals(p: float) -> None:
    """E = 10,000 cells, phi = 11: X²/E is 1 + 10 z² but for one per cent; nodes lie 0.06 apart."""
    ratio = 1 + 10 * stats.chi2.isf(p, 1)
    assert tail(1e4 * ratio, phi=11.0, freedom=1e4) == pytest.approx(p, rel=0.2)


def test_windows_that_wobble_exceed_it_as_often_as_it_says() -> None:
    """Noncentral chi-squares with phi = 1.3; one Gamma of the same moments says 0.001 of 0.005."""
    random = np.random.default_rng(7)
    shifts = 23 * 0.3 * np.square(random.normal(size=400_000))
    drawn = random.noncentral_chisquare(23, shifts)
    p = tail(drawn, phi=1.3)
    for limit in (0.05, 0.01, 0.001):
        assert (p <= limit).mean() == pytest.approx(limit, rel=0.12)
    gamma = stats.gamma.sf(drawn, drawn.mean() ** 2 / drawn.var(), scale=drawn.var() / drawn.mean())
    assert (gamma <= 0.001).mean() > 0.003


@given(st.floats(0, 500), st.floats(1, 20), st.floats(1, 20), st.floats(1, 100))
def test_more_x2_is_less_likely_and_more_wobble_makes_it_likelier(
    statistic: float, phi: float, more: float, freedom: float
) -> None:
    here = tail(statistic, phi=phi, freedom=freedom)
    assert 0 <= here <= 1
    assert tail(statistic + 1, phi=phi, freedom=freedom) <= here
    if statistic > phi * more * freedom:
        assert tail(statistic, phi=phi * more, freedom=freedom) >= here - 1e-9


def test_what_cannot_vary_is_no_surprise_and_nan_stays() -> None:
    found = wobble_tail(
        statistic=[0.0, np.nan, 0.0, 40.0],
        expected=[0.0, np.nan, 23.0, 23.0],
        variance=[0.0, np.nan, 46.0, np.nan],
        phi=[1.0, 1.0, 2.0, 1.0],
    )
    assert found[0] == 1.0
    assert found[2] == pytest.approx(1.0, abs=1e-6)
    assert np.isnan(found[[1, 3]]).all()
    assert wobble_tail(statistic=[], expected=[], variance=[], phi=[]).shape == (0,)
