"""One evaluation after another on real rows: from no drift to an alert and back."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import rel_entr

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import FeatureSettings, Start
from driftwatch.source import ScanPlan
from driftwatch.stats.axis import CategoricalAxis, NumericAxis
from driftwatch.stats.counts import IntArray, PaneCounts
from driftwatch.store import axes
from driftwatch.verdict.policy import FixedThreshold
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import Row, day, rows, shifted
from tests.evaluate.world import DAY, HOUR, QUARTER, World, X, natural


def test_plain_rows_are_ok_in_every_window(world: World) -> None:
    world.live(rows(10, 12))
    (report,) = world.catch_up(12)
    assert (report.outcome, report.rows_scanned, report.panes) == ("success", 4800 + 960, 48)
    assert report.windows_judged == 8 + 2
    for feature in ("x", "k", "@volume"):
        for seconds, windows in ((DAY, 2), (QUARTER, 8)):
            found = world.verdicts(feature, seconds)
            assert [verdict for verdict, _ in found] == ["ok"] * windows
    assert world.results("x")[0]["message"].startswith("x: JS distance 0.")
    assert world.results("x")[0]["message"].endswith(" over 480 rows")
    assert world.table("alert_event") == world.table("notification") == []


def test_results_equal_numpy_on_the_raw_rows(world: World) -> None:
    reference, current = rows(0, 10), rows(10, 11, x=shifted)
    world.live(current)
    world.catch_up(11)
    with world.store.read() as connection:
        fitted = {name: record.axis for name, record in axes.active(connection, 1).items()}
    for feature in ("x", "k"):
        (found,) = world.results(feature)
        now, before = (_cells(fitted[feature], made, feature) for made in (current, reference))
        expected = _expected(now, before)
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)
        assert (found["rows"], found["reference_rows"]) == (480, 4800)
        assert found["missing_rows"] == sum(row[feature] is None for row in current)
    values = np.array([row["x"] for row in current if row["x"] is not None])
    found = world.results("x")[0]
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-9)
    assert found["standard_deviation"] == pytest.approx(values.std(), rel=1e-6)
    bins = world.table("result_bin", result_id=found["id"])
    assert [b["current_rows"] for b in bins] == _cells(fitted["x"], current, "x").tolist()
    assert sum(b["js_contribution"] for b in bins) == pytest.approx(found["js"])


def _cells(axis: NumericAxis | CategoricalAxis, made: list[Row], name: str) -> IntArray:
    """Rows per cell, the way of numpy."""
    values = [row[name] for row in made]
    if isinstance(axis, CategoricalAxis):
        cells = [axis.missing if v is None else axis.levels.index(v) for v in values]
    else:
        edges = np.array(axis.edges)
        cells = [
            axis.missing if v is None else int(np.searchsorted(edges, v, side="right"))
            for v in values
        ]
    return np.bincount(cells, minlength=axis.cells)


def _expected(now: IntArray, before: IntArray) -> dict[str, float]:
    p, q = now / now.sum(), before / before.sum()
    smooth = (before + 0.5) / (before + 0.5).sum()
    middle = (p + q) / 2
    js = float((rel_entr(p, middle) + rel_entr(q, middle)).sum() / 2)
    return {
        "js": js,
        "js_distance": math.sqrt(js / math.log(2)),
        "kl": float(rel_entr(p, smooth).sum()),
        "total_variation": float(np.abs(p - q).sum() / 2),
    }


def test_a_shift_is_told_by_verdict_sentence_and_alert(world: World) -> None:
    world.live([*rows(10, 12, x=shifted), *rows(12, 15)])
    world.catch_up(15)
    assert [verdict for verdict, _ in world.verdicts("x")] == ["critical"] * 2 + ["ok"] * 3
    assert [verdict for verdict, _ in world.verdicts("k")] == ["ok"] * 5
    first = world.results("x")[0]
    assert first["message"] == (
        f"x: JS distance {first['value']:.3g} reaches critical 0.2 over 480 rows"
    )
    # 2 of 3: the second shifted day fires it; the second plain day leaves one of three.
    assert world.events("x", "drift") == [
        (11, "pending"), (12, "firing"), (14, "resolved"), (15, "inactive"),
    ]  # fmt: skip
    assert world.events("k", "drift") == []


def test_missing_values_are_told_beside_the_divergence(small_world: World) -> None:
    small_world.live(rows(10, 11, x=lambda value: None if (value or 0) < 0.3 else value))
    small_world.catch_up(11)
    (found,) = small_world.results("x")
    assert found["verdict"] in ("warning", "critical")
    assert " % missing (reference 5 %)" in found["message"]


def test_a_firing_alert_ends_below_its_clear_level_only(small_world: World) -> None:
    def by(amount: float) -> Any:
        return lambda value: None if value is None else value + amount

    small_world.configure(alert=AlertPolicy(k=1, of=1), window_seconds=(DAY,), features=_lenient())
    small_world.live([*rows(10, 11, x=shifted), *rows(11, 12, x=by(0.8)), *rows(12, 13)])
    small_world.catch_up(13)
    verdicts = [verdict for verdict, _ in small_world.verdicts("x")]
    assert verdicts == ["critical", "ok", "ok"]
    assert 0.1 < small_world.results("x")[1]["value"] < 0.5  # above clear, below warning
    assert small_world.events("x", "drift") == [(11, "firing"), (13, "resolved")]


def _lenient() -> tuple[FeatureSettings]:
    return (replace(X, threshold=FixedThreshold(warning=0.5, critical=0.6, clear=0.1)),)


def test_several_lengths_are_judged_from_one_scan(world: World) -> None:
    world.live(rows(10, 12))
    lengths = (HOUR, 2 * HOUR, QUARTER, DAY)
    world.configure(window_seconds=lengths)
    scans = _counted(world)
    (report,) = world.catch_up(12)
    assert scans == [Interval(day(0), day(10)), Interval(day(10), day(12))]
    assert report.windows_judged == 48 + 24 + 8 + 2
    assert [len(world.results("x", seconds)) for seconds in lengths] == [48, 24, 8, 2]


def _counted(world: World) -> list[Interval]:
    """Every interval that the source is asked to count from now on."""
    asked: list[Interval] = []
    scan = world.source.scan

    def counting(plan: ScanPlan, interval: Interval, *, capture: bool = False) -> PaneCounts:
        asked.append(interval)
        return scan(plan, interval, capture=capture)

    world.source.scan = counting  # type: ignore[method-assign]
    return asked


def test_a_window_is_judged_when_its_delay_is_over_and_not_before(world: World) -> None:
    world.live(rows(10, 11))
    end = day(10.25)
    before = world.evaluate(end.replace(minute=9, second=59))
    assert before.windows_judged == 0
    assert world.results("x", QUARTER) == []
    after = world.evaluate(end.replace(minute=10))
    assert after.windows_judged == 1
    (found,) = world.results("x", QUARTER)
    assert (found["window_start"], found["window_end"], found["rows"]) == (day(10), end, 120)
    assert world.results("x", DAY) == []


def test_rows_that_come_within_the_delay_are_counted(world: World) -> None:
    five = 10 + 5 / 24
    world.live(rows(10, five))
    world.evaluate(day(10.25))
    world.live(rows(five, 10.25))  # logged at 6:00, while the delay of the pane goes on
    world.catch_up(10.25)
    assert world.results("x", QUARTER)[0]["rows"] == 120


def test_rows_that_come_after_the_delay_are_not_counted(small_world: World) -> None:
    five = 10 + 5 / 24
    small_world.live(rows(10, five))
    small_world.catch_up(10.25)
    small_world.live(rows(five, 10.25))
    small_world.catch_up(10.5)
    assert [found["rows"] for found in small_world.results("x", QUARTER)] == [100, 0]


def test_a_window_that_began_before_the_monitor_is_left_out(small_world: World) -> None:
    small_world.live(rows(10, 12))
    small_world.configure(start=Start(to_epoch(day(10)) + HOUR))
    small_world.catch_up(12)
    assert [r["window_start"] for r in small_world.results("x", DAY)] == [day(11)]
    assert small_world.results("x", QUARTER)[0]["window_start"] == day(10.25)


def test_a_new_monitor_without_a_start_has_a_verdict_of_each_length(
    small_world: World,
) -> None:
    small_world.live(rows(10, 13))
    small_world.configure(start=Start())
    small_world.catch_up(12.6)
    assert [r["window_start"] for r in small_world.results("x", DAY)] == [day(11)]
    assert small_world.results("x", QUARTER)[-1]["window_end"] == day(12.5)


def test_doing_it_twice_changes_no_row(world: World) -> None:
    world.live([*rows(10, 12, x=shifted)])
    world.catch_up(12)
    before = natural(world.store)
    (again,) = world.catch_up(12)
    assert (again.scan, again.message) == (None, "no new pane is complete")
    world.prepared = None  # as after a restart
    world.catch_up(12)
    assert natural(world.store) == before


def test_a_clock_set_back_does_nothing(small_world: World) -> None:
    small_world.live(rows(10, 12))
    small_world.catch_up(12)
    before = natural(small_world.store)
    for back in (11.9, 11, 10.5):
        (report,) = small_world.catch_up(back)
        assert report.scan is None
    assert natural(small_world.store) == before
