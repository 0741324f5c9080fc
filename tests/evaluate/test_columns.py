"""One column's trouble is one column's trouble: it has its own verdict, and the others go on."""

from dataclasses import replace
from typing import Any

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import FeatureSettings, Kind
from tests.evaluate.log import day, rows, shifted
from tests.evaluate.world import DAY, FIXED, QUARTER, K, World, X

Y = FeatureSettings("y", threshold=FIXED)


def fine(world: World, feature: str = "x") -> bool:
    """Whether the feature was judged ok in every window."""
    found = {verdict for verdict, _ in world.verdicts(feature)}
    return found == {"ok"} and len(world.results(feature)) == len(world.results("@volume"))


def test_a_column_that_vanishes_and_returns(world: World) -> None:
    world.configure(alert=AlertPolicy(k=1, of=1))
    world.live(rows(10, 11))
    world.catch_up(11)
    world.log.execute("ALTER TABLE events DROP COLUMN k")
    world.live([{"at": row["at"], "x": row["x"]} for row in rows(11, 12)])
    world.catch_up(12)
    world.log.execute("ALTER TABLE events ADD COLUMN k text")
    world.live(rows(12, 13))
    world.catch_up(13)
    assert world.verdicts("k") == [
        ("ok", "within_threshold"), ("error", "column_missing"), ("ok", "within_threshold"),
    ]  # fmt: skip
    assert "'events', column 'k': there is no column 'k'" in world.results("k")[1]["message"]
    assert fine(world)
    assert world.events("k", "column", QUARTER) == [
        (11.25, "firing"), (12.25, "resolved"), (12.5, "inactive"),
    ]  # fmt: skip
    assert world.events("k", "column", DAY) == world.events("k", "no_data") == []
    assert world.outbox() == [
        ("k", "column", QUARTER, 12, "firing", "warning"),
        ("k", "column", QUARTER, 13, "resolved", None),
    ]
    assert [axis["version"] for axis in world.table("axis", column_name="k")] == [1]


def test_a_window_in_which_a_column_was_counted_in_part_is_not_judged(small_world: World) -> None:
    small_world.live(rows(10, 10.5))
    small_world.catch_up(10.5)
    small_world.log.execute("ALTER TABLE events RENAME COLUMN k TO k2")
    small_world.catch_up(10.75)
    small_world.log.execute("ALTER TABLE events RENAME COLUMN k2 TO k")
    small_world.live(rows(10.75, 11))
    small_world.catch_up(11)
    small_world.live(rows(11, 12))
    small_world.catch_up(12)
    # No row was there while the column was gone, so that nothing is missing of the first day.
    assert [verdict for verdict, _ in small_world.verdicts("k")] == ["ok", "ok"]
    small_world.log.execute("ALTER TABLE events RENAME COLUMN k TO k2")
    small_world.live([{"at": row["at"], "x": row["x"]} for row in rows(12, 12.5)])
    small_world.catch_up(12.5)
    small_world.log.execute("ALTER TABLE events RENAME COLUMN k2 TO k")
    small_world.live(rows(12.5, 13))
    small_world.catch_up(13)
    assert small_world.verdicts("k")[-1] == ("learning", "not_scanned")
    assert "not counted in all of the window" in small_world.results("k")[-1]["message"]
    assert fine(small_world)


def test_a_column_of_another_type(world: World) -> None:
    world.live(rows(10, 11))
    world.catch_up(11)
    world.log.change_type("x", "text")
    world.live(rows(11, 12, x="much"))
    world.catch_up(12)
    assert world.verdicts("x")[-1] == ("error", "type_changed")
    assert "change it back, or fit a new reference" in world.results("x")[-1]["message"]
    assert fine(world, "k")
    world.log.execute("DELETE FROM events WHERE x = 'much'")
    world.log.change_type("x", "double precision")
    world.live(rows(12, 13))
    world.catch_up(13)
    assert [verdict for verdict, _ in world.verdicts("x")] == ["ok", "error", "ok"]
    assert fine(world, "k")


def test_a_column_that_is_added_to_the_table_and_the_configuration(world: World) -> None:
    world.live(rows(10, 11))
    world.catch_up(11)
    before = world.table("reference")
    world.log.execute("ALTER TABLE events ADD COLUMN y double precision")
    world.configure(features=(X, K, Y))
    world.live(rows(11, 12, y=1.0))
    world.catch_up(12)
    (found,) = world.results("y")
    assert (found["verdict"], found["reason"]) == ("learning", "all_missing")
    assert "column 'y': the reference has no finite value in it" in found["message"]
    assert fine(world)
    assert fine(world, "k")
    assert world.table("reference") == before


def test_a_column_that_is_watched_later_learns_alone(world: World) -> None:
    world.configure(features=(X,))
    world.live(rows(10, 13))
    world.catch_up(11.5)
    before = {row["column_name"]: row for row in world.table("reference")}
    world.configure(features=(X, K))
    world.catch_up(13)
    after = {row["column_name"]: row for row in world.table("reference")}
    assert sorted(after) == ["@volume", "k", "x"]
    assert {name: after[name] for name in before} == before
    assert world.verdicts("k") == [("learning", "not_scanned"), ("ok", "within_threshold")]
    assert fine(world)


