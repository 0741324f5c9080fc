"""Intervals and their alignment, in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.window import ORIGIN, Interval, floor, from_epoch, to_epoch, tumbling

DAY = datetime(2013, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)

moments = st.integers(-2_000_000_000_000, 7_000_000_000_000).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
lengths = st.sampled_from([1, 60, 300, 900, 3_600, 86_400, 604_800])


class TestEpoch:
    @given(st.integers(-(10**9), 10**10))
    def test_there_and_back(self, seconds: int) -> None:
        assert to_epoch(from_epoch(seconds)) == seconds

    def test_parts_of_a_second_are_rounded_down_also_before_1970(self) -> None:
        half = timedelta(milliseconds=500)
        assert to_epoch(from_epoch(10) + half) == 10
        assert to_epoch(from_epoch(-10) + half) == -10

    def test_it_agrees_with_the_standard_library(self) -> None:
        assert to_epoch(DAY) == DAY.timestamp()

    def test_a_moment_has_a_time_zone(self) -> None:
        with pytest.raises(ValueError, match="no time zone"):
            to_epoch(datetime(2013, 2, 8))  # noqa: DTZ001


class TestFloor:
    @given(moments, lengths)
    def test_it_is_the_latest_multiple_that_is_not_after(
        self, moment: datetime, seconds: int
    ) -> None:
        found = floor(moment, seconds)
        assert found <= moment < found + timedelta(seconds=seconds)
        assert (found - ORIGIN) % timedelta(seconds=seconds) == timedelta(0)
        assert floor(found, seconds) == found

    def test_days_begin_at_midnight_and_weeks_on_monday(self) -> None:
        moment = datetime(2026, 11, 26, 10, 7, tzinfo=UTC)
        assert floor(moment, 86_400) == datetime(2026, 11, 26, tzinfo=UTC)
        week = floor(moment, 7 * 86_400)
        assert (week.weekday(), week) == (0, datetime(2026, 11, 23, tzinfo=UTC))

    def test_a_moment_of_another_zone_is_aligned_in_utc(self) -> None:
        kathmandu = timezone(timedelta(hours=5, minutes=45))
        found = floor(datetime(2026, 11, 26, 3, 0, tzinfo=kathmandu), 86_400)
        assert found == datetime(2026, 11, 25, tzinfo=UTC)
        assert found.tzinfo is UTC

    @pytest.mark.parametrize("seconds", [0, -300])
    def test_a_length_is_positive(self, seconds: int) -> None:
        with pytest.raises(ValueError, match="must be positive"):
            floor(DAY, seconds)


class TestInterval:
    def test_it_is_half_open_and_knows_its_length(self) -> None:
        interval = Interval(DAY, DAY + HOUR)
        assert interval.seconds == 3_600
        assert str(interval) == "[2013-02-08T00:00:00Z, 2013-02-08T01:00:00Z)"

    @pytest.mark.parametrize("end", [DAY, DAY - HOUR])
    def test_it_is_never_empty(self, end: datetime) -> None:
        with pytest.raises(ValueError, match="starts before it ends"):
            Interval(DAY, end)

    @pytest.mark.parametrize(
        "moment",
        [
            datetime(2013, 2, 9),  # noqa: DTZ001
            datetime(2013, 2, 9, tzinfo=timezone(timedelta(hours=1))),
        ],
    )
    def test_both_moments_are_utc(self, moment: datetime) -> None:
        with pytest.raises(ValueError, match="is not UTC"):
            Interval(DAY, moment)
        with pytest.raises(ValueError, match="is not UTC"):
            Interval(moment, datetime(2014, 1, 1, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("start", "end", "covered"),
        [(0, 24, True), (1, 2, True), (-1, 2, False), (23, 25, False), (24, 25, False)],
    )
    def test_covering(self, start: int, end: int, covered: bool) -> None:
        day = Interval(DAY, DAY + 24 * HOUR)
        assert day.covers(Interval(DAY + start * HOUR, DAY + end * HOUR)) is covered


class TestTumbling:
    @given(moments, st.integers(0, 10**6), st.sampled_from([3_600, 86_400, 604_800]))
    def test_windows_are_whole_aligned_adjacent_and_all_that_fit(
        self, start: datetime, length: int, seconds: int
    ) -> None:
        end = start + timedelta(seconds=length)
        windows = list(tumbling(start, end, seconds))
        for window in windows:
            assert window.seconds == seconds
            assert floor(window.start, seconds) == window.start
            assert start <= window.start < window.end <= end
        for before, after in pairwise(windows):
            assert before.end == after.start
        first = windows[0].start if windows else end
        last = windows[-1].end if windows else start
        step = timedelta(seconds=seconds)
        assert first - start < step or not windows
        assert end - last < (step if windows else 2 * step)

    def test_a_span_that_is_aligned_is_used_up(self) -> None:
        windows = list(tumbling(DAY, DAY + 24 * HOUR, 3_600))
        assert len(windows) == 24
        assert (windows[0].start, windows[-1].end) == (DAY, DAY + 24 * HOUR)

    @pytest.mark.parametrize("end", [DAY, DAY - HOUR, DAY + timedelta(minutes=59)])
    def test_what_holds_no_whole_window_has_none(self, end: datetime) -> None:
        assert list(tumbling(DAY, end, 3_600)) == []
