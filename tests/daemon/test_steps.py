"""The wall clock is set back and forth while the daemon runs: nothing stops, nothing is lost."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import WebhookSettings
from driftwatch.daemon.clock import ReplayClock, SteadyClock, process_now
from driftwatch.daemon.courier import Courier
from driftwatch.daemon.runner import MonitorRunner
from driftwatch.daemon.schedule import PunctualExecutor, add_heartbeat, add_monitor, new_scheduler
from driftwatch.exposition.health import Health
from tests.daemon.test_app import Daemon, quick, running, settings_of, wait_for
from tests.daemon.webhook import receiver
from tests.evaluate.log import Row, day, rows, shifted
from tests.evaluate.world import DAY, World, X, natural, opened, with_reference

HOUR = timedelta(hours=1)


@pytest.fixture
def wall() -> Iterator[time_machine.Traveller]:
    """A wall clock that runs on and can be set; the monotonic clock knows nothing of it."""
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=True) as traveller:
        yield traveller


def test_the_steady_clock_does_not_feel_a_step(wall: time_machine.Traveller) -> None:
    clock = SteadyClock()
    before = clock.now()
    wall.shift(-HOUR)
    assert timedelta(0) <= clock.now() - before < timedelta(seconds=10)
    assert -HOUR - timedelta(seconds=10) < clock.ahead() < -HOUR + timedelta(seconds=10)


@pytest.mark.parametrize("step", [-HOUR, HOUR, timedelta(days=-20_000), timedelta(days=3000)])
def test_the_schedule_goes_on_in_its_rhythm(wall: time_machine.Traveller, step: timedelta) -> None:
    """A plan by the wall alone would stop for an hour, or list all that was missed in years."""
    ran: list[float] = []
    beats: list[float] = []
    scheduler = new_scheduler(PunctualExecutor(1))
    add_heartbeat(scheduler, lambda: beats.append(time.monotonic()), process_now())
    add_monitor(scheduler, "m", 0.2, lambda _: ran.append(time.monotonic()), process_now())
    scheduler.modify_job("m", next_run_time=process_now())
    scheduler.start()
    try:
        wait_for(lambda: len(ran) >= 3)
        wall.shift(step)
        stepped, before = time.monotonic(), len(ran)
        wait_for(lambda: len(ran) >= before + 5)
        assert len(ran) <= 3 + (time.monotonic() - ran[0]) / 0.2, "what was skipped is not made up"
        wait_for(lambda: beats[-1] > stepped)
    finally:
        scheduler.shutdown()


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_a_step_upsets_neither_health_nor_what_is_shown(
    world: World, wall: time_machine.Traveller, step: timedelta
) -> None:
    world.live(rows(10, 13, x=shifted))
    with running(settings_of(world), until=11) as daemon:
        wait_for(lambda: 'feature="x"' in daemon.metrics())
        wall.shift(step)
        assert 'driftwatch_verdict_level{monitor="m",feature="x"' in daemon.metrics()
        seen = len(daemon.ran)
        daemon.clock.advance(day(13) + timedelta(minutes=10))
        wait_for(lambda: len(daemon.ran) > seen + 2)
        assert 'driftwatch_verdict_level{monitor="m",feature="x"' in daemon.metrics()
        last = daemon.sample("driftwatch_evaluation_last_success_timestamp_seconds", monitor="m")
        assert abs(process_now().timestamp() - last) < 10
        wait_for(lambda: _beat_age(daemon) < 10)
        ages = [ran.seconds for _, ran in daemon.ran]
        assert all(0 <= seconds < 60 for seconds in ages), "durations are those of no wall clock"
    assert set(daemon.outcomes()) == {"success"}
    assert world.table("monitor")[0]["watermark"] == day(13)


def _beat_age(daemon: Daemon) -> float:
    beat = daemon.sample("driftwatch_scheduler_heartbeat_timestamp_seconds")
    return abs(process_now().timestamp() - beat)


class SetClock:
    """An event clock that is set to whatever somebody takes for the time."""

    def __init__(self) -> None:
        self.moment = day(0)

    def now(self) -> datetime:
        return self.moment


def test_an_event_clock_that_steps_counts_nothing_twice_and_loses_nothing(
    world: World, sqlite_url: str
) -> None:
    """A machine whose clock jumps about ends with the rows of one whose clock went straight on."""
    world.configure(alert=AlertPolicy(k=1, of=1))
    made = [*rows(10, 11), *rows(11, 12, x=shifted), *rows(12, 14)]
    world.live(made)
    clock = SetClock()
    runner = MonitorRunner(
        world.monitor,
        world.source,
        world.store,
        event_clock=clock,
        process_now=process_now,
        notify=True,
    )
    for at, idle in [
        (10.5, False), (11, False), (10.5, True), (2, True), (11, True), (11.5, False),
        (11.4, True), (12.5, False), (12.4, True), (14, False), (13, True),
    ]:  # fmt: skip
        clock.moment = day(at) + timedelta(minutes=10)
        ran = runner.run()
        assert ran.report.outcome == "success"
        assert (ran.report.scan is None) == idle, at
    with opened(world.log.url.replace("log.db", "straight.db"), sqlite_url) as straight:
        with_reference(straight).live(made)
        straight.configure(alert=AlertPolicy(k=1, of=1))
        straight.catch_up(10.5)
        for until in (11, 11.5, 12.5, 14):
            straight.catch_up(until)
        assert natural(world.store) == natural(straight.store)


def test_panes_that_a_clock_counted_before_their_time_are_counted_again(
    world: World, sqlite_url: str
) -> None:
    """The clock is an hour ahead for a while: that hour is empty at first, and not for good."""
    ages = {"recheck_seconds": (3_600, 21_600, DAY)}
    world.configure(**ages)
    clock = SetClock()
    runner = MonitorRunner(
        world.monitor,
        world.source,
        world.store,
        event_clock=clock,
        process_now=process_now,
        notify=True,
    )
    hour, written, made = 1 / 24, 10.0, list[Row]()
    for true, shown in [
        (10.5, 10.5), (10.5 + hour / 2, 10.5 + 3 * hour / 2), (10.5 + hour, 10.5 + hour),
        (11, 11), (12, 12),
    ]:  # fmt: skip
        made += rows(written, true)
        world.live(rows(written, true))
        written, clock.moment = true, day(shown) + timedelta(minutes=10)
        while runner.run().report.behind:
            pass
    assert any(row["revision"] > 1 for row in world.table("pane")), "it was empty for a while"
    with opened(world.log.url.replace("log.db", "straight.db"), sqlite_url) as straight:
        with_reference(straight).live(made)
        straight.configure(**ages)
        straight.catch_up(12)
        assert _found(world) == _found(straight)


@pytest.mark.parametrize(
    ("both", "down"),
    [(False, False), (False, True), (True, False)],
    ids=["event clock", "event clock, down meanwhile", "both clocks"],
)
def test_a_clock_that_was_days_ahead_loses_nothing(
    world: World, sqlite_url: str, both: bool, down: bool
) -> None:
    """Two days are counted empty. They are counted again as their time comes, or after it; what
    their empty windows said is corrected."""
    ages = {"recheck_seconds": (), "alert": AlertPolicy(k=1, of=1)}
    world.configure(**ages)
    clock, now = SetClock(), [day(10)]
    runner = MonitorRunner(
        world.monitor,
        world.source,
        world.store,
        event_clock=clock,
        process_now=lambda: now[0],
        notify=True,
    )
    written, made, told = 10.0, list[Row](), set[str]()
    steps = [(10.5, 10.5), (10.6, 12.6), (10.6, 10.6)]
    back = [12.5, 13.0] if down else [10.595 + n / 24 for n in range(1, 58)]
    steps += [(true, true) for true in (*back, 13.0, 14.0)]
    for true, shown in steps:
        if true > written:
            world.live(rows(written, true))
            made += rows(written, true)
        written, clock.moment = true, day(shown) + timedelta(minutes=10)
        now[0] = day(shown if both else true) + timedelta(minutes=10)
        while (ran := runner.run()).report.behind:
            pass
        told.add(ran.report.message)
    assert any("which the clock has not reached" in one for one in told)
    with opened(world.log.url.replace("log.db", "straight.db"), sqlite_url) as straight:
        with_reference(straight).live(made)
        straight.configure(**ages)
        straight.catch_up(14)
        assert _found(world) == _found(straight)
    states = {str(one["state"]) for one in world.table("alert")}
    assert "firing" not in states
    assert {one[4] for one in world.outbox()[-2:]} <= {"resolved"}


def _found(world: World) -> list[tuple[object, ...]]:
    """Everything that counts and verdicts are made of, but how often it was revised."""
    panes = [(row["seconds"], row["start"], row["rows"]) for row in world.table("pane")]
    names = ("feature", "window_seconds", "window_end", "rows", "missing_rows", "verdict")
    results = [tuple(row[name] for name in names) for row in world.table("result")]
    return [*sorted(panes), *sorted(results, key=repr)]


def test_a_notification_does_not_wait_for_a_clock_that_was_set_back(
    world: World, wall: time_machine.Traveller
) -> None:
    world.configure(window_seconds=(DAY,), features=(X,), alert=AlertPolicy(k=1, of=1))
    world.live(rows(10, 11, x=shifted))
    clock = ReplayClock(day(11) + timedelta(minutes=10))
    runner = MonitorRunner(
        world.monitor,
        world.source,
        world.store,
        event_clock=clock,
        process_now=process_now,
        notify=True,
    )
    assert runner.run().report.changes
    wall.shift(-HOUR)
    with receiver() as hook:
        courier = Courier(WebhookSettings(hook.url), world.store, Health(), process_now=process_now)
        assert [courier.deliver_due(), courier.deliver_due()] == [1, 0]
        wall.shift(HOUR)
        assert courier.deliver_due() == 0
    assert len(hook.taken()) == 1


def test_a_replay_at_thousands_of_times_the_speed_upsets_no_health(world: World) -> None:
    """Three days in a few seconds: what is about the process goes by the clock of the process."""
    world.live(rows(10, 13, x=shifted))
    with running(settings_of(world), until=10) as daemon:
        begun = process_now().timestamp()
        for hours in range(1, 73):
            daemon.clock.advance(day(10 + hours / 24) + timedelta(minutes=10))
            time.sleep(0.08)
        wait_for(lambda: world.table("monitor")[0]["watermark"] == day(13))
        wait_for(lambda: 'driftwatch_verdict_level{monitor="m",feature="x"' in daemon.metrics())
        now = process_now().timestamp()
        for name in (
            "driftwatch_evaluation_last_success_timestamp_seconds",
            "driftwatch_evaluation_last_completion_timestamp_seconds",
            "driftwatch_scheduler_heartbeat_timestamp_seconds",
            "driftwatch_monitor_added_timestamp_seconds",
        ):
            assert begun - 10 <= daemon.sample(name) <= now, name
        assert daemon.sample("driftwatch_watermark_timestamp_seconds") == day(13).timestamp()
        assert daemon.sample("driftwatch_evaluation_last_duration_seconds", monitor="m") < 60
        skipped = {"monitor": "m", "reason": "too_late"}
        assert daemon.sample("driftwatch_evaluations_skipped_total", **skipped) == 0
    stored = world.table("evaluation")
    assert {one["outcome"] for one in stored} == {"success"}
    assert all(begun - 10 <= one["finished_at"].timestamp() <= now + 10 for one in stored)


def test_what_succeeds_without_anything_to_do_does_not_expire(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour between two panes, an evaluation each second: no row is stored between them."""
    monkeypatch.setattr("driftwatch.daemon.fleet.STALE_INTERVALS", 0.02)  # 1.2 seconds
    world.live(rows(10, 11))
    with running(settings_of(world, quick(world.monitor)), until=11) as daemon:
        wait_for(lambda: len(daemon.outcomes()) >= 5)
        assert len(world.table("evaluation")) == 1
        assert 'driftwatch_verdict_level{monitor="m",feature="x"' in daemon.metrics()
