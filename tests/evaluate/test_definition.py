"""Counts of other rows are never added to those that are stored."""

from dataclasses import replace
from typing import Any

import pytest

from driftwatch.errors import ConfigError
from driftwatch.evaluate.definition import changed_definition, definition
from driftwatch.evaluate.prepare import prepare
from driftwatch.store.schema import monitor as table
from driftwatch.window import Interval
from tests.evaluate.log import SQLITE_FORMAT, Log, day, rows
from tests.evaluate.world import World, monitor, natural

OTHER: list[tuple[dict[str, Any], str]] = [
    ({"where": "k = 'a'"}, "`where` was not set and is \"k = 'a'\""),
    ({"table": "others"}, "`table` was 'events' and is 'others'"),
    ({"schema": "main"}, "`schema` was not set and is 'main'"),
    ({"timestamp": "written_at"}, "`timestamp` was 'at' and is 'written_at'"),
    ({"timestamp_format": "epoch_s"}, f"`timestamp_format` was '{SQLITE_FORMAT}' and is 'epoch_s'"),
]


@pytest.mark.parametrize(("changes", "told"), OTHER)
def test_each_key_that_changed_is_named(changes: dict[str, Any], told: str) -> None:
    log = Log("sqlite://")
    stored = definition(monitor(log))
    said = changed_definition(stored, monitor(log, relation=replace(log.relation, **changes)))
    assert said.startswith("monitor 'm' reads other rows than those that it has counted: ")
    assert told in said
    assert said.count(" and is ") == 1
    assert "give the monitor another name" in said


def test_another_source_is_other_rows() -> None:
    log = Log("sqlite://")
    said = changed_definition(definition(monitor(log)), monitor(log, source="copy"))
    assert "`source` was 'logs' and is 'copy'" in said


def test_what_leaves_the_rows_alone_is_no_change() -> None:
    log = Log("sqlite://")
    stored = definition(monitor(log, relation=replace(log.relation, where="x > 0")))
    same = replace(log.relation, where="x > 0\n", timestamp_format=SQLITE_FORMAT)
    assert changed_definition(stored, monitor(log, relation=same, min_rows=7)) == ""
    assert changed_definition(None, monitor(log)) == ""


def test_other_rows_are_refused_until_they_are_put_back(world: World) -> None:
    world.live(rows(10, 12))
    world.catch_up(11)
    before = natural(world.store)
    world.configure(
        relation=replace(world.log.relation, where="k = 'a'"),
        reference=Interval(day(0), day(9)),
    )
    with pytest.raises(ConfigError, match="`where` was not set") as caught:
        world.catch_up(12)
    assert caught.value.outcome == "config_error"
    assert natural(world.store) == before
    world.configure()
    world.catch_up(12)
    assert [one["rows"] for one in world.results("x")] == [480, 480]


def test_another_name_begins_afresh(small_world: World) -> None:
    world = small_world
    world.live(rows(10, 11))
    world.catch_up(11)
    world.configure(name="a", relation=replace(world.log.relation, where="k = 'a'"))
    world.catch_up(11)
    (all_rows,), (some,) = (
        world.table("result", monitor=name, feature="x", window_seconds=86_400) for name in "ma"
    )
    assert 0 < some["rows"] < all_rows["rows"] == 480


def test_before_there_is_a_reference_everything_may_change(small_empty_world: World) -> None:
    world = small_empty_world
    world.configure(relation=replace(world.log.relation, where="k = 'nowhere'"))
    world.live(rows(0, 11))
    (waiting,) = world.catch_up(11)
    assert "holds no rows" in waiting.message
    assert world.table("monitor")[0]["definition"] is None
    world.configure()
    world.catch_up(11)
    assert world.table("monitor")[0]["definition"] == definition(world.monitor)


def test_a_store_without_a_note_takes_the_present_rows(small_world: World) -> None:
    world = small_world
    world.live(rows(10, 12))
    world.catch_up(11)
    with world.store.write() as connection:
        connection.execute(table.update().values(definition=None))
    world.configure(relation=replace(world.log.relation, where="k = 'a'"))
    world.catch_up(12)
    world.configure()
    with pytest.raises(ConfigError, match="`where` was \"k = 'a'\" and is not set"):
        world.catch_up(12)


def test_of_two_processes_with_other_rows_the_second_saves_nothing(small_world: World) -> None:
    """Both find nothing stored, both count; the one that writes later is refused."""
    world = small_world
    other = monitor(world.log, relation=replace(world.log.relation, where="k = 'a'"))
    plan = world.source.plan
    first: list[object] = []

    def meanwhile(*arguments: object, **options: object) -> object:
        if not first:
            first.append(None)
            first.append(world.evaluate(day(10.1)))
            first.append(natural(world.store))
        return plan(*arguments, **options)  # type: ignore[arg-type]

    world.source.plan = meanwhile  # type: ignore[method-assign,assignment]
    with pytest.raises(ConfigError, match="reads other rows"):
        prepare(other, day(10.1), source=world.source, store=world.store, started_at=day(10.1))
    assert natural(world.store) == first[2]
