"""Half-open UTC intervals [start, end) and their alignment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ORIGIN = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday: lengths that divide a day align to midnight UTC, and 7 days to a Monday."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORIGIN_SECONDS = 4 * 86_400


def to_epoch(moment: datetime) -> int:
    """Whole seconds since 1970-01-01 UTC, rounded down; `moment` must be aware.

    >>> to_epoch(datetime(1970, 1, 2, tzinfo=UTC))
    86400
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; moments are aware and UTC")
    return (moment - _EPOCH) // timedelta(seconds=1)


def from_epoch(seconds: int) -> datetime:
    """The aware UTC moment `seconds` after 1970-01-01.

    >>> from_epoch(86400).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return _EPOCH + timedelta(seconds=int(seconds))


def floor(moment: datetime, seconds: int) -> datetime:
    """The latest multiple of `seconds` since `ORIGIN` that is not after `moment`.

    >>> floor(datetime(2026, 11, 23, 10, 7, tzinfo=UTC), 300).isoformat()
    '2026-11-23T10:05:00+00:00'
    >>> floor(datetime(2026, 11, 26, 10, 7, tzinfo=UTC), 7 * 86400).isoformat()
    '2026-11-23T00:00:00+00:00'
    """
    if seconds <= 0:
        raise ValueError(f"a length must be positive, not {seconds}")
    since = to_epoch(moment) - _ORIGIN_SECONDS
    return from_epoch(since - since % seconds + _ORIGIN_SECONDS)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open interval [start, end) of event time, in UTC.

    >>> day = Interval(datetime(2013, 2, 8, tzinfo=UTC), datetime(2013, 2, 9, tzinfo=UTC))
    >>> day.seconds, str(day)
    (86400, '[2013-02-08T00:00:00Z, 2013-02-09T00:00:00Z)')
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.tzinfo is None or moment.utcoffset() != timedelta(0):
                raise ValueError(f"{moment!r} is not UTC; moments are aware and UTC")
        if not self.start < self.end:
            raise ValueError(f"an interval starts before it ends, not {self.start} .. {self.end}")

    @property
    def seconds(self) -> int:
        return to_epoch(self.end) - to_epoch(self.start)

    def covers(self, other: "Interval") -> bool:
        """Whether all of `other` lies inside."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        return f"[{_iso(self.start)}, {_iso(self.end)})"


def tumbling(start: datetime, end: datetime, seconds: int) -> Iterator[Interval]:
    """The whole, aligned, adjacent windows of `seconds` that lie inside [start, end).

    >>> day = datetime(2013, 2, 8, tzinfo=UTC)
    >>> [str(w) for w in tumbling(day + timedelta(minutes=1), day + timedelta(hours=2), 3600)]
    ['[2013-02-08T01:00:00Z, 2013-02-08T02:00:00Z)']
    """
    step = timedelta(seconds=seconds)
    first = floor(start, seconds)
    if first < start:
        first += step
    while first + step <= end:
        yield Interval(first, first + step)
        first += step


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
