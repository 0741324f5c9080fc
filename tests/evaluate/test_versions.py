"""A model is released: its predictions are compared with the version beside or before it, then
with its own first days; inputs keep their reference."""

from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import FeatureSettings, VersionSettings
from tests.evaluate.log import Row, day, rows, shifted
from tests.evaluate.world import DAY, K, World

P = FeatureSettings("x", prediction=True)


def served(version: str, start: float, end: float, **changed: Any) -> list[Row]:
    return rows(start, end, version=version, **changed)


@pytest.fixture
def released(empty_world: World) -> World:
    """Version 1 serves for 12 days."""
    empty_world.log.execute("ALTER TABLE events ADD COLUMN version text")
    empty_world.live(served("v1", 0, 12))
    empty_world.configure(
        features=(P, K),
        window_seconds=(DAY,),
        version=VersionSettings("version", 3 * DAY),
        alert=AlertPolicy(k=1, of=1),
    )
    return empty_world


def of_version(world: World, version: str) -> list[tuple[float, str, str]]:
    """Day, verdict, and what it was compared with."""
    found = world.table("result", feature="x", segment=f"version={version}")
    return [((r["window_end"] - day(0)).days, str(r["verdict"]), r["compared_with"]) for r in found]


def test_a_new_version_is_an_event_and_no_alarm(released: World) -> None:
    """Version 2 replaces version 1 on day 12 and predicts otherwise, as it is meant to."""
    released.live(served("v2", 12, 18, x=shifted))
    reports = [report for one in range(11, 19) for report in released.catch_up(one)]
    assert [report.new_versions for report in reports if report.new_versions] == [("v2",)]
    (note,) = released.table("annotation", kind="new_version")
    assert (note["range_start"], note["message"]) == (day(12), "version v2 after v1")
    assert of_version(released, "v2") == [
        (13, "critical", "version v1, before it"),
        (14, "critical", "version v1, before it"),
        (15, "critical", "version v1, before it"),
        (16, "ok", "its own first 3 days"),
        (17, "ok", "its own first 3 days"),
        (18, "ok", "its own first 3 days"),
    ]
    (handed,) = released.table("annotation", kind="hand_over")
    assert handed["range_start"] == day(15)
    told = [one for one in released.outbox() if one[0] == "x"]
    assert {one[5] for one in told if one[4] == "firing"} == {"warning"}, "a release is no page"
    assert told[-1][4] == "resolved"
    assert {str(r["verdict"]) for r in released.results("k")} == {"ok"}, "inputs keep theirs"


def test_beside_the_old_version(released: World) -> None:
    """Both serve: what happens to both is no difference between them."""
    released.live([*served("v1", 12, 15, x=shifted), *served("v2", 12, 15, x=shifted)])
    for one in range(11, 16):
        released.catch_up(one)
    assert of_version(released, "v2")[:3] == [
        (13, "ok", "version v1, beside it"),
        (14, "ok", "version v1, beside it"),
        (15, "ok", "version v1, beside it"),
    ]
    assert of_version(released, "v1")[-1][1] == "critical", "against its own reference"


def test_a_drift_of_the_version_that_serves_pages_as_ever(released: World) -> None:
    released.live(served("v1", 12, 14, x=shifted))
    for one in range(11, 15):
        released.catch_up(one)
    firing = [one for one in released.outbox() if one[4] == "firing"]
    assert [one[5] for one in firing] == ["critical"], "told once, by its version"
    (alert,) = released.table("alert", state="firing")
    assert alert["segment"] == "version=v1"


def test_the_first_version_is_no_news(released: World) -> None:
    released.catch_up(12)
    assert released.table("annotation") == []
    (known,) = released.table("model_version")
    assert (known["version"], known["handed_over_at"]) == ("v1", day(0))


def test_rows_without_a_version_are_counted(released: World) -> None:
    released.live(rows(12, 13))
    released.catch_up(13)
    assert {str(r["verdict"]) for r in released.results("k")} == {"ok"}
    assert len(released.table("model_version")) == 1
