"""When each monitor is evaluated."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from driftwatch.daemon.schedule import offset_seconds


@given(st.text(), st.floats(1, 1e6))
def test_an_offset_lies_in_the_interval_and_stays(name: str, every: float) -> None:
    offset = offset_seconds(name, every)
    assert 0 <= offset < every
    assert offset_seconds(name, every) == offset


def test_many_monitors_are_spread_evenly() -> None:
    tenths = Counter(int(offset_seconds(f"model-{i}", 10)) for i in range(1000))
    assert set(tenths) == set(range(10))
    assert max(tenths.values()) < 150
