"""Event time and process time."""

from datetime import UTC, timedelta

from driftwatch.daemon.clock import LiveClock, ReplayClock, process_now
from tests.evaluate.log import day


def test_live_event_time_is_process_time_in_utc() -> None:
    before, now, after = process_now(), LiveClock().now(), process_now()
    assert before <= now <= after
    assert now.tzinfo is UTC


def test_a_replay_goes_on_and_never_back() -> None:
    clock = ReplayClock(day(1))
    clock.advance(day(2))
    clock.advance(day(2) - timedelta(seconds=1))
    assert clock.now() == day(2)
