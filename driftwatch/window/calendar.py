"""Windows by the clock on the wall: days of 23 and 25 hours, weeks that begin on local Mondays."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC as UTC_ZONE
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from driftwatch.window.interval import Interval, floor, to_epoch, tumbling

DAY = 86_400
WEEK = 7 * DAY

_WALL_ORIGIN = datetime(1970, 1, 5)  # noqa: DTZ001  # the wall has no zone
_FOLD = timedelta(days=2)
"""More than any change of a clock."""


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
    1970-01-05 00:00; where the clock is set forward over such a moment, at the change. What is
    shown twice begins a window shorter than a day both times, a longer one the first time.
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
        zone = ZoneInfo(self.zone)
        shown = moment.astimezone(zone)
        begin = _WALL_ORIGIN + (
            (shown.replace(tzinfo=None) - _WALL_ORIGIN) // timedelta(seconds=seconds)
        ) * timedelta(seconds=seconds)
        if seconds < DAY:
            second = _first_moment(begin, zone, fold=1)
            if second <= moment:
                return second
        return _first_moment(begin, zone, fold=0)

    def next(self, begin: datetime, seconds: int) -> datetime:
        """The beginning of the window after the one that begins at `begin`."""
        usual = begin + timedelta(seconds=seconds)
        if self.floor(usual, seconds) == usual:
            later = usual
        else:
            later = self.floor(usual + _FOLD, seconds)
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

        >>> berlin = Calendar("Europe/Berlin")
        >>> hour = berlin.before(datetime(2026, 3, 30, 10, tzinfo=UTC_ZONE), 3600)
        >>> str(berlin.weeks_before(hour, 1).interval)
        '[2026-03-23T10:00:00Z, 2026-03-23T11:00:00Z)'
        """
        start, end = (
            self._earlier(moment, weeks) for moment in (window.interval.start, window.interval.end)
        )
        if start >= end:  # an hour that the clock left out then
            end = start + timedelta(seconds=window.interval.seconds)
        return Window(window.seconds, Interval(start, end))

    def _earlier(self, moment: datetime, weeks: int) -> datetime:
        if self.zone == "UTC":
            return moment - timedelta(weeks=weeks)
        zone = ZoneInfo(self.zone)
        wall = moment.astimezone(zone).replace(tzinfo=None) - timedelta(weeks=weeks)
        return _first_moment(wall, zone, fold=0)

    def offsets(self, first: int = 2000, last: int = 2038) -> frozenset[int]:
        """Every distance from UTC, in seconds, that the zone has in these years."""
        zone = ZoneInfo(self.zone)
        found = set()
        for year in range(first, last):
            for day in range(0, 366, 7):
                moment = datetime(year, 1, 1, tzinfo=UTC_ZONE) + timedelta(days=day)
                offset = moment.astimezone(zone).utcoffset()
                found.add(int(offset.total_seconds()) if offset else 0)
        return frozenset(found)


UTC = Calendar()
"""The calendar of whoever names no zone."""


def _first_moment(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    """When the clock shows `wall` (the first or second time), or jumps over it."""
    shown = wall.replace(tzinfo=zone, fold=fold)
    moment = shown.astimezone(UTC_ZONE)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # The clock jumps over it: read by the offset before the change, it lies after the change by
    # just what it lies after the moment of the jump on the wall.
    before = (wall - _FOLD).replace(tzinfo=zone).utcoffset()
    after = (wall + _FOLD).replace(tzinfo=zone).utcoffset()
    assert before is not None
    assert after is not None
    low = wall - after
    high = wall - before
    return _change(low.replace(tzinfo=UTC_ZONE), high.replace(tzinfo=UTC_ZONE), zone)


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment in (low, high] at which the distance from UTC changes, to the second."""
    early = low.astimezone(zone).utcoffset()
    left, right = to_epoch(low), to_epoch(high)
    while right - left > 1:
        middle = (left + right) // 2
        moment = datetime.fromtimestamp(middle, UTC_ZONE)
        if moment.astimezone(zone).utcoffset() == early:
            left = middle
        else:
            right = middle
    return datetime.fromtimestamp(right, UTC_ZONE)
