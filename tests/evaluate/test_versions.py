"""A model is released: its predictions are compared with the version beside or before it, then
with its own first days; inputs keep their reference."""

from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    FeatureSettings,
    RelationSettings,
    RollingReference,
    Start,
    TableReference,
    VersionSettings,
)
from driftwatch.evaluate.accept import Acceptance, accept
from driftwatch.evaluate.reference_commands import activate
from driftwatch.window import to_epoch
from tests.evaluate.log import Row, day, rows, shifted
from tests.evaluate.world import DAY, FIXED, K, World

P = FeatureSettings("x", prediction=True, threshold=FIXED)


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


def drifts_on_day_12(world: World, **served_then: Any) -> None:
    world.live(rows(12, 14, x=shifted, **served_then))
    for one in range(11, 15):
        world.catch_up(one)
    told = [one[5] for one in world.outbox() if (one[0], one[4]) == ("x", "firing")]
    assert told == ["critical"]


@pytest.mark.parametrize("reference", [RollingReference(7 * DAY), "training"])
def test_the_only_version_is_judged_by_a_reference_that_knows_no_versions(
    released: World, reference: Any
) -> None:
    if reference == "training":
        released.log.execute("CREATE TABLE training AS SELECT x, k FROM events")
        reference = TableReference(RelationSettings("training", None, None))
    released.configure(
        features=(P, K),
        window_seconds=(DAY,),
        version=VersionSettings("version", 3 * DAY),
        alert=AlertPolicy(k=1, of=1),
        reference=reference,
        start=Start(to_epoch(day(10))),
    )
    drifts_on_day_12(released, version="v1")
    assert [verdict for _, verdict, _ in of_version(released, "v1")][:2] == ["ok", "ok"]


@pytest.mark.parametrize("version", [None, ""])
def test_rows_without_a_version_page(released: World, version: str | None) -> None:
    drifts_on_day_12(released, version=version)
    (alert,) = released.table("alert", state="firing")
    assert alert["segment"] == "version=(null)"


def test_without_its_column_all_rows_page(released: World) -> None:
    released.catch_up(12)
    released.log.execute("ALTER TABLE events RENAME COLUMN version TO release")
    drifts_on_day_12(released, release="v1")


def test_what_was_accepted_of_a_version_fires_no_more(released: World) -> None:
    released.live(served("v1", 12, 18, x=shifted))
    for one in (11, 12, 13, 14):
        released.catch_up(one)
    accept(
        Acceptance(released.monitor, "x", day(12), "new targets"),
        store=released.store, now=day(40), notify=True,
    )  # fmt: skip
    for one in range(15, 19):
        released.catch_up(one)
    later = of_version(released, "v1")[-4:]
    assert [verdict for _, verdict, _ in later] == ["ok"] * 4
    assert later[0][2].startswith("[2026-11-14T00:00:00Z, 2026-11-16")
    assert released.outbox()[-1][4] == "resolved"


def test_a_canary_is_handed_over_when_it_has_rows_enough(released: World) -> None:
    """One row an hour for six days are 72 in the first three, and 100 are needed."""
    released.live([*served("v1", 12, 18), *served("v2", 12, 18, per_hour=1, x=shifted)])
    released.live(served("v2", 18, 20, x=shifted))
    for one in range(11, 21):
        released.catch_up(one)
    (handed,) = released.table("annotation", kind="hand_over")
    assert handed["range_start"] == day(18)
    assert of_version(released, "v2")[-1] == (20, "ok", "its own first 6 days")


def test_a_catch_up_judges_versions_as_the_days_would_have(released: World) -> None:
    """Two releases during a pause of the daemon: each after the one before, handed over in time."""
    released.live([*served("v2", 12, 16, x=shifted), *served("v3", 16, 22)])
    released.catch_up(12)
    released.catch_up(22)
    known = {r["version"]: r["predecessor"] for r in released.table("model_version")}
    assert known == {"v1": None, "v2": "v1", "v3": "v2"}
    assert of_version(released, "v2")[-1] == (16, "ok", "its own first 3 days")
    assert of_version(released, "v3")[2:4] == [
        (19, "critical", "version v2, before it"),
        (20, "ok", "its own first 3 days"),
    ]


