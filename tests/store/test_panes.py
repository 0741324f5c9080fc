"""Spans are read in few statements, however many there are."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from driftwatch.store.panes import _merged

SPAN = st.tuples(st.integers(0, 1000), st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1]))


@given(st.lists(SPAN, max_size=60))
def test_merged_spans_cover_all_in_order_and_are_few(spans: list[tuple[int, int]]) -> None:
    merged = _merged(spans)
    assert len(merged) <= 16
    assert merged == sorted(merged)
    assert all(a[1] < b[0] for a, b in pairwise(merged))
    for low, high in spans:
        assert any(start <= low and high <= end for start, end in merged)


def test_few_spans_cover_nothing_more() -> None:
    assert _merged([(5, 6), (0, 2), (2, 3), (1, 2)]) == [(0, 3), (5, 6)]


def test_of_many_spans_the_closest_are_joined() -> None:
    spans = [(start * 100, start * 100 + 10) for start in range(16)] + [(1512, 1520)]
    assert _merged(spans) == [*spans[:15], (1500, 1520)]
