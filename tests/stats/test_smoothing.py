"""Counts become probabilities: by hand, by property, and only if they are counts."""

import numpy as np
import pytest
from hypothesis import given

from driftwatch.stats.counts import IntArray
from driftwatch.stats.smoothing import probabilities, stack
from tests.stats.draws import count_pairs


def test_smoothing_worked_by_hand() -> None:
    found = probabilities(np.array([[3, 1]]), np.array([[1, 3]]))
    assert found.current.tolist() == [[0.75, 0.25]]
    assert found.reference.tolist() == [[0.25, 0.75]]
    # (1 + .5)/(4 + 1) and (3 + .5)/(4 + 1)
    assert found.reference_smoothed == pytest.approx(np.array([[0.3, 0.7]]))
    # (3 + 1 * .3)/(4 + 1) and (1 + 1 * .7)/(4 + 1)
    assert found.current_smoothed == pytest.approx(np.array([[0.66, 0.34]]))


@given(count_pairs())
def test_all_four_sum_to_one_and_smoothed_ones_have_no_zero(
    pair: tuple[IntArray, IntArray],
) -> None:
    current, reference = pair
    found = probabilities(current[np.newaxis], reference[np.newaxis])
    for rates in (
        found.current,
        found.reference,
        found.current_smoothed,
        found.reference_smoothed,
    ):
        assert rates.sum() == pytest.approx(1)
    assert (found.current_smoothed > 0).all()
    assert (found.reference_smoothed > 0).all()


def test_padding_has_no_probability_and_does_not_count_as_cells() -> None:
    padded = probabilities(np.array([[3, 1, 0]]), np.array([[1, 3, 0]]), np.array([2]))
    single = probabilities(np.array([[3, 1]]), np.array([[1, 3]]))
    assert padded.reference_smoothed[0, :2].tolist() == single.reference_smoothed[0].tolist()
    assert padded.current_smoothed[0, :2].tolist() == single.current_smoothed[0].tolist()
    assert padded.reference_smoothed[0, 2] == padded.current_smoothed[0, 2] == 0


@pytest.mark.parametrize(("current", "reference"), [([0, 0], [1, 1]), ([1, 1], [0, 0])])
def test_without_rows_on_either_side_everything_is_nan(
    current: list[int], reference: list[int]
) -> None:
    found = probabilities(np.array([current]), np.array([reference]))
    assert np.isnan(found.current).all()
    assert np.isnan(found.reference).all()
    assert np.isnan(found.current_smoothed).all()
    assert np.isnan(found.reference_smoothed).all()


@pytest.mark.parametrize(
    ("current", "reference", "cells", "message"),
    [
        ([[1, 2]], [[1, 2, 3]], None, "one shape"),
        ([1, 2], [1, 2], None, "one shape"),
        ([[0.5, 0.5]], [[1, 2]], None, "integers"),
        ([[1, 2]], [[0.5, 0.5]], None, "integers"),
        ([[-1, 2]], [[1, 2]], None, "negative"),
        ([[1, 2]], [[1, -2]], None, "negative"),
        ([[1, 2]], [[1, 0]], [1], "beyond"),
        ([[1, 0]], [[1, 2]], [1], "beyond"),
        ([[1, 2]], [[1, 2]], [3], "at most 2"),
        ([[1, 2]], [[1, 2]], [2, 2], "1 numbers"),
    ],
)
def test_what_is_no_count_is_refused(
    current: list[object], reference: list[object], cells: list[int] | None, message: str
) -> None:
    lengths = None if cells is None else np.array(cells)
    with pytest.raises(ValueError, match=message):
        probabilities(np.array(current), np.array(reference), lengths)


def test_stacking_pads_to_the_widest() -> None:
    counts, cells = stack([np.array([1, 2, 3]), np.array([4]), np.array([5, 6])])
    assert counts.tolist() == [[1, 2, 3], [4, 0, 0], [5, 6, 0]]
    assert cells.tolist() == [3, 1, 2]


def test_stacking_nothing_gives_nothing() -> None:
    counts, cells = stack([])
    assert counts.shape == (0, 0)
    assert cells.shape == (0,)


def test_stacking_takes_rows_of_one_dimension() -> None:
    with pytest.raises(ValueError, match="one dimension"):
        stack([np.array([[1, 2]])])