def test_rows_without_a_version_are_counted(released: World) -> None:
    released.live(rows(12, 13))
    released.catch_up(13)
    assert {str(r["verdict"]) for r in released.results("k")} == {"ok"}
    assert len(released.table("model_version")) == 1


@pytest.mark.parametrize("reference", [None, RollingReference(5 * DAY)])
def test_rows_that_never_had_a_version_have_their_own_past(
    empty_world: World, reference: RollingReference | None
) -> None:
    """Half of the predictions come from a rule without a version, which is another distribution."""
    empty_world.log.execute("ALTER TABLE events ADD COLUMN version text")
    empty_world.live([*served("v1", 0, 13), *rows(0, 13, x=shifted, version=None)])
    empty_world.configure(
        features=(P, K), window_seconds=(DAY,), alert=AlertPolicy(k=1, of=1),
        version=VersionSettings("version", 3 * DAY),
        **({"reference": reference} if reference else {}),
    )  # fmt: skip
    for one in range(11, 14):
        empty_world.catch_up(one)
    assert {verdict for _, verdict, _ in of_version(empty_world, "(null)")} == {"ok"}
    if reference is None:
        assert {verdict for _, verdict, _ in of_version(empty_world, "v1")} == {"ok"}


def test_a_version_column_that_vanishes_is_an_alert_and_blinds_nobody(released: World) -> None:
    """From day 12 on the column has another name, and the model predicts otherwise."""
    released.catch_up(12)
    released.log.execute("ALTER TABLE events RENAME COLUMN version TO model")
    released.live(rows(12, 14, x=shifted))
    for one in range(13, 15):
        released.catch_up(one)
    assert released.verdicts("version") == [("error", "column_missing")] * 2
    firing = [(one[0], one[5]) for one in released.outbox() if one[4] == "firing"]
    assert firing == [("version", "warning"), ("x", "critical")]
    assert released.events("version", "column") == [(13, "firing")]
    released.log.execute("ALTER TABLE events RENAME COLUMN model TO version")
    released.live(served("v1", 14, 16))
    released.prepared = None
    for one in range(15, 17):
        released.catch_up(one)
    assert released.events("version", "column")[-1][1] == "resolved"
    assert of_version(released, "v1")[-1][1] == "ok"
    assert released.verdicts("version")[-1] == ("ok", "within_threshold")


def test_when_versions_are_named_again_the_alert_ends(released: World) -> None:
    released.live([*rows(12, 13, version=None, x=shifted), *served("v1", 13, 15)])
    for one in range(11, 16):
        released.catch_up(one)
    told = [(r["segment"], str(r["state"])) for r in released.table("notification", feature="x")]
    assert told == [("version=(null)", "firing"), ("version=(null)", "resolved")]


def test_a_column_that_never_named_a_version_blinds_nobody(empty_world: World) -> None:
    """It was created, and nobody fills it."""
    empty_world.log.execute("ALTER TABLE events ADD COLUMN version text")
    empty_world.live([*rows(0, 12, version=None), *rows(12, 14, version=None, x=shifted)])
    empty_world.configure(
        features=(P, K), window_seconds=(DAY,), version=VersionSettings("version", 3 * DAY),
        alert=AlertPolicy(k=1, of=1),
    )  # fmt: skip
    for one in range(11, 15):
        empty_world.catch_up(one)
    (alert,) = empty_world.table("alert", state="firing")
    assert alert["segment"] == "version=(null)"


def test_the_reference_before_an_acceptance_is_that_of_the_version_again(released: World) -> None:
    released.live(served("v1", 12, 16, x=shifted))
    for one in range(11, 15):
        released.catch_up(one)
    wanted = Acceptance(released.monitor, "x", day(12), "new tariffs")
    accept(wanted, store=released.store, now=day(20), notify=False)
    released.catch_up(15)
    assert of_version(released, "v1")[-1][1] == "ok"
    activate(released.monitor, 1, "x", store=released.store, now=day(20), notify=False)
    released.catch_up(16)
    assert of_version(released, "v1")[-1][1] == "critical"
