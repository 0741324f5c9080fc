"""The log says itself how far it is complete: a replica that lags, a batch at night."""

from tests.evaluate.log import day, rows
from tests.evaluate.world import QUARTER, World, X


def until(world: World, moment: float) -> None:
    text = f"{day(moment):%Y-%m-%d %H:%M:%S}"
    kind = "text" if world.log.is_sqlite else "timestamptz"
    world.log.execute(
        "DROP TABLE IF EXISTS loads",
        f"CREATE TABLE loads (complete_until {kind})",
        f"INSERT INTO loads VALUES ('{text}{'' if world.log.is_sqlite else '+00'}')",
    )


def test_the_watermark_waits_for_the_log(world: World) -> None:
    """At half past the day only the first quarter was loaded: the rest is not taken as empty."""
    world.configure(
        features=(X,), window_seconds=(QUARTER,), ready="SELECT max(complete_until) FROM loads"
    )
    world.live(rows(10, 10.25))
    until(world, 10.25)
    (report,) = world.catch_up(10.5)
    assert world.table("monitor")[0]["watermark"] == day(10.25)
    assert "complete up to 2026-11-12T06:00:00Z only" in report.held
    (again,) = world.catch_up(10.75)
    assert again.scan is None
    assert again.held
    world.live(rows(10.25, 10.75))
    until(world, 10.75)
    (done,) = world.catch_up(10.75)
    assert (done.held, world.table("monitor")[0]["watermark"]) == ("", day(10.75))
    assert [str(r["verdict"]) for r in world.results("x", QUARTER)] == ["ok"] * 3


def test_a_plain_no_holds_everything(world: World) -> None:
    world.configure(features=(X,), window_seconds=(QUARTER,), ready="SELECT 1 = 0")
    world.live(rows(10, 11))
    (report,) = world.catch_up(11)
    assert (report.scan, report.held) == (
        None,
        "the readiness query says that the log is not complete",
    )
    assert world.table("monitor")[0]["watermark"] is None


def test_what_holds_no_pane_back_is_not_said_to_hold(world: World) -> None:
    """Complete up to twenty past; at half past, the newest whole pane ends with the hour."""
    world.configure(
        features=(X,), window_seconds=(QUARTER,), ready="SELECT max(complete_until) FROM loads"
    )
    world.live(rows(10, 11))
    until(world, 10.5 + 20 / 1440)
    (report,) = world.catch_up(10.5 + 30 / 1440)
    assert report.scan is not None
    assert (report.scan.end, report.held, report.message) == (day(10.5), "", "")
    (report,) = world.catch_up(10.5 + 50 / 1440)
    assert (report.scan, report.held) == (None, "")
    (report,) = world.catch_up(10.5 + 60 / 1440)
    assert "complete up to 2026-11-12T12:20:00Z only" in report.held
