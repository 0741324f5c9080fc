"""A real PostgreSQL, started in a fresh folder, one per test process."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.servers.parts import free_port, require_program


@dataclass
class PostgresServer:
    """A running server; every database that it hands out is new and belongs to one test."""

    folder: Path
    port: int
    binaries: Path
    _names: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres", user: str = "driftwatch") -> str:
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        conninfo = f"host=127.0.0.1 port={self.port} user=driftwatch dbname={database}"
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh, empty database. Dropping it fails if a connection leaked."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name}")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name}")

    def control(self, *arguments: str) -> None:
        """pg_ctl with these arguments, such as "stop", "-m", "immediate"."""
        run_as_server(
            self.binaries / "pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w",
            *arguments,
        )  # fmt: skip

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        self.control("-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self.control("-m", mode, "stop")


def run_as_server(*command: object) -> None:
    """Run a server program; as root by way of `runuser`, because PostgreSQL refuses root."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", "postgres", "--", *words]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A started server in a fresh folder, stopped and removed at the end."""
    initdb = require_program("initdb", package="postgresql", also_in="/usr/lib/postgresql/*/bin")
    folder = Path(tempfile.mkdtemp(prefix="driftwatch-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = PostgresServer(folder=folder, port=free_port(), binaries=initdb.parent)
    try:
        run_as_server(
            initdb, "-D", folder / "data", "-A", "trust", "-U", "driftwatch", "--no-sync",
            "-E", "UTF8", "--locale=C.UTF-8",
        )  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
