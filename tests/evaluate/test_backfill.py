"""Counting the past again: in chunks, resumable, beside the daemon, paging nobody for the past."""

from dataclasses import replace

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import Start
from driftwatch.errors import ConfigError
from driftwatch.evaluate import backfill
from driftwatch.evaluate.backfill import Options, Progress
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import ROWS_PER_HOUR, day, rows, shifted
from tests.evaluate.world import DAY, K, World, X, natural


def run(world: World, start: float, end: float, **options: bool) -> list[Progress]:
    told: list[Progress] = []
    backfill.run(
        world.monitor,
        Interval(day(start), day(end)),
        source=world.source,
        store=world.store,
        process_now=lambda: day(30),
        notify=world.notify,
        on_progress=told.append,
        options=Options(**options),
    )
    return told


@pytest.fixture
def broken(world: World) -> World:
    """A bug upstream: x was shifted for days 12 to 14; then everything went on as usual."""
    world.configure(features=(X,), window_seconds=(DAY,), alert=AlertPolicy(k=1, of=1))
    world.live([*rows(10, 12), *rows(12, 14, x=shifted), *rows(14, 18)])
    for one in range(11, 19):
        world.catch_up(one)
    return world


def mend(world: World) -> None:
    moments = [f"'{day(d):%Y-%m-%d %H:%M:%S}'" for d in (12, 14)]
    if not world.log.is_sqlite:
        moments = [f"timestamptz {one[:-1]}+00'" for one in moments]
    world.log.execute(f"UPDATE events SET x = x - 4 WHERE at >= {moments[0]} AND at < {moments[1]}")


def test_history_is_revised_and_nobody_is_paged(broken: World) -> None:
    told, sent = broken.outbox(), broken.table("alert_event")
    assert [one[3:5] for one in told] == [(13, "firing"), (15, "resolved")]
    mend(broken)
    progress = run(broken, 12, 14)
    assert [str(r["verdict"]) for r in broken.results("x")] == ["ok"] * 8
    assert [r["revision"] for r in broken.results("x")] == [1, 1, 2, 2, 1, 1, 1, 1]
    assert broken.outbox() == told
    assert broken.table("alert_event") == sent
    assert [one.done_until for one in progress] == [day(12), day(13), day(14)]
    assert progress[-1].panes_changed == 48
    assert progress[-1].rows == 48 * ROWS_PER_HOUR
    assert progress[-1].windows == 2
    (note,) = broken.table("annotation", kind="revised")
    assert (note["range_start"], note["range_end"]) == (day(12), day(14))


def test_doing_it_twice_changes_nothing(broken: World) -> None:
    mend(broken)
    run(broken, 12, 14)
    once = natural(broken.store)
    assert run(broken, 12, 14)[-1].panes_changed == 0
    assert natural(broken.store) == once


class StoppedError(Exception):
    pass


def test_an_interrupted_backfill_goes_on_where_it_was(broken: World) -> None:
    mend(broken)

    def interrupt(progress: Progress) -> None:
        if progress.done_until == day(13):
            raise StoppedError

    with pytest.raises(StoppedError):
        backfill.run(
            broken.monitor, Interval(day(12), day(14)), source=broken.source, store=broken.store,
            process_now=lambda: day(30), on_progress=interrupt,
        )  # fmt: skip
    assert [one.done_until for one in run(broken, 12, 14)] == [day(13), day(14)]
    assert [str(r["verdict"]) for r in broken.results("x")] == ["ok"] * 8


def test_what_expired_is_kept_unless_it_is_meant(broken: World) -> None:
    before = natural(broken.store)["pane"]
    moment = f"'{day(12):%Y-%m-%d %H:%M:%S}'"
    if not broken.log.is_sqlite:
        moment = f"timestamptz {moment[:-1]}+00'"
    broken.log.execute(f"DELETE FROM events WHERE at < {moment}")
    kept = run(broken, 10, 12)[-1]
    assert (kept.shrunk, kept.panes_changed) == (48, 0)
    assert natural(broken.store)["pane"] == before
    meant = run(broken, 10, 12, allow_shrink=True)[-1]
    assert (meant.shrunk, meant.panes_changed) == (0, 48)
    assert [r["rows"] for r in broken.results("x")][:3] == [0, 0, 24 * ROWS_PER_HOUR]


def test_days_before_the_first_window_are_counted_for_the_first_time(world: World) -> None:
    world.configure(features=(X,), window_seconds=(DAY,), start=Start(to_epoch(day(14))))
    world.live(rows(10, 16))
    world.catch_up(16)
    assert len(world.results("x")) == 2
    run(world, 12, 14)
    assert [r["window_end"] for r in world.results("x")] == [day(d) for d in (13, 14, 15, 16)]
    assert world.table("monitor")[0]["watermark"] == day(16)


