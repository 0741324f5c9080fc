"""One database per module, emptied after each test: making one takes longer than most tests."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.servers.postgres import PostgresServer

_LEFT_OPEN = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type LIKE 'client%'
    AND pid <> pg_backend_pid()"""
_EMPTY = """DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
    CREATE SCHEMA public;
    GRANT ALL ON SCHEMA public TO public;
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO public', current_database());
    EXECUTE format('ALTER ROLE driftwatch IN DATABASE %I RESET ALL', current_database());
    END $$"""


@pytest.fixture(scope="module")
def module_database(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def postgres_url(module_database: str) -> Iterator[str]:
    """An empty PostgreSQL database; the test fails if it leaves a connection open."""
    yield module_database
    conninfo = make_url(module_database).set(drivername="postgresql")
    with psycopg.connect(conninfo.render_as_string(), autocommit=True) as connection:
        for _ in range(200):  # a closed connection takes its time to vanish
            (left,) = connection.execute(_LEFT_OPEN).fetchone() or (None,)
            if left == 0:
                break
            time.sleep(0.01)
        connection.execute(_EMPTY)
        assert left == 0, f"{left} connections were left open"
