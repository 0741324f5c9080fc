"""Parts of the triangular discrimination add up, and none exceeds the whole."""

import numpy as np
import pytest
from hypothesis import given

from driftwatch.stats.contribution import js_contribution
from driftwatch.stats.counts import IntArray
from driftwatch.stats.part import among, discrimination, one_cell, rank_parts, without_noise
from tests.stats.draws import count_pairs, shares

Pair = tuple[IntArray, IntArray]


@given(count_pairs())
def test_no_account_explains_more_than_the_change(pair: Pair) -> None:
    p, q = shares(pair[0]), shares(pair[1])
    whole = discrimination(p, q) + 1e-12
    assert 0 <= whole <= 4 + 1e-9
    assert discrimination(q, p) == pytest.approx(discrimination(p, q))
    assert (one_cell(p, q) <= whole + 1e-9 * whole).all()
    location, spread = rank_parts(p, q)
    assert location + spread <= whole + 1e-9
    assert among(p, q, np.arange(p.size) // 2) <= whole


@given(count_pairs())
def test_it_bounds_js(pair: Pair) -> None:
    """D/8 <= JS <= D ln 2 / 4 in nats (Topsøe 2000, theorem 2, in which JS is twice as large)."""
    p, q = shares(pair[0]), shares(pair[1])
    js = float(js_contribution(pair[0][np.newaxis], pair[1][np.newaxis]).sum())
    whole = discrimination(p, q)
    assert whole / 8 - 1e-12 <= js <= whole * np.log(2) / 4 + 1e-12


def test_worked_by_hand() -> None:
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.3, 0.4])
    assert discrimination(p, q) == pytest.approx(0.04 / 0.4 + 0.04 / 0.3)
    assert among(p, q, np.array([0, 0, 1])) == pytest.approx(0.04 / 0.7 + 0.04 / 0.3)
    assert one_cell(p, q)[0] == pytest.approx(0.04 / (0.4 * 0.6))


def test_a_cell_that_takes_from_all_in_proportion_explains_everything() -> None:
    q = np.array([0.1, 0.2, 0.3, 0.4])
    p = 0.7 * q + 0.3 * np.array([0, 0, 1, 0])
    assert one_cell(p, q)[2] == pytest.approx(discrimination(p, q))


def test_scores_find_what_they_are_made_for() -> None:
    q = np.full(20, 0.05)
    rising, bowl = np.linspace(-1, 1, 20), np.square(np.linspace(-1, 1, 20))
    location, spread = rank_parts(q * (1 + 0.1 * rising), q)
    assert location == pytest.approx(discrimination(q * (1 + 0.1 * rising), q), rel=0.01)
    assert spread < 0.01 * location
    p = q * (1 + 0.1 * (bowl - bowl.mean()))
    location, spread = rank_parts(p, q)
    assert spread == pytest.approx(discrimination(p, q), rel=0.01)
    assert location < 0.01 * spread


def test_one_cell_alone_cannot_change() -> None:
    one = np.array([1.0])
    assert discrimination(one, one) == 0
    assert rank_parts(one, one) == (0, 0)
    assert one_cell(one, one) == 0


def test_sampling_gives_about_the_noise_that_is_taken_off() -> None:
    random = np.random.default_rng(5)
    q = np.full(20, 0.05)
    n, m = 1_000, 5_000
    found = [
        discrimination(random.multinomial(n, q) / n, random.multinomial(m, q) / m)
        for _ in range(400)
    ]
    assert np.mean(found) == pytest.approx(19 * (1 / n + 1 / m), rel=0.05)
    assert without_noise(0.01, 19, 1 / n + 1 / m) == 0
