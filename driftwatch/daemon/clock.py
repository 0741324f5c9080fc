"""The two clocks: process time (health, heartbeats, timeouts) and event time (windows)."""

from datetime import UTC, datetime
from threading import Lock
from typing import Protocol


def process_now() -> datetime:
    """Process time: what the wall shows, in UTC."""
    return datetime.now(UTC)


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
