"""The two clocks: process time (health, heartbeats, timeouts) and event time (windows)."""

import time
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol


def process_now() -> datetime:
    """Process time: what the wall shows, in UTC."""
    return datetime.now(UTC)


class SteadyClock:
    """Process time by which ages are measured: the wall as it was once, carried on by the monotonic
    clock. Whoever sets the wall clock makes nothing older or younger by it."""

    def __init__(self) -> None:
        self._begun = process_now()
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        return self._begun + timedelta(seconds=time.monotonic() - self._monotonic)

    def ahead(self) -> timedelta:
        """By how much the wall was set forth (or back, below 0) since this clock was made."""
        return process_now() - self.now()


class EventClock(Protocol):
    """Event time: the `now` of evaluations."""

    def now(self) -> datetime:
        """The present moment of the rows, aware and UTC."""
        ...


class LiveClock:
    """Rows are logged as they happen: event time is process time."""

    def now(self) -> datetime:
        return process_now()


class ReplayClock:
    """Event time is as far as a replay has written its rows; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def advance(self, moment: datetime) -> None:
        """Every row before `moment` is in the log now."""
        with self._lock:
            self._now = max(self._now, moment)
