"""Counting the past again: in chunks, resumable, beside the daemon, paging nobody for the past."""

from dataclasses import replace

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import Start
from driftwatch.errors import ConfigError
from driftwatch.evaluate import backfill
from driftwatch.evaluate.backfill import Progress
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import ROWS_PER_HOUR, day, rows, shifted
from tests.evaluate.world import DAY, World, X, natural


def run(world: World, start: float, end: float, **options: object) -> list[Progress]:
    told: list[Progress] = []
    backfill.run(
        world.monitor,
        Interval(day(start), day(end)),
        source=world.source,
        store=world.store,
        process_now=lambda: day(30),
        notify=world.notify,
        on_progress=told.append,
        **options,  # type: ignore[arg-type]
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
