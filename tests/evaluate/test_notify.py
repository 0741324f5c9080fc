"""What the webhook is told of an alert, and when."""

import json
from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import MonitorSettings, SegmentGroup, SegmentSettings
from driftwatch.evaluate.notify import enqueue_changes
from tests.evaluate.findings import found, history, take
from tests.evaluate.log import day
from tests.evaluate.world import DAY, QUARTER, World, monitor

ONCE = AlertPolicy(k=1, of=1)


@pytest.fixture
def settings(small_empty_world: World) -> MonitorSettings:
    return monitor(small_empty_world.log)


def told(world: World) -> list[dict[str, Any]]:
    """The payloads, oldest first."""
    return [json.loads(row["payload"]) for row in world.table("notification")]


def said(world: World) -> list[tuple[str, str | None, float]]:
    """State, severity and day of what was told, oldest first."""
    return [(state, severity, at) for _, _, _, at, state, severity in world.outbox()]


def test_it_says_since_when_and_by_how_much(empty_world: World) -> None:
    take(empty_world.store, monitor(empty_world.log), history(11, ".w.c"))
    (firing,) = told(empty_world)
    assert firing == {
        "version": 1, "monitor": "m", "feature": "x", "segment": "", "window": "1d",
        "kind": "drift", "state": "firing", "severity": "critical",
        "since": text(11), "window_end": text(14),
        "measure": "js_distance", "value": 0.25, "threshold": 0.2, "rows": 930,
        "reason": "above_threshold", "change": None, "next_step": None, "explanation": None,
        "message": f"m: x drifts (critical) over 1d up to {text(14)}: js_distance 0.25, limit 0.2, "
        "930 rows.",
    }  # fmt: skip


def test_a_window_that_is_not_judged_has_no_value(
    small_empty_world: World, settings: MonitorSettings
) -> None:
    """A catch-up may end at one; what it says is not what the alert fired on."""
    judged = [*history(11, "cc"), found(13, "?", rows=40, value=0.0)]
    take(small_empty_world.store, settings, judged)
    (firing,) = told(small_empty_world)
    assert (firing["state"], firing["value"], firing["reason"]) == ("firing", None, "too_few_rows")
    assert firing["message"] == (
        f"m: x drifts (critical) over 1d up to {text(13)}: the newest window is not judged "
        "(too_few_rows), 40 rows."
    )


def test_what_is_told_is_told_once(small_empty_world: World, settings: MonitorSettings) -> None:
    take(small_empty_world.store, settings, history(11, "ww"))
    with small_empty_world.store.write() as connection:
        assert enqueue_changes(connection, "m", day(31)) == 0
    assert len(told(small_empty_world)) == 1


def test_the_end_says_since_when_it_has_ended(
    small_empty_world: World, settings: MonitorSettings
) -> None:
    take(small_empty_world.store, settings, history(11, "ww"))
    take(small_empty_world.store, settings, history(13, ".."))
    assert told(small_empty_world)[-1]["since"] == text(14)


def test_what_fires_again_for_the_same_window_is_told_with_the_next(
    empty_world: World,
) -> None:
    """The keys of a notification name the window: it would be taken for one that came twice."""
    settings = monitor(empty_world.log, alert=ONCE)
    for word in "w.w":
        take(empty_world.store, settings, [found(11, word)])
    assert said(empty_world) == [("firing", "warning", 11), ("resolved", None, 11)]
    take(empty_world.store, settings, [])
    assert len(told(empty_world)) == 2
    take(empty_world.store, settings, [found(12, "w")])
    assert said(empty_world)[2:] == [("firing", "warning", 12)]


def test_a_severity_that_rises_for_the_same_window_is_told_with_the_next(
    small_empty_world: World,
) -> None:
    settings = monitor(small_empty_world.log, alert=ONCE)
    for number, word in ((11, "w"), (11, "c"), (12, "c")):
        take(small_empty_world.store, settings, [found(number, word)])
    assert said(small_empty_world) == [("firing", "warning", 11), ("firing", "critical", 12)]


def test_the_numbers_of_a_segment_are_its_own(small_empty_world: World) -> None:
    by = SegmentSettings((SegmentGroup(("country",)),), (DAY,), page=True)
    settings = monitor(small_empty_world.log, alert=ONCE, segments=by)
    german = found(11, "w", segment="country=DE", rows=41, value=0.15)
    take(small_empty_world.store, settings, [found(11, "."), german])
    (firing,) = told(small_empty_world)
    assert (firing["segment"], firing["rows"], firing["value"]) == ("country=DE", 41, 0.15)
    assert "m: x[country=DE] drifts (warning)" in firing["message"]


@pytest.mark.parametrize(
    ("days", "says"), [(4, "over 1d (judged on 4 days) up to"), (1, "over 1d up to"),
                       (25 / 24, "over 1d up to"), (23 / 24, "over 1d up to")],
)  # fmt: skip
def test_it_says_on_how_much_was_judged(small_empty_world: World, days: float, says: str) -> None:
    settings = monitor(small_empty_world.log, alert=ONCE)
    take(small_empty_world.store, settings, [found(11, "w", days=days)])
    assert says in told(small_empty_world)[0]["message"]


def test_a_column_that_is_not_counted_says_why(
    small_empty_world: World, settings: MonitorSettings
) -> None:
    take(small_empty_world.store, settings, [found(11, "!", seconds=QUARTER)])
    take(small_empty_world.store, settings, [found(11.25, ".", seconds=QUARTER)])
    gone, back = told(small_empty_world)
    assert (gone["kind"], gone["severity"], gone["reason"]) == (
        "column", "warning", "column_missing",
    )  # fmt: skip
    assert gone["message"].startswith("m: x is not counted (warning) over 6h up to ")
    assert (gone["measure"], gone["since"]) == ("rows", text(10.75))
    assert back["message"].startswith("m: x is counted again over 6h up to ")


def test_an_end_by_exclusion_says_so(small_empty_world: World, settings: MonitorSettings) -> None:
    take(small_empty_world.store, settings, history(11, "ww"))
    take(small_empty_world.store, settings, [found(13, "c", excluded="black week")])
    end = told(small_empty_world)[-1]
    assert end["message"] == (
        f"m: the drift alert of x over 1d ended at {text(13)}: excluded: black week."
    )


def text(number: float) -> str:
    return day(number).isoformat().replace("+00:00", "Z")
