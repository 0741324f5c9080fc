"""References that move with the window, training data, and another cohort of the same table."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    CohortReference,
    Exclusion,
    FileReference,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    Start,
    TableReference,
)
from driftwatch.window import Calendar, Interval, to_epoch
from tests.evaluate.log import ROWS_PER_HOUR, Row, day, rows, shifted
from tests.evaluate.world import DAY, QUARTER, K, World, X, natural

WEEK = RollingReference(7 * DAY)


def verdicts(world: World, feature: str = "x", seconds: int = DAY) -> list[str]:
    return [str(r["verdict"]) for r in world.results(feature, seconds)]


def test_a_rolling_reference_is_the_days_before_the_window(world: World) -> None:
    world.configure(features=(X, K), window_seconds=(DAY,), reference=WEEK)
    world.live(rows(10, 14))
    world.catch_up(14)
    found = world.results("x")
    assert verdicts(world) == ["ok"] * 4
    assert [r["reference_rows"] for r in found] == [7 * 24 * ROWS_PER_HOUR] * 4
    assert {r["compared_with"] for r in found} == {"the 7 days before"}
    assert {str(r["verdict"]) for r in world.results("@volume")} == {"ok"}


def test_a_rolling_reference_learns_a_slow_change_and_not_a_flagged_one(world: World) -> None:
    """A jump is flagged for as long as it stays: it is not learned from before it is accepted."""
    world.configure(features=(X,), window_seconds=(DAY,), reference=WEEK)
    world.live([*rows(10, 12), *rows(12, 22, x=shifted)])
    world.catch_up(22)
    assert verdicts(world) == ["ok"] * 2 + ["critical"] * 7 + ["learning"] * 3
    last = world.results("x")
    assert [r["reference_rows"] // (24 * ROWS_PER_HOUR) for r in last] == [
        7, 7, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0,
    ]  # fmt: skip
    assert str(last[-1]["reason"]) == "no_reference"


def test_a_volume_that_fell_is_not_usual_a_window_later(world: World) -> None:
    """Where the volume has no reference of its own, flagged windows do not tell what is usual."""
    world.configure(features=(X,), window_seconds=(DAY,), reference=CohortReference("k = 'b'"))
    world.live([*rows(10, 16), *rows(16, 20, per_hour=1)])
    world.catch_up(20)
    assert verdicts(world, "@volume")[-5:] == ["ok"] + ["critical"] * 4


def test_a_seasonal_reference_is_the_same_hours_of_the_weeks_before(empty_world: World) -> None:
    """Nights are unlike days: against the day before half of the windows would be flagged."""
    empty_world.live([row for one in range(35) for row in by_night(one)])
    empty_world.configure(
        features=(X,),
        window_seconds=(QUARTER,),
        reference=SeasonalReference(3),
        start=_start(21),
    )
    empty_world.catch_up(35)
    assert verdicts(empty_world, seconds=QUARTER) == ["ok"] * 56
    found = empty_world.results("x", QUARTER)[-1]
    assert found["reference_rows"] == 3 * 6 * ROWS_PER_HOUR
    assert found["compared_with"] == "the same hours of the 3 weeks before"


def _start(moment: float) -> Start:
    return Start(to_epoch(day(moment)))


def by_night(one: float) -> list[Row]:
    return [*rows(one, one + 0.5, x=shifted), *rows(one + 0.5, one + 1)]


def test_seasons_follow_the_clock_on_the_wall(empty_world: World) -> None:
    """Clocks in New York went forward on 2026-03-08: noon is an hour earlier in UTC from then on.
    What happens from 12 to 18 by the clock on the wall is like itself only by that clock."""
    first = (day(0) - day(0)) - timedelta(days=245)  # 2026-03-02, the Monday before
    zone = Calendar("America/New_York")
    made: list[Row] = []
    for number in range(28 * 24):
        moment = day(0) + first + timedelta(hours=number)
        afternoon = 12 <= moment.astimezone(ZoneInfo(zone.zone)).hour < 18
        changed: dict[str, Any] = {"x": shifted} if afternoon else {}
        usual = rows(number / 24, (number + 1) / 24, **changed)
        made += [row | {"at": row["at"] + first} for row in usual]
    empty_world.live(made)
    begin = (first / timedelta(days=1)) + 7 + 5 / 24
    empty_world.configure(
        features=(X,),
        window_seconds=(QUARTER,),
        reference=SeasonalReference(1),
        start=_start(begin),
        calendar=zone,
    )
    empty_world.catch_up(first / timedelta(days=1) + 28)
    found = verdicts(empty_world, seconds=QUARTER)
    assert len(found) > 80
    assert set(found) == {"ok"}


def test_excluded_ranges_are_not_learned_from(world: World) -> None:
    world.configure(
        features=(X,),
        window_seconds=(DAY,),
        reference=WEEK,
        exclusions=(Exclusion(Interval(day(8), day(9)), "fair"),),
    )
    world.live(rows(10, 12))
    world.catch_up(12)
    assert [r["reference_rows"] // ROWS_PER_HOUR for r in world.results("x")] == [6 * 24] * 2


def test_training_data_in_another_table(world: World) -> None:
    world.log.execute(
        "CREATE TABLE training AS SELECT x, k FROM events WHERE 1 = 1",
    )
    reference = TableReference(RelationSettings("training", None, None))
    world.configure(features=(X, K), window_seconds=(DAY,), reference=reference)
    world.live([*rows(10, 12), *rows(12, 13, x=shifted)])
    world.catch_up(13)
    assert verdicts(world) == ["ok", "ok", "critical"]
    assert verdicts(world, "k") == ["ok"] * 3
    found = world.results("x")[0]
    assert found["reference_rows"] == 240 * ROWS_PER_HOUR
    assert found["compared_with"] == "the table training"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_training_data_in_a_file(world: World, tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(rows(0, 10))[["x", "k"]]
    path = tmp_path / f"train.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    world.configure(features=(X, K), window_seconds=(DAY,), reference=FileReference(path))
    world.live([*rows(10, 12), *rows(12, 13, k="b")])
    world.catch_up(13)
    assert verdicts(world) == ["ok"] * 3
    assert verdicts(world, "k") == ["ok", "ok", "critical"]
    assert [r["reference_rows"] for r in world.results("x")] == [240 * ROWS_PER_HOUR] * 3


@pytest.fixture
def two_models(empty_world: World) -> World:
    """A champion and a challenger that share a table; both drift with the world on day 12."""
    empty_world.log.execute("ALTER TABLE events ADD COLUMN model text")
    for model in ("champion", "challenger"):
        empty_world.live(rows(0, 12, model=model))
        empty_world.live(rows(12, 14, model=model, x=shifted))
    empty_world.live(rows(14, 15, model="champion"))
    empty_world.live(rows(14, 15, model="challenger", x=shifted))
    return empty_world


def test_a_challenger_is_compared_with_the_champion_of_the_same_window(two_models: World) -> None:
    """What happens to both is no difference between them."""
    relation = RelationSettings("events", None, "at", where="model = 'challenger'")
    two_models.configure(
        features=(X,),
        window_seconds=(DAY,),
        relation=relation,
        reference=CohortReference("model = 'champion'"),
    )
    two_models.catch_up(15)
    assert verdicts(two_models) == ["ok"] * 4 + ["critical"]
    assert {r["reference_rows"] for r in two_models.results("x")} == {24 * ROWS_PER_HOUR}


@pytest.mark.parametrize("told_by", ["count", "updated_at"])
def test_rows_of_the_champion_that_come_late_are_counted(empty_world: World, told_by: str) -> None:
    """Half of the champion's rows of day 12 come, or are corrected, a day late."""
    world = empty_world
    for name, kind in (("model", "text"), ("changed_at", world.log.moment)):
        world.log.execute(f"ALTER TABLE events ADD COLUMN {name} {kind}")
    world.live([*rows(0, 14, model="challenger"), *rows(0, 12.5, model="champion")])
    late = rows(12.5, 13, model="champion", x=shifted if told_by == "updated_at" else None)
    if told_by == "updated_at":
        world.live(late)
    world.live(rows(13, 14, model="champion"))
    column = "changed_at" if told_by == "updated_at" else None
    world.configure(
        features=(K,) if told_by == "count" else (X,),
        window_seconds=(DAY,),
        relation=RelationSettings(
            "events", None, "at", where="model = 'challenger'", updated_at=column
        ),
        reference=CohortReference("model = 'champion'"),
        recheck_seconds=(DAY,) if told_by == "count" else (),
    )
    world.catch_up(13)
    feature = "k" if told_by == "count" else "x"
    before = world.results(feature)[-1]
    if told_by == "count":
        world.live(late)
    else:
        moment = f"'{day(13.1):%Y-%m-%d %H:%M:%S}'"
        world.log.execute(
            f"UPDATE events SET x = x - 4, changed_at = {moment} WHERE model = 'champion' AND x > 2"
        )
    world.catch_up(14)
    after = next(r for r in world.results(feature) if r["window_end"] == day(13))
    assert after["revision"] == before["revision"] + 1
    if told_by == "count":
        assert (before["reference_rows"], after["reference_rows"]) == (240, 480)
    else:
        assert after["js_distance"] < before["js_distance"]


