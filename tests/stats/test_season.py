"""Phases of a season, and which key is worth its finer phases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.season import BLOCKS, cheapest, has_fellows, rest_of_phase, season_cost


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99)), max_size=40))
def test_the_rest_is_what_adding_up_the_others_gives(windows: list[tuple[int, int]]) -> None:
    phases = np.array([phase for phase, _ in windows], dtype=np.int64)
    counts = np.array([[rows, 1] for _, rows in windows], dtype=np.int64).reshape(-1, 2)
    rest = rest_of_phase(counts, phases)
    assert rest.shape == counts.shape
    number = np.arange(len(windows))
    block = number * BLOCKS // max(len(windows), BLOCKS)
    for window, phase in enumerate(phases):
        others = (phases == phase) & (block != block[window])
        assert rest[window].tolist() == counts[others].sum(axis=0).tolist()


def test_neighbours_in_time_are_left_out_with_a_window() -> None:
    rest = rest_of_phase(np.ones((720, 1), dtype=np.int64), np.arange(720) % 24)
    assert set(rest[:, 0].tolist()) == {27}, "three of 30 days are its block"
    few = rest_of_phase(np.ones((7, 1), dtype=np.int64), np.zeros(7, dtype=np.int64))
    assert few[:, 0].tolist() == [6] * 7


def test_windows_have_features_and_cells() -> None:
    counts = np.arange(24).reshape(4, 3, 2)
    rest = rest_of_phase(counts, np.array([7, -1, 7, -1]))
    assert rest.tolist() == counts[[2, 3, 0, 1]].tolist()


def test_a_key_is_of_no_use_where_windows_are_alone() -> None:
    rest_rows = np.full((20, 3), 500)
    rest_rows[:2, 1] = 0
    rest_rows[:3, 2] = 0
    judged = np.ones((20, 3), dtype=np.bool_)
    assert has_fellows(rest_rows, judged).tolist() == [True, True, False]
    judged[:3] = False
    assert has_fellows(rest_rows, judged).all()
    assert has_fellows(rest_rows[:0], judged[:0]).all()


NAN = np.nan


def test_the_cost_worked_by_hand() -> None:
    # ((2 + 1 + 3)/3/500 + (1 + 4 + 1)/3/250)/2 = (0.004 + 0.008)/2; without order r alone: 2/500
    found = season_cost(
        ratio=np.array([[2.0, 2.0, NAN], [1.0, NAN, NAN]]),
        location=np.array([[-1.0, NAN, 1.0], [2.0, NAN, NAN]]),
        spread=np.array([[np.sqrt(3.0), NAN, 1.0], [1.0, NAN, NAN]]),
        effective_rows=np.array([[500.0, 500.0, 500.0], [250.0, 250.0, NAN]]),
    )
    assert found == pytest.approx(np.array([0.006, 0.004, np.inf]))


def test_without_season_a_smaller_reference_costs_what_it_adds() -> None:
    """r = 1 and z = 1: 1/n + 1/m, so that phases of one's own size cost twice as much as none."""
    rows = {m: np.full((4, 1), 600 * m / (600 + m)) for m in (600.0, 600e6)}
    one = np.ones((4, 1))
    small, large = (
        season_cost(ratio=one, location=one, spread=one, effective_rows=nt)[0]
        for nt in rows.values()
    )
    assert small == pytest.approx(2 * large, rel=1e-5)


def test_a_finer_key_must_be_clearly_better_and_a_useless_one_is_passed_over() -> None:
    inf = np.inf
    costs = [np.array([1.0, inf, 1.0, inf]), np.array([0.91, 5.0, inf, inf])]
    assert cheapest(costs).tolist() == [0, 1, 0, 0]
