"""The daemon forgets what is older than it is kept, beside its evaluations."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection

from driftwatch.config.settings import RetentionSettings, Settings
from driftwatch.daemon import app
from driftwatch.daemon.housekeeping import Housekeeper
from driftwatch.exposition.health import Health
from driftwatch.exposition.scrape import Format, render_health
from driftwatch.store import retention
from driftwatch.store.engine import Store, open_store
from driftwatch.window import Calendar
from tests.daemon.test_app import running, settings_of, wait_for
from tests.evaluate.log import day, rows
from tests.evaluate.world import DAY, World
from tests.exposition.readings import value_of

TWO_DAYS = RetentionSettings(
    panes_seconds=2 * DAY,
    hours_seconds=2 * DAY,
    results_seconds=2 * DAY,
    evaluations_seconds=2 * DAY,
)


def keeping(world: World) -> Settings:
    return replace(settings_of(world), retention=TWO_DAYS)


def housekeeper(
    settings: Settings,
    store: Store,
    health: Health,
    *,
    now: datetime,
    stopping: Event | None = None,
) -> Housekeeper:
    return Housekeeper(
        settings, store, health, process_now=lambda: now, stopping=stopping or Event()
    )


def deleted(health: Health, table: str) -> float | None:
    text = render_health(health, Format.TEXT)
    return value_of(text, "driftwatch_pruned_rows_total", table=table)


def test_what_is_too_old_is_deleted_counted_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "driftwatch.daemon.housekeeping")
    world.live(rows(10, 20))
    world.catch_up(20)
    before = {name: len(world.table(name)) for name in ("pane", "result", "evaluation")}
    health = Health()
    found = housekeeper(keeping(world), world.store, health, now=day(40)).run()
    after = {name: len(world.table(name)) for name in before}
    assert {name: before[name] - after[name] for name in ("pane", "result")} == {
        name: found[name] for name in ("pane", "result")
    }
    assert found["pane"] > 0
    assert found["result"] > 0
    assert all(deleted(health, table) == count for table, count in found.items())
    assert min(one["window_end"] for one in world.results("x")) >= day(18)
    (told,) = (record.getMessage() for record in caplog.records)
    assert f"{found['result']} of result" in told
    caplog.clear()
    assert not housekeeper(keeping(world), world.store, health, now=day(40)).run()
    assert not caplog.records, "what does nothing says nothing"
    world.live(rows(20, 22))
    world.catch_up(22)
    assert {verdict for verdict, _ in world.verdicts("x")[-2:]} == {"ok"}


@pytest.fixture
def portions(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each portion was begun; they are small and take a while."""
    begun: list[float] = []
    prune = retention.prune

    def small(
        connection: Connection,
        ages: RetentionSettings,
        *,
        monitors: Mapping[str, Calendar],
        now: datetime,
    ) -> dict[str, int]:
        begun.append(time.monotonic())
        time.sleep(0.02)
        return prune(connection, ages, monitors=monitors, now=now, portion=4)

    monkeypatch.setattr(retention, "prune", small)
    return begun


def test_an_evaluation_writes_between_two_portions(world: World, portions: list[float]) -> None:
    """Whoever waits for the store comes long before the last one."""
    world.live(rows(10, 20))
    world.catch_up(20)
    keeper = housekeeper(keeping(world), world.store, Health(), now=day(40))
    thread = threading.Thread(target=keeper.run)
    thread.start()
    wait_for(lambda: len(portions) >= 2)
    with open_store(str(world.store._engine.url)).write():
        written = time.monotonic()
    thread.join(30)
    assert len([begun for begun in portions if begun > written]) > 3


def test_it_ends_after_a_portion_when_the_daemon_stops(world: World, portions: list[float]) -> None:
    world.live(rows(10, 20))
    world.catch_up(20)
    stopping = Event()
    stopping.set()
    keeper = housekeeper(keeping(world), world.store, Health(), now=day(40), stopping=stopping)
    assert keeper.run()
    assert len(portions) == 1
    stopping.clear()
    assert keeper.run(), "what was left is deleted the next time"


def test_a_failure_is_told_and_counted_and_no_crash(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    health, broken = Health(), open_store(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    assert not housekeeper(keeping(world), broken, health, now=day(40)).run()
    assert value_of(render_health(health, Format.TEXT), "driftwatch_prune_failures_total") == 1
    assert "old rows are not deleted: store" in caplog.text
    broken.close()


def test_the_daemon_does_it_soon_after_its_start_and_goes_on_watching(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "FIRST_AFTER_SECONDS", 0.5)
    monkeypatch.setattr(app, "EVERY_SECONDS", 1.0)
    world.live(rows(10, 20))
    world.catch_up(18)
    with running(keeping(world), until=18) as daemon:
        wait_for(lambda: daemon.sample("driftwatch_pruned_rows_total", table="result") > 0)
        assert min(one["window_end"] for one in world.results("x")) >= day(16)
        daemon.clock.advance(day(20) + timedelta(minutes=10))
        wait_for(lambda: world.table("monitor")[0]["watermark"] == day(20))
        wait_for(lambda: min(one["window_end"] for one in world.results("x")) >= day(18))
        assert daemon.sample("driftwatch_prune_failures_total") == 0
    assert set(daemon.outcomes()) == {"success"}
