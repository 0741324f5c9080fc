"""Rows that come late, are corrected or expire: panes are counted again, windows judged again, and
what was sent stays as it was."""

from datetime import timedelta
from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import RelationSettings
from driftwatch.window import Interval
from tests.evaluate.log import ROWS_PER_HOUR, day, rows, shifted
from tests.evaluate.world import DAY, HOUR, K, World, X, natural

AGES = (HOUR, 6 * HOUR, DAY)
HOUR_OF_DAY = 1 / 24


def rechecking(world: World, **changes: object) -> World:
    world.configure(
        features=(X,),
        window_seconds=(6 * HOUR, DAY),
        recheck_seconds=AGES,
        alert=AlertPolicy(k=1, of=1),
        **changes,
    )
    return world


def rows_of(world: World, start: float) -> list[tuple[int, int]]:
    """Rows and revision of the pane of an hour."""
    epoch = int(day(start).timestamp())
    found = world.table("pane", segment="", seconds=HOUR, start=epoch)
    return [(row["rows"], row["revision"]) for row in found]


def test_late_rows_are_counted_when_their_pane_reaches_an_age(world: World) -> None:
    rechecking(world).live(rows(10, 11))
    world.catch_up(10.5)
    before = world.results("x", 6 * HOUR)[0]
    world.live(rows(10, 10 + HOUR_OF_DAY))  # the first hour comes a second time, half a day late
    report = world.catch_up(10.75)[-1]
    assert report.revised_panes == 0, "the first hour reaches no age here"
    report = world.catch_up(11 + 2 * HOUR_OF_DAY)[-1]
    assert report.revised_panes == 1
    assert rows_of(world, 10) == [(2 * ROWS_PER_HOUR, 2)]
    after = world.results("x", 6 * HOUR)[0]
    assert (before["rows"], after["rows"]) == (6 * ROWS_PER_HOUR, 7 * ROWS_PER_HOUR)
    assert (before["revision"], after["revision"]) == (1, 2)
    assert world.results("x", DAY)[0]["rows"] == 25 * ROWS_PER_HOUR


def test_a_pane_that_did_not_change_keeps_its_revision(world: World) -> None:
    rechecking(world).live(rows(10, 12))
    for quarter in range(1, 9):
        assert world.catch_up(10 + quarter / 4)[-1].revised_panes == 0
    assert {row["revision"] for row in world.table("pane")} == {1}
    assert {row["revision"] for row in world.table("result")} == {1}


def test_values_that_are_filled_in_later_change_their_pane(world: World) -> None:
    """The rows are the same; the column was NULL when it was counted."""
    rechecking(world).live(rows(10, 11, x=None))
    world.catch_up(10.25)
    at = "strftime('%s', at) <" if world.log.is_sqlite else "extract(epoch from at) <"
    number = "cast(strftime('%s', at) as integer) <" if world.log.is_sqlite else at
    world.log.execute(
        f"UPDATE events SET x = 0.5 WHERE x IS NULL AND {number} "
        f"{int(day(10 + HOUR_OF_DAY).timestamp())} AND {number.replace('<', '>=')} "
        f"{int(day(10).timestamp())}"
    )
    world.catch_up(10.25 + 6 * HOUR_OF_DAY)
    (result,) = [r for r in world.results("x", 6 * HOUR) if r["window_end"] == day(10.25)]
    assert result["missing_rows"] == 5 * ROWS_PER_HOUR
    assert result["revision"] == 2


def test_a_log_that_expires_empties_nothing(world: World) -> None:
    rechecking(world).live(rows(10, 11.5))
    world.catch_up(11)
    before = natural(world.store)["pane"]
    world.log.execute("DELETE FROM events" if world.log.is_sqlite else "TRUNCATE events")
    world.live(rows(11, 11.5))
    report = world.catch_up(11.5)[-1]
    assert report.shrunk_panes == 18, "6 that became an hour or six old, 12 a day"
    assert report.revised_panes == 0
    assert set(before) <= set(natural(world.store)["pane"])


