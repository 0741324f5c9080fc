"""Clocks on the wall: what a log that keeps local time without its zone shows at a moment.

A *reading* of such a clock is carried as an aware datetime whose fields are those on the wall, so
that readings compare and subtract as they stand there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from driftwatch.window import Interval, from_epoch, to_epoch

_SECOND = timedelta(seconds=1)
_STEP = timedelta(hours=12)
"""Between two changes of a clock lies more than that."""

_BACK = timedelta(days=2)
"""No clock is set back by more than a day; after twice that all it repeated has passed."""

_FIRST, _LAST = datetime(1, 1, 9, tzinfo=UTC), datetime(9999, 12, 23, tzinfo=UTC)
"""Readings with room for that on both sides; those beyond mean "never" and "for ever"."""


@dataclass(frozen=True, slots=True)
class Wall:
    """The clock of a zone (a name of the IANA database)."""

    zone: str

    def shown(self, moment: datetime) -> datetime:
        """The reading at a moment.

        >>> Wall("Asia/Kathmandu").shown(datetime(2026, 3, 2, tzinfo=UTC)).strftime("%H:%M")
        '05:45'
        """
        if self.zone == "UTC":
            return moment
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=UTC)

    def latest(self, moment: datetime) -> datetime:
        """The largest reading up to a moment: it never falls, so that it cuts local time into
        parts that neither overlap nor leave anything out.

        While a clock that was set back repeats an hour, it stands still.

        >>> berlin = Wall("Europe/Berlin")
        >>> [berlin.latest(datetime(2026, 10, 25, hour, tzinfo=UTC)).hour for hour in range(4)]
        [2, 3, 3, 4]
        """
        if self.zone == "UTC":
            return moment
        before = (
            self.shown(change - _SECOND) + _SECOND
            for change in self._changes(moment - _BACK, moment)
        )
        return max([self.shown(moment), *before])

    def until(self, reading: datetime) -> datetime:
        """The last second at which no later reading than this one has been shown.

        >>> berlin = Wall("Europe/Berlin")
        >>> berlin.until(datetime(2026, 10, 25, 2, 30, tzinfo=UTC)).isoformat()
        '2026-10-25T00:30:00+00:00'
        """
        if self.zone == "UTC":
            return reading
        reading = min(max(reading, _FIRST), _LAST)
        low, high = to_epoch(reading - _BACK), to_epoch(reading + _BACK)
        while high - low > 1:
            middle = (low + high) // 2
            if self.latest(from_epoch(middle)) <= reading:
                low = middle
            else:
                high = middle
        return from_epoch(low)

    def days(self, interval: Interval) -> tuple[date, date]:
        """The first and the last date of rows of an interval, whether their timestamps are
        readings of this clock or say their zone themselves.

        >>> day = Interval(from_epoch(0), from_epoch(86_400))
        >>> [str(day) for day in Wall("Asia/Kathmandu").days(day)]
        ['1970-01-01', '1970-01-02']
        """
        begins = [interval.start, *self._changes(interval.start, interval.end - _SECOND)]
        first = min(self.shown(moment) for moment in begins)
        return first.date(), (self.latest(interval.end) - _SECOND).date()

    def repeated(self, interval: Interval) -> list[Interval]:
        """Where, in and around an interval, the clock showed the same readings twice: each from the
        first showing of the first of them to the last showing of the last.

        Rows of both showings have the same timestamps; they are counted with the first.

        >>> day = Interval(datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))
        >>> [str(one) for one in Wall("Europe/Berlin").repeated(day)]
        ['[2026-10-25T00:00:00Z, 2026-10-25T02:00:00Z)']
        """
        found = []
        for change in self._changes(interval.start - _BACK, interval.end + _BACK):
            back = self.shown(change - _SECOND) + _SECOND - self.shown(change)
            if back > timedelta(0):
                found.append(Interval(change - back, change + back))
        return found

    def parts(self, interval: Interval, slice_seconds: int) -> list[Interval]:
        """The interval cut at the edges of its slices, so that within a part every slice begins
        as far from UTC as the part. What has no readings of its own (a repeated hour) is left out.
        """
        cuts = sorted({interval.start, *self._cuts(interval, timedelta(seconds=slice_seconds))})
        ends = [*cuts[1:], interval.end]
        parts = [Interval(start, end) for start, end in zip(cuts, ends, strict=True)]
        return [part for part in parts if self.latest(part.start) < self.latest(part.end)] or [
            interval
        ]

    def _cuts(self, interval: Interval, step: timedelta) -> Iterator[datetime]:
        """The slices that begin after a change, and those that begin in a repeated hour."""
        for change in [interval.start, *self._changes(interval.start, interval.end)]:
            edge = interval.start - (interval.start - change) // step * step
            while edge < interval.end:
                yield edge
                if self.latest(edge) == self.shown(edge):
                    break
                edge += step

    def _changes(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The moments in (start, end] at which the distance from UTC changes."""
        if self.zone == "UTC":
            return
        while start < end:
            later = min(start + _STEP, end)
            if self._offset(start) != self._offset(later):
                yield self._change(start, later)
            start = later

    def _change(self, low: datetime, high: datetime) -> datetime:
        early, left, right = self._offset(low), to_epoch(low), to_epoch(high)
        while right - left > 1:
            middle = (left + right) // 2
            if self._offset(from_epoch(middle)) == early:
                left = middle
            else:
                right = middle
        return from_epoch(right)

    def _offset(self, moment: datetime) -> timedelta | None:
        return moment.astimezone(ZoneInfo(self.zone)).utcoffset()
