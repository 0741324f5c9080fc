"""What explains a prediction's drift: counted together in the store, told with its result."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from driftwatch.config.settings import (
    FeatureSettings,
    Kind,
    RelationSettings,
    RetentionSettings,
    RollingReference,
    SeasonalReference,
    Start,
    TableReference,
)
from driftwatch.errors import SourceTimeoutError
from driftwatch.evaluate import backfill
from driftwatch.evaluate.accept import Acceptance, accept
from driftwatch.evaluate.backfill import Options
from driftwatch.evaluate.joint import joint_seconds
from driftwatch.source import Source
from driftwatch.stats.coarse import coarse
from driftwatch.store import axes, joint, monitors
from driftwatch.store.joint_rows import JointAxes
from driftwatch.store.retention import prune
from driftwatch.window import Calendar, Interval, to_epoch
from tests.evaluate.log import Row, day
from tests.evaluate.world import DAY, HOUR, QUARTER, World, monitor, table

P = FeatureSettings("p", prediction=True)
A, B, K = (
    FeatureSettings("a"),
    FeatureSettings("b"),
    FeatureSettings("k", kind=Kind.CATEGORICAL),
)
PER_HOUR = 100
COLUMNS = {"a": "double precision", "b": "double precision", "k": "text", "p": "double precision"}
LEVELS = tuple("uvwxyz")
NATURAL = ("joint_count", "joint_reference")


def rows(start: float, end: float, *, a: float = 0.0, model: float = 0.0) -> list[Row]:
    """Rows whose prediction is made of a alone; a: how far a moved, model: how far the model's
    answers did. Values are missing here and there."""
    rng = np.random.default_rng([round(start * 1000), PER_HOUR])
    size = round((end - start) * 24 * PER_HOUR)
    x, other, noise = rng.normal(size=(3, size))
    x += a
    answers = 0.9 * x + model + 0.3 * noise
    levels = rng.integers(len(LEVELS), size=size)
    step = timedelta(hours=1) / PER_HOUR
    return [
        {
            "at": (day(start) + n * step).replace(microsecond=0),
            "a": round(float(x[n]), 3) if n % 50 else None,
            "b": round(float(other[n]), 3),
            "k": LEVELS[levels[n]] if n % 30 else None,
            "p": round(float(answers[n]), 3),
        }
        for n in range(size)
    ]


def made(world: World, **changes: Any) -> World:
    """A world of this log with its reference, days 0 to 4."""
    world.log.execute(f"DROP TABLE {world.log.table}")
    world.log.create(COLUMNS)
    world.live(rows(0, 4))
    configured(world, **changes)
    return world


def configured(world: World, **changes: Any) -> None:
    usual: dict[str, Any] = {
        "features": (P, A, B, K),
        "explained_by": ("a", "b", "k"),
        "reference": Interval(day(0), day(4)),
        "window_seconds": (QUARTER, DAY),
        "start": Start(to_epoch(day(4))),
    }
    world.configure(**{**usual, **changes})


def shares(world: World, seconds: int = DAY) -> list[dict[str, float]]:
    """Of each result of the prediction its applicable shares, oldest first."""
    stored = table(world.store, "explained_share")
    return [
        {
            one["feature"]: one["share"]
            for one in stored
            if one["result_id"] == row["id"] and one["applicable"]
        }
        for row in world.results("p", seconds)
    ]


def joint_axes(world: World, names: str = "abk") -> JointAxes:
    with world.store.read() as connection:
        known = monitors.find(connection, "m")
        assert known is not None
        active = axes.active(connection, known.id)
    return JointAxes(known.id, active["p"], {name: active[name] for name in names})


def cells_of(world: World, *pieces: Interval) -> dict[str, tuple[Any, float]]:
    axes_of = joint_axes(world)
    with world.store.read() as connection:
        found = joint.sum_pieces(connection, axes_of, pieces)
    return {name: (one.cells.tolist(), one.seconds / HOUR) for name, one in found.items()}


def expected(world: World, made_rows: list[Row]) -> dict[str, Any]:
    """Numpy's counts of these rows on the stored axes."""
    axes_of = joint_axes(world)

    def cell(record: axes.AxisRecord, value: Any) -> int:
        axis = coarse(record.axis)
        if value is None:
            return axis.missing
        if isinstance(value, str):
            found: tuple[str, ...] = axis.levels  # type: ignore[union-attr]  # a text's axis
            return found.index(value)
        return int(np.searchsorted(axis.edges, value, side="right"))  # type: ignore[union-attr]

    tables = {}
    for name, record in axes_of.features.items():
        counts = np.zeros(axes_of.shape(name), np.int64)
        for row in made_rows:
            counts[cell(record, row[name]), cell(axes_of.prediction, row["p"])] += 1
        tables[name] = counts.tolist()
    return tables


