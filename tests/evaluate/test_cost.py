"""What an evaluation asked of the source is in its report and its row, captures with it."""

from driftwatch.config.settings import FeatureSettings
from tests.evaluate.log import day, rows
from tests.evaluate.world import FIXED, K, World, X


def test_a_capture_is_counted_by_the_evaluation_that_made_it_alone(world: World) -> None:
    world.live(rows(10, 12))
    (first,) = world.catch_up(11)
    (second,) = world.catch_up(12)
    assert [first.rows_scanned, second.rows_scanned] == [4800 + 480, 480]
    assert first.prepared is not None
    assert first.stages.scan > first.prepared.capture_seconds > 0
    assert first.stages.store >= 0
    assert second.prepared is first.prepared
    noted = world.table("evaluation")
    assert [one["rows_scanned"] for one in noted] == [5280, 480]
    assert noted[0]["scan_seconds"] == first.stages.scan


def test_what_is_loaded_costs_nothing(small_world: World) -> None:
    small_world.live(rows(10, 12))
    small_world.catch_up(11)
    small_world.prepared = None
    assert [one.rows_scanned for one in small_world.catch_up(12)] == [480]


def test_a_capture_without_a_new_pane_is_noted(small_world: World) -> None:
    world = small_world
    world.configure(features=(X,))
    world.live(rows(10, 11))
    world.catch_up(11)
    world.configure(features=(X, K))
    reports = [world.evaluate(day(11.01)), world.evaluate(day(11.01))]
    assert [one.scan for one in reports] == [None, None]
    assert [one.rows_scanned for one in reports] == [4800, 0]
    noted = world.table("evaluation")
    assert [(one["rows_scanned"], one["scan_start"]) for one in noted][1:] == [(4800, None)]
    assert noted[1]["scan_seconds"] > 0


def test_a_reference_without_rows_took_time_all_the_same(small_empty_world: World) -> None:
    world = small_empty_world
    world.configure(features=(X, FeatureSettings("k", kind=K.kind, threshold=FIXED)))
    (report,) = world.catch_up(11)
    assert (report.outcome, report.rows_scanned) == ("no_data", 0)
    assert report.stages.scan > 0
    assert world.table("evaluation")[0]["scan_seconds"] == report.stages.scan