def test_each_column_may_have_its_own_reference(world: World) -> None:
    """x against a range, k against the week before."""
    own = replace(K, reference=WEEK)
    world.configure(features=(X, own), window_seconds=(DAY,))
    world.live(rows(10, 12, k="a"))
    world.catch_up(12)
    words = {r["feature"]: r["compared_with"] for r in world.table("result")}
    assert words["k"] == "the 7 days before"
    assert words["x"] == "[2026-11-02T00:00:00Z, 2026-11-12T00:00:00Z)"
    assert verdicts(world, "k") == ["critical"] * 2


def test_another_reference_starts_the_alerts_anew_and_keeps_the_axis(world: World) -> None:
    world.configure(features=(X,), window_seconds=(DAY,), alert=AlertPolicy(k=1, of=1))
    world.live(rows(10, 20, x=shifted))
    world.catch_up(18)
    assert world.outbox()[-1][4] == "firing"
    world.configure(
        features=(X,),
        window_seconds=(DAY,),
        alert=AlertPolicy(k=1, of=1),
        reference=Interval(day(12), day(17)),
    )
    world.catch_up(20)
    assert verdicts(world)[-2:] == ["ok", "ok"]
    assert world.outbox()[-1][3:5] == (18, "resolved")
    assert len(world.table("axis")) == 1
    assert [r["version"] for r in world.table("reference", column_name="x")] == [1, 2]
    (note,) = world.table("annotation", kind="reference")
    assert (note["feature"], note["range_start"]) == ("x", day(18))


def test_a_new_column_learns_alone_from_the_days_before(world: World) -> None:
    world.configure(features=(X,), window_seconds=(QUARTER,), reference=WEEK)
    world.live(rows(10, 12))
    world.catch_up(11)
    before = natural(world.store)["result"]
    world.configure(features=(X, K), window_seconds=(QUARTER,), reference=WEEK)
    world.catch_up(12)
    assert set(before) <= set(natural(world.store)["result"])
    found = world.results("k", QUARTER)
    assert {str(r["verdict"]) for r in found} == {"ok"}
    assert found[0]["reference_rows"] == 7 * 24 * ROWS_PER_HOUR
