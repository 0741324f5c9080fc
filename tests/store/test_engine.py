"""A store is one transaction at a time, and says plainly what is wrong with its database."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from driftwatch.errors import ConflictError, StoreError
from driftwatch.store import ledger, monitors
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.schema import monitor
from tests.servers.parts import free_port
from tests.servers.postgres import PostgresServer
from tests.store.conftest import checked_out
from tests.store.samples import NOW, dump, hours, monitor_with_axes, pane_counts

SECRET = "hunter2-s3cret"


def names(store: Store) -> list[str]:
    return [row[1] for row in dump(store, "monitor")["monitor"]]


def test_a_write_is_kept_whole(store: Store) -> None:
    with store.write() as connection:
        monitors.ensure(connection, "a", NOW)
        monitors.ensure(connection, "b", NOW)
    assert names(store) == ["a", "b"]


def test_a_write_that_fails_keeps_nothing_and_frees_its_connection(store: Store) -> None:
    def write_and_fail() -> None:
        with store.write() as connection:
            monitors.ensure(connection, "a", NOW)
            raise RuntimeError("the source went away")

    with pytest.raises(RuntimeError, match="the source went away"):
        write_and_fail()
    assert checked_out(store) == 0
    assert names(store) == []


def test_a_reader_sees_one_snapshot_while_another_writes(store: Store) -> None:
    with store.read() as reader:
        before = reader.scalar(sa.select(sa.func.count()).select_from(monitor))
        with store.write() as writer:
            monitors.ensure(writer, "new", NOW)
        assert reader.scalar(sa.select(sa.func.count()).select_from(monitor)) == before == 0
    assert names(store) == ["new"]


def test_a_reader_writes_nothing(store: Store) -> None:
    def read_and_write() -> None:
        with store.read() as connection:
            connection.execute(sa.insert(monitor).values(name="m", created_at=NOW))

    if store.is_sqlite:
        read_and_write()
    else:
        with pytest.raises(StoreError, match="is read-only"):
            read_and_write()
    assert names(store) == []


def test_writers_wait_for_each_other(store: Store) -> None:
    inside = threading.Event()
    order: list[str] = []

    def first() -> None:
        with store.write() as connection:
            monitors.ensure(connection, "m", NOW)
            inside.set()
            threading.Event().wait(0.2)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(5)
    with store.write() as connection:
        found = monitors.ensure(connection, "m", NOW)
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert names(store) == ["m"]
    assert found.id == dump(store, "monitor")["monitor"][0][0]


def test_a_writer_that_waits_too_long_says_what_holds_it(database_url: str) -> None:
    store = open_store(database_url, busy_seconds=0.2)
    ensure_schema(store)
    with store.write() as connection:
        monitors.ensure(connection, "m", NOW)

    def lock_twice() -> None:
        with store.write() as one, store.write() as two:
            monitors.lock(one, 1)
            monitors.lock(two, 1)

    with pytest.raises(StoreError, match=r"is locked by another .*End what holds it, or wait\."):
        lock_twice()
    assert checked_out(store) == 0
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"not a url {SECRET}", "not a database URL"),
        (f"mysql://u:{SECRET}@h/d", "not in 'mysql'"),
        (f"postgresql+nodriver://u:{SECRET}@h/d", "driver or an option"),
        (f"postgresql://u:{SECRET}@h:port/d", "not a database URL"),
        ("sqlite://", "in memory does not"),
        ("sqlite:///:memory:", "in memory does not"),
        ("sqlite:///file:x?mode=memory&uri=true", "in memory does not"),
    ],
)
def test_a_url_that_is_no_store_is_refused_without_its_secret(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_no_secret_is_in_a_message_a_repr_or_a_trace(postgres: PostgresServer) -> None:
    urls = [
        f"postgresql://someone:{SECRET}@127.0.0.1:{free_port()}/db",
        f"postgresql://nobody:{SECRET}@127.0.0.1:{postgres.port}/postgres",
        f"postgresql://someone:{SECRET}@127.0.0.1:{postgres.port}/nowhere?connect_timeout=5",
        f"postgresql://someone@127.0.0.1:{free_port()}/db?password={SECRET}",
        f"postgresql://someone:{SECRET}@127.0.0.1:{postgres.port}/x?no_such_option=1",
    ]
    for url in urls:
        store = open_store(url)
        with pytest.raises(StoreError) as caught:
            ensure_schema(store)
        text = "".join(traceback.format_exception(caught.value)) + repr(store)
        assert SECRET not in text
        assert "127.0.0.1" in str(caught.value)
        assert checked_out(store) == 0


def test_values_are_not_in_a_message(store: Store) -> None:
    level = "private level"

    def insert_twice() -> None:
        with store.write() as connection:
            for _ in range(2):
                connection.execute(sa.insert(monitor).values(name=level, created_at=NOW))

    with pytest.raises(ConflictError, match="another process wrote the same rows") as caught:
        insert_twice()
    assert level not in str(caught.value)
    assert level not in str(caught.value.__cause__).partition("\nDETAIL")[0]


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    store = open_store(f"postgresql://me@127.0.0.1:{port}/db")
    told = rf"127\.0\.0\.1:{port}/db could not be reached .*Check that the server runs"
    with pytest.raises(StoreError, match=told):
        ensure_schema(store)


def test_a_database_that_goes_away_in_a_transaction_and_comes_back(
    postgres: PostgresServer, postgres_url: str
) -> None:
    store = open_store(postgres_url)
    ensure_schema(store)

    def write_while_it_ends() -> None:
        with store.write() as connection:
            monitors.ensure(connection, "lost", NOW)
            postgres.stop()
            monitors.ensure(connection, "also lost", NOW)

    try:
        with pytest.raises(StoreError, match=r"Check that the server runs"):
            write_while_it_ends()
        with pytest.raises(StoreError, match=r"could not be reached"):
            names(store)
    finally:
        postgres.start()
    assert checked_out(store) == 0
    assert names(store) == []
    with store.write() as connection:
        monitors.ensure(connection, "kept", NOW)
    assert names(store) == ["kept"]
    store.close()


def test_a_connection_that_was_ended_while_idle_is_not_noticed(postgres_url: str) -> None:
    """A restart of the server between two evaluations costs no evaluation."""
    store = open_store(postgres_url)
    ensure_schema(store)
    names(store)
    other = open_store(postgres_url)
    with other.write() as connection:
        ended = connection.execute(
            sa.text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).scalar_one()
    assert ended == 1
    assert names(store) == []
    store.close()
    other.close()


def test_an_sqlite_file_that_was_deleted_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    ensure_schema(store)
    path.unlink()
    with pytest.raises(StoreError, match="is gone: the file was deleted"):
        names(store)
    assert checked_out(store) == 0
    store.close()


def test_an_sqlite_file_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    """The log of the old file would be written into the new one."""
    path, backup = tmp_path / "store.db", tmp_path / "backup.db"
    store = open_store(f"sqlite:///{path}")
    ensure_schema(store)
    original = path.rename(tmp_path / "original.db")
    backup.write_bytes(original.read_bytes())
    backup.rename(path)
    with pytest.raises(StoreError, match=r"was replaced .*delete store\.db-wal and store\.db-shm"):
        names(store)
    assert checked_out(store) == 0
    original.rename(path)
    assert names(store) == []
    store.close()


def test_a_full_disk_loses_nothing_that_was_there(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    ensure_schema(store)
    rng = np.random.default_rng(0)
    monitor_id, axes = monitor_with_axes(store, columns=10)
    before = dump(store)
    counts = pane_counts(rng, hours(0, 240), 900, axes)

    def record() -> None:
        with store.write() as connection:
            ledger.record(connection, monitor_id, axes, counts, hours(0, 240), NOW)

    with limited(store):
        with pytest.raises(StoreError, match=r"has no space left .*Free space on its disk"):
            record()
        assert dump(store) == before
    record()
    assert len(dump(store, "pane")["pane"]) == 960 + 240 + 10
    store.close()


@contextmanager
def limited(store: Store) -> Iterator[None]:
    """SQLite's own limit stands for the disk's: the error is the one of a disk that is full."""

    def limit(connection: sqlite3.Connection, _entry: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # never below the pages that there are

    store.close()
    sa.event.listen(store._engine, "connect", limit)
    yield
    sa.event.remove(store._engine, "connect", limit)
    store.close()


def test_a_full_disk_of_the_server(postgres_url: str) -> None:
    """The server is made to raise what it raises when its disk is full."""
    store = open_store(postgres_url)
    ensure_schema(store)
    with store.write() as connection:
        connection.execute(
            sa.text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
                "EXCEPTION 'could not extend file: No space left on device' USING ERRCODE='53100';"
                " END $$"
            )
        )
        connection.execute(
            sa.text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON monitor EXECUTE FUNCTION full_disk()"
            )
        )
    with pytest.raises(StoreError, match=r"has no space left .*Free space on its disk"):
        monitor_with_axes(store)
    store.close()


def test_a_read_only_file_says_so() -> None:
    """Run as a user without rights, because root may write everything. (A reader writes, too: it
    notes in the log's index what it reads.)
    """
    with tempfile.TemporaryDirectory(prefix="driftwatch-read-only-") as folder:
        path = Path(folder) / "store.db"
        store = open_store(f"sqlite:///{path}")
        ensure_schema(store)
        store.close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        outcome = as_nobody(path)
        Path(folder).chmod(0o755)
    for line, attempt in zip(outcome.splitlines(), ("read", "write"), strict=True):
        assert line.startswith(f"{attempt}: store {path} is read-only (attempt to write")
        assert line.endswith("Let the user that driftwatch runs as write the file and its folder.")


def as_nobody(path: Path) -> str:
    """What a process without rights on the file prints when it reads and writes the store."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writer, "w") as out:
            try:
                if os.geteuid() == 0:
                    os.setgid(65_534)
                    os.setuid(65_534)
                print(*attempts(path), sep="\n", file=out, flush=True)
            except BaseException as error:
                print(repr(error), file=out, flush=True)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as found:
        text = found.read()
    os.waitpid(child, 0)
    return text


def attempts(path: Path) -> Iterator[str]:
    store = open_store(f"sqlite:///{path}")
    try:
        yield f"read: {len(names(store))} monitors"
    except StoreError as error:
        yield f"read: {error}"
    try:
        monitor_with_axes(store)
    except StoreError as error:
        yield f"write: {error}"


def test_a_read_only_server_says_so(postgres_url: str) -> None:
    writable = open_store(postgres_url)
    ensure_schema(writable)
    writable.close()
    store = open_store(f"{postgres_url}?options=-cdefault_transaction_read_only%3Don")
    with pytest.raises(StoreError, match=r"is read-only .*Name the primary server"):
        monitor_with_axes(store)
    store.close()


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("this is not a database, but it is long enough to be looked at " * 40)
    with pytest.raises(StoreError, match="is not an SQLite database"):
        ensure_schema(open_store(f"sqlite:///{text}"))
    with pytest.raises(StoreError, match=r"could not be opened .*its folder exists"):
        ensure_schema(open_store(f"sqlite:///{tmp_path / 'no' / 'folder.db'}"))


def test_tables_that_are_missing_are_named(database_url: str) -> None:
    store = open_store(database_url)
    with pytest.raises(StoreError, match=r"lacks a table.*driftwatch migrate"):
        names(store)
    store.close()


def test_readers_and_writers_do_not_wait_for_each_other_on_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    ensure_schema(store)
    with store.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert settings == {
        "journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 30_000
    }  # fmt: skip
    store.close()


def test_the_change_to_a_log_is_tried_again_while_another_is_in_its_way(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}", busy_seconds=0.0)
    with store.read() as connection:
        connection.scalar(sa.text("SELECT 1"))
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    release.start()
    store.use_wal()
    release.join()
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    store.close()


def test_importing_the_store_connects_to_nothing() -> None:
    code = "from driftwatch.store.engine import open_store; open_store('postgresql://h.invalid/d')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
