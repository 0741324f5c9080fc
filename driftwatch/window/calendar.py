"""Windows by the clock on the wall: days of 23 and 25 hours, weeks that begin on local Mondays."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC as UTC_ZONE
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from driftwatch.window.interval import Interval, floor, from_epoch, to_epoch, tumbling

DAY = 86_400

_WALL_ORIGIN = datetime(1970, 1, 5)  # noqa: DTZ001  # the wall has no zone
_LONGEST_SHIFT = timedelta(days=2)
"""More than any change of a clock."""
_QUARTER = 900
"""Offsets are whole quarters of an hour, and so are changes, but for a few at 00:01."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A window, named by its configured length, which changes of the clock do not touch.

    seconds: that length: 86,400 for a day of 23 hours; interval: what the window really is.
    """

    seconds: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class Calendar:
    """How windows are cut in one zone (a name of the IANA database).

    A window of s seconds begins whenever the clock on the wall shows a multiple of s since Monday
    1970-01-05 00:00. Where the clock is set forward over such a moment, it begins at the change
    (down to a quarter of an hour). What is shown twice begins a window shorter than a day both
    times, a longer one the first time. So windows of one length follow each other without a gap;
    around a change they may be shorter or longer than their name says.

    Beginnings are multiples of a pane if the zone's offsets are, and if s is and divides a day or
    is whole days.
    """

    zone: str = "UTC"

    def floor(self, moment: datetime, seconds: int) -> datetime:
        """The latest beginning of a window of `seconds` that is not after `moment`.

        >>> noon = datetime(2026, 3, 29, 12, tzinfo=UTC_ZONE)
        >>> Calendar("Europe/Berlin").floor(noon, DAY).isoformat()
        '2026-03-28T23:00:00+00:00'
        """
        if self.zone == "UTC":
            return floor(moment, seconds)
        begin = _wall_floor(self._wall(moment), seconds)
        # A clock that was set back has shown the next beginning already.
        nominal = (begin, begin + timedelta(seconds=seconds))
        times = 2 if seconds < DAY else 1
        found = (begun for wall in nominal for begun in self._moments(wall)[:times])
        return max(begun for begun in found if begun <= moment)

    def next(self, begin: datetime, seconds: int) -> datetime:
        """The beginning of the window after the one that begins at `begin`."""
        usual = begin + timedelta(seconds=seconds)
        if self.floor(usual, seconds) == usual:
            later = usual
        else:
            later = self.floor(usual + _LONGEST_SHIFT, seconds)
        while True:
            earlier = self.floor(later - timedelta(seconds=1), seconds)
            if earlier <= begin:
                return later
            later = earlier

    def tumbling(self, start: datetime, end: datetime, seconds: int) -> Iterator[Window]:
        """The whole, adjacent windows that lie inside [start, end), oldest first."""
        if self.zone == "UTC":
            for interval in tumbling(start, end, seconds):
                yield Window(seconds, interval)
            return
        begin = self.floor(start, seconds)
        if begin < start:
            begin = self.next(begin, seconds)
        while (after := self.next(begin, seconds)) <= end:
            yield Window(seconds, Interval(begin, after))
            begin = after

    def before(self, end: datetime, seconds: int) -> Window:
        """The newest whole window that ends at `end` or earlier."""
        after = self.floor(end, seconds)
        begin = self.floor(after - timedelta(seconds=1), seconds)
        return Window(seconds, Interval(begin, after))

    def weeks_before(self, window: Window, weeks: int) -> Window:
        """The same window so many weeks earlier, by the clock on the wall.

        What the clock showed twice then is in it twice. Where it left all of the window out, it is
        as long as `window`, from the change on.

        >>> berlin = Calendar("Europe/Berlin")
        >>> hour = berlin.before(datetime(2026, 3, 30, 10, tzinfo=UTC_ZONE), 3600)
        >>> str(berlin.weeks_before(hour, 1).interval)
        '[2026-03-23T10:00:00Z, 2026-03-23T11:00:00Z)'
        """
        start = self._earlier(window.interval.start, window.seconds, weeks)
        end = self._earlier(window.interval.end, window.seconds, weeks)
        if start >= end:
            end = start + (window.interval.end - window.interval.start)
        return Window(window.seconds, Interval(start, end))

    def offsets(self, first: int = 2000, last: int = 2038) -> frozenset[int]:
        """Every distance from UTC, in seconds, that the zone has in the years [first, last).

        >>> sorted(Calendar("Europe/Berlin").offsets()), Calendar("Asia/Kathmandu").offsets()
        ([3600, 7200], frozenset({20700}))
        """
        return frozenset({0}) if self.zone == "UTC" else _offsets(self.zone, first, last)

    def _earlier(self, begin: datetime, seconds: int, weeks: int) -> datetime:
        if self.zone == "UTC":
            return begin - timedelta(weeks=weeks)
        # Of a window that begins at a change, what the clock would have shown without it.
        nominal = _wall_floor(self._wall(begin), min(seconds, DAY))
        return self._moments(nominal - timedelta(weeks=weeks))[0]

    def _wall(self, moment: datetime) -> datetime:
        """What the clock shows, without a zone."""
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def _moments(self, wall: datetime) -> tuple[datetime, ...]:
        """When the clock shows `wall`: once or twice, or when it jumps over it (PEP 495)."""
        zone = ZoneInfo(self.zone)
        first, second = (_offset(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
        shown = tuple((wall - offset).replace(tzinfo=UTC_ZONE) for offset in (first, second))
        if first == second:
            return shown[:1]
        if first > second:
            return shown
        change = to_epoch(_change(shown[1], shown[0], zone))
        return (from_epoch(change - change % _QUARTER),)


UTC = Calendar()
"""The calendar of whoever names no zone."""


def _wall_floor(wall: datetime, seconds: int) -> datetime:
    step = timedelta(seconds=seconds)
    return _WALL_ORIGIN + (wall - _WALL_ORIGIN) // step * step


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    assert offset is not None, "every moment of a zone has an offset"
    return offset


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment in (low, high] at which the distance from UTC changes, to the second."""
    early = _offset(low.astimezone(zone))
    left, right = to_epoch(low), to_epoch(high)
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(from_epoch(middle).astimezone(zone)) == early:
            left = middle
        else:
            right = middle
    return from_epoch(right)


@cache
def _offsets(name: str, first: int, last: int) -> frozenset[int]:
    zone = ZoneInfo(name)
    moment, end = (datetime(year, 1, 1, tzinfo=UTC_ZONE) for year in (first, last))
    found = set()
    while moment < end:
        found.add(_offset(moment.astimezone(zone)) // timedelta(seconds=1))
        moment += timedelta(days=1)
    return frozenset(found)
