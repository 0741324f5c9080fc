"""Keys of segments: different values have different keys, and no value looks like a word."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.segment import COHORT, Grouping, other_key, segment_key

NASTY = st.sampled_from(
    ["", "(null)", "(other)", "null", '"', '"a"', "a=b", "a, b=c", ", ", "=", "\\", "\n", "\0", " ",
     "DE", "de", "1", "1.0", "é", "e\u0301", "@cohort", "x" * 64, "x" * 65, "(other), b=(other)"]
)  # fmt: skip
TEXTS = st.one_of(NASTY, st.text(st.characters(exclude_categories=["Cs"]), max_size=70))
VALUES = st.one_of(st.none(), TEXTS)
COMBINATIONS = st.lists(st.tuples(TEXTS, VALUES), min_size=1, max_size=3, unique_by=lambda p: p[0])


def key(combination: list[tuple[str, str | None]]) -> str:
    return segment_key([name for name, _ in combination], [value for _, value in combination])


@given(COMBINATIONS, COMBINATIONS)
def test_different_combinations_have_different_keys(
    first: list[tuple[str, str | None]], second: list[tuple[str, str | None]]
) -> None:
    assert (key(first) == key(second)) == (first == second)


@given(st.lists(VALUES, min_size=2, max_size=2), st.lists(VALUES, min_size=2, max_size=2))
def test_values_of_the_same_columns_have_different_keys(
    first: list[str | None], second: list[str | None]
) -> None:
    columns = ["a", "b"]
    assert (segment_key(columns, first) == segment_key(columns, second)) == (first == second)


@given(COMBINATIONS)
def test_no_value_forges_a_word(combination: list[tuple[str, str | None]]) -> None:
    columns = [name for name, _ in combination]
    found = key(combination)
    assert found not in ("", COHORT, other_key(columns))
    if all(value is not None for _, value in combination):
        assert found != segment_key(columns, [None] * len(columns))


@given(TEXTS)
def test_a_value_can_be_read_from_its_key(value: str) -> None:
    written = segment_key(["c"], [value]).removeprefix("c=")
    assert value == (json.loads(written) if written.startswith('"') else written)


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        (["country"], ["DE"], "country=DE"),
        (["country", "device"], ["DE", "ios"], "country=DE, device=ios"),
        (["version"], ["v2.1+gpu_a:b-c"], "version=v2.1+gpu_a:b-c"),
        (["c"], [None], "c=(null)"),
        (["c"], ["(null)"], 'c="(null)"'),
        (["c"], ["(other)"], 'c="(other)"'),
        (["c"], [""], 'c=""'),
        (["c"], ["New York"], 'c="New York"'),
        (["c"], ["São Paulo"], 'c="São Paulo"'),
        (["c"], ["DE\n"], r'c="DE\n"'),
        (["c"], ["x" * 64], "c=" + "x" * 64),
        (["c"], ["x" * 65], 'c="' + "x" * 65 + '"'),
        (["My Column"], ["1"], "My Column=1"),
        (["a=b"], ["1"], '"a=b"=1'),
    ],
)
def test_keys_as_they_are_written(
    columns: list[str], values: list[str | None], expected: str
) -> None:
    assert segment_key(columns, values) == expected


@pytest.mark.parametrize(("columns", "values"), [([], []), (["a"], []), (["a"], ["x", "y"])])
def test_a_key_needs_one_value_for_each_column(columns: list[str], values: list[str]) -> None:
    with pytest.raises(ValueError, match=f"{len(values)} values for {len(columns)} columns"):
        segment_key(columns, values)


def test_the_keys_of_a_grouping_are_in_the_order_of_its_levels() -> None:
    grouping = Grouping(("a", "b"), (("2", None), ("1", "x")))
    assert grouping.keys == ("a=2, b=(null)", "a=1, b=x", "a=(other), b=(other)")
    assert Grouping(("a",), (("1",),), rest=False).keys == ("a=1",)
    assert Grouping(("a",), ()).keys == ("a=(other)",)


@pytest.mark.parametrize(
    ("columns", "levels", "message"),
    [
        ((), (), "needs different columns"),
        (("a", "a"), (), "needs different columns"),
        (("a", "b"), (("1",),), re.escape("one value for each of ('a', 'b')")),
        (("a",), (("1",), ("1",)), "is listed twice"),
    ],
)
def test_a_grouping_of_another_shape_is_refused(
    columns: tuple[str, ...], levels: tuple[tuple[str, ...], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Grouping(columns, levels)
