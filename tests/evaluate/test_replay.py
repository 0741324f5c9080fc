"""A replay leads to what the daemon has led to, and needs neither its results nor the log."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    Exclusion,
    FeatureSettings,
    Kind,
    ReferenceSettings,
    RetentionSettings,
    RollingReference,
    SeasonalReference,
    SegmentGroup,
    SegmentSettings,
    Start,
    VersionSettings,
)
from driftwatch.errors import ConfigError
from driftwatch.evaluate.accept import Acceptance, accept
from driftwatch.evaluate.history import history
from driftwatch.evaluate.replay import Replay, replay
from driftwatch.store import retention
from driftwatch.verdict.policy import CalibratedThreshold, FixedThreshold, Policy
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import day, rows, shifted
from tests.evaluate.world import DAY, HOUR, QUARTER, World, natural

POLICIES: dict[str, Policy] = {"calibrated": CalibratedThreshold(), "fixed": FixedThreshold()}
REFERENCES: dict[str, ReferenceSettings] = {
    "range": Interval(day(0), day(10)),
    "rolling": RollingReference(7 * DAY),
    "seasonal": SeasonalReference(1),
}


def features(policy: Policy) -> tuple[FeatureSettings, ...]:
    return (
        FeatureSettings("x", threshold=policy),
        FeatureSettings("k", kind=Kind.CATEGORICAL, threshold=policy),
    )


def daily(world: World, first: int, last: int) -> None:
    """A daemon that looks once a day and is never late."""
    for one in range(first, last + 1):
        world.catch_up(one)


def replayed(world: World, start: datetime | None = None, end: datetime | None = None,
             **changes: Any) -> Replay:  # fmt: skip
    """Without the log, and without what the daemon has found."""
    monitor = replace(world.monitor, **changes)
    return replay(monitor, history(monitor, world.store, start=start, end=end), store=world.store)


def stored_findings(world: World) -> set[tuple[object, ...]]:
    found: dict[tuple[object, ...], tuple[object, ...]] = {}
    newest_last = sorted(world.table("result"), key=lambda one: one["reference_version"])
    for row in newest_last:
        key = (row["feature"], row["segment"], row["window_seconds"], row["window_end"])
        found[key] = (row["window_start"], str(row["verdict"]), shown(row["value"]))
    return {(*key, *value) for key, value in found.items()}


def findings(found: Replay) -> set[tuple[object, ...]]:
    return {
        (series.feature, series.segment, series.seconds, one.window.end, one.window.start,
         str(one.verdict), shown(one.value))
        for series, some in found.findings.items()
        for one in some
    }  # fmt: skip


def shown(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.9g}"


def stored_alerts(world: World) -> list[tuple[object, ...]]:
    """Feature, segment, length, kind and the ends of the windows at which it fired and ended."""
    made = []
    for firing in world.table("alert_event", to_state="firing"):
        if firing["from_state"] == "firing":
            continue
        key = {name: firing[name] for name in ("feature", "segment", "window_seconds", "kind")}
        over = [
            one["window_end"]
            for one in world.table("alert_event", from_state="firing", **key)
            if one["to_state"] != "firing" and one["window_end"] >= firing["window_end"]
        ]
        made.append((*map(str, key.values()), firing["window_end"], min(over, default=None)))
    return sorted(made, key=str)


def alerts(found: Replay) -> list[tuple[object, ...]]:
    return sorted(
        (
            (*map(str, (one.key.feature, one.key.segment, one.key.window_seconds, one.key.kind)),
             one.fired_at, one.ended_at)
            for one in found.raised
        ),
        key=str,
    )  # fmt: skip


def assert_same(world: World) -> Replay:
    """The replay of what is configured is what happened; nothing is written, the log is gone."""
    before = natural(world.store)
    world.log.execute("ALTER TABLE events RENAME TO gone")
    found = replayed(world)
    assert natural(world.store) == before
    assert findings(found) == stored_findings(world)
    assert alerts(found) == stored_alerts(world)
    assert found.raised, "a test without an alert would say little"
    return found


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_replay_is_what_the_daemon_found(world: World, reference: str, policy: str) -> None:
    world.configure(
        features=features(POLICIES[policy]),
        reference=REFERENCES[reference],
        window_seconds=(QUARTER, DAY) if reference == "range" else (DAY,),
        start=Start(to_epoch(day(10))),
    )
    world.live([*rows(10, 13), *rows(13, 16, x=shifted), *rows(16, 18), *rows(19, 20, k="b")])
    daily(world, 11, 20)
    assert_same(world)


def test_what_is_excluded_stays_excluded(world: World) -> None:
    storm = Exclusion(Interval(day(12), day(13)), "a storm")
    world.configure(features=features(CalibratedThreshold()), reference=RollingReference(7 * DAY),
                    window_seconds=(DAY,), exclusions=(storm,))  # fmt: skip
    world.live([*rows(10, 12), *rows(12, 13, x=shifted), *rows(13, 14), *rows(14, 18, x=shifted)])
    daily(world, 11, 18)
    found = assert_same(world)
    assert {one.fired_at for one in found.raised if one.key.feature == "x"} == {day(15)}


def test_segments_that_page_are_judged_too(empty_world: World) -> None:
    world = empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN country text")
    for name in ("DE", "FR"):
        world.live(rows(0, 12, country=name))
    world.live([*rows(12, 16, country="DE"), *rows(12, 16, country="FR", x=shifted)])
    asked = SegmentSettings((SegmentGroup(("country",), limit=2),), (DAY,), page=True)
    world.configure(features=features(CalibratedThreshold()), window_seconds=(DAY,), segments=asked)
    daily(world, 11, 16)
    found = assert_same(world)
    assert {one.key.segment for one in found.raised} == {"", "country=FR"}


def test_segments_that_explain_are_no_alerts(small_empty_world: World) -> None:
    world = small_empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN country text")
    world.live([*rows(0, 10, country="DE"), *rows(10, 14, country="DE", x=shifted)])
    asked = SegmentSettings((SegmentGroup(("country",), limit=2),), (DAY,))
    world.configure(window_seconds=(DAY,), segments=asked)
    daily(world, 11, 14)
    found = replayed(world)
    assert {one.segment for one in found.findings} == {""}
    assert alerts(found) == stored_alerts(world)


def test_a_version_is_judged_as_it_was_before_and_after_its_hand_over(empty_world: World) -> None:
    world = empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN version text")
    world.live(rows(0, 13, version="v1"))
    world.live(rows(13, 19, version="v2", x=shifted))
    world.configure(
        features=(FeatureSettings("x", prediction=True, threshold=CalibratedThreshold()),
                  FeatureSettings("k", kind=Kind.CATEGORICAL)),
        window_seconds=(DAY,),
        version=VersionSettings("version", 3 * DAY),
        alert=AlertPolicy(1, 1),
    )  # fmt: skip
    daily(world, 11, 19)
    found = assert_same(world)
    (one,) = [one for one in found.raised if one.key.segment == "version=v2"]
    assert (one.severity, one.fired_at, one.ended_at) == ("warning", day(14), day(16))


def test_a_change_is_accepted_when_it_was(world: World) -> None:
    world.configure(features=features(CalibratedThreshold()), window_seconds=(DAY,))
    world.live([*rows(10, 12), *rows(12, 18, x=shifted)])
    daily(world, 11, 15)
    wanted = Acceptance(world.monitor, "x", day(12), "a new sensor")
    accept(wanted, store=world.store, now=day(15), notify=False)
    daily(world, 16, 18)
    found = assert_same(world)
    assert [(one.fired_at, one.ended_at) for one in found.raised] == [(day(13), day(15))]


def test_columns_that_come_later_are_judged_later(world: World) -> None:
    x, k = features(CalibratedThreshold())
    world.configure(features=(x, replace(k, delay_seconds=DAY)), window_seconds=(DAY,))
    world.live([*rows(10, 12), *rows(12, 16, x=shifted, k="b")])
    daily(world, 11, 17)
    assert_same(world)


def test_windows_that_reach_back_do_so_again(world: World) -> None:
    world.configure(features=features(FixedThreshold()), min_rows=300, widen_seconds=2 * DAY,
                    window_seconds=(QUARTER,))  # fmt: skip
    world.live([*rows(10, 11), *rows(11, 15, x=shifted)])
    daily(world, 11, 15)
    assert_same(world)


def flagged(found: Replay) -> set[tuple[str, datetime]]:
    return {
        (series.feature, one.window.end)
        for series, some in found.findings.items()
        for one in some
        if one.flagged and series.feature != "@volume"
    }


def with_policy(world: World, policy: Policy) -> tuple[FeatureSettings, ...]:
    return tuple(replace(one, threshold=policy) for one in world.monitor.features)


def test_a_stricter_policy_flags_a_part_of_what_another_flags(small_world: World) -> None:
    world = small_world
    world.configure(features=features(FixedThreshold()))
    steps = [rows(10 + n, 11 + n, x=lambda v, n=n: v and v + 0.15 * n) for n in range(10)]
    world.live([row for step in steps for row in step])
    world.catch_up(20)
    policies: Sequence[Policy] = [
        CalibratedThreshold(alpha=0.05),
        CalibratedThreshold(alpha=0.001),
        CalibratedThreshold(alpha=0.001, warning=0.6, critical=0.9),
        CalibratedThreshold(alpha=1e-12, warning=0.9, critical=None),
    ]
    found = [flagged(replayed(world, features=with_policy(world, one))) for one in policies]
    for looser, stricter in pairwise(found):
        assert stricter < looser
    assert found[-1]


def test_windows_of_one_length_are_what_they_are_among_all(small_world: World) -> None:
    """A rolling reference learns from what the shortest windows say, whichever are asked for."""
    world = small_world
    world.configure(features=features(CalibratedThreshold()), reference=RollingReference(4 * DAY),
                    window_seconds=(QUARTER, DAY))  # fmt: skip
    world.live([*rows(10, 13), *rows(13, 14, x=shifted), *rows(14, 17)])
    world.catch_up(17)
    past = history(world.monitor, world.store, start=None, end=None)
    alone = replay(world.monitor, past, store=world.store, seconds=DAY)
    assert {one.seconds for one in alone.findings} == {DAY}
    assert findings(alone) == {one for one in findings(replayed(world)) if one[2] == DAY}
    assert alerts(alone) == [one for one in alerts(replayed(world)) if one[2] == str(DAY)]


def test_a_part_of_the_history_tells_of_alerts_that_fired_before(small_world: World) -> None:
    world = small_world
    world.configure(features=features(FixedThreshold()), window_seconds=(DAY,))
    world.live([*rows(10, 12), *rows(12, 18, x=shifted), *rows(18, 20)])
    daily(world, 11, 20)
    found = replayed(world, start=day(15), end=day(17))
    ends = {one.window.end for some in found.findings.values() for one in some}
    assert ends == {day(16), day(17)}
    (one,) = found.raised
    assert (one.key.feature, one.fired_at, one.ended_at) == ("x", day(14), None)


def test_windows_whose_counts_are_kept_in_days_only_are_told(small_world: World) -> None:
    world = small_world
    world.configure(features=features(FixedThreshold()), window_seconds=(HOUR, DAY),
                    start=Start(to_epoch(day(8))))  # fmt: skip
    world.live(rows(10, 20))
    world.catch_up(20)
    kept = RetentionSettings(panes_seconds=2 * DAY, hours_seconds=3 * DAY)
    with world.store.write() as connection:
        calendars = {"m": world.monitor.calendar}
        while retention.prune(connection, kept, monitors=calendars, now=day(20)):
            pass
    found = replayed(world)
    (left_out,) = found.left_out
    assert (left_out.seconds, left_out.coarser, left_out.uncounted) == (HOUR, 9 * 24, 0)
    judged = {series.seconds: len(some) for series, some in found.findings.items()}
    assert judged == {HOUR: 3 * 24, DAY: 12}


def test_without_a_history_there_is_nothing_to_judge(small_world: World) -> None:
    world = small_world
    with pytest.raises(ConfigError, match=r"'m' has no history yet: .* `driftwatch serve`"):
        replayed(world)
    world.live(rows(10, 12))
    world.catch_up(12)
    with pytest.raises(ConfigError, match=r"no history in that range: it has counted \[2026-11-12"):
        replayed(world, start=day(30))
    with pytest.raises(ConfigError, match="reads other rows"):
        replayed(world, relation=replace(world.monitor.relation, where="x > 0"))
