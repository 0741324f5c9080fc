"""Another configuration while the daemon runs: all of it or nothing, and no gap."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from driftwatch.config.load import load_settings
from driftwatch.config.settings import MonitorSettings, Settings, SourceSettings, WebhookSettings
from driftwatch.daemon.app import App
from driftwatch.daemon.clock import LiveClock, ReplayClock
from driftwatch.daemon.reload import Reloader
from driftwatch.daemon.watched import difference, refuse_what_needs_a_restart
from driftwatch.errors import ConfigError, StoreError
from driftwatch.exposition.web import RELOADS
from driftwatch.store.engine import open_store
from driftwatch.verdict.policy import FixedThreshold, Measure
from tests.daemon.test_app import Daemon, quick, running, settings_of, wait_for
from tests.daemon.webhook import receiver
from tests.evaluate.log import Log, day, rows, shifted
from tests.evaluate.world import World, X

INFO = "driftwatch_monitor_info"
COURIER = "driftwatch-courier"
CONFIGURED = "driftwatch_config_last_reload_successful"


def with_limit(monitor: MonitorSettings, warning: float, critical: float) -> MonitorSettings:
    limit = FixedThreshold(Measure.JS_DISTANCE, warning, critical, clear=warning / 2)
    return replace(monitor, features=(replace(X, threshold=limit),))


def monitors_of(daemon: Daemon) -> set[str]:
    lines = daemon.metrics().splitlines()
    return {line.split('"')[1] for line in lines if line.startswith(f"{INFO}{{")}


def test_monitors_are_added_changed_and_removed(world: World) -> None:
    world.live(rows(10, 12, x=shifted))
    stays, goes = quick(world.monitor, name="stays"), quick(world.monitor, name="goes")
    before = settings_of(world, stays, goes)
    with running(before) as daemon:
        wait_for(lambda: daemon.outcomes("stays") and daemon.outcomes("goes"))
        counted = daemon.sample("driftwatch_evaluations_total", monitor="stays", outcome="success")
        comes = quick(world.monitor, name="comes")
        found = daemon.app.reload(replace(before, monitors=(stays, comes)))
        assert str(found) == "added: comes; removed: goes; 1 unchanged"
        assert monitors_of(daemon) == {"stays", "comes"}
        assert 'monitor="goes"' not in daemon.metrics()
        wait_for(lambda: daemon.outcomes("comes"))
        ended = len(daemon.outcomes("goes"))
        more = len(daemon.outcomes("stays"))
        wait_for(lambda: len(daemon.outcomes("stays")) >= more + 2)
        assert len(daemon.outcomes("goes")) == ended
        assert (
            daemon.sample("driftwatch_evaluations_total", monitor="stays", outcome="success")
            >= counted
        )
        assert 'monitor="goes"' not in daemon.metrics()
        assert daemon.sample(CONFIGURED) == 1


def test_a_threshold_changes_without_a_gap(world: World) -> None:
    """Values and states are there at every moment, and the next window is judged by the new
    limits."""
    world.live(rows(10, 12, x=shifted))
    loose = with_limit(quick(world.monitor), 0.98, 0.99)
    before = settings_of(world, loose)
    of = {"monitor": "m", "feature": "x", "window": "1d"}
    with running(before, until=11) as daemon:
        wait_for(lambda: 'driftwatch_drift_value{monitor="m",feature="x"' in daemon.metrics())
        assert daemon.sample("driftwatch_verdict_level", **of) == 0
        gaps: list[str] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                text = daemon.metrics()
                gaps.extend(
                    name
                    for name in ("verdict_level", "drift_value", "drift_threshold", "alert_state")
                    if f'driftwatch_{name}{{monitor="m",feature="x"' not in text
                )

        looking = threading.Thread(target=look)
        looking.start()
        try:
            strict = with_limit(quick(world.monitor), 0.05, 0.1)
            assert list(daemon.app.reload(replace(before, monitors=(strict,))).changed) == ["m"]
            daemon.clock.advance(day(12) + timedelta(minutes=10))
            wait_for(lambda: daemon.sample("driftwatch_verdict_level", **of) == 2)
        finally:
            done.set()
            looking.join()
        assert gaps == []
        assert daemon.sample("driftwatch_drift_threshold", severity="warning", **of) == 0.05


def test_what_only_a_restart_can_change_is_refused_whole(world: World) -> None:
    before = settings_of(world, path=Path("config.yaml"))
    with running(before) as daemon:
        other = quick(world.monitor, name="other")
        refused = replace(
            before, monitors=(other,), store_url="sqlite:///elsewhere.db", port=before.port + 1
        )
        with pytest.raises(ConfigError, match=r"config\.yaml: `store`, `listen` cannot change"):
            daemon.app.reload(refused)
        assert monitors_of(daemon) == {"m"}
        assert daemon.app.settings is before


def test_a_changed_source_is_read_from_then_on(world: World, tmp_path: Path) -> None:
    world.live(rows(10, 12))
    elsewhere = Log(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    elsewhere.create()
    elsewhere.write(rows(0, 12, x=shifted))
    before = settings_of(world)
    with running(before, until=11) as daemon:
        wait_for(daemon.outcomes)
        old = daemon.app._fleet.sources["logs"]
        moved = replace(before, sources={"logs": SourceSettings("logs", elsewhere.url)})
        assert list(daemon.app.reload(moved).changed) == ["m"]
        assert daemon.app._fleet.sources["logs"] is not old
        daemon.clock.advance(day(12) + timedelta(minutes=10))
        wait_for(lambda: [one for one in world.results("x") if one["window_end"] == day(12)])
        (found,) = [one for one in world.results("x") if one["window_end"] == day(12)]
        assert found["verdict"] != "ok"


def test_an_evaluation_that_runs_ends_by_what_it_began_with(world: World) -> None:
    world.live(rows(10, 12))
    before = settings_of(world)
    with running(before) as daemon:
        source = daemon.app._fleet.sources["logs"]
        scan, entered, go_on = source.scan, threading.Event(), threading.Event()

        def slow(*args: object, **options: object) -> object:
            entered.set()
            assert go_on.wait(20)
            return scan(*args, **options)  # type: ignore[arg-type]  # passed on as they came

        object.__setattr__(source, "scan", slow)
        wait_for(entered.is_set)
        daemon.app.reload(replace(before, monitors=(quick(world.monitor, name="other"),)))
        assert monitors_of(daemon) == {"other"}
        go_on.set()
        wait_for(lambda: daemon.outcomes("m"))
        assert daemon.outcomes("m") == ["success"]
        assert monitors_of(daemon) == {"other"}, "nothing comes back of what was removed"
        assert 'monitor="m"' not in daemon.metrics()


def test_a_webhook_may_come_and_go(world: World) -> None:
    world.live(rows(10, 12, x=shifted))
    before = settings_of(world, quick(world.monitor))
    with receiver() as hook, running(before, until=10) as daemon:
        wait_for(daemon.outcomes)
        daemon.app.reload(replace(before, webhook=WebhookSettings(hook.url)))
        daemon.clock.advance(day(12) + timedelta(minutes=10))
        wait_for(lambda: hook.posts)
        daemon.app.reload(before)
        wait_for(lambda: COURIER not in {one.name for one in threading.enumerate()})


def test_the_difference_names_every_monitor_once(world: World) -> None:
    one, two, three = (quick(world.monitor, name=name) for name in ("one", "two", "three"))
    before = settings_of(world, one, two, three)
    two_later = replace(two, min_rows=7)
    after = replace(before, monitors=(three, two_later, quick(world.monitor, name="four")))
    found = difference(before, after)
    assert (found.added, found.changed, found.removed, found.unchanged) == (
        ["four"], ["two"], ["one"], ["three"],
    )  # fmt: skip
    notified = replace(before, webhook=WebhookSettings("http://127.0.0.1:1/"))
    assert difference(before, notified).changed == ["one", "two", "three"]


# -- a store that does not answer -----------------------------------------------------------------


def test_a_store_that_does_not_answer_is_asked_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that is away may take ten seconds for each question."""
    before = settings_of(world)
    with running(before) as daemon:
        wait_for(daemon.outcomes)
        Path(str(world.store._engine.url.database)).unlink()
        added = [quick(world.monitor, name=f"m{number}") for number in range(5)]
        caplog.clear()
        daemon.app.reload(replace(before, monitors=(*before.monitors, *added)))
        here = threading.current_thread().name
        told = [one.getMessage() for one in caplog.records if one.threadName == here]
        assert len([one for one in told if "metrics are not renewed" in one]) == 1
        for one in added:
            assert daemon.sample("driftwatch_evaluation_interval_seconds", monitor=one.name) > 0


