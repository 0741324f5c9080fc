"""Why a window is flagged, and who is woken by it: as it is stored, told and weighed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import FeatureSettings, Kind, SegmentGroup, SegmentSettings, Start
from driftwatch.verdict.harm import SeverityRule
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import Row, day, rows
from tests.evaluate.world import DAY, World

X, K = FeatureSettings("x"), FeatureSettings("k", kind=Kind.CATEGORICAL)
P = FeatureSettings("p", prediction=True)
Change = Callable[[float | None], object]


def predicted(start: float, end: float, **changed: object) -> list[Row]:
    """Rows whose prediction follows the seconds of the clock, so that no other column moves it."""
    made = rows(start, end, per_hour=60, **changed)
    return [{"p": (number * 37 % 101) / 101, **row} for number, row in enumerate(made)]


@pytest.fixture
def world(empty_world: World) -> World:
    """Ten days of reference with a prediction, and the default policy."""
    empty_world.log.execute("ALTER TABLE events ADD COLUMN p double precision")
    empty_world.live(predicted(0, 10))
    configure(empty_world, X, K, P)
    return empty_world


def configure(world: World, *features: FeatureSettings, **changes: object) -> None:
    usual = {
        "features": features,
        "reference": Interval(day(0), day(10)),
        "start": Start(to_epoch(day(10))),
        "window_seconds": (DAY,),
        "alert": AlertPolicy(1, 1),
    }
    world.configure(**{**usual, **changes})


def moved(value: float | None) -> float | None:
    return None if value is None else value + 1.0


def mostly_missing(value: float | None) -> float | None:
    return None if value is None or value > 0 else value


def thousands(value: float | None) -> float | None:
    return None if value is None else 1000 * value


def of_day(world: World, feature: str) -> dict[str, Any]:
    (found,) = world.results(feature)
    return found


@pytest.mark.parametrize(
    ("change", "kind", "verdict", "step"),
    [
        (moved, "location", "warning", "model"),
        (mostly_missing, "missing_data", "critical", "data"),
        (thousands, "unit_or_scale", "critical", "data"),
    ],
)
def test_a_feature_wakes_where_its_data_broke(
    world: World, change: Change, kind: str, verdict: str, step: str
) -> None:
    world.live(predicted(10, 11, x=change))
    world.catch_up(11)
    found = of_day(world, "x")
    assert (str(found["verdict"]), str(found["change"])) == (verdict, kind)
    assert str(found["next_step"]) == step
    assert found["change_share"] > 0.5
    assert str(found["reason"]) == (
        "above_threshold" if verdict == "critical" else "prediction_stays"
    )
    assert ("stays where it was" in str(found["message"])) == (verdict == "warning")
    assert str(of_day(world, "p")["verdict"]) == "ok"
    assert of_day(world, "p")["explanation"] == ""
    assert of_day(world, "p")["change"] is None


def test_new_levels_wake(world: World) -> None:
    world.live(predicted(10, 11, k=lambda level: "new" if level == "a" else level))
    world.catch_up(11)
    found = of_day(world, "k")
    assert (str(found["verdict"]), str(found["change"])) == ("critical", "unseen_category")


def test_a_drift_that_the_prediction_follows_wakes(world: World) -> None:
    world.live([row | {"p": row["p"] / 2} for row in predicted(10, 11, x=moved)])
    world.catch_up(11)
    assert str(of_day(world, "x")["verdict"]) == "critical"
    prediction = of_day(world, "p")
    assert str(prediction["verdict"]) == "critical"
    assert str(prediction["change"]) != "prediction_only", "an input moved, too"


def test_a_prediction_that_moves_alone(world: World) -> None:
    world.live([row | {"p": row["p"] / 2} for row in predicted(10, 11)])
    world.catch_up(11)
    found = of_day(world, "p")
    assert (str(found["verdict"]), str(found["change"])) == ("critical", "prediction_only")
    assert str(found["explanation"]).startswith("p: ")
    assert "and no input is flagged; look at the model" in str(found["explanation"])


def test_without_a_prediction_the_limit_decides(world: World) -> None:
    configure(world, X, K)
    world.live(predicted(10, 11, x=moved))
    world.catch_up(11)
    assert str(of_day(world, "x")["verdict"]) == "critical"


@pytest.mark.parametrize(
    ("rule", "verdict"), [(SeverityRule.BY_LIMIT, "critical"), (SeverityRule.WARNING, "warning")]
)
def test_the_configuration_has_the_last_word(
    world: World, rule: SeverityRule, verdict: str
) -> None:
    configure(world, replace(X, severity=rule), K, P)
    world.live(predicted(10, 11, x=moved))
    world.catch_up(11)
    assert str(of_day(world, "x")["verdict"]) == verdict
    (told,) = [one for one in world.outbox() if one[0] == "x"]
    assert told[-1] == verdict


def test_the_cells_that_carry_it_are_marked(world: World) -> None:
    world.live(predicted(10, 11, x=mostly_missing))
    world.catch_up(11)
    bins = world.table("result_bin", result_id=of_day(world, "x")["id"])
    assert [one["label"] for one in bins if one["carries"]] == ["missing"]
    (missing,) = [one for one in bins if one["label"] == "missing"]
    assert missing["p_value"] < 1e-9
    assert all(0 < one["p_value"] <= 1 for one in bins)
    world.live(predicted(11, 12))
    world.catch_up(12)
    of_newest = world.table("result_bin", result_id=world.results("x")[-1]["id"])
    assert of_newest
    assert not any(one["carries"] for one in of_newest)


def test_the_webhook_is_told_in_one_sentence(world: World) -> None:
    world.live(predicted(10, 11, x=mostly_missing))
    world.catch_up(11)
    (body,) = [
        json.loads(one["payload"]) for one in world.table("notification") if one["feature"] == "x"
    ]
    assert (body["change"], body["next_step"]) == ("missing_data", "data")
    assert body["explanation"] == of_day(world, "x")["explanation"]
    assert body["explanation"].startswith("x: 5")
    assert "rows are missing (reference 5 %)" in body["explanation"]
    assert body["message"].endswith(body["explanation"])


def test_levels_are_private_unless_the_configuration_says_otherwise(world: World) -> None:
    world.live(predicted(10, 11, k="a"))
    world.catch_up(11)
    assert '"a"' not in str(of_day(world, "k")["explanation"])
    configure(world, X, K, P, show_levels=True)
    world.live(predicted(11, 12, k="a"))
    world.catch_up(12)
    assert '"a"' in str(world.results("k")[-1]["explanation"])


def test_a_change_of_the_volume_is_explained(world: World) -> None:
    world.live(predicted(10, 11)[::5])
    world.catch_up(11)
    found = of_day(world, "@volume")
    assert (str(found["change"]), str(found["next_step"])) == ("volume", "workflow")
    assert "0.2 times the median window" in str(found["explanation"])


def test_what_may_page_is_seen_together(world: World) -> None:
    """Segments that page share the discoveries of the window; those that only explain do not."""
    world.live(predicted(10, 11))
    by_k = SegmentSettings((SegmentGroup(("k",)),), (DAY,), page=False)
    adjusted = {}
    for page in (False, True):
        configure(world, X, P, segments=replace(by_k, page=page))
        if page:
            world.live(predicted(11, 12))
        world.catch_up(12 if page else 11)
        newest = max(r["window_end"] for r in world.results("x"))
        found = [
            r for feature in ("x", "p") for r in world.results(feature) if r["window_end"] == newest
        ]
        assert len(found) == 2 * 3
        adjusted[page] = found
    for page, found in adjusted.items():
        pools = (
            [found]
            if page
            else [[r for r in found if r["segment"] == s] for s in ("", "k=a", "k=b")]
        )
        for pool in pools:
            least = min(pool, key=lambda r: r["p_value"])
            ordered = sorted(r["p_value"] for r in pool)
            expected = min(p * len(pool) / rank for rank, p in enumerate(ordered, 1))
            assert least["adjusted_p"] == pytest.approx(min(expected, 1.0))
