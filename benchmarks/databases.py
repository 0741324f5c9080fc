"""The stores of logs that are measured, each filled with the same rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from benchmarks.load import fill_postgres, sqlite_log
from benchmarks.meter import tree_cpu_seconds
from tests.servers.postgres import PostgresServer, postgres_server


@dataclass(frozen=True, slots=True)
class Database:
    """A filled log; server: None if its store has none."""

    name: str
    url: str
    rows: int
    server: PostgresServer | None = None

    def server_cpu_seconds(self) -> float:
        """CPU that the server has used since it started; 0.0 if there is none."""
        if self.server is None:
            return 0.0
        pid = (self.server.folder / "data" / "postmaster.pid").read_text().splitlines()[0]
        return tree_cpu_seconds(int(pid))


def sqlite_database(rows: int) -> Database:
    return Database("SQLite", f"sqlite:///{sqlite_log(rows)}", rows)


@contextmanager
def postgres_database(server: PostgresServer, rows: int) -> Iterator[Database]:
    """The log in a new database of the server."""
    with server.database() as url:
        fill_postgres(conninfo(url), rows)
        yield Database("PostgreSQL", url, rows, server)


@contextmanager
def maybe_postgres() -> Iterator[PostgresServer | None]:
    """A server of our own, every setting at its default but fsync (off); None, with a line that
    says why, where PostgreSQL is not installed."""
    try:
        starting = postgres_server()
        server = starting.__enter__()
    except (pytest.skip.Exception, pytest.fail.Exception) as reason:
        print(f"Without PostgreSQL: {reason}\n")
        yield None
        return
    try:
        yield server
    finally:
        starting.__exit__(None, None, None)


def postgres_version(server: PostgresServer | None) -> str:
    if server is None:
        return ""
    with psycopg.connect(conninfo(server.url())) as connection:
        found = connection.info.server_version
    return f"{found // 10_000}.{found % 10_000}, defaults but fsync=off"


def conninfo(url: str) -> str:
    """What libpq reads, for the driver without SQLAlchemy."""
    parsed = sa.make_url(url)
    return f"host={parsed.host} port={parsed.port} user={parsed.username} dbname={parsed.database}"


def sqlite_path(url: str) -> Path:
    return Path(str(sa.make_url(url).database))
