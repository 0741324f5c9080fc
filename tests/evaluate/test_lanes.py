"""Columns that are joined later than their rows arrive: counted later, judged later."""

from dataclasses import replace

from driftwatch.config.settings import CohortReference, RelationSettings
from tests.evaluate.log import ROWS_PER_HOUR, day, rows
from tests.evaluate.world import DAY, HOUR, QUARTER, K, World, X

LATE = replace(K, delay_seconds=600 + 12 * HOUR)


def test_a_late_column_is_judged_when_its_own_delay_has_passed(world: World) -> None:
    """k is joined half a day after the row: judged with the rest it would be missing."""
    world.configure(features=(X, LATE), window_seconds=(QUARTER,))
    world.live(rows(10, 11, k=None))
    world.catch_up(10.25)
    assert [str(r["verdict"]) for r in world.results("x", QUARTER)] == ["ok"]
    assert world.results("k", QUARTER) == []
    world.log.execute("UPDATE events SET k = 'a' WHERE k IS NULL")
    world.catch_up(10.75)
    (found,) = world.results("k", QUARTER)
    assert (found["window_end"], found["missing_rows"]) == (day(10.25), 0)
    assert found["rows"] == 6 * ROWS_PER_HOUR
    assert len(world.results("x", QUARTER)) == 3


def test_both_columns_are_in_the_same_panes_in_the_end(world: World) -> None:
    world.configure(features=(X, LATE), window_seconds=(DAY,))
    world.live(rows(10, 13))
    for quarter in range(1, 13):
        world.catch_up(10 + quarter / 4)
    assert [r["rows"] for r in world.results("k")] == [24 * ROWS_PER_HOUR] * 2
    assert [r["rows"] for r in world.results("x")] == [24 * ROWS_PER_HOUR] * 3
    assert {str(r["verdict"]) for r in world.results("k")} == {"ok"}


def test_a_late_column_of_a_cohort_is_counted_when_it_has_come(empty_world: World) -> None:
    """Champion and challenger are alike: half a day after its rows, k is there for both."""
    world = empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN model text")
    for model in ("champion", "challenger"):
        world.live(rows(0, 10, model=model))
        world.live(rows(10, 12, model=model, k=None))
    world.configure(
        features=(X, LATE),
        window_seconds=(QUARTER,),
        relation=RelationSettings("events", None, "at", where="model = 'challenger'"),
        reference=CohortReference("model = 'champion'"),
    )
    world.catch_up(10.25)
    world.log.execute("UPDATE events SET k = 'a' WHERE k IS NULL")
    for eighth in range(3, 13):
        world.catch_up(10 + eighth / 8)
    assert {str(r["verdict"]) for r in world.results("k", QUARTER)} == {"ok"}


def test_rows_that_came_between_are_counted_for_all_columns(world: World) -> None:
    """The pane holds more rows when the late column is counted: all columns are counted again."""
    world.configure(features=(X, LATE), window_seconds=(QUARTER,), recheck_seconds=())
    world.live(rows(10, 11))
    world.catch_up(10.25)
    world.live(rows(10, 10 + 1 / 24))
    world.catch_up(10.75)
    (late,) = world.results("k", QUARTER)
    first = world.results("x", QUARTER)[0]
    assert late["rows"] == first["rows"] == 7 * ROWS_PER_HOUR
    assert first["revision"] == 2
