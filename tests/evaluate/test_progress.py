"""How far a monitor may look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from driftwatch.config.settings import (
    FeatureSettings,
    MonitorSettings,
    RelationSettings,
    Start,
)
from driftwatch.evaluate.progress import (
    due_windows,
    first_moment,
    latest_windows,
    next_scan,
    target,
)
from driftwatch.window import Interval, Window, to_epoch
from tests.evaluate.world import FIXED

HOUR, DAY, WEEK = 3_600, 86_400, 604_800
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)

MONITOR = MonitorSettings(
    name="m",
    source="logs",
    relation=RelationSettings("t", None, "at"),
    features=(FeatureSettings("x", threshold=FIXED),),
    reference=Interval(MONDAY - timedelta(days=60), MONDAY - timedelta(days=30)),
    pane_seconds=300,
    every_seconds=300,
    delay_seconds=120,
    window_seconds=(HOUR, DAY),
    start=Start(),
    catch_up_seconds=WEEK,
)


def at(**since_monday: float) -> datetime:
    return MONDAY + timedelta(**since_monday)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (at(minutes=7), at(minutes=5)),
        (at(minutes=6, seconds=59), at()),
        (at(minutes=2), at()),
        (at(minutes=1, seconds=59), at(minutes=-5)),
    ],
)
def test_a_pane_is_complete_when_its_delay_is_over(now: datetime, end: datetime) -> None:
    assert target(MONITOR, now) == end


def test_a_new_monitor_begins_one_longest_window_back() -> None:
    assert first_moment(MONITOR, at(hours=10)) == at(days=-1)


def test_a_configured_start_is_taken_down_to_a_pane() -> None:
    monitor = replace(MONITOR, start=Start(to_epoch(at(minutes=7))))
    assert first_moment(monitor, at(days=2)) == at(minutes=5)


def test_a_scan_goes_from_the_watermark_to_the_newest_complete_pane() -> None:
    scan = next_scan(MONITOR, at(minutes=17), watermark=at(minutes=5))
    assert scan == Interval(at(minutes=5), at(minutes=15))


def test_a_scan_is_bounded_by_catch_up_and_by_what_the_source_can_bear() -> None:
    long_ago = at(days=-30)
    assert next_scan(MONITOR, at(), watermark=long_ago) == Interval(long_ago, at(days=-23))
    halved = next_scan(MONITOR, at(), watermark=long_ago, at_most_seconds=HOUR)
    assert halved == Interval(long_ago, long_ago + timedelta(hours=1))
    least = next_scan(MONITOR, at(), watermark=long_ago, at_most_seconds=1)
    assert least == Interval(long_ago, long_ago + timedelta(minutes=5))


def test_a_watermark_between_two_panes_goes_back_to_midnight() -> None:
    """Panes of 20 minutes were counted until 7:40; panes of half an hour begin a day with them."""
    monitor = replace(MONITOR, pane_seconds=1_800)
    scan = next_scan(monitor, at(hours=9, minutes=3), watermark=at(hours=7, minutes=40))
    assert scan == Interval(at(), at(hours=9))


@pytest.mark.parametrize("back", [timedelta(0), timedelta(hours=3), timedelta(days=400)])
def test_a_clock_set_back_scans_nothing(back: timedelta) -> None:
    assert next_scan(MONITOR, at(minutes=2) - back, watermark=at()) is None


def test_windows_are_due_when_the_watermark_passes_their_end() -> None:
    scan = Interval(at(hours=22, minutes=30), at(hours=24, minutes=10))
    due = dict(due_windows(MONITOR, scanned_from=at(), scan=scan))
    assert due[HOUR] == [
        Window(HOUR, Interval(at(hours=22), at(hours=23))),
        Window(HOUR, Interval(at(hours=23), at(hours=24))),
    ]
    assert due[DAY] == [Window(DAY, Interval(at(), at(days=1)))]


def test_a_window_is_never_due_twice() -> None:
    first = Interval(at(hours=22), at(hours=24))
    second = Interval(at(hours=24), at(hours=25))
    seen = [
        window
        for scan in (first, second)
        for _, windows in due_windows(MONITOR, scanned_from=at(), scan=scan)
        for window in windows
    ]
    assert len(seen) == len(set(seen)) == 4


def test_a_window_that_began_before_the_monitor_is_left_out() -> None:
    scan = Interval(at(hours=5), at(hours=30))
    due = dict(due_windows(MONITOR, scanned_from=at(hours=5), scan=scan))
    assert due[DAY] == []
    assert due[HOUR][0].interval.start == at(hours=5)


def test_the_latest_windows_that_hold_a_part_of_an_interval() -> None:
    until = at(days=2, hours=3, minutes=20)

    def ends(within: Interval) -> dict[int, list[datetime]]:
        found = latest_windows(MONITOR, until, 3, within)
        return {
            seconds: [one.interval.end for one in found if one.seconds == seconds]
            for seconds in MONITOR.window_seconds
        }

    hours = [at(days=2, hours=one) for one in (1, 2, 3)]
    assert ends(Interval(at(days=-9), until)) == {
        HOUR: hours,
        DAY: [at(days=0), at(days=1), at(days=2)],
    }
    assert ends(Interval(at(days=1, hours=23), at(days=2, hours=2))) == {
        HOUR: [],
        DAY: [at(days=2)],
    }
    assert ends(Interval(at(days=2, hours=1, minutes=30), until)) == {HOUR: hours[1:], DAY: []}
    assert ends(Interval(at(days=0), at(days=1))) == {HOUR: [], DAY: []}