def test_beside_the_daemon(broken: World) -> None:
    """The daemon goes on between two chunks: neither is in the other's way."""
    mend(broken)
    broken.live(rows(18, 20))
    beside = replace(broken, prepared=None)

    def tick(progress: Progress) -> None:
        if progress.done_until == day(13):
            beside.catch_up(19)

    backfill.run(
        broken.monitor, Interval(day(12), day(14)), source=broken.source, store=broken.store,
        process_now=lambda: day(30), on_progress=tick,
    )  # fmt: skip
    assert len(broken.results("x")) == 9
    assert {str(r["verdict"]) for r in broken.results("x")} == {"ok"}


def test_nothing_to_count_is_told(world: World) -> None:
    with pytest.raises(ConfigError, match="has counted nothing yet"):
        run(world, 12, 14)
    world.live(rows(10, 12))
    world.catch_up(12)
    with pytest.raises(ConfigError, match="has counted up to 2026-11-14T00:00:00Z"):
        run(world, 13, 14)


def with_a_new_feature(
    world: World, odd: tuple[float, float], *, at: float, **options: object
) -> None:
    """`k` was odd for some days, and was not watched then; it is from `at` on."""
    start, end = odd
    world.configure(features=(X,), window_seconds=(DAY,))
    world.live([*rows(10, start), *rows(start, end, k="zz")])
    if end < 16:
        world.live(rows(end, 16))
    world.catch_up(at)
    world.configure(features=(X, K), window_seconds=(DAY,), **options)


@pytest.mark.parametrize("first_look", [None, 14 + 1 / 24])
def test_what_ended_before_pages_nobody_though_it_was_never_told(
    world: World, first_look: float | None
) -> None:
    with_a_new_feature(world, (10, 12), at=14, alert=AlertPolicy(k=1, of=1))
    if first_look is not None:
        world.catch_up(first_look)
    run(world, 10, 14)
    assert [str(r["verdict"]) for r in world.results("k")] == ["critical"] * 2 + ["ok"] * 2
    assert (world.outbox(), world.table("alert_event", feature="k")) == ([], [])
    world.catch_up(15)
    assert world.outbox() == []


@pytest.mark.parametrize(("k", "told"), [(1, [14]), (2, [14]), (3, [])])
def test_what_fires_as_of_the_watermark_pages_once(world: World, k: int, told: list[int]) -> None:
    with_a_new_feature(world, (12, 16), at=14, alert=AlertPolicy(k=k, of=3))
    run(world, 10, 14)
    firing = [("k", "drift", DAY, one, "firing", "critical") for one in told]
    assert world.outbox() == firing
    run(world, 10, 14)
    assert world.outbox() == firing
    world.catch_up(15)
    assert [one[3:5] for one in world.outbox()] == [(float(told[0]) if told else 15.0, "firing")]


def test_a_range_that_ends_before_the_newest_window_begins_no_alert(world: World) -> None:
    with_a_new_feature(world, (10, 12), at=14, alert=AlertPolicy(k=1, of=3))
    run(world, 10, 12)
    assert world.outbox() == []
    assert world.table("alert", feature="k") == []


def test_the_daemon_beside_it_pages_nobody_for_the_half_of_it(world: World) -> None:
    """After the odd days and before those that were fine again, it looks at its alerts."""
    with_a_new_feature(world, (10, 12), at=14, alert=AlertPolicy(k=1, of=2))
    beside = replace(world, prepared=None)

    def tick(progress: Progress) -> None:
        if progress.done_until == day(12):
            beside.catch_up(14.5)

    backfill.run(
        world.monitor, Interval(day(10), day(14)), source=world.source, store=world.store,
        process_now=lambda: day(30), notify=True, on_progress=tick,
    )  # fmt: skip
    assert world.outbox() == []


def test_interrupted_it_tells_the_same_in_the_end(world: World) -> None:
    with_a_new_feature(world, (12, 16), at=14, alert=AlertPolicy(k=2, of=3))

    def interrupt(progress: Progress) -> None:
        if progress.done_until == day(13):
            raise StoppedError

    with pytest.raises(StoppedError):
        backfill.run(
            world.monitor, Interval(day(10), day(14)), source=world.source, store=world.store,
            process_now=lambda: day(30), notify=True, on_progress=interrupt,
        )  # fmt: skip
    assert world.outbox() == []
    run(world, 10, 14)
    assert [one[3:5] for one in world.outbox()] == [(14, "firing")]
