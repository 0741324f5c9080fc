"""The connection to driftwatch's own tables: SQLite (WAL) or PostgreSQL.

Each use is one transaction. Nothing keeps a connection between two uses, and no error of a driver
leaves without its remedy.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

from driftwatch.config.secret import NO_FILES, DatabaseSecrets
from driftwatch.errors import StoreError
from driftwatch.store.failure import translate
from driftwatch.store.login import Login

BUSY_SECONDS = 30.0
"""How long a transaction waits for another one that holds what it needs."""

_WRITES = "driftwatch_writes"


@dataclass(frozen=True, slots=True)
class Store:
    """driftwatch's own tables. Made by `open_store`; `name` says where, without secrets."""

    name: str
    _engine: sa.Engine = field(repr=False)
    _login: Login = field(repr=False)
    _busy_seconds: float = field(repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @property
    def exists(self) -> bool:
        """False for an SQLite file that is not there: whoever connects would make an empty one."""
        return not self.is_sqlite or self._path.exists()

    @property
    def folder(self) -> Path:
        """Where the SQLite file lies, or will lie."""
        return self._path.absolute().parent

    @property
    def _path(self) -> Path:
        return _path(str(self._engine.url.database))

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One transaction that sees one snapshot and keeps nothing of what it might write.

        StoreError: the store cannot be reached or read.
        """
        with self._wrapped(), self._engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin() as transaction:
                yield connection
                transaction.rollback()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that is committed whole when the block ends without an error.

        StoreError: the store cannot be reached or written; nothing was written then.
        ConflictError: another process wrote the same rows first.
        """
        with self._wrapped(), self._engine.connect() as connection, self._writing(connection):
            yield connection

    @contextmanager
    def rebuild(self) -> Iterator[sa.Connection]:
        """As `write`, for migrations: foreign keys of SQLite are checked when the block ends.

        SQLite alters a table by copying it and dropping the old one. Checked on the way, that
        would delete what refers to its rows.

        StoreError: as `write`, or rows refer to rows that are not there; nothing was written then.
        """
        if not self.is_sqlite:
            with self.write() as connection:
                yield connection
            return
        with self._wrapped(), self._engine.connect() as connection:
            driver = connection.connection.cursor()  # both are without effect in a transaction
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                with self._writing(connection):
                    yield connection
                    self._check_foreign_keys(connection)
            finally:
                driver.execute("PRAGMA foreign_keys=ON")
                driver.close()

    def close(self) -> None:
        """Close every connection. The store may be used again; it connects anew then."""
        self._engine.dispose()

    def use_wal(self) -> None:
        """Switch an SQLite file to write-ahead logging, which it remembers; else nothing.

        Readers and the one writer do not wait for each other then. Two processes may do so at
        once: SQLite's own waiting does not cover this change, so it is tried again.
        """
        if not self.is_sqlite:
            return
        with self._wrapped(), self._engine.connect() as connection:
            for _ in range(100):
                if _is_wal(connection):
                    break
                time.sleep(0.05)
            else:
                raise StoreError(
                    f"{self.name} is locked by another process. End what holds it, or wait."
                )
        self.close()  # what connects from now on is set up for a file with such a log

    @contextmanager
    def _writing(self, connection: sa.Connection) -> Iterator[None]:
        connection.execution_options(**{_WRITES: True})
        with connection.begin():
            if not self.is_sqlite:
                wait = f"{int(self._busy_seconds * 1000)}ms"
                connection.execute(sa.select(sa.func.set_config("lock_timeout", wait, sa.true())))
            yield

    def _check_foreign_keys(self, connection: sa.Connection) -> None:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise StoreError(
                f"{self.name} holds rows of table {broken[0]!r} that refer to rows of table "
                f"{broken[2]!r} that are not there. It is unchanged; restore it from a backup."
            )

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise translate(error, store=self.name, secrets=self._login.seen) from error


def open_store(
    url: str,
    *,
    busy_seconds: float = BUSY_SECONDS,
    secrets: DatabaseSecrets = NO_FILES,
) -> Store:
    """The store at an SQLAlchemy URL. Nothing is connected yet.

    secrets: the files that the URL was made of, read again for each new connection.

    StoreError: the URL is none, or names a database that driftwatch does not keep its tables in.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError(
            "`store` is not a database URL; write sqlite:///driftwatch.db or "
            "postgresql://user@host/database"
        ) from None  # the cause quotes the URL, and the URL may hold a password
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed, busy_seconds)
    if backend == "postgresql":
        return _open_postgresql(parsed, busy_seconds, secrets)
    raise StoreError(
        f"driftwatch keeps its tables in SQLite or PostgreSQL, not in {backend!r}; write "
        "sqlite:///driftwatch.db or postgresql://user@host/database"
    )


def _open_postgresql(url: sa.URL, busy_seconds: float, secrets: DatabaseSecrets) -> Store:
    if url.get_driver_name() in ("", "psycopg2"):
        url = url.set(drivername="postgresql+psycopg")
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    try:
        engine = sa.create_engine(
            url, pool_pre_ping=True, hide_parameters=True, connect_args=arguments
        )
    except (sa.exc.SQLAlchemyError, ImportError, TypeError, ValueError):
        raise StoreError("`store` names a driver or an option that is not known") from None
    port = f":{url.port}" if url.port else ""
    name = f"store postgresql://{url.host or 'localhost'}{port}/{url.database or ''}"
    login = Login(url, secrets)
    if secrets:
        sa.event.listen(engine, "do_connect", login.renew)
    return Store(name, engine, login, busy_seconds)


def _open_sqlite(url: sa.URL, busy_seconds: float) -> Store:
    if url.database in (None, "", ":memory:") or "mode=memory" in url.render_as_string():
        raise StoreError(
            "`store` must outlive the process, and SQLite in memory does not; write "
            "sqlite:///driftwatch.db"
        )
    try:
        engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": busy_seconds})
    except (sa.exc.SQLAlchemyError, TypeError, ValueError):
        raise StoreError("`store` has an option that SQLite does not know") from None
    file = _SqliteFile(_path(str(url.database)))
    sa.event.listen(engine, "connect", file.connected)
    sa.event.listen(engine, "checkout", file.checked_out)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return Store(f"store {file.path}", engine, Login(url), busy_seconds)


def _path(database: str) -> Path:
    return Path(database.removeprefix("file:").partition("?")[0])


def _is_wal(connection: sa.Connection) -> bool:
    """Whether the switch succeeded; False where another process was in its way."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise sa.exc.OperationalError(None, None, error) from error
    finally:
        cursor.close()
    return True


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes its lock before it reads, so that it never fails half way for it."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@dataclass(frozen=True, slots=True)
class _SqliteFile:
    """Prepares connections, and sees that the file below them is still the one they opened.

    SQLite itself would go on writing to a deleted file without a word.
    """

    path: Path

    def connected(self, connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions begin where we say so, DDL included
        connection.execute("PRAGMA foreign_keys=ON")
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode == "wal":
            connection.execute("PRAGMA synchronous=NORMAL")  # safe with WAL, and much faster
        entry.info["inode"] = self._inode()

    def checked_out(self, _connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        inode = self._inode()
        if inode == entry.info["inode"]:
            return
        if inode is None:
            raise StoreError(
                f"store {self.path} is gone: the file was deleted or its disk was taken away. Put "
                "it back, or start driftwatch again for a new, empty one."
            )
        raise StoreError(
            f"store {self.path} was replaced while driftwatch had it open. Stop driftwatch, delete "
            f"{self.path.name}-wal and {self.path.name}-shm, put the file there, start again."
        )

    def _inode(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