def test_a_correction_ends_an_alert_and_leaves_what_was_sent(world: World) -> None:
    rechecking(world).live(rows(10, 11, x=shifted))
    world.catch_up(11)
    assert world.outbox()[-1] == ("x", "drift", DAY, 11, "firing", "critical")
    sent = world.table("notification")
    events = world.table("alert_event")
    world.log.execute("UPDATE events SET x = x - 4" + _since(world, 10))
    world.live(rows(10, 11)[:0] or rows(10, 11)[:: ROWS_PER_HOUR * 1])  # one late row per hour
    world.live(rows(11, 12))
    world.catch_up(12 + HOUR_OF_DAY)
    first = world.results("x", DAY)[0]
    assert (str(first["verdict"]), first["revision"]) == ("ok", 2)
    assert world.table("notification")[: len(sent)] == sent
    assert [row for row in world.table("alert_event") if row in events] == events
    assert world.outbox()[-1][4] == "resolved"


def _since(world: World, start: float) -> str:
    epoch = int(day(start).timestamp())
    if world.log.is_sqlite:
        return f" WHERE cast(strftime('%s', at) as integer) >= {epoch}"
    return f" WHERE extract(epoch from at) >= {epoch}"


@pytest.fixture
def changing(empty_world: World) -> World:
    """A log whose rows say when they were changed last."""
    moment = "text" if empty_world.log.is_sqlite else "timestamptz"
    empty_world.log.execute(f"ALTER TABLE events ADD COLUMN changed_at {moment}")
    empty_world.live(rows(0, 10))
    return empty_world


def test_a_changed_row_is_found_by_its_own_column_at_any_age(changing: World) -> None:
    relation = RelationSettings("events", None, "at", updated_at="changed_at")
    changing.configure(features=(X,), window_seconds=(DAY,), recheck_seconds=(), relation=relation)
    changing.live(rows(10, 14))
    changing.catch_up(12)
    changing.catch_up(12.25)
    moment = f"'{day(12.3):%Y-%m-%d %H:%M:%S}'"
    changing.log.execute(
        f"UPDATE events SET x = 9, changed_at = {moment}{_since(changing, 10)}"
        + _since(changing, 10 + 2 * HOUR_OF_DAY).replace("WHERE", "AND").replace(">=", "<")
    )
    report = changing.catch_up(12.5)[-1]
    assert report.revised_panes == 2
    assert changing.results("x")[0]["revision"] == 2
    assert changing.catch_up(12.75)[-1].revised_panes == 0, "read once"


def test_a_new_feature_pages_nobody_for_days_that_were_changed_before_it(changing: World) -> None:
    """Its column was odd then; those days are counted again with it, and judged, but are past."""
    relation = RelationSettings("events", None, "at", updated_at="changed_at")
    common: dict[str, Any] = {"window_seconds": (DAY,), "relation": relation, "recheck_seconds": ()}
    changing.configure(features=(X,), **common)
    changing.live([*rows(10, 12, k="zz"), *rows(12, 15)])
    changing.catch_up(13)
    changing.catch_up(14)
    changing.configure(features=(X, K), **common)
    moment = f"'{day(14.01):%Y-%m-%d %H:%M:%S}'"
    until = _since(changing, 12).replace("WHERE", "AND").replace(">=", "<")
    changing.log.execute(f"UPDATE events SET changed_at = {moment}{_since(changing, 10)}{until}")
    changing.catch_up(14 + HOUR_OF_DAY)
    assert [str(r["verdict"]) for r in changing.results("k")][:2] == ["critical"] * 2
    changing.catch_up(15)
    assert changing.results("k")[-1]["window_end"] == day(15)
    assert (changing.outbox(), changing.table("alert_event", feature="k")) == ([], [])


def test_what_is_late_in_the_reference_is_no_pane_that_is_watched(world: World) -> None:
    rechecking(world).live(rows(10, 11))
    world.catch_up(10.5)
    world.live(rows(9.9, 10))
    world.catch_up(11)
    (reference,) = [r for r in world.table("reference") if r["column_name"] == "@volume"]
    assert reference["rows"] == 240 * ROWS_PER_HOUR


def test_the_interval_that_is_compared_again_is_bounded(world: World) -> None:
    """After a pause the ages are those of panes that had been counted before it."""
    rechecking(world, catch_up_seconds=2 * DAY).live(rows(10, 16))
    world.catch_up(10.25)
    world.live(rows(10, 10 + HOUR_OF_DAY))
    reports = world.catch_up(16)
    assert [report.revised_panes for report in reports] == [1, 0, 0]
    assert reports[0].scan == Interval(day(10.25), day(12.25))
    assert timedelta(seconds=reports[0].scan.seconds) == timedelta(days=2)
