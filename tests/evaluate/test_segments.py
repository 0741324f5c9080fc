"""Parts of the rows by themselves: they say where a drift is, and page only when asked."""

from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import RollingReference, SegmentGroup, SegmentSettings
from tests.evaluate.log import ROWS_PER_HOUR, Row, rows, shifted
from tests.evaluate.world import DAY, QUARTER, World, X

BY_COUNTRY = SegmentSettings((SegmentGroup(("country",), limit=2),), (DAY,))


def countries(start: float, end: float, *names: str, **changed: Any) -> list[Row]:
    return [row for name in names for row in rows(start, end, country=name, **changed)]


@pytest.fixture
def abroad(empty_world: World) -> World:
    """Much from two countries, little from two more."""
    empty_world.log.execute("ALTER TABLE events ADD COLUMN country text")
    empty_world.live(countries(0, 10, "DE", "FR"))
    empty_world.live(rows(0, 10, per_hour=5, country="IT"))
    empty_world.live(rows(0, 10, per_hour=5, country=None))
    return empty_world


def in_segments(world: World) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in world.table("result", feature="x", window_seconds=DAY):
        found.setdefault(row["segment"], []).append(str(row["verdict"]))
    return found


def test_the_segment_that_drifts_is_named_and_pages_nobody(abroad: World) -> None:
    abroad.configure(features=(X,), segments=BY_COUNTRY, alert=AlertPolicy(k=1, of=1))
    abroad.live([*countries(10, 12, "DE"), *countries(10, 12, "FR", x=shifted)])
    abroad.live(rows(10, 12, per_hour=5, country="IT"))
    abroad.catch_up(12)
    found = in_segments(abroad)
    assert found["country=FR"] == ["critical"] * 2
    assert found["country=DE"] == ["ok"] * 2
    assert found["country=(other)"] == ["ok"] * 2
    assert found[""] == ["critical"] * 2
    assert {one["segment"] for one in abroad.table("alert")} == {""}
    assert {r["segment"] for r in abroad.table("result", window_seconds=QUARTER)} == {""}


def test_segments_page_when_asked(abroad: World) -> None:
    asked = SegmentSettings(BY_COUNTRY.groups, (DAY,), page=True)
    abroad.configure(features=(X,), segments=asked, alert=AlertPolicy(k=1, of=1))
    abroad.live([*countries(10, 11, "DE"), *countries(10, 11, "FR", x=shifted)])
    abroad.catch_up(11)
    firing = abroad.table("alert", state="firing", kind="drift", window_seconds=DAY)
    assert {one["segment"] for one in firing} == {"", "country=FR"}


def test_the_list_is_frozen(abroad: World) -> None:
    """A country that becomes large later is one of the others: what is compared stays the same."""
    abroad.configure(features=(X,), segments=BY_COUNTRY, window_seconds=(DAY,))
    abroad.live(countries(10, 12, "DE", "US"))
    abroad.catch_up(12)
    assert set(in_segments(abroad)) == {"", "country=DE", "country=FR", "country=(other)"}
    (other, *_) = abroad.table("result", feature="x", segment="country=(other)")
    assert other["rows"] == 24 * ROWS_PER_HOUR


def test_what_the_list_leaves_out_is_counted(abroad: World) -> None:
    abroad.configure(features=(X,), segments=BY_COUNTRY, window_seconds=(DAY,))
    abroad.catch_up(10)
    (note,) = abroad.table("annotation")
    assert note["message"] == ("segments: 2 further values of country are counted as (other)")


def test_all_rows_are_the_sum(abroad: World) -> None:
    abroad.configure(features=(X,), segments=BY_COUNTRY, window_seconds=(DAY,))
    abroad.live([*countries(10, 11, "DE", "FR", "IT"), *rows(10, 11, country=None)])
    abroad.catch_up(11)
    rows_of = {r["segment"]: r["rows"] for r in abroad.table("result", feature="x")}
    assert rows_of.pop("") == sum(rows_of.values()) == 4 * 24 * ROWS_PER_HOUR


def test_a_cross_of_two_columns_with_levels_of_its_own(abroad: World) -> None:
    group = SegmentGroup(("country", "k"), levels=(("DE", "a"), ("FR", "b")))
    settings = SegmentSettings((BY_COUNTRY.groups[0], group), (DAY,))
    abroad.configure(features=(X,), segments=settings, window_seconds=(DAY,))
    abroad.live(countries(10, 11, "DE", "FR"))
    abroad.catch_up(11)
    assert {"country=DE, k=a", "country=FR, k=b", "country=(other), k=(other)"} <= set(
        in_segments(abroad)
    )


def test_segments_of_a_rolling_reference(abroad: World) -> None:
    abroad.configure(
        features=(X,), segments=BY_COUNTRY, window_seconds=(DAY,),
        reference=RollingReference(5 * DAY),
    )  # fmt: skip
    abroad.live([*countries(10, 11, "DE"), *countries(10, 11, "FR", x=shifted)])
    abroad.catch_up(11)
    found = abroad.table("result", feature="x", segment="country=FR")
    assert [(str(r["verdict"]), r["reference_rows"]) for r in found] == [
        ("critical", 5 * 24 * ROWS_PER_HOUR)
    ]


def test_segments_that_are_configured_later_have_a_reference_at_once(abroad: World) -> None:
    abroad.configure(features=(X,), window_seconds=(DAY,))
    abroad.live(countries(10, 12, "DE", "FR"))
    abroad.catch_up(11)
    before = abroad.table("reference", segment="")
    abroad.configure(features=(X,), window_seconds=(DAY,), segments=BY_COUNTRY)
    abroad.catch_up(12)
    assert abroad.table("reference", segment="") == before
    assert in_segments(abroad)["country=FR"] == ["ok"]


def test_a_segment_column_that_vanishes_is_told(abroad: World) -> None:
    """All rows are judged as ever; that nothing is told apart any more is an alert."""
    abroad.configure(features=(X,), segments=BY_COUNTRY, alert=AlertPolicy(k=1, of=1))
    abroad.catch_up(10)
    abroad.log.execute("ALTER TABLE events RENAME COLUMN country TO land")
    abroad.live(rows(10, 11))
    abroad.catch_up(11)
    assert abroad.verdicts("country", QUARTER)[-1] == ("error", "column_missing")
    (alert,) = abroad.table("alert", state="firing", kind="column")
    assert (alert["feature"], alert["segment"]) == ("country", "")
    (of_all,) = abroad.table("result", feature="x", segment="", window_seconds=DAY)
    assert str(of_all["verdict"]) == "ok"
    abroad.log.execute("ALTER TABLE events RENAME COLUMN land TO country")
    abroad.live(rows(11, 12, country="DE"))
    abroad.catch_up(12)
    assert abroad.table("alert", state="firing", kind="column") == []