def test_a_reload_that_waits_for_the_store_does_not_hold_up_the_end(world: World) -> None:
    before = settings_of(world, grace_seconds=2)
    other = replace(before, monitors=(quick(world.monitor, name="other"),))
    with running(before) as daemon:
        wait_for(daemon.outcomes)
        entered, go_on = threading.Event(), threading.Event()
        exchange = daemon.app._fleet.exchange

        def slow(settings: Settings) -> object:
            entered.set()
            assert go_on.wait(20)
            return exchange(settings)

        daemon.app._fleet.exchange = slow  # type: ignore[assignment,method-assign]
        reloading = threading.Thread(target=daemon.app.reload, args=[other])
        reloading.start()
        assert entered.wait(20)
        assert daemon.app.stop() is False
        go_on.set()
        reloading.join(20)
        assert COURIER not in {one.name for one in threading.enumerate()}


def test_an_error_nobody_foresaw_is_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with running(settings_of(world)) as daemon:
        reloader = Reloader(lambda: 1 // 0, daemon.app.reload, daemon.app.health)  # type: ignore[arg-type,return-value]
        reloader.try_reload()
        assert daemon.sample(CONFIGURED) == 0
    assert "the configuration was not taken up: unexpected error" in caplog.messages


# -- over HTTP ------------------------------------------------------------------------------------


@contextmanager
def reloadable(world: World, read: list[Settings | ConfigError]) -> Iterator[Daemon]:
    def next_one() -> Settings:
        found = read.pop(0)
        if isinstance(found, ConfigError):
            raise found
        return found

    clock = ReplayClock(day(12))
    app = App(settings_of(world), clock, read=next_one, lifecycle=True)
    try:
        app.start()
        yield Daemon(app, clock)
    finally:
        app.stop()


def ask(daemon: Daemon, method: str = "POST") -> tuple[int, str]:
    request = urllib.request.Request(f"{daemon.app.web.url}/-/reload", method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_reload_over_http_says_how_it_went(world: World) -> None:
    good = settings_of(world, quick(world.monitor, name="other"))
    with reloadable(world, [ConfigError("config.yaml:3: no"), good, good]) as daemon:
        status, told = ask(daemon)
        assert (status, monitors_of(daemon)) == (500, {"m"})
        assert "config.yaml:3: no" in told
        assert "the old one stays in use" in told
        assert daemon.sample(CONFIGURED) == 0
        since = daemon.sample("driftwatch_config_last_reload_success_timestamp_seconds")
        assert ask(daemon)[0] == 200
        assert monitors_of(daemon) == {"other"}
        assert daemon.sample(CONFIGURED) == 1
        assert daemon.sample("driftwatch_config_last_reload_success_timestamp_seconds") > since
        assert ask(daemon, "PUT")[0] == 200
        assert ask(daemon, "GET")[0] == 405


def test_a_reload_over_http_must_be_allowed(world: World) -> None:
    with running(settings_of(world)) as daemon:
        status, told = ask(daemon)
    assert (status, "--enable-lifecycle" in told) == (403, True)


def test_reloads_that_hang_hold_up_no_probe(world: World) -> None:
    go_on = threading.Event()
    other = settings_of(world, quick(world.monitor, name="other"))

    def read() -> Settings:
        assert go_on.wait(20)
        return other

    app = App(settings_of(world), ReplayClock(day(12)), read=read, lifecycle=True)
    daemon = Daemon(app, ReplayClock(day(12)))
    try:
        app.start()
        with ThreadPoolExecutor(RELOADS + 3) as asking:
            asked = [asking.submit(ask, daemon) for _ in range(RELOADS + 3)]
            wait_for(lambda: sum(one.done() for one in asked) == 3)
            for path in ("/-/healthy", "/-/ready", "/metrics", "/"):
                with urllib.request.urlopen(f"{app.web.url}{path}", timeout=20) as answer:
                    assert answer.status == 200
            go_on.set()
            assert sorted(one.result()[0] for one in asked) == [200] * RELOADS + [503] * 3
        assert monitors_of(daemon) == {"other"}
    finally:
        go_on.set()
        app.stop()


# -- a store that is away at the start ------------------------------------------------------------


def test_it_waits_for_a_store_that_is_away(
    world: World, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its database does not exist yet, which PostgreSQL tells as it tells a refused login."""
    monkeypatch.setattr("driftwatch.daemon.app.STORE_SECONDS", 0.1)
    world.live(rows(10, 12))
    missing = postgres_url.rpartition("/")[0] + "/not_yet_there"
    with running(settings_of(world, store_url=missing)) as daemon:
        assert daemon.sample("driftwatch_store_up") == 0
        assert monitors_of(daemon) == set()
        with pytest.raises(urllib.error.HTTPError, match="503") as refused:
            urllib.request.urlopen(f"{daemon.app.web.url}/-/ready", timeout=5)
        assert b"the store has not answered yet" in refused.value.read()
        refused.value.close()
        with pytest.raises(StoreError, match="has not answered"):
            daemon.app.reload(daemon.app.settings)
        create_database(postgres_url, "not_yet_there")
        try:
            wait_for(daemon.outcomes)
            assert daemon.outcomes()[0] == "success"
            with urllib.request.urlopen(f"{daemon.app.web.url}/-/ready", timeout=5) as answer:
                assert answer.status == 200
            wait_for(lambda: monitors_of(daemon) == {"m"})
            assert daemon.sample("driftwatch_store_up") == 1
        finally:
            daemon.app.stop()
            create_database(postgres_url, "not_yet_there", drop=True)


def test_a_store_that_waiting_does_not_help_is_refused_at_the_start(
    world: World, tmp_path: Path
) -> None:
    away = f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'store.db'}"
    app = App(settings_of(world, store_url=away), LiveClock())
    with pytest.raises(StoreError, match="could not be opened"):
        app.start()
    app.stop()


def create_database(url: str, name: str, *, drop: bool = False) -> None:
    engine = open_store(url)._engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        verb = "DROP DATABASE" if drop else "CREATE DATABASE"
        suffix = " WITH (FORCE)" if drop else ""
        connection.exec_driver_sql(f"{verb} {name}{suffix}")
    engine.dispose()


def test_a_rotated_password_of_the_store_is_no_change_of_it(tmp_path: Path) -> None:
    """The file is read again for each new connection; another host is another store."""
    config = tmp_path / "config.yaml"
    password = tmp_path / "password"

    def read(host: str, secret: str, key: str = "password_file") -> Settings:
        held = secret if key == "password_file" else f"postgresql://u:{secret}@{host}/db"
        password.write_text(held)
        url = f"url: postgresql://u@{host}/db, " if key == "password_file" else ""
        config.write_text(
            f"store: {{{url}{key}: {password}}}\n"
            "sources: {logs: sqlite:///logs.db}\n"
            "monitors:\n"
            "  - {name: m, table: t, timestamp: at, features: [x], reference: {rolling: 7d}}\n"
        )
        return load_settings(config)

    before = read("here", "one")
    refuse_what_needs_a_restart(before, read("here", "two"))
    with pytest.raises(ConfigError, match="`store` cannot change"):
        refuse_what_needs_a_restart(before, read("there", "one"))
    whole = read("here", "one", "url_file")
    refuse_what_needs_a_restart(whole, read("there", "two", "url_file"))
    with pytest.raises(ConfigError, match="`store` cannot change"):
        refuse_what_needs_a_restart(before, whole)
