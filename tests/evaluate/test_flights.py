"""The world as it is, on real departures from New York in early 2013: a storm, the start of summer
time, flights that are reported a day late, weekends, an airline with one flight a day."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    FeatureSettings,
    Kind,
    SeasonalReference,
    SegmentGroup,
    SegmentSettings,
    SourceSettings,
    Start,
)
from driftwatch.demo.flights import load_flights
from driftwatch.source import open_source
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.verdict.policy import FixedThreshold, Measure
from driftwatch.window import Calendar, Interval, to_epoch
from tests.evaluate.log import Log, Row
from tests.evaluate.world import DAY, FIXED, HOUR, World, monitor

NEW_YORK = ZoneInfo("America/New_York")
COLUMNS = {
    "dep_delay": "double precision",
    "distance": "integer",
    "carrier": "text",
    "origin": "text",
}
DELAY = FeatureSettings("dep_delay", threshold=FixedThreshold(Measure.JS_DISTANCE, 0.35, 0.5))
DISTANCE = FeatureSettings("distance", threshold=FIXED)
CARRIER = FeatureSettings("carrier", kind=Kind.CATEGORICAL, threshold=FIXED)


def local(month: int, number: int) -> datetime:
    """Midnight in New York, in UTC."""
    return datetime(2013, month, number, tzinfo=NEW_YORK).astimezone(UTC)


def flights(start: datetime, end: datetime) -> pd.DataFrame:
    every = load_flights()
    bounds = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (start, end)]
    return every[(every["scheduled_at"] >= bounds[0]) & (every["scheduled_at"] < bounds[1])]


def write(log: Log, some: pd.DataFrame) -> None:
    names = ["scheduled_at", *COLUMNS]
    frame = some[names].rename(columns={"scheduled_at": "at"}).astype(object)
    frame = frame.where(frame.notna(), None)
    rows: list[Row] = [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]
    for row in rows:
        row["at"] = datetime.fromisoformat(row["at"]).replace(tzinfo=UTC)
    for first in range(0, len(rows), 10_000):
        log.write(rows[first : first + 10_000])


def airport(world: World, **changes: Any) -> World:
    """Days of New York, compared with four weeks of January."""
    usual: dict[str, Any] = {
        "features": (DELAY, DISTANCE, CARRIER),
        "window_seconds": (DAY,),
        "pane_seconds": HOUR,
        "calendar": Calendar("America/New_York"),
        "reference": Interval(local(1, 7), local(2, 4)),
        "start": Start(to_epoch(local(2, 4))),
        "alert": AlertPolicy(k=1, of=1),
    }
    world.configure(**{**usual, **changes})
    return world


def until(world: World, moment: datetime) -> None:
    while world.evaluate(moment + timedelta(seconds=world.monitor.delay_seconds)).behind:
        pass


@pytest.fixture(params=["sqlite", "postgresql"])
def departures(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Departures of 7 January to 10 February."""
    if request.param == "sqlite":
        urls = (f"sqlite:///{tmp_path / 'log.db'}", f"sqlite:///{tmp_path / 'store.db'}")
    else:
        one = request.getfixturevalue("postgres_url")
        urls = (one, one)
    log = Log(urls[0], "flights")
    log.create(COLUMNS)
    write(log, flights(local(1, 7), local(2, 11)))
    with (
        closing(open_source(SourceSettings("logs", urls[0]))) as source,
        closing(open_store(urls[1])) as store,
    ):
        ensure_schema(store)
        yield World(log, source, store, monitor(log))


def by_day(world: World, feature: str, segment: str = "") -> dict[str, str]:
    """Verdicts by the day in New York on which the window began."""
    return {
        f"{row['window_start'].astimezone(NEW_YORK):%m-%d}": str(row["verdict"])
        for row in world.table("result", feature=feature, segment=segment)
    }


def flagged(world: World, feature: str, segment: str = "") -> list[str]:
    return [
        day
        for day, verdict in by_day(world, feature, segment).items()
        if verdict in ("warning", "critical")
    ]


