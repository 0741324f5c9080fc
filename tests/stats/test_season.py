"""Phases of a season, and which key is worth its finer phases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.season import cheapest, has_fellows, rest_of_phase, season_cost


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99)), max_size=20))
def test_the_rest_is_what_adding_up_the_others_gives(windows: list[tuple[int, int]]) -> None:
    phases = np.array([phase for phase, _ in windows], dtype=np.int64)
    counts = np.array([[rows, 1] for _, rows in windows], dtype=np.int64).reshape(-1, 2)
    rest = rest_of_phase(counts, phases)
    assert rest.shape == counts.shape
    for number, phase in enumerate(phases):
        others = (phases == phase) & (np.arange(len(windows)) != number)
        assert rest[number].tolist() == counts[others].sum(axis=0).tolist()


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


def test_the_cost_worked_by_hand() -> None:
    # two windows judged: ((30 - 20)/500 + (25 - 20)/500)/2 + 20/5000 = 0.015 + 0.004
    found = season_cost(
        statistic=np.array([[30.0, np.nan], [25.0, np.nan], [np.nan, np.nan]]),
        expected=np.full((3, 2), 20.0),
        effective_rows=np.full((3, 2), 500.0),
        reference_rows=np.full((3, 2), 5000.0),
    )
    assert found[0] == pytest.approx(0.019)
    assert found[1] == np.inf


def test_less_than_chance_is_no_bargain() -> None:
    found = season_cost(
        statistic=np.full((4, 1), 10.0),
        expected=np.full((4, 1), 20.0),
        effective_rows=np.full((4, 1), 500.0),
        reference_rows=np.full((4, 1), 1000.0),
    )
    assert found.tolist() == [0.02]


def test_a_finer_key_must_be_clearly_better_and_a_useless_one_is_passed_over() -> None:
    inf = np.inf
    costs = [np.array([1.0, inf, 1.0, inf]), np.array([0.91, 5.0, inf, inf])]
    assert cheapest(costs).tolist() == [0, 1, 0, 0]
