"""A PostgreSQL that asks for passwords, for tests that change them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.postgres import PostgresServer, postgres_server

ROLE = "watcher"


class PasswordServer:
    """A server whose role `watcher` needs its password; `driftwatch`, its owner, needs none."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def url(self, database: str) -> str:
        return f"postgresql://{ROLE}@127.0.0.1:{self._server.port}/{database}"

    def make(self, database: str, password: str) -> None:
        """A database of the role, with this password."""
        self._server.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'")
        self._server.execute(f"CREATE DATABASE {database} OWNER {ROLE}")
        self._server.execute(f"GRANT ALL ON SCHEMA public TO {ROLE}", database)

    def change_password(self, password: str) -> None:
        """From now on; who is connected stays so."""
        self._server.execute(f"ALTER ROLE {ROLE} PASSWORD '{password}'")

    def end_connections(self) -> None:
        self._server.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename='{ROLE}'"
        )


@contextmanager
def password_server() -> Iterator[PasswordServer]:
    """A started server, stopped and removed at the end."""
    with postgres_server() as server:
        rules = Path(server.folder) / "data" / "pg_hba.conf"
        rules.write_text(
            "host all driftwatch 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        server.control("reload")
        yield PasswordServer(server)