def natural(world: World) -> dict[str, list[dict[str, Any]]]:
    """Joint counts and shares, without the times of the process."""
    own = ("scanned_at", "created_at")
    found = {
        name: [{k: v for k, v in row.items() if k not in own} for row in table(world.store, name)]
        for name in NATURAL
    }
    return {**found, "shares": [{str(n): one} for n, one in enumerate(shares(world))]}


def test_the_input_that_moved_explains_the_prediction(empty_world: World) -> None:
    world = made(empty_world)
    live = [*rows(4, 5), *rows(5, 6, a=0.8), *rows(6, 7, model=0.8)]
    world.live(live)
    world.catch_up(7)
    assert [v for v, _ in world.verdicts("p")] == ["ok", "critical", "critical"]
    ordinary, moved, answered = shares(world)
    assert ordinary == {}
    assert moved["a"] >= 0.9
    assert max(moved["b"], moved["k"]) < 0.1
    assert answered.keys() == {"a", "b", "k"}
    assert max(answered.values()) <= 0.17
    told = [str(one["explanation"]) for one in world.results("p")]
    assert [", and a explains " in one for one in told] == [False, True, False]
    quarters = shares(world, QUARTER)
    assert [bool(one) for one in quarters] == [False] * 4 + [True] * 8
    assert all(one["a"] >= 0.9 for one in quarters[4:8])
    assert all(max(one.values()) <= 0.17 for one in quarters[8:])
    found = cells_of(world, Interval(day(4), day(7)))
    for name, cells in expected(world, live).items():
        assert found[name] == (cells, 72)


def test_a_drifting_input_that_explains_nothing_leaves_the_prediction_alone(
    empty_world: World,
) -> None:
    """b moved and the model changed: what is said of the prediction is that it moved by itself."""
    world = made(empty_world)
    world.live(
        [
            *({**row, "b": row["b"] + 2.0} for row in rows(4, 5, model=0.8)),
            *({**row, "b": row["b"] + 2.0} for row in rows(5, 6, a=0.8)),
        ]
    )
    world.catch_up(6)
    assert [v for v, _ in world.verdicts("b")] == ["critical"] * 2
    answered, moved = world.results("p")
    assert str(answered["change"]) == "prediction_only"
    assert "no flagged input explains more than" in answered["explanation"]
    assert str(moved["change"]) == "location"


def test_the_reference_is_counted_once_and_whole(empty_world: World) -> None:
    world = made(empty_world)
    world.catch_up(4.5)
    axes_of = joint_axes(world)
    (stored,) = table(world.store, "joint_reference")
    with world.store.read() as connection:
        found = joint.of_reference(connection, axes_of, stored["reference_id"])
    assert stored["rows"] == 4 * 24 * PER_HOUR
    assert {name: one.tolist() for name, one in found.items()} == expected(world, rows(0, 4))
    world.prepared = None
    world.catch_up(4.6)
    assert table(world.store, "joint_reference") == [stored]


def test_training_data_is_counted_together_too(empty_world: World) -> None:
    world = made(empty_world)
    log = world.log
    log.execute(f"CREATE TABLE training AS SELECT a, k, p FROM {log.table}")
    reference = TableReference(RelationSettings("training", None, None))
    configured(world, reference=reference, features=(P, A, K), explained_by=("a", "k"))
    world.live(rows(4, 5, a=0.8))
    world.catch_up(5)
    (stored,) = table(world.store, "joint_reference")
    assert stored["rows"] == 4 * 24 * PER_HOUR
    (found,) = shares(world)
    assert found["a"] >= 0.9
    assert found["k"] < 0.1


def test_a_rolling_reference_is_the_hours_before(empty_world: World) -> None:
    world = made(empty_world, reference=RollingReference(4 * DAY))
    world.live([*rows(4, 5), *rows(5, 6, a=0.8), *rows(6, 7, model=-0.8)])
    world.catch_up(7)
    assert table(world.store, "joint_reference") == []
    assert cells_of(world, Interval(day(0), day(7)))["a"][1] == 7 * 24
    ordinary, moved, answered = shares(world)
    assert ordinary == {}
    assert moved["a"] >= 0.9
    assert max(answered.values()) <= 0.17


