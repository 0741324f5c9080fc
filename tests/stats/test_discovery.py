"""Benjamini and Hochberg's rule: their own example, scipy, and what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftwatch.stats.discovery import discoveries

PAPER = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
PAPER += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
"""The 15 p of section 3.2 of the paper, on thrombolysis; the first four are found at 0.05."""


def test_the_example_of_the_paper() -> None:
    assert discoveries(PAPER, q=0.05).found.tolist() == [True] * 4 + [False] * 11


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_are_those_of_scipy(p: list[float]) -> None:
    expected = stats.false_discovery_control(p)
    assert discoveries(p, q=0.1).adjusted_p == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.001, 0.5))
def test_what_was_not_judged_changes_nothing(p: list[float], q: float) -> None:
    alone = discoveries(p, q=q)
    beside = discoveries([np.nan, *p, np.nan], q=q)
    assert beside.found.tolist() == [False, *alone.found.tolist(), False]
    assert beside.adjusted_p[1:-1].tolist() == alone.adjusted_p.tolist()
    assert np.isnan(beside.adjusted_p[[0, -1]]).all()


def test_worked_by_hand() -> None:
    # limits 0.0125, 0.025, 0.0375, 0.05: 0.03 passes the third, which carries 0.029 with it
    found = discoveries([0.03, 0.2, 0.001, 0.029], q=0.05)
    assert found.found.tolist() == [True, False, True, True]
    assert found.adjusted_p == pytest.approx(np.array([0.04, 0.2, 0.004, 0.04]))


def test_none_judged_none_found() -> None:
    assert discoveries([], q=0.01).found.shape == (0,)
    assert not discoveries([np.nan, np.nan], q=0.01).found.any()
    assert discoveries([0.0], q=0.01).found.tolist() == [True]


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.1], 0.0, "q lies"),
        ([0.1], 1.0, "q lies"),
        ([1.1], 0.1, "a p lies"),
        ([-0.1], 0.1, "a p lies"),
        ([[0.1]], 0.1, "shape"),
    ],
)
def test_what_is_no_p_or_q_is_refused(p: list[float], q: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        discoveries(p, q=q)


def test_the_share_of_false_discoveries_is_kept() -> None:
    """40 of 50 features without drift: on average at most q * 40/50 of what is found is false."""
    random = np.random.default_rng(11)
    shares = []
    for _ in range(2_000):
        z = random.normal(np.where(np.arange(50) < 10, 3.0, 0.0))
        found = discoveries(2 * stats.norm.sf(np.abs(z)), q=0.1).found
        shares.append(found[10:].sum() / max(found.sum(), 1))
    assert np.mean(shares) == pytest.approx(0.08, abs=0.01)
