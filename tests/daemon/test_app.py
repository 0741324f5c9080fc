"""The daemon in this process: real databases, a real port, real requests."""

import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    Exclusion,
    FeatureSettings,
    MonitorSettings,
    RelationSettings,
    SegmentGroup,
    SegmentSettings,
    Settings,
    SourceSettings,
    VersionSettings,
    WebhookSettings,
)
from driftwatch.daemon import courier
from driftwatch.daemon.app import App
from driftwatch.daemon.clock import ReplayClock
from driftwatch.daemon.runner import Ran
from driftwatch.errors import DriftwatchError
from driftwatch.exposition.health import Health
from driftwatch.store.engine import open_store
from driftwatch.window import Interval, to_epoch
from tests.daemon.webhook import receiver
from tests.evaluate.log import Log, day, rows, shifted
from tests.evaluate.world import DAY, FIXED, QUARTER, K, World, X, monitor, table


@dataclass
class Daemon:
    """A running App and what it told."""

    app: App
    clock: ReplayClock
    ran: list[tuple[str, Ran]] = field(default_factory=list)

    def outcomes(self, name: str = "m") -> list[str]:
        return [ran.report.outcome for of, ran in self.ran if of == name]

    def metrics(self) -> str:
        with urllib.request.urlopen(f"{self.app.web.url}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
        return text

    def sample(self, name: str, **labels: str) -> float:
        """The value of the only sample of this name with these labels."""
        (value,) = [
            sample.value
            for family in text_string_to_metric_families(self.metrics())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return float(value)


@contextmanager
def running(settings: Settings, *, until: float = 12, **options: Any) -> Iterator[Daemon]:
    """A started daemon at a fixed event time, stopped at the end."""
    clock = ReplayClock(day(until) + timedelta(minutes=10))
    ran: list[tuple[str, Ran]] = []
    app = App(settings, clock, on_ran=lambda one, ended: ran.append((one.name, ended)), **options)
    daemon = Daemon(app, clock, ran)
    try:
        app.start()
        yield daemon
    finally:
        assert app.stop(), "an evaluation did not end within the grace time"


def wait_for(met: Callable[[], Any], *, seconds: float = 20) -> None:
    """Until a condition is met; AssertionError if it never is."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def settings_of(world: World, *monitors: MonitorSettings, **changes: Any) -> Settings:
    usual: dict[str, Any] = {
        "store_url": str(world.store._engine.url),
        "host": "127.0.0.1",
        "port": 0,
        "grace_seconds": 10.0,
        "sources": {"logs": SourceSettings("logs", world.log.url)},
        "monitors": monitors or (quick(world.monitor),),
    }
    return Settings(**{**usual, **changes})


def quick(settings: MonitorSettings, **changes: Any) -> MonitorSettings:
    """Evaluated every second, so that a test need not wait."""
    return replace(settings, every_seconds=1, **changes)


def test_results_are_shown_after_an_evaluation(world: World) -> None:
    world.live(rows(10, 12, x=shifted))
    with running(settings_of(world)) as daemon:
        assert "driftwatch_js_divergence_nats{" not in daemon.metrics()
        wait_for(daemon.outcomes)
        wait_for(lambda: 'feature="x"' in daemon.metrics())
        (stored,) = [r for r in world.results("x") if r["window_end"] == day(12)]
        shown = daemon.sample(
            "driftwatch_js_divergence_nats", monitor="m", feature="x", window="1d"
        )
        assert shown == pytest.approx(stored["js"])
        assert daemon.sample("driftwatch_watermark_timestamp_seconds", monitor="m") == to_epoch(
            day(12)
        )
        assert daemon.sample("driftwatch_source_up", source="logs") == 1


def test_a_column_that_vanishes_is_on_the_page_before_its_window_ends(world: World) -> None:
    name = "driftwatch_features_not_counted"
    world.live(rows(10, 12))
    with running(settings_of(world), until=10.2) as daemon:
        wait_for(daemon.outcomes)
        assert daemon.sample(name, monitor="m") == 0
        world.log.execute("ALTER TABLE events RENAME COLUMN k TO kk")
        daemon.clock.advance(day(10.3) + timedelta(minutes=10))
        wait_for(lambda: daemon.sample(name, monitor="m") == 1)
        assert not world.results("k")
        seen = len(daemon.ran)
        wait_for(lambda: len(daemon.ran) > seen)  # no new pane is complete: the newest scan stands
        assert daemon.sample(name, monitor="m") == 1
        world.log.execute("ALTER TABLE events RENAME COLUMN kk TO k")
        daemon.clock.advance(day(10.4) + timedelta(minutes=10))
        wait_for(lambda: daemon.sample(name, monitor="m") == 0)
    assert set(daemon.outcomes()) == {"success"}


def test_versions_segments_and_exclusions_are_on_the_page(empty_world: World) -> None:
    world = empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN version text")
    made = [*rows(0, 10.5, version="v1"), *rows(10.5, 11, version="v2", x=shifted)]
    world.live([*made, *rows(11, 12, version="v2", k="new", x=shifted)])
    world.configure(
        features=(FeatureSettings("x", prediction=True, threshold=FIXED), K),
        window_seconds=(DAY,),
        version=VersionSettings("version"),
        segments=SegmentSettings((SegmentGroup(("k",)),), (DAY,)),
        exclusions=(Exclusion(Interval(day(11), day(12)), "a fair", feature="k"),),
        alert=AlertPolicy(k=1, of=1),
    )
    with running(settings_of(world, quick(world.monitor)), until=12) as daemon:
        wait_for(lambda: "driftwatch_excluded{" in daemon.metrics())
        seen = "driftwatch_model_version_first_seen_timestamp_seconds"
        assert daemon.sample(seen, version="v2") == to_epoch(day(10.5))
        assert daemon.sample("driftwatch_segments", monitor="m") == 3
        drifting = daemon.sample("driftwatch_segments_drifting", feature="x", window="1d")
        stored = [r for r in world.results("x") if r["window_end"] == day(12)]
        flagged = [r for r in stored if r["segment"].startswith("k=")]
        assert drifting == sum(r["verdict"] in ("warning", "critical") for r in flagged)
        assert daemon.sample("driftwatch_excluded", feature="k") == 1
        page = daemon.metrics()
        assert 'driftwatch_excluded{monitor="m",feature=""}' not in page
        assert "k=a" not in page
        assert "a fair" not in page
        fired = [one for one in world.table("alert") if str(one["state"]) == "firing"]
        assert {one["segment"] for one in fired} == {"version=v2"}
        state = daemon.sample(
            "driftwatch_segment_alert_state", feature="x", segment="version=v2", kind="drift"
        )
        assert state == 2


def test_a_log_that_is_not_complete_holds_and_what_is_shown_stays(world: World) -> None:
    world.log.execute("CREATE TABLE loads (complete)", "INSERT INTO loads VALUES (1)")
    world.live(rows(10, 12, x=shifted))
    world.configure(ready="SELECT max(complete) = 1 FROM loads")
    with running(settings_of(world), until=11) as daemon:
        wait_for(lambda: 'feature="x"' in daemon.metrics())
        assert daemon.sample("driftwatch_ready_hold", monitor="m") == 0
        world.log.execute("UPDATE loads SET complete = 0")
        daemon.clock.advance(day(12) + timedelta(minutes=10))
        wait_for(lambda: daemon.sample("driftwatch_ready_hold", monitor="m") == 1)
        assert world.table("monitor")[0]["watermark"] == day(11)
        assert 'driftwatch_verdict_level{monitor="m",feature="x"' in daemon.metrics()
        world.log.execute("UPDATE loads SET complete = 1")
        wait_for(lambda: daemon.sample("driftwatch_ready_hold", monitor="m") == 0)
        wait_for(lambda: world.table("monitor")[0]["watermark"] == day(12))
    assert set(daemon.outcomes()) == {"success"}


def test_late_rows_and_lost_ones_are_counted_on_the_page(world: World) -> None:
    world.configure(recheck_seconds=(3_600, QUARTER))
    world.live(rows(10, 11))
    with running(settings_of(world), until=11) as daemon:
        wait_for(
            lambda: world.table("monitor") and world.table("monitor")[0]["watermark"] == day(11)
        )
        moment = f"{day(10 + 21 / 24):%Y-%m-%d %H:%M:%S}"
        world.live(rows(10 + 20 / 24, 10 + 21 / 24))
        world.log.execute(f"DELETE FROM events WHERE at >= '{moment}'")
        daemon.clock.advance(day(11.25) + timedelta(minutes=10))
        wait_for(lambda: daemon.sample("driftwatch_revised_panes_total", monitor="m") == 1)
        assert daemon.sample("driftwatch_shrunk_panes_total", monitor="m") == 3
    assert {r["rows"] for r in world.table("pane", seconds=3_600)} >= {20, 40}


def test_the_same_is_shown_after_a_restart_before_the_first_evaluation(world: World) -> None:
    world.live(rows(10, 12, x=shifted))
    world.catch_up(12)
    late = replace(settings_of(world), monitors=(replace(world.monitor, every_seconds=86_400),))
    with running(late) as daemon:
        page = daemon.metrics()
        assert not daemon.ran
        for feature in ("x", "k", "@volume"):
            assert f'feature="{feature}"' in page
        assert "driftwatch_alert_firing{" in page or "alert" in page


def test_what_is_not_configured_any_more_is_not_shown(world: World) -> None:
    world.live(rows(10, 12))
    world.catch_up(12)
    other = monitor(world.log, name="other", features=(X,))
    with running(settings_of(world, quick(world.monitor), quick(other))) as daemon:
        wait_for(lambda: 'monitor="other",feature="x"' in daemon.metrics().replace(" ", ""))
    smaller = quick(monitor(world.log, features=(K,), window_seconds=(QUARTER,)))
    with running(settings_of(world, smaller)) as daemon:
        wait_for(lambda: len(daemon.outcomes()) > 0)
        page = daemon.metrics()
    assert 'monitor="other"' not in page
    assert 'feature="x"' not in page
    assert 'window="1d"' not in page
    assert 'feature="k"' in page


def test_it_starts_while_a_source_is_down_and_goes_on_when_it_is_up(
    world: World, tmp_path: Path
) -> None:
    world.live(rows(10, 12))
    later = Log(f"sqlite:///{tmp_path / 'later.db'}")
    sources = {
        "logs": SourceSettings("logs", world.log.url),
        "later": SourceSettings("later", later.url),
    }
    away = monitor(later, name="away", source="later")
    with running(settings_of(world, quick(world.monitor), quick(away), sources=sources)) as daemon:
        wait_for(lambda: daemon.outcomes("away"))
        wait_for(daemon.outcomes)
        assert set(daemon.outcomes("away")) == {"source_error"}
        assert daemon.outcomes()[0] == "success"
        assert daemon.sample("driftwatch_source_up", source="later") == 0
        later.create()
        later.write(rows(0, 12))
        wait_for(lambda: "success" in daemon.outcomes("away"))
        assert daemon.sample("driftwatch_source_up", source="later") == 1


def test_a_monitor_that_fails_stops_no_other(world: World) -> None:
    world.live(rows(10, 12))
    lost = monitor(world.log, name="lost", relation=RelationSettings("nowhere", None, "at"))
    defect = monitor(world.log, name="defect", window_seconds=(0,))
    with running(settings_of(world, quick(lost), quick(defect), quick(world.monitor))) as daemon:
        wait_for(lambda: len(daemon.outcomes("lost")) > 1 and len(daemon.outcomes("defect")) > 1)
        wait_for(daemon.outcomes)
        assert set(daemon.outcomes("lost")) == {"source_error"}
        assert set(daemon.outcomes("defect")) == {"internal_error"}
        assert set(daemon.outcomes()) == {"success"}
        failing = {"monitor": "lost", "outcome": "source_error"}
        assert daemon.sample("driftwatch_evaluations_total", **failing) > 1


def test_a_catch_up_goes_on_at_once_however_long_the_interval(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run is not asked for before the scheduler has seen the end of the last one."""
    monkeypatch.setattr(Health, "evaluation_ended", lambda _: time.sleep(0.05))
    world.live(rows(10, 15))
    slow = replace(world.monitor, every_seconds=86_400, catch_up_seconds=QUARTER)
    with running(settings_of(world, slow), until=15) as daemon:
        daemon.app._scheduler.modify_job("m", next_run_time=day(0))
        wait_for(lambda: len(daemon.ran) >= 20)
        time.sleep(0.3)
        assert [ran.report.behind for _, ran in daemon.ran] == [True] * 19 + [False]
        skipped = {"monitor": "m", "reason": "still_running"}
        assert daemon.sample("driftwatch_evaluations_skipped_total", **skipped) == 0


def test_one_post_per_change_though_the_receiver_refuses_at_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(courier, "backoff_seconds", lambda _: 0.1)
    world.live([*rows(10, 11, x=shifted), *rows(11, 13)])
    watched = quick(
        world.monitor, window_seconds=(DAY,), features=(X,), alert=AlertPolicy(k=1, of=1)
    )
    with receiver(refused=2) as hook:
        told = settings_of(world, watched, webhook=WebhookSettings(hook.url, timeout_seconds=2))
        with running(told, until=11) as daemon:
            wait_for(lambda: len(hook.taken()) == 1)
            daemon.clock.advance(day(13) + timedelta(minutes=10))
            wait_for(lambda: len(hook.taken()) == 2)
            wait_for(lambda: daemon.sample("driftwatch_notifications_pending") == 0)
            sent = daemon.sample("driftwatch_notifications_total", outcome="delivered")
            assert sent == 2
        with running(told, until=13) as daemon:  # nothing is sent again after a restart
            wait_for(daemon.outcomes)
            time.sleep(0.2)
    assert hook.answers == [503, 503, 204, 204]
    assert [(post["state"], post["window_end"]) for post in hook.taken()] == [
        ("firing", "2026-11-13T00:00:00Z"), ("resolved", "2026-11-15T00:00:00Z"),
    ]  # fmt: skip


def test_an_end_is_not_told_before_its_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver is away while an alert begins and ends."""
    monkeypatch.setattr(courier, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(courier, "backoff_seconds", lambda attempts: 1.0 if attempts == 1 else 0.05)
    world.configure(window_seconds=(DAY,), features=(X,), alert=AlertPolicy(k=1, of=1))
    world.live([*rows(10, 11, x=shifted), *rows(11, 12)])
    world.catch_up(11)
    with receiver(refused=1) as hook:
        hooked = settings_of(world, quick(world.monitor), webhook=WebhookSettings(hook.url))
        with running(hooked, until=11) as daemon:
            wait_for(lambda: hook.posts)
            daemon.clock.advance(day(12) + timedelta(minutes=10))
            wait_for(lambda: len(hook.taken()) == 2)
    assert [post["state"] for post in hook.posts] == ["firing", "firing", "resolved"]


def test_an_address_that_is_taken_is_told_and_nothing_is_left_running(world: World) -> None:
    with running(settings_of(world)) as daemon:
        port = daemon.app.web.address[1]
        hook = WebhookSettings("http://127.0.0.1:9/")
        second = App(settings_of(world, port=port, webhook=hook), ReplayClock(day(12)))
        with pytest.raises(DriftwatchError, match="cannot listen"):
            second.start()
        assert second.stop()
        assert second.stop()


def test_stopping_cancels_the_sql_that_is_running(world: World, postgres_url: str) -> None:
    log = Log(postgres_url)
    log.create()
    log.write(rows(0, 10))
    log.write(rows(10, 10.05))
    log.execute(
        "CREATE VIEW endless AS SELECT at, x + (pg_sleep(100)::text <> '')::int AS x, k FROM events"
    )
    watched = quick(monitor(log, relation=replace(log.relation, table="endless")))
    sources = {"logs": SourceSettings("logs", postgres_url, statement_timeout_seconds=300)}
    settings = settings_of(world, watched, sources=sources, grace_seconds=6.0)
    with running(settings) as daemon:
        wait_for(lambda: _sleeping(postgres_url) == 1)
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    assert daemon.outcomes() == ["cancelled"]
    assert _sleeping(postgres_url) == 0
    assert table(world.store, "evaluation")[0]["outcome"] == "cancelled"


def _sleeping(url: str) -> int:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        asked = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state = 'active' AND wait_event = 'PgSleep'"
        )
        return int(connection.scalar(asked) or 0)


def test_stopping_lets_a_running_evaluation_end(world: World) -> None:
    world.live(rows(10, 12))
    with running(settings_of(world)) as daemon:
        scan = daemon.app._fleet.sources["logs"].scan

        def slow(*arguments: Any, **named: Any) -> Any:
            daemon.app._beat = None
            time.sleep(0.5)
            return scan(*arguments, **named)

        daemon.app._fleet.sources["logs"].scan = slow  # type: ignore[method-assign]
        wait_for(lambda: daemon.app._running)
    assert daemon.outcomes() == ["success"]
    assert world.table("monitor")[0]["watermark"] == day(12)


def test_a_store_that_is_locked_does_not_hold_up_the_end(world: World) -> None:
    holder = open_store(str(world.store._engine.url))
    settings = settings_of(world, grace_seconds=1.0)
    clock = ReplayClock(day(12) + timedelta(minutes=10))
    app = App(settings, clock)
    app.start()
    with holder.write():
        wait_for(lambda: app._running)
        begun = time.monotonic()
        assert not app.stop()
        assert time.monotonic() - begun < 3
    wait_for(lambda: not app._running)
    app.stop()
    holder.close()


def test_how_late_evaluations_begin_is_measured(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two monitors, one worker, and a first evaluation that takes half a second."""
    monkeypatch.setattr("driftwatch.daemon.app.MAX_WORKERS", 1)
    world.live(rows(10, 12))
    pair = [quick(world.monitor, name=name) for name in ("one", "two")]

    def slow(_: MonitorSettings, __: Ran) -> None:
        time.sleep(0.5)

    app = App(settings_of(world, *pair), ReplayClock(day(12)), on_ran=slow)
    daemon = Daemon(app, ReplayClock(day(12)))
    try:
        app.start()
        wait_for(lambda: daemon.sample("driftwatch_schedule_delay_seconds_count") >= 5)
        assert daemon.sample("driftwatch_schedule_delay_seconds_sum") > 0.5
        late = daemon.sample("driftwatch_schedule_delay_seconds_bucket", le="0.1")
        assert late < daemon.sample("driftwatch_schedule_delay_seconds_count")
    finally:
        app.stop()


def test_what_is_served_runs_no_sql(world: World) -> None:
    world.live(rows(10, 12))
    seldom = replace(world.monitor, every_seconds=3_600)
    with running(settings_of(world, seldom)) as daemon:
        wait_for(daemon.outcomes)
        wait_for(lambda: daemon.sample("driftwatch_evaluations_running") == 0)
        told: list[str] = []
        store = daemon.app._store

        def note(_: object, __: object, statement: str, *___: object) -> None:
            told.append(statement)

        sa.event.listen(store._engine, "before_cursor_execute", note)
        for path in ("metrics", "metrics?name[]=up", "", "-/healthy", "-/ready"):
            with urllib.request.urlopen(f"{daemon.app.web.url}/{path}", timeout=5) as answer:
                assert answer.status == 200
        assert told == []
        with store.read() as connection:
            connection.execute(sa.select(1))
        assert "SELECT 1" in told, "what runs is seen"
