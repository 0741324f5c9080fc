"""Passwords are replaced while the daemon runs: it goes on with the new ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.alert.state import AlertKey
from driftwatch.config.secret import DatabaseSecrets, SecretFile
from driftwatch.config.settings import Settings, SourceSettings, WebhookSettings
from driftwatch.daemon.clock import process_now
from driftwatch.daemon.courier import Courier
from driftwatch.errors import StoreError
from driftwatch.exposition.health import Health
from driftwatch.store import monitors, notifications
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema
from tests.daemon.test_app import Daemon, quick, running, wait_for
from tests.daemon.webhook import receiver
from tests.evaluate.log import Log, day, rows
from tests.evaluate.world import World, monitor, table
from tests.servers.scram import PasswordServer, password_server

FIRST, SECOND = "first-p@ss", "second-p@ss"


@pytest.fixture
def server() -> Iterator[PasswordServer]:
    with password_server() as found:
        found.make("own", FIRST)
        yield found


def in_place(url: str) -> str:
    """The URL with the first password, as it is when the configuration was read."""
    return url.replace("@", f":{FIRST.replace('@', '%40')}@", 1).replace(":", "+psycopg:", 1)


def configured(server: PasswordServer, file: Path) -> Settings:
    log = Log(in_place(server.url("own")))
    log.create()
    log.write(rows(0, 12))
    watched = quick(monitor(log))
    return Settings(
        store_url=in_place(server.url("own")),
        host="127.0.0.1",
        port=0,
        grace_seconds=5,
        sources={
            "logs": SourceSettings(
                "logs",
                in_place(server.url("own")),
                secrets=DatabaseSecrets(None, SecretFile("sources.logs.password_file", file)),
            )
        },
        monitors=(watched,),
        store_secrets=DatabaseSecrets(None, SecretFile("store.password_file", file)),
    )


def successes(daemon: Daemon) -> int:
    return sum(outcome in ("success", "no_data") for outcome in daemon.outcomes())


def test_the_daemon_goes_on_with_the_new_password(server: PasswordServer, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(FIRST)
    with running(configured(server, file)) as daemon:
        wait_for(lambda: successes(daemon) >= 1)
        server.change_password(SECOND)
        server.end_connections()  # and the file still holds the old one
        wait_for(lambda: {"source_error", "store_error"} & set(daemon.outcomes()))
        before = successes(daemon)
        file.write_text(SECOND)
        wait_for(lambda: successes(daemon) >= before + 2)
        server.end_connections()
        before = successes(daemon)
        wait_for(lambda: successes(daemon) >= before + 2)


def test_a_store_whose_password_is_gone_names_the_option(
    server: PasswordServer, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(FIRST)
    store = open_store(
        in_place(server.url("own")),
        secrets=DatabaseSecrets(None, SecretFile("store.password_file", file)),
    )
    ensure_schema(store)
    file.unlink()
    with store.read():
        pass  # who is connected stays so
    server.end_connections()
    with (
        pytest.raises(StoreError, match=r"^store\.password_file: cannot read the file named here"),
        store.read(),
    ):
        raise AssertionError("there is no password")
    file.write_text("wrong-p@ss")
    with pytest.raises(StoreError, match="password authentication failed") as told, store.read():
        raise AssertionError("the password is wrong")
    assert "p@ss" not in str(told.value)
    store.close()


def queue(world: World, days: int) -> None:
    with world.store.write() as connection:
        monitors.ensure(connection, "m", process_now())
        key = AlertKey("m", f"x{days}", "", 86_400, AlertKind.DRIFT)
        notifications.enqueue(connection, key, day(days), AlertState.FIRING, {}, process_now())


def test_the_webhook_is_where_its_file_says(world: World, tmp_path: Path) -> None:
    file, token = tmp_path / "hook", tmp_path / "token"
    token.write_text("first")
    with receiver() as first, receiver() as second:
        file.write_text(f"{first.url}\n")
        hook = WebhookSettings(
            first.url,
            url_file=SecretFile("notify.webhook.url_file", file),
            header_files={"X-Token": SecretFile("notify.webhook.header_files.X-Token", token)},
        )
        courier = Courier(hook, world.store, Health(), process_now=process_now)
        queue(world, 1)
        assert courier.deliver_due() == 1
        file.unlink()
        queue(world, 2)
        assert courier.deliver_due() == 0
        told = [row["last_error"] for row in table(world.store, "notification")]
        assert "notify.webhook.url_file: cannot read the file named here" in str(told)
        file.write_text(f"{second.url}\n")
        token.write_text("second")
        queue(world, 3)
        assert courier.deliver_due() == 1
        assert (first.tokens, second.tokens) == (["first"], ["second"])