def test_the_storm_is_found_and_told_by_airport(departures: World) -> None:
    """On 8 and 9 February most flights were cancelled, at all three airports; nobody is paged for
    an airport, and the mix of distances and airlines stayed as it was."""
    by_origin = SegmentSettings((SegmentGroup(("origin",)),), (DAY,))
    until(airport(departures, segments=by_origin), local(2, 11))
    assert flagged(departures, "dep_delay") == ["02-08", "02-09"]
    for origin in ("EWR", "JFK", "LGA"):
        assert flagged(departures, "dep_delay", f"origin={origin}") == ["02-08", "02-09"]
    assert flagged(departures, "distance") == flagged(departures, "carrier") == []
    assert {alert["segment"] for alert in departures.table("alert")} == {""}


def test_the_day_on_which_summer_time_begins_has_23_hours(departures: World) -> None:
    write(departures.log, flights(local(2, 11), local(3, 12)))
    until(airport(departures, start=Start(to_epoch(local(3, 9)))), local(3, 12))
    days = departures.results("@volume")
    assert [(row["window_end"] - row["window_start"]) / timedelta(hours=1) for row in days] == [
        24, 23, 24,
    ]  # fmt: skip
    expected = [len(flights(local(3, day), local(3, day + 1))) for day in (9, 10, 11)]
    assert [row["rows"] for row in days] == expected
    assert {str(row["verdict"]) for row in days} == {"ok"}


def test_flights_that_are_reported_a_day_late(departures: World) -> None:
    """The evening of the 6th comes a day late: judged without it at first, with it in the end."""
    evening = (local(2, 6) + timedelta(hours=15), local(2, 7))
    column = "cast(strftime('%s', at) as integer)" if departures.log.is_sqlite else (
        "extract(epoch from at)"
    )  # fmt: skip
    departures.log.execute(
        f"DELETE FROM flights WHERE {column} >= {to_epoch(evening[0])} "
        f"AND {column} < {to_epoch(evening[1])}"
    )
    airport(departures, recheck_seconds=(HOUR, 6 * HOUR, DAY))
    until(departures, local(2, 7))
    whole = len(flights(local(2, 6), local(2, 7)))
    assert departures.results("@volume")[-1]["rows"] < 0.7 * whole
    write(departures.log, flights(*evening))
    for hours in range(6, 25, 6):
        until(departures, local(2, 7) + timedelta(hours=hours))
    first = departures.results("@volume")[2]
    assert first["rows"] == whole
    assert first["revision"] > 1
    assert {row["rows"] for row in departures.results("distance")[2:3]} == {whole}


def test_a_season_of_three_weeks(departures: World) -> None:
    airport(departures, reference=SeasonalReference(3), start=Start(to_epoch(local(1, 28))))
    until(departures, local(2, 11))
    assert flagged(departures, "dep_delay") == ["02-08", "02-09"]
    assert set(by_day(departures, "@volume").values()) == {"ok"}
    last = departures.results("distance")[-1]
    assert last["reference_rows"] == sum(
        len(flights(local(*first), local(*first) + timedelta(days=1)))
        for first in ((1, 20), (1, 27), (2, 3))
    )


def test_an_airline_with_one_flight_a_day_is_judged_on_fourteen(departures: World) -> None:
    hawaiian = replace(departures.log.relation, where="carrier = 'HA'")
    delay = FeatureSettings("dep_delay", threshold=FIXED)
    airport(
        departures, relation=hawaiian, features=(delay,), min_rows=14, widen_seconds=21 * DAY,
        start=Start(to_epoch(local(1, 14))), reference=Interval(local(1, 7), local(1, 14)),
    )  # fmt: skip
    until(departures, local(2, 11))
    found = departures.results("dep_delay")
    assert [str(row["verdict"]) for row in found] == ["learning"] * 13 + ["ok"] * 15
    assert {row["rows"] for row in found[13:]} == {14}
    assert "judged on 14 days" in found[-1]["message"]
