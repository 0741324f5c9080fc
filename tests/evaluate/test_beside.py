"""A backfill and the daemon look at the same panes at once: no row that either read is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from driftwatch.errors import ConflictError
from driftwatch.evaluate import backfill
from driftwatch.evaluate.pipeline import Report
from driftwatch.source.plan import ScanPlan
from driftwatch.stats.counts import PaneCounts
from driftwatch.store import ledger
from driftwatch.window import Interval
from tests.evaluate.log import ROWS_PER_HOUR, day, rows, shifted
from tests.evaluate.world import DAY, HOUR, World, X

DELAY = timedelta(seconds=600)


def in_the_ledger(world: World, start: float, end: float) -> int:
    with world.store.read() as connection:
        (found,) = ledger.window_rows(connection, 1, [Interval(day(start), day(end))])
    assert found is not None
    return found


def shift_back(world: World, start: float, end: float) -> None:
    """Mend what was shifted."""
    zone = "" if world.log.is_sqlite else "+00"
    moments = [f"'{day(one):%Y-%m-%d %H:%M:%S}{zone}'" for one in (start, end)]
    world.log.execute(
        f"UPDATE events SET x = x - 4 WHERE x > 2 AND at >= {moments[0]} AND at < {moments[1]}"
    )


def count_again(world: World, start: float, end: float) -> backfill.Progress:
    return backfill.run(
        world.monitor, Interval(day(start), day(end)), source=world.source, store=world.store,
        process_now=lambda: day(30),
    )  # fmt: skip


def once_after_a_scan(world: World, act: Callable[[], Any], of: Callable[[Interval], bool]) -> None:
    """Do something right after the next scan of such an interval: what it read is old then."""
    scan, left = world.source.scan, [act]

    def slow(plan: ScanPlan, interval: Interval, **named: bool) -> PaneCounts:
        counts = scan(plan, interval, **named)
        if of(interval) and left:
            left.pop()()
        return counts

    world.source.scan = slow  # type: ignore[method-assign]


def test_a_recheck_between_the_scan_and_the_write_of_a_backfill(world: World) -> None:
    world.configure(features=(X,), window_seconds=(DAY,), recheck_seconds=(HOUR,))
    world.live(rows(10, 12))
    world.catch_up(12)
    found: list[Report] = []

    def daemon() -> None:
        world.live(rows(11 + 23 / 24, 12))
        found.append(world.evaluate(day(12) + DELAY + timedelta(hours=1)))

    once_after_a_scan(world, daemon, lambda scan: scan.end == day(12))
    done = count_again(world, 10, 12)
    assert found[0].revised_panes == 1
    assert in_the_ledger(world, 11, 12) == 25 * ROWS_PER_HOUR
    assert [r["rows"] for r in world.results("x")] == [24 * ROWS_PER_HOUR, 25 * ROWS_PER_HOUR]
    assert done.rows == 49 * ROWS_PER_HOUR, "what was read in vain is not counted"


def test_a_backfill_between_the_scan_and_the_write_of_the_daemon(world: World) -> None:
    """What it had mended would be as wrong as before."""
    world.configure(features=(X,), window_seconds=(DAY,), recheck_seconds=(DAY,))
    world.live(rows(10, 13))
    world.catch_up(12)
    world.live(rows(11.5, 11.75, x=shifted))

    def beside() -> None:
        shift_back(world, 11.5, 11.75)
        count_again(world, 10, 12)

    once_after_a_scan(world, beside, lambda scan: day(11) <= scan.start < day(12))
    with pytest.raises(ConflictError, match="counted again by another process"):
        world.catch_up(13)
    assert world.table("monitor")[0]["watermark"] == day(12), "nothing was written"
    world.catch_up(13)
    assert [r["rows"] for r in world.results("x")][1:] == [30 * ROWS_PER_HOUR, 24 * ROWS_PER_HOUR]
    assert world.verdicts("x")[1] == ("ok", "within_threshold")


def test_panes_that_nobody_wrote_are_no_conflict(world: World) -> None:
    """The daemon counts new panes while a backfill counts old ones."""
    world.configure(features=(X,), window_seconds=(DAY,), recheck_seconds=())
    world.live(rows(10, 13))
    world.catch_up(12)
    scans: list[Interval] = []

    def noted(scan: Interval) -> bool:
        if scan.end <= day(12):
            scans.append(scan)
        return scan.end == day(12)

    once_after_a_scan(world, lambda: world.catch_up(13), noted)
    done = count_again(world, 10, 12)
    assert (done.rows, done.done_until) == (48 * ROWS_PER_HOUR, day(12))
    assert scans == [Interval(day(10), day(11)), Interval(day(11), day(12))], "each once"
    assert world.table("monitor")[0]["watermark"] == day(13)


def test_a_backfill_that_is_never_left_alone_gives_up(
    small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world
    world.configure(features=(X,), window_seconds=(DAY,), recheck_seconds=())
    world.live(rows(10, 12))
    world.catch_up(12)
    monkeypatch.setattr(backfill, "_ATTEMPTS", 2)
    scan = world.source.scan

    def disturbed(*arguments: Any, **named: Any) -> PaneCounts:
        counts = scan(*arguments, **named)
        with world.store.write() as connection:
            connection.exec_driver_sql("UPDATE pane SET revision = revision + 1")
        return counts

    world.source.scan = disturbed  # type: ignore[method-assign]
    with pytest.raises(ConflictError, match="reading again helps"):
        count_again(world, 10, 12)


def test_days_that_a_backfill_has_reached_are_not_forgotten(world: World) -> None:
    """It was counting new panes when earlier ones were counted for the first time."""
    world.configure(features=(X,), window_seconds=(DAY,))
    world.live(rows(10, 13))
    world.catch_up(12)
    once_after_a_scan(world, lambda: count_again(world, 8, 12), lambda scan: scan.start >= day(12))
    world.catch_up(13)
    assert world.table("monitor")[0]["scanned_from"] == day(8)
