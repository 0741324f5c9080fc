"""Days by the clock on the wall, also of rows in local time without a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import RelationSettings, Start
from driftwatch.evaluate.repeated import REPEATED
from driftwatch.window import Calendar, Interval
from tests.evaluate.log import ROWS_PER_HOUR, Row, day, rows
from tests.evaluate.world import DAY, HOUR, World, X

CHANGES = {
    # In Berlin clocks went forward on 2026-03-29 and back on 2026-10-25.
    "spring": (datetime(2026, 3, 27, tzinfo=UTC), 23),
    "autumn": (datetime(2026, 10, 23, tzinfo=UTC), 25),
}


def moved(made: list[Row], first: datetime) -> list[Row]:
    return [row | {"at": row["at"] - day(0) + first} for row in made]


@pytest.mark.parametrize("season", CHANGES)
def test_the_day_of_a_change_has_its_own_length(empty_world: World, season: str) -> None:
    first, hours = CHANGES[season]
    empty_world.live(moved(rows(0, 6), first))
    calendar = Calendar("Europe/Berlin")
    begin = calendar.floor(first + timedelta(days=2), DAY)
    empty_world.configure(
        features=(X,),
        window_seconds=(DAY,),
        calendar=calendar,
        reference=Interval(first, first + timedelta(days=1)),
        start=Start(int(begin.timestamp())),
    )
    empty_world.catch_up((first - day(0)) / timedelta(days=1) + 5)
    found = empty_world.results("x")
    assert [r["rows"] for r in found] == [hours * ROWS_PER_HOUR, *[24 * ROWS_PER_HOUR] * 2]
    assert {r["window_seconds"] for r in found} == {DAY}
    zone = ZoneInfo("Europe/Berlin")
    assert {r["window_end"].astimezone(zone).strftime("%H:%M") for r in found} == {"00:00"}


def test_days_of_kathmandu_begin_within_an_hour(world: World) -> None:
    quarter = 900
    calendar = Calendar("Asia/Kathmandu")
    begin = calendar.next(day(10), DAY)
    world.configure(
        features=(X,),
        window_seconds=(HOUR, DAY),
        pane_seconds=quarter,
        calendar=calendar,
        start=Start(int(begin.timestamp())),
    )
    world.live(rows(10, 13))
    world.catch_up(13)
    found = world.results("x")
    assert [(r["window_end"] - day(0)) for r in found] == [
        timedelta(days=d, hours=18, minutes=15) for d in (11, 12)
    ]
    assert [r["rows"] for r in found] == [24 * ROWS_PER_HOUR] * 2
    assert {r["window_end"].minute for r in world.results("x", HOUR)} == {15}


def keep_local_time(world: World, first: datetime) -> None:
    """Six days of rows whose timestamps are what the clock on the wall of Berlin showed."""
    zone = ZoneInfo("Europe/Berlin")
    made = moved(rows(0, 6), first)
    world.live([row | {"at": row["at"].astimezone(zone).replace(tzinfo=UTC)} for row in made])
    if not world.log.is_sqlite:
        world.log.execute("ALTER TABLE events ALTER at TYPE timestamp USING at AT TIME ZONE 'UTC'")


@pytest.mark.parametrize("season", CHANGES)
def test_a_log_in_local_time(empty_world: World, season: str) -> None:
    """The rows say what the clock on the wall showed. In autumn an hour is shown twice, and its
    rows are counted in its first pass: none is lost, none doubled."""
    first, hours = CHANGES[season]
    keep_local_time(empty_world, first)
    calendar = Calendar("Europe/Berlin")
    begin = calendar.floor(first + timedelta(days=2), DAY)
    empty_world.configure(
        features=(X,),
        window_seconds=(HOUR, DAY),
        calendar=calendar,
        relation=RelationSettings("events", None, "at", timestamp_zone="Europe/Berlin"),
        reference=Interval(first, first + timedelta(days=1)),
        start=Start(int(begin.timestamp())),
        min_rows=1,
    )
    empty_world.catch_up((first - day(0)) / timedelta(days=1) + 5)
    assert [r["rows"] for r in empty_world.results("x")] == [
        hours * ROWS_PER_HOUR, *[24 * ROWS_PER_HOUR] * 2,
    ]  # fmt: skip
    by_hour = [r["rows"] for r in empty_world.results("@volume", HOUR)][:hours]
    usual = [ROWS_PER_HOUR] * 24
    twice = [*usual[:2], 2 * ROWS_PER_HOUR, 0, *usual[3:]]
    assert by_hour == (twice if season == "autumn" else usual[:23])


def test_an_hour_that_is_shown_twice_pages_nobody(empty_world: World) -> None:
    """Its windows have twice their rows, then none: that is the clock, and no drift."""
    first, _ = CHANGES["autumn"]
    keep_local_time(empty_world, first)
    calendar = Calendar("Europe/Berlin")
    begin = calendar.floor(first + timedelta(days=2), DAY)
    empty_world.configure(
        features=(X,),
        window_seconds=(HOUR // 2, DAY),
        pane_seconds=HOUR // 2,
        calendar=calendar,
        relation=RelationSettings("events", None, "at", timestamp_zone="Europe/Berlin"),
        reference=Interval(first, first + timedelta(days=1)),
        start=Start(int(begin.timestamp())),
        min_rows=1,
        alert=AlertPolicy(1, 1),
    )
    empty_world.catch_up((first - day(0)) / timedelta(days=1) + 5)
    volumes = empty_world.results("@volume", HOUR // 2)
    unusual = [r for r in volumes if r["verdict"] != "ok"]
    assert [(r["rows"], r["excluded"]) for r in unusual] == [
        *[(ROWS_PER_HOUR, REPEATED)] * 2, *[(0, REPEATED)] * 2,
    ]  # fmt: skip
    assert {r["excluded"] for r in empty_world.results("@volume") if r["rows"]} == {""}
    assert empty_world.events("@volume", "volume", HOUR // 2) == []
    assert empty_world.events("@volume", "no_data", HOUR // 2) == []
