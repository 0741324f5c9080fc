"""Contributions sum to their divergence, and the carriers are the fewest that reach a share."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from driftwatch.stats.contribution import carriers, js_contribution, kl_contribution
from driftwatch.stats.counts import IntArray
from driftwatch.stats.divergence import divergences, stack
from tests.stats.draws import count_pairs


@given(st.lists(count_pairs(), min_size=1, max_size=4))
def test_contributions_sum_to_the_divergence(pairs: list[tuple[IntArray, IntArray]]) -> None:
    current, cells = stack([pair[0] for pair in pairs])
    reference, _ = stack([pair[1] for pair in pairs])
    found = divergences(current, reference, cells=cells)
    js = js_contribution(current, reference, cells)
    kl = kl_contribution(current, reference, cells)
    assert js.sum(axis=1) == pytest.approx(found.js, abs=1e-14)
    assert kl.sum(axis=1) == pytest.approx(found.kl, abs=1e-14)
    assert (js >= 0).all()
    padding = np.arange(current.shape[1]) >= cells[:, np.newaxis]
    assert (js[padding] == 0).all()
    assert (kl[padding] == 0).all()


def test_js_contribution_worked_by_hand() -> None:
    # P = (1/2, 1/2, 0), Q = (1/2, 0, 1/2): an equal cell, one that is new and one that is gone
    found = js_contribution(np.array([[5, 5, 0]]), np.array([[50, 0, 50]]))
    assert found == pytest.approx(np.array([[0, math.log(2) / 4, math.log(2) / 4]]))


@given(count_pairs())
def test_js_contribution_is_scipys(pair: tuple[IntArray, IntArray]) -> None:
    p, q = (counts / counts.sum() for counts in pair)
    middle = (p + q) / 2
    expected = (special.rel_entr(p, middle) + special.rel_entr(q, middle)) / 2
    found = js_contribution(pair[0][np.newaxis], pair[1][np.newaxis])
    assert found[0] == pytest.approx(expected, abs=1e-15)


def test_kl_contribution_is_negative_where_rows_were_lost() -> None:
    found = kl_contribution(np.array([[3, 1]]), np.array([[1, 3]]))
    # Q' = (.3, .7)
    expected = [0.75 * math.log(0.75 / 0.3), 0.25 * math.log(0.25 / 0.7)]
    assert found == pytest.approx(np.array([expected]))
    assert found[0, 1] < 0


@pytest.mark.parametrize(("current", "reference"), [([0, 0], [3, 1]), ([3, 1], [0, 0])])
def test_without_rows_nothing_is_known_and_nothing_carries(
    current: list[int], reference: list[int]
) -> None:
    for contribution in (js_contribution, kl_contribution):
        found = contribution(np.array([current]), np.array([reference]))
        assert np.isnan(found).all()
        assert not carriers(found).any()


@pytest.mark.parametrize(
    ("contribution", "share", "expected"),
    [
        ([0.5, 0.3, 0.2], 0.5, [True, False, False]),
        ([0.2, 0.3, 0.5], 0.6, [False, True, True]),
        ([0.25, 0.25, 0.25, 0.25], 0.5, [True, True, False, False]),
        ([0.5, 0.5, 0.0], 1.0, [True, True, False]),
        ([0.9, -0.4, 0.1], 0.8, [True, False, False]),
        ([0.0, 0.0], 0.8, [False, False]),
    ],
)
def test_carriers(contribution: list[float], share: float, expected: list[bool]) -> None:
    assert carriers(np.array([contribution]), share=share)[0].tolist() == expected


@given(count_pairs(), st.floats(0.01, 1))
def test_carriers_are_the_fewest_that_reach_the_share(
    pair: tuple[IntArray, IntArray], share: float
) -> None:
    found = js_contribution(pair[0][np.newaxis], pair[1][np.newaxis])
    chosen = found[carriers(found, share=share)]
    rounding = 1e-12
    assert chosen.sum() >= share * found.sum() - rounding
    if chosen.size:
        assert chosen.sum() - chosen.min() < share * found.sum() + rounding


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        carriers(np.array([[0.1, 0.2]]), share=share)