def test_a_season_is_the_same_hours_of_the_weeks_before(empty_world: World) -> None:
    """By night a is elsewhere; against all hours this alone would look like drift."""
    world = made(empty_world)
    world.live(rows(4, 7))
    for one in range(7, 15):
        world.live([*rows(one, one + 0.5, a=2.0), *rows(one + 0.5, one + 1, a=0.0)])
    world.live([*rows(15, 15.5, a=2.0, model=0.8), *rows(15.5, 16, a=0.8)])
    configured(world, reference=SeasonalReference(1), start=Start(to_epoch(day(14))))
    world.catch_up(16)
    found = shares(world, QUARTER)
    assert [bool(one) for one in found] == [False] * 4 + [True] * 4
    # 600 rows against 600: a share is known to about 0.2
    assert all(max(one.values()) < 0.25 for one in found[4:6])
    assert all(one["a"] > 0.7 for one in found[6:])


def test_late_rows_are_counted_again_with_their_hour(empty_world: World) -> None:
    world = made(empty_world, recheck_seconds=(DAY // 2,))
    live = rows(4, 5, a=0.8)
    late = [row for row in live if row["at"].hour == 3 and row["at"].minute < 40]
    world.live([row for row in live if row not in late])
    world.catch_up(4.5)
    before = cells_of(world, Interval(day(4), day(4.5)))["b"][0]
    world.live(late)
    world.catch_up(5)
    found = cells_of(world, Interval(day(4), day(5)))
    for name, cells in expected(world, live).items():
        assert found[name] == (cells, 24)
    first = [row for row in live if row["at"] < day(4.5)]
    assert np.sum(before) == len(first) - len(late)


def test_a_backfill_counts_its_hours_again(empty_world: World) -> None:
    world = made(empty_world)
    live = rows(4, 6, a=0.8)
    half = [row for row in live if row["at"].minute < 30]
    world.live(half)
    world.catch_up(6)
    world.live([row for row in live if row["at"].minute >= 30])
    backfilled(world, Interval(day(4), day(6)))
    found = cells_of(world, Interval(day(4), day(6)))
    for name, cells in expected(world, live).items():
        assert found[name] == (cells, 48)
    world.log.execute(f"DELETE FROM {world.log.table} WHERE k = 'u'")
    backfilled(world, Interval(day(4), day(6)))
    assert cells_of(world, Interval(day(4), day(6))) == found, "the log has forgotten rows"
    backfilled(world, Interval(day(4), day(6)), allow_shrink=True)
    left = [row for row in live if row["k"] != "u"]
    assert cells_of(world, Interval(day(4), day(6)))["b"][0] == expected(world, left)["b"]


def backfilled(world: World, interval: Interval, *, allow_shrink: bool = False) -> None:
    backfill.run(
        world.monitor,
        interval,
        source=world.source,
        store=world.store,
        process_now=lambda: day(7),
        options=Options(restart=True, allow_shrink=allow_shrink),
    )


def test_what_stopped_in_the_middle_ends_with_the_same_counts(
    empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of an evaluation that dies in its transaction is kept; the next one does it all."""
    world = made(empty_world, reference=RollingReference(2 * DAY))
    world.live(rows(4, 6, a=0.8))

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for place in ("keep_joint", "save_results", "explain_predictions", "advance_alerts"):
        with monkeypatch.context() as patched:
            patched.setattr(f"driftwatch.evaluate.pipeline.{place}", dies)
            with pytest.raises(KeyboardInterrupt):
                world.evaluate(day(5) + timedelta(minutes=10))
        world.prepared = None
    for hours in range(97, 150, 6):
        world.prepared = None
        world.catch_up(hours / 24)
    in_steps = natural(world)
    for name in (*NATURAL, "explained_share"):
        with world.store.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM {name}")
    configured(world, reference=RollingReference(2 * DAY))
    world.catch_up(6.05)
    live = [row for row in rows(4, 6, a=0.8) if row["at"] >= day(5)]
    assert cells_of(world, Interval(day(5), day(6)))["a"] == (expected(world, live)["a"], 24)
    kept = [one for one in in_steps["joint_count"] if one["start"] >= to_epoch(day(5))]
    again = [one for one in natural(world)["joint_count"] if one["start"] >= to_epoch(day(5))]
    assert again == kept


def test_asked_for_later_the_hours_of_open_windows_are_counted(empty_world: World) -> None:
    world = made(empty_world, explained_by=())
    world.live(rows(4, 6, a=0.8))
    world.catch_up(5.5)
    assert table(world.store, "joint_count") == []
    configured(world)
    world.catch_up(6)
    assert shares(world)[0] == {}, "it was not asked for then"
    assert shares(world)[1]["a"] >= 0.9


def test_a_feature_that_is_joined_later_explains_when_it_comes(empty_world: World) -> None:
    late = replace(A, delay_seconds=600 + 6 * HOUR)
    world = made(empty_world, features=(P, late, B, K), window_seconds=(DAY,))
    world.live([*rows(4, 5, a=0.8), *rows(5, 6)])
    world.catch_up(5)
    assert shares(world)[0].keys() == {"b", "k"}
    world.catch_up(5.25)
    assert shares(world)[0]["a"] >= 0.9
    assert cells_of(world, Interval(day(4), day(5)))["a"][1] == 24


def test_an_accepted_change_is_what_is_explained_by_from_then_on(empty_world: World) -> None:
    world = made(empty_world)
    world.live([*rows(4, 6, model=0.8), *rows(6, 7, model=0.8, a=0.8)])
    world.catch_up(6)
    assert max(shares(world)[1].values()) <= 0.17
    wanted = Acceptance(world.monitor, "p", day(4), "a new model")
    accept(wanted, store=world.store, now=day(6), notify=False)
    world.prepared = None
    world.catch_up(7)
    references = table(world.store, "joint_reference")
    assert [one["rows"] for one in references] == [4 * 24 * PER_HOUR, 2 * 24 * PER_HOUR]
    assert shares(world)[-1]["a"] >= 0.9


def test_a_count_that_takes_too_long_holds_nothing(
    small_empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = made(small_empty_world)
    world.live(rows(4, 5, a=0.8))

    def late(*_: Any, **__: Any) -> None:
        raise SourceTimeoutError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(Source, "joint", late)
        (report,) = world.catch_up(5)
    assert report.outcome == "success"
    assert "not counted together with p: [2026-11-06T00:00:00Z" in report.message
    assert "not counted together with p: the reference: no answer" in report.message
    assert shares(world) == [{}]
    world.prepared = None
    world.live(rows(5, 5.1))
    (report,) = world.catch_up(5.1)
    assert report.message == ""
    assert cells_of(world, Interval(day(4), day(5)))["a"][1] == 24, "counted after a restart"


def test_without_a_prediction_column_the_rest_goes_on(empty_world: World) -> None:
    world = made(empty_world)
    world.live(rows(4, 5))
    world.catch_up(4.5)
    world.log.execute(f"ALTER TABLE {world.log.table} DROP COLUMN p")
    world.catch_up(5)
    assert cells_of(world, Interval(day(4), day(5)))["a"][1] == 12
    assert [v for v, _ in world.verdicts("b")] == ["ok"]


@pytest.mark.parametrize("column", ["b", "p"])
def test_what_is_gone_is_not_counted_over_and_over(
    small_empty_world: World, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """Each start looks for hours that are lacking, and must not read all of them for nothing."""
    world = made(small_empty_world, reference=RollingReference(4 * DAY))
    world.live(rows(4, 5))
    world.catch_up(4.5)
    world.log.execute(f"ALTER TABLE {world.log.table} DROP COLUMN {column}")
    asked: list[Interval] = []
    joint_of = Source.joint

    def noted(self: Source, plan: Any, name: str, interval: Interval, **options: Any) -> Any:
        asked.append(interval)
        return joint_of(self, plan, name, interval, **options)

    monkeypatch.setattr(Source, "joint", noted)
    for days in (4.75, 5):
        world.prepared = None
        world.catch_up(days)
    new = [Interval(day(4.5), day(4.75)), Interval(day(4.75), day(5))]
    assert asked == new


def test_old_joint_counts_are_put_together(small_empty_world: World) -> None:
    world = made(small_empty_world)
    world.live(rows(4, 7, a=0.8))
    world.catch_up(7)
    before = cells_of(world, Interval(day(4), day(7)))
    retention = RetentionSettings(HOUR, DAY, None)
    with world.store.write() as connection:
        gone = prune(connection, retention, monitors={"m": Calendar()}, now=day(7))
    assert gone["joint_count"] == 48
    assert cells_of(world, Interval(day(4), day(7))) == before


@pytest.mark.parametrize(
    ("pane", "windows", "zone", "seconds"),
    [
        (300, (HOUR, DAY), "UTC", HOUR),
        (300, (900, HOUR), "UTC", 900),
        (HOUR, (DAY,), "UTC", HOUR),
        (2 * HOUR, (DAY,), "UTC", 2 * HOUR),
        (900, (DAY,), "Asia/Kathmandu", 900),
        (300, (DAY,), "Europe/Berlin", HOUR),
        (420, (4_200,), "UTC", 420),
    ],
)
def test_windows_are_made_of_whole_hours(
    small_world: World, pane: int, windows: tuple[int, ...], zone: str, seconds: int
) -> None:
    made_of = monitor(
        small_world.log, pane_seconds=pane, window_seconds=windows, calendar=Calendar(zone)
    )
    assert joint_seconds(made_of) == seconds
