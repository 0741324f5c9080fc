"""Capturing references: once per range, versioned, and the same by whoever is first."""

from dataclasses import replace
from datetime import timedelta

from driftwatch.config.settings import FeatureSettings
from driftwatch.evaluate.prepare import prepare
from driftwatch.window import Interval
from tests.evaluate.log import day, rows
from tests.evaluate.world import DAY, FIXED, HOUR, K, World, X, monitor, natural


def test_the_reference_is_captured_once(world: World) -> None:
    world.live(rows(10, 12))
    world.catch_up(11)
    before = natural(world.store)["reference"]
    world.live(rows(0, 1))  # they come too late to change what is agreed to be right
    world.prepared = None
    world.catch_up(12)
    assert natural(world.store)["reference"] == before


def test_another_range_is_a_new_version_on_the_same_axis(world: World) -> None:
    world.live([*rows(10, 13, k="a"), *rows(13, 15, k="a")])
    world.catch_up(13)
    old = {row["column_name"]: row for row in world.table("reference")}
    world.configure(reference=Interval(day(10), day(13)))
    world.catch_up(15)
    found = world.table("reference", column_name="k")
    assert [(row["version"], row["active"]) for row in found] == [(1, False), (2, True)]
    assert (found[1]["interval_start"], found[1]["interval_end"]) == (day(10), day(13))
    assert found[0] == {**old["k"], "active": False}
    assert {row["axis_id"] for row in found} == {old["k"]["axis_id"]}
    assert [row["version"] for row in world.table("axis")] == [1, 1]
    assert [(r["verdict"], r["reference_version"]) for r in world.results("k")] == [
        ("critical", 1), ("critical", 1), ("critical", 1), ("ok", 2), ("ok", 2),
    ]  # fmt: skip
    assert world.results("k")[-1]["js"] == 0
    volume = world.table("reference", column_name="@volume")
    assert [(row["version"], row["rows"]) for row in volume] == [(1, 4800), (2, 1440)]


def test_until_a_new_range_is_over_the_old_reference_is_compared_with(world: World) -> None:
    world.live(rows(10, 14))
    world.catch_up(11)
    world.configure(reference=Interval(day(10), day(13)))
    (waiting,) = world.catch_up(12)
    assert waiting.outcome == "success"
    assert "is not complete before its end" in waiting.message
    world.catch_up(14)
    assert world.table("monitor")[0]["watermark"] == day(14)
    judged = [found for found in world.results("x") if found["reference_version"]]
    assert [(one["window_end"], one["reference_version"]) for one in judged] == [
        (day(11), 1), (day(12), 1), (day(13), 2), (day(14), 2),
    ]  # fmt: skip


def test_a_new_range_after_a_change_of_type_has_an_axis_of_its_own(world: World) -> None:
    world.live(rows(10, 11))
    world.catch_up(11)
    world.log.change_type("x", "text")
    textual = replace(X, kind=K.kind)
    world.configure(features=(textual, K))
    world.live(rows(11, 14, x="much"))
    world.catch_up(12)
    assert world.verdicts("x")[-1] == ("error", "type_changed")
    world.configure(features=(textual, K), reference=Interval(day(12), day(13)))
    world.catch_up(14)
    assert [row["version"] for row in world.table("axis", column_name="x")] == [1, 2]
    assert [row["version"] for row in world.table("axis", column_name="k")] == [1]
    assert [v for v, _ in world.verdicts("x")][-2:] == ["ok", "ok"]


def test_a_later_column_leaves_the_volume_as_it_was_captured(small_world: World) -> None:
    world = small_world
    world.configure(features=(X,))
    world.live(rows(10, 12))
    world.catch_up(11)
    volume = world.table("reference", column_name="@volume")
    panes = world.table("pane")
    world.log.execute(f"DELETE FROM events WHERE at < '{day(5):%Y-%m-%d %H:%M:%S}'")
    world.configure(features=(X, K))
    world.evaluate(day(11.01))
    assert world.table("reference", column_name="@volume") == volume
    assert world.table("pane") == panes
    assert world.table("reference", column_name="k")[0]["rows"] == 2400
    world.catch_up(12)
    assert [verdict for verdict, _ in world.verdicts("k")][-1] == "ok"


def test_the_rows_of_the_references_own_windows_are_found_again(small_world: World) -> None:
    small_world.live(rows(10, 11))
    small_world.configure(window_seconds=(HOUR, DAY))
    prepared = small_world.evaluate(day(11.01)).prepared
    assert prepared is not None
    assert prepared.reference_rows[DAY].tolist() == [480] * 10
    assert prepared.reference_rows[HOUR].tolist() == [20] * 240


def test_a_pane_of_another_length_goes_on_where_the_old_one_stopped(small_world: World) -> None:
    world = small_world
    world.configure(pane_seconds=1_200, window_seconds=(HOUR, DAY))
    world.live(rows(10, 12))
    world.evaluate(day(10) + timedelta(hours=7, minutes=50))  # counted until 7:40
    world.configure(pane_seconds=1_800, window_seconds=(HOUR, DAY))
    world.catch_up(11)
    assert [found["rows"] for found in world.results("x", HOUR)] == [20] * 24
    assert [found["rows"] for found in world.results("x", DAY)] == [480]
    world.configure(pane_seconds=300, window_seconds=(HOUR, DAY))
    world.catch_up(12)
    assert [found["rows"] for found in world.results("x", HOUR)] == [20] * 48


def test_a_length_that_is_added_is_judged_from_the_panes_that_are_there(
    small_world: World,
) -> None:
    small_world.live(rows(10, 13))
    small_world.catch_up(11.9)
    small_world.configure(window_seconds=(2 * DAY,))
    small_world.catch_up(13)
    found = small_world.results("x", 2 * DAY)
    whole = [one for one in found if one["window_start"] >= day(10)]
    assert whole == found
    assert [one["rows"] for one in found] == [960]


def test_what_a_second_process_captured_meanwhile_is_kept(small_world: World) -> None:
    """Both look, both count; rows came between: the second one takes what the first one saved."""
    world = small_world
    other = monitor(world.log, features=(X, K, FeatureSettings("k2", kind=K.kind, threshold=FIXED)))
    plan = world.source.plan
    first: list[object] = []

    def meanwhile(*arguments: object, **options: object) -> object:
        if not first:
            first.append(None)
            first.append(world.evaluate(day(10.1)))
            world.live(rows(3, 4, x=9.0))
        return plan(*arguments, **options)  # type: ignore[arg-type]

    world.source.plan = meanwhile  # type: ignore[method-assign,assignment]
    prepared = prepare(
        other, day(10.1), source=world.source, store=world.store, started_at=day(10.1)
    )
    assert [row["version"] for row in world.table("reference", column_name="x")] == [1]
    assert world.table("reference", column_name="x")[0]["rows"] == 4800
    assert prepared.references["x"].rows == 4800
    assert prepared.axes["x"] == world.reports[0].prepared.axes["x"]  # type: ignore[union-attr]
