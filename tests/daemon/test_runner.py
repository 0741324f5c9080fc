"""One monitor's evaluations, one after another, whatever becomes of them."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from driftwatch.config.settings import MonitorSettings, SourceSettings
from driftwatch.daemon.clock import ReplayClock, process_now
from driftwatch.daemon.runner import MonitorRunner
from driftwatch.errors import ConflictError, SourceTimeoutError
from driftwatch.evaluate.pipeline import evaluate
from driftwatch.source import Source, open_source
from driftwatch.stats.counts import PaneCounts
from driftwatch.store import monitors
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.window import Interval
from tests.evaluate.log import Log, day, rows
from tests.evaluate.world import DAY, HOUR, World, checked_out, monitor, table
from tests.servers.postgres import PostgresServer, postgres_server


def runner_of(
    settings: MonitorSettings, source: Source, store: Store, *, until: float
) -> MonitorRunner:
    clock = ReplayClock(day(until) + timedelta(minutes=10))
    return MonitorRunner(
        settings, source, store, event_clock=clock, process_now=process_now, notify=False
    )


def outcomes(store: Store) -> list[str]:
    return [row["outcome"] for row in table(store, "evaluation")]


def test_what_was_prepared_is_kept_between_evaluations(world: World) -> None:
    world.live(rows(10, 12))
    runner = runner_of(world.monitor, world.source, world.store, until=11)
    first, second = runner.run(), runner.run()
    assert first.report.windows_judged == 5
    assert second.report.scan is None
    assert second.report.prepared is first.report.prepared
    assert first.seconds > 0
    assert outcomes(world.store) == ["success"]


def test_what_has_to_be_prepared_anew_is_no_failure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a version of a model was handed its own reference."""
    world.live(rows(10, 12))
    with monkeypatch.context() as patched:
        patched.setattr(
            "driftwatch.daemon.runner.evaluate",
            lambda *a, **k: replace(evaluate(*a, **k), prepared=None),
        )
        assert runner_of(world.monitor, world.source, world.store, until=11).run().report.scan
    assert len(world.table("evaluation")) == 1


def test_a_source_file_that_is_not_there_yet(world: World, tmp_path: Path) -> None:
    world.live(rows(10, 11))
    settings = SourceSettings("logs", f"sqlite:///{tmp_path / 'later.db'}")
    source = open_source(settings)
    runner = runner_of(world.monitor, source, world.store, until=11)
    ran = runner.run()
    assert (ran.report.outcome, ran.report.behind) == ("source_error", False)
    (failed,) = world.table("evaluation")
    assert (failed["outcome"], failed["scan_start"]) == ("source_error", None)
    assert "source 'logs': there is no SQLite file" in failed["message"]
    shutil.copy(tmp_path / "log.db", tmp_path / "later.db")
    assert runner.run().report.outcome == "success"
    assert outcomes(world.store) == ["source_error", "success"]
    source.close()


@pytest.fixture
def away(tmp_path: Path) -> Iterator[tuple[Source, Store, MonitorSettings, PostgresServer]]:
    """A source in a PostgreSQL of its own, which may be stopped and started."""
    with postgres_server() as server:
        log = Log(server.url())
        log.create()
        log.write(rows(0, 12))
        source = open_source(SourceSettings("logs", log.url))
        store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
        ensure_schema(store)
        yield source, store, monitor(log), server
        source.close()
        store.close()


def test_a_server_that_goes_away_and_comes_back(
    away: tuple[Source, Store, MonitorSettings, PostgresServer],
) -> None:
    source, store, settings, server = away
    clock = ReplayClock(day(11) + timedelta(minutes=10))
    runner = MonitorRunner(
        settings, source, store, event_clock=clock, process_now=process_now, notify=False
    )
    assert runner.run().report.outcome == "success"
    clock.advance(day(12) + timedelta(minutes=10))
    server.stop()
    assert runner.run().report.outcome == "source_error"
    assert table(store, "evaluation")[-1]["message"].startswith("source 'logs': ")
    assert table(store, "monitor")[0]["watermark"] == day(11)
    server.start()
    ran = runner.run()
    assert (ran.report.outcome, ran.report.scan) == ("success", Interval(day(11), day(12)))
    found = table(store, "result", feature="x", window_seconds=DAY)
    assert [one["verdict"] for one in found] == ["ok", "ok"]
    assert checked_out(store) == 0


