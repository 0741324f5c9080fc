"""The time of year: windows are compared with those of the weeks around theirs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.calibration import Calibration, Shortcoming, calibrate
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.season import SeasonKey
from driftwatch.stats.significance import significance
from driftwatch.stats.year import REACH, SLICES, around, rest_of_year, weeks
from tests.stats import regimes

FEATURES = 20
ROWS = 600


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=30),
    st.integers(0, SLICES - 1),
)
def test_the_rest_is_what_adding_up_the_windows_around_gives(
    windows: list[tuple[int, int]], first: int
) -> None:
    """Windows of three hours of the day, each some weeks after the one before."""
    week = first + np.cumsum([0, *(step for _, step in windows[1:])])[: len(windows)]
    hour = np.array([hour for hour, _ in windows], dtype=np.int64)
    counts = np.arange(1, len(windows) + 1)[:, np.newaxis]
    rest = rest_of_year(counts, hour * SLICES + week % SLICES)
    for window in range(len(windows)):
        apart = (week - week[window]) % SLICES
        near = np.minimum(apart, SLICES - apart) <= REACH
        others = near & (hour == hour[window]) & (week != week[window])
        assert rest[window, 0] == counts[others].sum()


def test_the_year_is_a_ring() -> None:
    assert {0, 50} <= set(around(1))
    assert all(first in around(second) for first in range(SLICES) for second in around(first))
    assert set(around(SLICES + 3)) < set(range(SLICES, 2 * SLICES)), "of the same hour"


def test_weeks_are_counted_over_years() -> None:
    assert weeks(np.array([50, 50, 51, 0, SLICES + 0, 1, 50])).tolist() == [0, 0, 1, 2, 2, 3, 4]
    assert weeks(np.zeros(0, np.int64)).size == 0


def yearly(
    years: int, *, height: float, wobble: float, shift: float = 0.0
) -> tuple[IntArray, IntArray]:
    """Weekly windows whose mean follows the year and wanders besides: counts, slices of the year.

    shift: of all weeks after the first year.
    """
    random = np.random.default_rng(11)
    week = np.arange(years * SLICES)
    season = height * np.sin(2 * np.pi * week / SLICES)[:, np.newaxis]
    means = season + random.normal(scale=wobble, size=(week.size, FEATURES))
    edges = regimes.edges_of(means[:SLICES], random)
    means[SLICES:] += shift
    return regimes.counts_of(means, edges, random), week % SLICES


def of_one_year(counts: IntArray, slices: IntArray) -> Calibration:
    phases = {SeasonKey.NONE: np.zeros_like(slices)}
    if slices.any():
        phases[SeasonKey.YEAR] = slices
    return calibrate(counts, ordered=np.ones(FEATURES, dtype=np.bool_), phases=phases)


def p_of_second_year(counts: IntArray, slices: IntArray, found: Calibration) -> FloatArray:
    """p of the weeks after the first year, shape (weeks, F), under the key that was chosen."""
    ordered = np.ones(FEATURES, dtype=np.bool_)
    first = counts[:SLICES]
    whole = first.sum(axis=0)
    of_year = np.array([key.of_year for key in found.season])[:, np.newaxis]
    rows = []
    for week in range(SLICES, len(counts)):
        reference = np.where(of_year, first[around(int(slices[week]))].sum(axis=0), whole)
        told = significance(counts[week], reference, ordered=ordered, null=found.null)
        rows.append(told.p)
    return np.array(rows)


@pytest.mark.parametrize(("wobble", "power"), [(0.0, 0.9), (0.1, 0.35)])
def test_the_season_of_a_single_year_is_no_drift_and_hides_none(
    wobble: float, power: float
) -> None:
    """0.4 sigma are a fifth of what the season moves: beside a whole year nobody sees it."""
    counts, slices = yearly(2, height=1.0, wobble=wobble)
    found = of_one_year(counts[:SLICES], slices[:SLICES])
    assert set(found.season) == {SeasonKey.YEAR}
    assert all(Shortcoming.ONE_YEAR in one for one in found.shortcomings)
    assert (p_of_second_year(counts, slices, found) <= 0.001).mean() <= 0.003
    shifted, _ = yearly(2, height=1.0, wobble=wobble, shift=0.4)
    assert (p_of_second_year(shifted, slices, found) <= 0.001).mean() >= power
    whole = of_one_year(counts[:SLICES], np.zeros_like(slices[:SLICES]))
    assert (p_of_second_year(shifted, slices, whole) <= 0.001).mean() <= 0.01


def test_without_a_season_all_of_the_year_is_compared_with() -> None:
    counts, slices = yearly(1, height=0.0, wobble=0.1)
    found = of_one_year(counts, slices)
    assert set(found.season) == {SeasonKey.NONE}
    assert not any(found.shortcomings)


def test_two_years_tell_how_years_differ() -> None:
    found = of_one_year(*yearly(2, height=1.0, wobble=0.1))
    assert set(found.season) == {SeasonKey.YEAR}
    assert not any(Shortcoming.ONE_YEAR in one for one in found.shortcomings)
