"""What is not there: no rows, too few rows, no reference, and what each of them says."""

from datetime import timedelta

from driftwatch.alert.policy import AlertPolicy
from driftwatch.window import Interval
from tests.evaluate.log import day, rows
from tests.evaluate.world import DAY, QUARTER, World

EMPTY = ("no_data", "empty_window")
NO_REFERENCE = ("learning", "no_reference")


def test_an_empty_window_is_no_data_and_an_alert_of_its_own(world: World) -> None:
    world.configure(alert=AlertPolicy(k=2, of=3))
    world.live([*rows(10, 11), *rows(13, 16)])
    reports = world.catch_up(16)
    assert [report.outcome for report in reports] == ["success"]
    for feature in ("x", "k", "@volume"):
        assert world.verdicts(feature)[1:3] == [EMPTY, EMPTY]
    assert world.results("x")[1]["message"] == "x: no rows in the window"
    assert world.events("@volume", "no_data") == [
        (12, "pending"), (13, "firing"), (15, "resolved"), (16, "inactive"),
    ]  # fmt: skip
    assert world.events("x", "no_data") == world.events("x", "drift") == []
    assert world.events("@volume", "volume") == []


def test_a_scan_without_a_row_says_no_data(world: World) -> None:
    (report,) = world.catch_up(11)
    assert (report.outcome, report.rows_scanned, report.panes) == (
        "no_data",
        4800,
        24,
    )  # the reference alone
    assert world.table("evaluation")[-1]["outcome"] == "no_data"
    assert len(world.table("pane", seconds=3600)) == 240 + 24  # noted as counted, with no rows


def test_what_is_empty_in_the_reference_too_is_no_alert(small_empty_world: World) -> None:
    for number in range(13):  # nobody predicts in the last quarter of a day
        small_empty_world.log.write(rows(number, number + 0.75))
    small_empty_world.configure(alert=AlertPolicy(k=1, of=1))
    small_empty_world.catch_up(13)
    nights = small_empty_world.verdicts("@volume", QUARTER)[3::4]
    assert nights == [EMPTY] * 3
    assert small_empty_world.table("alert_event") == []


def test_an_alert_goes_on_over_windows_that_say_nothing(small_world: World) -> None:
    small_world.configure(alert=AlertPolicy(k=1, of=1))
    small_world.live([*rows(10, 11, k="other"), *rows(13, 14, k="other")])
    small_world.catch_up(14)
    assert [verdict for verdict, _ in small_world.verdicts("k")] == [
        "critical", "no_data", "no_data", "critical",
    ]  # fmt: skip
    assert small_world.events("k", "drift") == [(11, "firing")]


def test_too_few_rows_are_learning(small_world: World) -> None:
    small_world.live(rows(10, 11, per_hour=4))
    small_world.catch_up(11)
    assert small_world.verdicts("x") == [("learning", "too_few_rows")]
    (found,) = small_world.results("x")
    assert found["message"] == "x: 96 rows are too few to judge (min_rows is 100)"
    assert found["js_distance"] is not None  # measured all the same
    assert small_world.verdicts("@volume") == [("critical", "above_threshold")]


def test_a_volume_that_the_reference_knows_too_little_of_is_learning(small_world: World) -> None:
    small_world.configure(window_seconds=(7 * DAY,))
    small_world.live(rows(10, 21))
    small_world.catch_up(21)
    assert set(small_world.verdicts("@volume", 7 * DAY)) == {("learning", "few_reference_windows")}
    assert [verdict for verdict, _ in small_world.verdicts("x", 7 * DAY)] == ["ok"]


def test_a_window_shorter_than_an_hour_has_a_volume_of_its_own(world: World) -> None:
    world.configure(pane_seconds=300, window_seconds=(900,), min_rows=1)
    world.live(rows(10, 10.25))
    world.catch_up(10.25)
    assert {verdict for verdict, _ in world.verdicts("@volume", 900)} == {"ok"}


def test_before_the_reference_is_complete_nothing_is_counted(empty_world: World) -> None:
    world = empty_world
    world.log.write(rows(0, 9.9))
    world.configure(delay_seconds=3600)
    report = world.evaluate(day(10) + timedelta(minutes=59))
    assert (report.outcome, report.scan, report.windows_judged) == ("no_data", None, 2)
    assert report.message == (
        f"the reference {Interval(day(0), day(10))} of monitor 'm' is not complete before its end "
        "and the delay have passed"
    )
    for feature in ("x", "k", "@volume"):
        assert world.verdicts(feature) == world.verdicts(feature, QUARTER) == [NO_REFERENCE]
    assert {result["rows"] for result in world.table("result")} == {0}
    assert world.results("x")[0]["message"] == report.message
    assert world.table("pane") == world.table("alert") == []
    assert world.table("evaluation")[-1]["message"] == report.message


def test_a_reference_that_is_complete_is_captured_and_caught_up_with(empty_world: World) -> None:
    world = empty_world
    world.log.write(rows(0, 9))
    world.catch_up(9)
    assert world.table("reference") == []
    world.live(rows(9, 12))
    world.catch_up(12)
    captured = {r["column_name"]: (r["version"], r["rows"]) for r in world.table("reference")}
    assert captured == {"x": (1, 4800), "k": (1, 4800), "@volume": (1, 4800)}
    assert [found["window_end"] for found in world.results("x")] == [day(9), day(11), day(12)]
    assert [verdict for verdict, _ in world.verdicts("x")] == ["learning", "ok", "ok"]


def test_an_empty_reference_waits_with_a_message_until_it_is_filled(empty_world: World) -> None:
    world = empty_world
    world.log.write(rows(10, 12))
    report = world.evaluate(day(12.1))
    assert (report.outcome, report.scan) == ("no_data", None)
    assert report.message == (
        f"the reference {Interval(day(0), day(10))} of monitor 'm' holds no rows; check "
        "`reference`, `timestamp` and `where`. Nothing is counted before it does"
    )
    assert world.verdicts("x") == [NO_REFERENCE]
    assert world.table("axis") == world.table("reference") == world.table("pane") == []
    world.live(rows(0, 10))
    world.catch_up(12)
    judged = world.table("result", feature="x", window_seconds=DAY, reference_version=1)
    assert [(one["window_end"], one["verdict"]) for one in judged] == [
        (day(11), "ok"), (day(12), "ok"),
    ]  # fmt: skip
    assert world.table("reference", column_name="x")[0]["rows"] == 4800


def test_an_empty_table_is_no_failure(empty_world: World) -> None:
    (report,) = empty_world.catch_up(12)
    assert report.outcome == "no_data"
    assert "holds no rows" in report.message
