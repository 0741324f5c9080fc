"""Windows by the clock on the wall, held to what a clock shows when it is read every quarter."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.window import Calendar, Interval, Window, floor, from_epoch, to_epoch, tumbling

HOUR, DAY, WEEK = 3_600, 86_400, 604_800
QUARTER, DAYS = timedelta(minutes=15), timedelta(days=1)
MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001  # the wall has no zone

CHANGES = {
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2013-03-10", "2013-11-03"],
    "America/Havana": ["2026-03-08", "2026-11-01"],  # midnight is left out, and shown twice
    "Africa/Cairo": ["2026-04-24", "2026-10-29"],  # midnight is left out; the hour before it twice
    "Asia/Beirut": ["2026-03-29", "2026-10-25"],
    "Australia/Lord_Howe": ["2026-04-04", "2026-10-03"],  # by half an hour
    "Antarctica/Troll": ["2026-03-29", "2026-10-25"],  # by two hours
    "Africa/Casablanca": ["2026-02-15", "2026-03-22"],  # around Ramadan
    "Pacific/Apia": ["2011-12-30"],  # a whole day is left out
    "Asia/Kathmandu": ["2026-01-01"],
    "Asia/Kolkata": ["2026-07-01"],
    "America/St_Johns": ["2026-03-08", "2026-11-01"],
    "Pacific/Chatham": ["2026-04-04", "2026-09-26"],
    "UTC": ["2026-07-01"],
}
PLACES = [(zone, day) for zone, days in CHANGES.items() for day in days]
LENGTHS = [900, 1_800, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, WEEK]

UNTIMED = settings(deadline=None)
places = st.sampled_from(PLACES)
lengths = st.sampled_from(LENGTHS)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def shown(moment: datetime, zone: str) -> str:
    return wall(moment, zone).isoformat(sep=" ", timespec="minutes")


@cache
def readings(zone: str, day: str) -> list[tuple[datetime, datetime]]:
    """Every quarter around a day, and what the clock shows then."""
    start = utc(day) - timedelta(days=24)
    moments = [start + i * QUARTER for i in range(48 * 96)]
    return [(moment, wall(moment, zone)) for moment in moments]


@cache
def beginnings(zone: str, day: str, seconds: int) -> list[datetime]:
    """Of all windows around a day, by reading the clock at every quarter of an hour."""
    step = timedelta(seconds=seconds)
    found, seen = [], set()
    for (_, before), (moment, late) in pairwise(readings(zone, day)):
        nominal = MONDAY + (late - MONDAY) // step * step
        if min(before + QUARTER, late) <= nominal and (seconds < DAY or nominal not in seen):
            found.append(moment)
        seen.add(nominal)
    return found


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, str, datetime]:
    """A zone, a day at which its clock changes, and a moment near that."""
    zone, day = draw(places)
    near = draw(st.integers(-3 * DAY, 4 * DAY) | st.integers(-3 * 96, 4 * 96).map((900).__mul__))
    microseconds = draw(st.sampled_from([0, 0, 1, 999_999]))
    return zone, day, utc(day) + timedelta(seconds=near, microseconds=microseconds)


class TestAgainstTheClock:
    @pytest.mark.parametrize("seconds", LENGTHS)
    @pytest.mark.parametrize(("zone", "day"), PLACES)
    def test_windows_begin_where_the_clock_says(self, zone: str, day: str, seconds: int) -> None:
        # The first beginnings are left out: what the clock showed before is not known there.
        expected = [one for one in beginnings(zone, day, seconds) if one >= utc(day) - 9 * DAYS]
        windows = list(Calendar(zone).tumbling(expected[0], expected[-1], seconds))

        assert [window.interval.start for window in windows] == expected[:-1]
        assert [window.interval.end for window in windows] == expected[1:]
        assert {window.seconds for window in windows} == {seconds}

    @UNTIMED
    @given(moments(), lengths)
    def test_a_moment_lies_in_the_window_that_began_last(
        self, place: tuple[str, str, datetime], seconds: int
    ) -> None:
        zone, day, moment = place
        calendar, known = Calendar(zone), beginnings(zone, day, seconds)

        begin = calendar.floor(moment, seconds)

        assert begin == max(one for one in known if one <= moment)
        assert calendar.floor(begin, seconds) == begin
        assert calendar.next(begin, seconds) == min(one for one in known if one > moment)
        assert begin.tzinfo is UTC

    @UNTIMED
    @given(moments(), lengths)
    def test_the_newest_whole_window(self, place: tuple[str, str, datetime], seconds: int) -> None:
        zone, day, end = place
        known = [one for one in beginnings(zone, day, seconds) if one <= end]

        found = Calendar(zone).before(end, seconds)

        assert found == Window(seconds, Interval(known[-2], known[-1]))

    @UNTIMED
    @given(moments(), st.integers(0, 10 * DAY), lengths)
    def test_whole_windows_inside_an_interval_tile(
        self, place: tuple[str, str, datetime], length: int, seconds: int
    ) -> None:
        zone, day, start = place
        end = start + timedelta(seconds=length)
        known = [one for one in beginnings(zone, day, seconds) if start <= one <= end]

        found = [one.interval for one in Calendar(zone).tumbling(start, end, seconds)]

        assert found == [Interval(*pair) for pair in pairwise(known)]


class TestChanges:
    @pytest.mark.parametrize(
        ("zone", "day", "hours"),
        [
            ("Europe/Berlin", "2026-03-29", 23),
            ("Europe/Berlin", "2026-10-25", 25),
            ("Europe/Berlin", "2026-07-01", 24),
            ("America/Havana", "2026-03-08", 23),
            ("America/Havana", "2026-11-01", 25),
            ("Africa/Cairo", "2026-04-24", 23),
            ("Africa/Cairo", "2026-10-29", 25),
            ("Asia/Beirut", "2026-03-29", 23),
            ("Asia/Beirut", "2026-10-24", 25),
            ("Australia/Lord_Howe", "2026-04-05", 24.5),
            ("Australia/Lord_Howe", "2026-10-04", 23.5),
            ("Antarctica/Troll", "2026-03-29", 22),
            ("Asia/Kathmandu", "2026-03-29", 24),
        ],
    )
    def test_days_are_as_long_as_the_clock_makes_them(
        self, zone: str, day: str, hours: float
    ) -> None:
        noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
        calendar = Calendar(zone)

        begin = calendar.floor(noon.astimezone(UTC), DAY)

        assert calendar.next(begin, DAY) - begin == timedelta(hours=hours)
        assert shown(begin, zone)[:10] == day

    def test_a_week_begins_on_a_local_monday(self) -> None:
        week = Calendar("Asia/Kathmandu").before(utc("2026-10-25"), WEEK).interval
        assert str(week) == "[2026-10-11T18:15:00Z, 2026-10-18T18:15:00Z)"

    def test_an_hour_that_is_shown_twice_is_two_windows(self) -> None:
        windows = Calendar("Europe/Berlin").tumbling(
            utc("2026-10-24T23:00"), utc("2026-10-25T03:00"), HOUR
        )
        begun = [shown(one.interval.start, "Europe/Berlin")[11:] for one in windows]
        assert begun == ["01:00", "02:00", "02:00", "03:00"]

    def test_an_hour_that_is_left_out_is_no_window(self) -> None:
        windows = Calendar("Europe/Berlin").tumbling(
            utc("2026-03-29T00:00"), utc("2026-03-29T03:00"), HOUR
        )
        begun = [shown(one.interval.start, "Europe/Berlin")[11:] for one in windows]
        assert begun == ["01:00", "03:00", "04:00"]

    def test_half_an_hour_more_or_less_is_one_window(self) -> None:
        calendar = Calendar("Australia/Lord_Howe")
        longer = calendar.before(utc("2026-04-04T15:30"), HOUR).interval
        shorter = calendar.before(utc("2026-10-03T16:00"), HOUR).interval
        assert (longer.seconds, shorter.seconds) == (5_400, 1_800)

    def test_midnight_that_is_shown_after_a_change_back_begins_one_day(self) -> None:
        """St. John's changed at 00:01, back to 23:01 of the day before."""
        calendar = Calendar("America/St_Johns")
        (first, second) = calendar.tumbling(utc("2010-11-06T02:30"), utc("2010-11-08T04:00"), DAY)
        assert str(first.interval) == "[2010-11-06T02:30:00Z, 2010-11-07T02:30:00Z)"
        assert str(second.interval) == "[2010-11-07T02:30:00Z, 2010-11-08T03:30:00Z)"
        assert calendar.floor(utc("2010-11-07T02:45"), DAY) == second.interval.start

    def test_windows_are_whole_panes_even_where_the_clock_changes_a_minute_past(self) -> None:
        calendar = Calendar("Antarctica/Casey")  # 2022-10-01 16:01 UTC, from 00:01 to 03:01
        windows = calendar.tumbling(utc("2022-10-01T15:00"), utc("2022-10-01T18:00"), HOUR)
        assert [to_epoch(one.interval.start) % HOUR for one in windows] == [0, 0, 0]

    def test_beginnings_are_multiples_of_what_the_offsets_are(self) -> None:
        """Of every zone that there is, at the changes of a year."""
        seen = 0
        for zone in sorted(available_timezones() - {"Factory", "localtime"}):
            calendar = Calendar(zone)
            pane = HOUR if all(one % HOUR == 0 for one in calendar.offsets(2022, 2023)) else 900
            for day in changing_days(zone):
                seen += 1
                for seconds in (HOUR, DAY):
                    begin = calendar.floor(from_epoch(day * DAY), seconds)
                    for _ in range(3):
                        begin = calendar.next(begin, seconds)
                        assert to_epoch(begin) % pane == 0, (zone, begin)
        assert seen > 300


