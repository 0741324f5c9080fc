"""Little traffic: a window reaches back until it holds enough rows, and says so."""

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import Exclusion
from driftwatch.window import Interval
from tests.evaluate.log import day, rows, shifted
from tests.evaluate.world import DAY, World, X


@pytest.fixture
def quiet(empty_world: World) -> World:
    """One row an hour: a day holds 24, and 100 are needed."""
    empty_world.live(rows(0, 10, per_hour=1))
    return empty_world


def test_without_widening_it_learns_for_ever(quiet: World) -> None:
    quiet.configure(features=(X,), window_seconds=(DAY,))
    quiet.live(rows(10, 20, per_hour=1))
    quiet.catch_up(20)
    assert {str(r["reason"]) for r in quiet.results("x")} == {"too_few_rows"}


def test_a_window_reaches_back_until_it_has_enough(quiet: World) -> None:
    quiet.configure(features=(X,), window_seconds=(DAY,), widen_seconds=7 * DAY)
    quiet.live(rows(10, 20, per_hour=1))
    quiet.catch_up(20)
    found = quiet.results("x")
    assert [str(r["verdict"]) for r in found] == ["learning"] * 4 + ["ok"] * 6
    last = found[-1]
    assert (last["window_start"], last["window_end"], last["rows"]) == (day(15), day(20), 120)
    assert last["window_seconds"] == DAY
    assert "judged on 5 days" in last["message"]
    assert [r["rows"] for r in quiet.results("@volume")] == [24] * 10, "the volume is not widened"


def test_it_reaches_no_farther_than_it_may(quiet: World) -> None:
    quiet.configure(features=(X,), window_seconds=(DAY,), widen_seconds=3 * DAY)
    quiet.live(rows(10, 20, per_hour=1))
    quiet.catch_up(20)
    assert {str(r["reason"]) for r in quiet.results("x")} == {"too_few_rows"}


def test_it_reaches_into_no_day_that_is_excluded(quiet: World) -> None:
    """That day pages nobody, and the days after it do as soon as they hold enough themselves."""
    incident = Exclusion(Interval(day(12), day(13)), "incident")
    quiet.configure(
        features=(X,), window_seconds=(DAY,), widen_seconds=7 * DAY, exclusions=(incident,)
    )
    quiet.live(rows(10, 20, per_hour=1))
    quiet.catch_up(20)
    found = quiet.results("x")
    assert [r["excluded"] for r in found] == ["", "", "incident", *[""] * 7]
    assert [str(r["verdict"]) for r in found] == ["learning"] * 7 + ["ok"] * 3
    assert min(r["window_start"] for r in found[3:]) == day(13)


def test_windows_that_overlap_count_once(quiet: World) -> None:
    """Two of three are needed: the windows of day 15 to 19 share rows with the first one."""
    quiet.configure(
        features=(X,), window_seconds=(DAY,), widen_seconds=7 * DAY, alert=AlertPolicy(k=2, of=3)
    )
    quiet.live(rows(10, 25, per_hour=1, x=shifted))
    quiet.catch_up(25)
    assert [str(r["verdict"]) for r in quiet.results("x")][4:] == ["critical"] * 11
    assert quiet.events("x", "drift") == [(15, "pending"), (20, "firing")]