def test_a_column_that_is_watched_after_the_rows_of_the_reference_were_deleted(
    world: World,
) -> None:
    world.configure(features=(X,))
    world.live(rows(10, 12))
    world.catch_up(11)
    world.log.execute(f"DELETE FROM events WHERE at < '{day(10)}'")
    world.configure(features=(X, K))
    world.catch_up(12)
    assert world.verdicts("k") == [("learning", "no_reference")]
    assert "holds no rows" in world.results("k")[0]["message"]
    assert fine(world)


def test_a_column_that_is_not_there_yet_is_tried_again(small_world: World) -> None:
    small_world.configure(features=(X, Y))
    small_world.live(rows(10, 11))
    small_world.catch_up(11)
    assert small_world.verdicts("y") == [("error", "column_missing")]
    assert fine(small_world)
    small_world.log.execute(
        "ALTER TABLE events ADD COLUMN y double precision", "UPDATE events SET y = x"
    )
    small_world.live(rows(11, 12, y=0.1))
    small_world.catch_up(11 + 1 / 24)
    assert small_world.table("axis", column_name="y")
    small_world.catch_up(12)
    assert small_world.verdicts("y")[-1] == ("critical", "above_threshold")


def test_all_missing_and_constant_columns_in_the_reference(empty_world: World) -> None:
    world = empty_world
    world.log.execute(
        "ALTER TABLE events ADD COLUMN void double precision",
        "ALTER TABLE events ADD COLUMN still double precision",
    )
    void, still = (
        FeatureSettings("void", threshold=FIXED),
        FeatureSettings("still", threshold=FIXED),
    )
    world.configure(features=(X, void, still))
    world.log.write([*rows(0, 10, still=7.5, void=None), *rows(10, 11, still=7.5, void=1.0)])
    world.live([*rows(11, 12, still=7.6, void=1.0)])
    world.catch_up(12)
    assert world.verdicts("void") == [("learning", "all_missing")] * 2
    assert world.verdicts("still") == [("ok", "within_threshold"), ("critical", "above_threshold")]
    assert world.results("still")[0]["js"] == 0
    assert fine(world)


def test_an_identifier_is_refused_and_the_rest_goes_on(small_empty_world: World) -> None:
    world = small_empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN user_id text")
    world.configure(
        features=(X, FeatureSettings("user_id", kind=Kind.CATEGORICAL, threshold=FIXED))
    )
    numbered = [{**row, "user_id": f"u{n}"} for n, row in enumerate(rows(0, 11))]
    world.log.write(numbered)
    world.catch_up(11)
    assert world.verdicts("user_id") == [("error", "too_many_levels")]
    assert fine(world)


def test_a_column_whose_values_cannot_be_read_stops_no_other(world: World) -> None:
    if world.log.is_sqlite:
        broken = "json_extract(k, '$.a')"
    else:
        broken = "CASE WHEN k = 'broken' THEN 1 / (length(k) - 6)::double precision ELSE 1 END"
    world.log.execute(
        "ALTER TABLE events ADD COLUMN z double precision",
        f"CREATE VIEW seen AS SELECT at, x, k, {broken} AS y FROM events",
    )
    relation = replace(world.log.relation, table="seen")
    kind: dict[str, Any] = {"kind": Kind.CATEGORICAL} if world.log.is_sqlite else {}
    if world.log.is_sqlite:
        world.log.execute("UPDATE events SET k = '{\"a\": 1}'")
    good = '{"a": 1}' if world.log.is_sqlite else "good"
    world.configure(relation=relation, features=(X, FeatureSettings("y", **kind, threshold=FIXED)))
    world.live([*rows(10, 11, k=good), *rows(11, 12, k="broken"), *rows(12, 13, k=good)])
    for number in (11, 12, 13):
        world.catch_up(number)
    assert [verdict for verdict, _ in world.verdicts("y")] == ["ok", "error", "ok"]
    assert world.verdicts("y")[1] == ("error", "unreadable")
    assert "column 'y' cannot be read" in world.results("y")[1]["message"]
    assert fine(world)


def test_a_feature_that_is_no_longer_watched_is_left_alone(small_world: World) -> None:
    small_world.live([*rows(10, 12, x=shifted), *rows(12, 13)])
    small_world.catch_up(12)
    small_world.configure(features=(K,))
    small_world.catch_up(13)
    assert [found["window_end"] for found in small_world.results("x")] == [day(11), day(12)]
    assert fine(small_world, "k")


def test_a_column_that_vanishes_is_told_long_before_its_window_ends(world: World) -> None:
    world.live(rows(10, 11))
    world.catch_up(10.25)
    world.log.execute("ALTER TABLE events RENAME COLUMN k TO kk")
    (report,) = world.catch_up(10.5)
    assert [(one.column, one.reason) for one in report.troubles] == [("k", "column_missing")]
    (*_, stored) = world.table("evaluation")
    assert (stored["outcome"], stored["message"]) == ("success", "not counted: k (column_missing)")