class SlowSource(Source):
    """Answers in time for so much event time only."""

    bearable_seconds = 3 * HOUR
    asked: list[int]

    def scan(self, plan, interval: Interval, *, capture: bool = False) -> PaneCounts:  # type: ignore[no-untyped-def]
        if not capture:
            self.asked.append(interval.seconds // HOUR)
            if interval.seconds > self.bearable_seconds:
                raise SourceTimeoutError("no answer within the statement_timeout of 1 s")
        return super().scan(plan, interval, capture=capture)


@pytest.fixture
def slow(world: World) -> Iterator[SlowSource]:
    source = SlowSource(SourceSettings("logs", world.log.url))
    source.asked = []
    yield source
    source.close()


def test_a_timeout_halves_what_is_asked_for_until_it_is_answered(
    world: World, slow: SlowSource
) -> None:
    world.live(rows(10, 11))
    runner = runner_of(world.monitor, slow, world.store, until=11)
    while runner.run().report.behind:
        pass
    assert slow.asked[:7] == [24, 12, 6, 3, 6, 3, 6]
    assert outcomes(world.store)[:4] == ["timeout", "timeout", "timeout", "success"]
    assert world.table("monitor")[0]["watermark"] == day(11)


def test_a_single_pane_that_times_out_is_tried_when_it_is_due_again(
    world: World, slow: SlowSource
) -> None:
    slow.bearable_seconds = 0
    runner = runner_of(world.monitor, slow, world.store, until=11)
    behind = [runner.run().report.behind for _ in range(7)]
    assert slow.asked == [24, 12, 6, 3, 1, 1, 1]
    assert behind == [True, True, True, True, False, False, False]


def test_a_capture_that_times_out_is_not_tried_at_once(world: World, slow: SlowSource) -> None:
    def fit(*_: object) -> object:
        raise SourceTimeoutError("no answer within the capture_timeout of 1 s")

    slow.fit = fit  # type: ignore[method-assign,assignment]
    ran = runner_of(world.monitor, slow, world.store, until=11).run()
    assert (ran.report.outcome, ran.report.behind) == ("timeout", False)


def test_a_store_that_is_down_and_comes_back(world: World, tmp_path: Path) -> None:
    world.live(rows(10, 11))
    store = open_store(f"sqlite:///{tmp_path / 'away' / 'store.db'}")
    runner = runner_of(world.monitor, world.source, store, until=11)
    assert runner.run().report.outcome == "store_error"
    (tmp_path / "away").mkdir()
    ensure_schema(store)
    assert runner.run().report.outcome == "success"
    assert outcomes(store) == ["success"]
    store.close()


def test_a_defect_is_told_by_its_class_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(world.monitor, window_seconds=(0,))
    ran = runner_of(broken, world.source, world.store, until=11).run()
    assert (ran.report.outcome, ran.report.message) == ("internal_error", "ValueError")
    assert "Traceback" in caplog.text
    assert outcomes(world.store) == ["internal_error"]


def test_a_column_is_told_once_when_it_vanishes_and_once_when_it_is_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "driftwatch.daemon.runner")
    clock = ReplayClock(day(10.1) + timedelta(minutes=10))
    world.live(rows(10, 11))
    runner = MonitorRunner(
        world.monitor,
        world.source,
        world.store,
        event_clock=clock,
        process_now=process_now,
        notify=False,
    )

    def said(until: float) -> list[str]:
        caplog.clear()
        clock.advance(day(until) + timedelta(minutes=10))
        assert runner.run().report.outcome == "success"
        return [record.getMessage() for record in caplog.records]

    assert said(10.2) == []
    world.log.execute("ALTER TABLE events RENAME COLUMN k TO kk")
    (gone,) = said(10.3)
    assert gone.startswith(f"monitor {world.monitor.name}: not counted: k (column_missing): ")
    assert "'k'" in gone
    assert said(10.4) == []
    world.log.execute("ALTER TABLE events RENAME COLUMN kk TO k")
    assert said(10.5) == [f"monitor {world.monitor.name}: column k is counted again"]
    assert said(10.6) == []


def test_a_monitor_that_works_again_says_so_once(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "driftwatch.daemon.runner")
    world.live(rows(10, 11))
    source = open_source(SourceSettings("logs", f"sqlite:///{tmp_path / 'later.db'}"))
    runner = runner_of(world.monitor, source, world.store, until=11)
    assert [runner.run().report.outcome for _ in range(2)] == ["source_error"] * 2
    shutil.copy(tmp_path / "log.db", tmp_path / "later.db")
    caplog.clear()
    assert [runner.run().report.outcome for _ in range(2)] == ["success"] * 2
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"monitor {world.monitor.name}: works again after 2 failures"]
    source.close()


def test_a_race_that_another_process_won_is_no_failure(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "driftwatch.daemon.runner")
    world.live(rows(10, 11))
    runner = runner_of(world.monitor, world.source, world.store, until=11)

    def lost(*_: object, **__: object) -> None:
        raise ConflictError("another process was faster")

    with monkeypatch.context() as patched:
        patched.setattr(monitors, "advance", lost)
        assert runner.run().report.outcome == "conflict"
    assert runner.run().report.outcome == "success"
    assert "works again" not in caplog.text
    told = [record for record in caplog.records if "another process was faster" in record.message]
    assert [record.levelno for record in told] == [logging.INFO]
