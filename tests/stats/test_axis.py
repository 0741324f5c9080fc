"""Axes: the order of their cells, their labels, and what they refuse."""

import math

import numpy as np
import pytest

from driftwatch.stats.axis import CategoricalAxis, NumericAxis, Scale


def test_a_numeric_axis_has_a_label_for_each_place_of_searchsorted() -> None:
    axis = NumericAxis((0.0, 5.0, math.nextafter(5.0, math.inf), 10.0))
    places = np.searchsorted(axis.edges, [-1, 0, 4.9, 5, 5.1, 10, 99], side="right")
    labels = [axis.labels()[place] for place in places]
    assert labels == [
        "(-inf, 0)", "[0, 5)", "[0, 5)", "5", "(5, 10)", "[10, inf)", "[10, inf)",
    ]  # fmt: skip
    assert axis.labels()[axis.missing] == "missing"
    assert axis.missing == axis.cells - 1 == len(axis.labels()) - 1
    assert axis.unseen is None


def test_a_limit_just_above_a_value_is_said_to_be_so() -> None:
    axis = NumericAxis((0.0, math.nextafter(0.0, 1), 0.3, math.nextafter(12.7, 13)))
    assert axis.labels()[:-1] == ("(-inf, 0)", "0", "(0, 0.3)", "[0.3, 12.7]", "(12.7, inf)")


def test_an_axis_of_time_is_labelled_with_times() -> None:
    axis = NumericAxis((0.0, 86_400.0), Scale.TIME)
    assert axis.labels()[1] == "[1970-01-01T00:00:00Z, 1970-01-02T00:00:00Z)"


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ((), "at least one"),
        ((1.0, 1.0), "ascend"),
        ((2.0, 1.0), "ascend"),
        ((1.0, math.inf), "finite"),
        ((math.nan,), "finite"),
    ],
)
def test_edges_ascend_and_are_finite(edges: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NumericAxis(edges)


def test_the_last_cells_of_a_categorical_axis_are_other_unseen_missing() -> None:
    axis = CategoricalAxis(levels=("UA", "AA"), known=("HA", "OO"))
    labels = axis.labels()
    assert (labels[axis.other], labels[axis.unseen], labels[axis.missing]) == (
        "other", "unseen", "missing",
    )  # fmt: skip
    assert axis.missing == axis.cells - 1 == len(labels) - 1


@pytest.mark.parametrize(
    ("levels", "known"), [(("UA", "UA"), ()), (("UA",), ("UA",)), ((), ("HA", "HA"))]
)
def test_a_level_has_one_cell(levels: tuple[str, ...], known: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="distinct"):
        CategoricalAxis(levels, known)
