"""A migrated store of each kind; no test may leave one of its connections checked out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.schema import metadata
from tests.servers.postgres import PostgresServer


@pytest.fixture
def store(kept_store: Store) -> Iterator[Store]:
    """A migrated, empty store of each kind."""
    yield kept_store
    assert checked_out(kept_store) == 0
    kept_store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def kept_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Of PostgreSQL one database is emptied for each test, which is quicker than a new one."""
    if request.param == "postgresql":
        store = open_store(request.getfixturevalue("migrated_postgres"))
        with store.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))
                if "id" in table.c:
                    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
                    connection.execute(sa.select(sa.func.setval(sequence, 1, sa.false())))
        return store
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    ensure_schema(store)
    return store


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a migrated database. Dropping it fails if a connection leaked."""
    with postgres.database() as url:
        store = open_store(url)
        ensure_schema(store)
        store.close()
        yield url


def checked_out(store: Store) -> int:
    """Connections that are in use."""
    pool = store._engine.pool
    assert isinstance(pool, sa.pool.QueuePool)
    return pool.checkedout()
