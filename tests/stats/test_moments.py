"""Mean and standard deviation from sums equal those of the values, and survive cancellation."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.counts import ColumnPanes
from driftwatch.stats.moments import moments


def panes_of(*panes: list[float]) -> ColumnPanes:
    """What a scan of these values brings home: one value bin, and `missing` for NaN."""
    known = [[value for value in pane if not math.isnan(value)] for pane in panes]
    finite = [np.array([value for value in pane if math.isfinite(value)]) for pane in panes]
    with np.errstate(over="ignore"):
        return ColumnPanes(
            cells=np.array([[len(k), len(p) - len(k)] for k, p in zip(known, panes, strict=True)]),
            infinite=np.array([len(k) - f.size for k, f in zip(known, finite, strict=True)]),
            total=np.array([values.sum() for values in finite], dtype=np.float64),
            total_squares=np.array([np.square(values).sum() for values in finite], np.float64),
            minimum=np.array([values.min() if values.size else math.nan for values in finite]),
            maximum=np.array([values.max() if values.size else math.nan for values in finite]),
        )


def test_worked_by_hand() -> None:
    """2 4 4 4 5 5 7 9 has mean 5 and standard deviation 2 (Wikipedia, Standard deviation)."""
    found = moments(panes_of([2, 4, 4, 4, 5, 5, 7, 9]))
    assert found.mean.tolist() == [5.0]
    assert found.standard_deviation.tolist() == [2.0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_equals_the_standard_library(values: list[float]) -> None:
    found = moments(panes_of(values))
    assert found.mean[0] == pytest.approx(statistics.fmean(values), abs=1e-6)
    variance = found.standard_deviation[0] ** 2
    assert variance == pytest.approx(statistics.pvariance(values), rel=1e-6, abs=1e-2)


def test_nulls_and_infinite_values_are_left_out() -> None:
    found = moments(panes_of([1, 3, math.nan, math.inf, -math.inf]))
    assert found.mean.tolist() == [2.0]
    assert found.standard_deviation.tolist() == [1.0]


def test_each_pane_has_its_own() -> None:
    found = moments(panes_of([1, 3], [math.nan], [10]))
    assert found.mean.tolist() == pytest.approx([2.0, math.nan, 10.0], nan_ok=True)
    assert found.standard_deviation.tolist() == pytest.approx([1.0, math.nan, 0.0], nan_ok=True)


@pytest.mark.parametrize("pane", [[], [math.nan, math.nan], [math.inf, -math.inf]])
def test_without_finite_values_there_is_nothing(pane: list[float]) -> None:
    found = moments(panes_of(pane))
    assert np.isnan(found.mean).all()
    assert np.isnan(found.standard_deviation).all()


def test_a_categorical_column_has_none() -> None:
    zero, nothing = np.zeros(1), np.array([math.nan])
    found = moments(
        ColumnPanes(
            cells=np.array([[5, 3, 0, 1, 2]]),
            infinite=np.zeros(1, dtype=np.int64),
            total=zero,
            total_squares=zero,
            minimum=nothing,
            maximum=nothing,
        )
    )
    assert np.isnan(found.mean).all()
    assert np.isnan(found.standard_deviation).all()


@given(
    st.floats(-1e15, 1e15),
    st.lists(st.floats(-1, 1), min_size=1, max_size=20),
)
def test_cancellation_never_leaves_what_minimum_and_maximum_allow(
    far: float, wobbles: list[float]
) -> None:
    values = [far + wobble for wobble in wobbles]
    found = moments(panes_of(values))
    assert min(values) <= found.mean[0] <= max(values)
    spread = max(values) - min(values)
    assert 0 <= found.standard_deviation[0] <= spread / 2 * (1 + 1e-9)


def test_equal_values_have_no_deviation_however_far_from_zero() -> None:
    found = moments(panes_of([1e9 + 0.1] * 7))
    assert found.mean.tolist() == [1e9 + 0.1]
    assert found.standard_deviation.tolist() == [0.0]


def test_times_keep_their_digits() -> None:
    """Seconds since 1970 of an hour of rows: the sums cancel in twelve of sixteen digits."""
    values = [1.36e9 + second for second in range(0, 3600, 10)]
    found = moments(panes_of(values))
    assert found.standard_deviation[0] == pytest.approx(statistics.pstdev(values), rel=1e-3)


def test_sums_that_overflow_give_nothing_rather_than_nonsense() -> None:
    found = moments(panes_of([1e200, 3e200]))
    assert found.mean.tolist() == [2e200]
    assert np.isnan(found.standard_deviation).all()
    assert np.isnan(moments(panes_of([1.7e308, 1.7e308])).mean).all()