def changing_days(zone: str) -> list[int]:
    """Days since 1970, of 2022, in which the clock of a zone changes."""
    first = to_epoch(utc("2022-01-01")) // DAY
    clock = [wall(from_epoch(day * DAY), zone) for day in range(first, first + 366)]
    return [first + i for i, (a, b) in enumerate(pairwise(clock)) if b - a != DAYS]


class TestUtc:
    @UNTIMED
    @given(st.integers(-(10**9), 4 * 10**9), st.integers(0, 10 * DAY), lengths)
    def test_it_is_the_alignment_of_intervals(self, epoch: int, length: int, seconds: int) -> None:
        start = from_epoch(epoch)
        end = start + timedelta(seconds=length)
        for zone in ("UTC", "Etc/UTC"):
            calendar = Calendar(zone)
            assert calendar.floor(start, seconds) == floor(start, seconds)
            found = [one.interval for one in calendar.tumbling(start, end, seconds)]
            assert found == list(tumbling(start, end, seconds))


class TestWeeksBefore:
    @UNTIMED
    @given(moments(), lengths, st.integers(1, 3))
    def test_the_clock_shows_the_same(
        self, place: tuple[str, str, datetime], seconds: int, weeks: int
    ) -> None:
        zone, _, moment = place
        calendar = Calendar(zone)
        window = calendar.before(moment, seconds)

        earlier = calendar.weeks_before(window, weeks)

        assert earlier.seconds == seconds
        grid = min(seconds, DAY)  # two days are not a part of a week
        assert calendar.floor(earlier.interval.start, grid) == earlier.interval.start
        back = timedelta(weeks=weeks)
        wanted = nominal(window.interval.start, zone, grid) - back
        # Unless the clock left it out then, and the window begins at the change.
        assert nominal(earlier.interval.start, zone, grid) >= wanted
        if wanted in quarters(earlier.interval.start, zone):
            assert wall(earlier.interval.start, zone) == wanted

    @pytest.mark.parametrize(
        ("zone", "window", "earlier"),
        [
            # The day of 23 hours has days of 24 before it, and the other way round.
            (
                "Europe/Berlin",
                ("2026-03-28T23:00", "2026-03-29T22:00", DAY),
                ("2026-03-21T23:00", "2026-03-22T23:00"),
            ),
            (
                "Europe/Berlin",
                ("2026-04-04T22:00", "2026-04-05T22:00", DAY),
                ("2026-03-28T23:00", "2026-03-29T22:00"),
            ),
            # An hour later, the clock shows ten: it showed ten at another hour of UTC.
            (
                "Europe/Berlin",
                ("2026-03-30T08:00", "2026-03-30T09:00", HOUR),
                ("2026-03-23T09:00", "2026-03-23T10:00"),
            ),
            # Two to three was shown twice the week before.
            (
                "Europe/Berlin",
                ("2026-11-01T01:00", "2026-11-01T02:00", HOUR),
                ("2026-10-25T00:00", "2026-10-25T02:00"),
            ),
            # Both hours from two to three are compared with the one of the week before.
            (
                "Europe/Berlin",
                ("2026-10-25T00:00", "2026-10-25T01:00", HOUR),
                ("2026-10-18T00:00", "2026-10-18T01:00"),
            ),
            (
                "Europe/Berlin",
                ("2026-10-25T01:00", "2026-10-25T02:00", HOUR),
                ("2026-10-18T00:00", "2026-10-18T01:00"),
            ),
            # Two to three was left out the week before.
            (
                "Europe/Berlin",
                ("2026-04-05T00:00", "2026-04-05T01:00", HOUR),
                ("2026-03-29T01:00", "2026-03-29T02:00"),
            ),
            # A day that began at one o'clock, because midnight was left out.
            (
                "America/Havana",
                ("2026-03-08T05:00", "2026-03-09T04:00", DAY),
                ("2026-03-01T05:00", "2026-03-02T05:00"),
            ),
            (
                "UTC",
                ("2026-03-30T08:00", "2026-03-30T09:00", HOUR),
                ("2026-03-23T08:00", "2026-03-23T09:00"),
            ),
        ],
    )
    def test_around_a_change(
        self, zone: str, window: tuple[str, str, int], earlier: tuple[str, str]
    ) -> None:
        start, end, seconds = window
        calendar = Calendar(zone)
        whole = Window(seconds, Interval(utc(start), utc(end)))
        assert calendar.before(utc(end), seconds) == whole

        found = calendar.weeks_before(whole, 1)

        assert found == Window(seconds, Interval(utc(earlier[0]), utc(earlier[1])))


def nominal(begin: datetime, zone: str, seconds: int) -> datetime:
    step = timedelta(seconds=seconds)
    return MONDAY + (wall(begin, zone) - MONDAY) // step * step


def quarters(begin: datetime, zone: str) -> set[datetime]:
    """What the clock shows within a day of a moment."""
    return {wall(begin + i * QUARTER, zone) for i in range(-96, 97)}


class TestOffsets:
    @pytest.mark.parametrize(
        ("zone", "minutes"),
        [
            ("UTC", {0}),
            ("Europe/Berlin", {60, 120}),
            ("Asia/Kathmandu", {345}),
            ("Australia/Lord_Howe", {630, 660}),
            ("Pacific/Chatham", {765, 825}),
            ("Africa/Casablanca", {0, 60}),
        ],
    )
    def test_every_distance_from_utc(self, zone: str, minutes: set[int]) -> None:
        assert Calendar(zone).offsets() == {60 * one for one in minutes}

    def test_only_those_of_the_years_that_are_asked_for(self) -> None:
        assert Calendar("America/Caracas").offsets(2008, 2016) == {-16_200}
        assert Calendar("America/Caracas").offsets(2017) == {-14_400}
