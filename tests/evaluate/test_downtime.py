"""After a pause: in order, in bounded steps, and only the final state is told."""

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import FeatureSettings
from driftwatch.store.schema import metadata
from driftwatch.verdict.policy import FixedThreshold
from driftwatch.window import Interval
from tests.evaluate.log import Row, day, rows, shifted
from tests.evaluate.world import DAY, World, X, natural


def daily(world: World, *features: FeatureSettings) -> World:
    """Windows of a day alone, and an alert at once."""
    world.configure(
        window_seconds=(DAY,),
        features=features or (X,),
        alert=AlertPolicy(k=1, of=1),
        catch_up_seconds=2 * DAY,
    )
    return world


def weeks() -> list[Row]:
    """Fires on days 12 and 15, resolves on days 14 and 17; a last fire on day 18."""
    return [
        *rows(10, 11), *rows(11, 13, x=shifted), *rows(13, 14),
        *rows(14, 16, x=shifted), *rows(16, 17), *rows(17, 18, x=shifted),
    ]  # fmt: skip


def test_catching_up_goes_in_order_in_bounded_steps(world: World) -> None:
    daily(world).live(weeks())
    reports = world.catch_up(18)
    assert [report.scan for report in reports] == [
        Interval(day(start), day(start + 2)) for start in (10, 12, 14, 16)
    ]
    assert [report.behind for report in reports] == [True, True, True, False]
    assert [found["window_end"] for found in world.results("x")] == [day(d) for d in range(11, 19)]
    assert world.table("monitor")[0]["watermark"] == day(18)


def test_every_change_is_recorded_and_the_final_state_is_told(world: World) -> None:
    daily(world).live(weeks())
    reports = world.catch_up(18)
    assert world.events("x", "drift") == [
        (12, "firing"), (14, "resolved"), (15, "firing"), (17, "resolved"), (18, "firing"),
    ]  # fmt: skip
    assert [len(report.changes) for report in reports] == [1, 1, 1, 2]
    assert world.outbox() == [("x", "drift", DAY, 18, "firing", "critical")]


def test_what_fired_and_ended_during_a_pause_is_not_told(small_world: World) -> None:
    daily(small_world).live([*rows(10, 11), *rows(11, 13, x=shifted), *rows(13, 16)])
    small_world.catch_up(16)
    assert small_world.events("x", "drift") == [(12, "firing"), (14, "resolved"), (15, "inactive")]
    assert small_world.outbox() == []


def test_an_end_during_a_pause_is_told_though_it_is_inactive_by_now(
    small_world: World,
) -> None:
    daily(small_world).live([*rows(10, 11, x=shifted), *rows(11, 16)])
    small_world.catch_up(11)
    small_world.catch_up(16)
    small_world.catch_up(16)
    assert small_world.outbox() == [
        ("x", "drift", DAY, 11, "firing", "critical"),
        ("x", "drift", DAY, 16, "resolved", None),
    ]


def test_an_ordinary_tick_tells_at_once_and_once(small_world: World) -> None:
    daily(small_world).live([*rows(10, 12, x=shifted), *rows(12, 15)])
    told = []
    for hour in range(24, 24 * 5 + 1, 6):
        small_world.catch_up(10 + hour / 24)
        told.append(len(small_world.outbox()))
    assert told == [1] * 8 + [2] * 9
    assert small_world.outbox() == [
        ("x", "drift", DAY, 11, "firing", "critical"),
        ("x", "drift", DAY, 13, "resolved", None),
    ]


def test_a_webhook_that_is_added_later_hears_of_the_present_alone(small_world: World) -> None:
    daily(small_world).live([*rows(10, 11, x=shifted), *rows(11, 14), *rows(14, 16, x=shifted)])
    small_world.notify = False
    for number in range(11, 16):
        small_world.catch_up(number)
    assert small_world.outbox() == []
    small_world.notify = True
    small_world.catch_up(16)
    assert small_world.outbox() == [("x", "drift", DAY, 16, "firing", "critical")]


def test_a_change_of_severity_is_told(small_world: World) -> None:
    def mildly(value: float | None) -> float | None:
        return None if value is None else value + 1.0

    coarse = replace(X, threshold=FixedThreshold(warning=0.2, critical=0.8, clear=0.1))
    daily(small_world, coarse).live(
        [*rows(10, 11, x=mildly), *rows(11, 12, x=shifted), *rows(12, 13, x=mildly)]
    )
    for number in (11, 12, 13):
        small_world.catch_up(number)
    assert [verdict for verdict, _ in small_world.verdicts("x")] == [
        "warning",
        "critical",
        "warning",
    ]
    assert small_world.outbox() == [
        ("x", "drift", DAY, 11, "firing", "warning"),
        ("x", "drift", DAY, 12, "firing", "critical"),
        ("x", "drift", DAY, 13, "firing", "warning"),
    ]


def test_steps_of_any_size_end_with_the_same_rows(small_world: World) -> None:
    """Hour by hour or in one scan: nothing but what was told differs."""
    daily(small_world).live(weeks())
    small_world.catch_up(18)
    whole = natural(small_world.store)
    for table in ("notification", "alert_event", "alert", "result_bin", "latest_result", "result"):
        _empty(small_world, table)
    for table in ("pane", "reference", "axis", "monitor"):
        _empty(small_world, table)
    small_world.prepared = None
    now = day(10)
    while now <= day(18):
        small_world.evaluate(now + timedelta(minutes=10))
        now += timedelta(hours=1)
    by_hour = natural(small_world.store)
    for name in ("result", "result_bin", "alert_event", "pane", "reference"):
        assert by_hour[name] == whole[name]
    assert len(by_hour["notification"]) == 5


def _empty(world: World, table: str) -> None:
    with world.store.write() as connection:
        connection.execute(sa.delete(metadata.tables[table]))
