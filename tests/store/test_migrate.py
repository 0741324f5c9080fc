"""Migrations make exactly the tables of the schema, once, and only on a store that they know."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from driftwatch.errors import SchemaVersionError
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import (
    ensure_schema,
    look,
    migrate,
    migrations_folder,
    script_directory,
)
from driftwatch.store.schema import SCHEMA_VERSION, VERSION_TABLE, metadata


@pytest.fixture
def empty(database_url: str) -> Iterator[Store]:
    store = open_store(database_url)
    yield store
    store.close()


def differences(connection: sa.Connection) -> list[Any]:
    options = {
        "version_table": VERSION_TABLE,
        "compare_type": True,
        "compare_server_default": True,
    }
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def set_version(store: Store, version: str) -> None:
    with store.write() as connection:
        connection.execute(
            sa.text(f"UPDATE {VERSION_TABLE} SET version_num = :version"), {"version": version}
        )


def revisions() -> list[str]:
    """Every migration, oldest first."""
    return [script.revision for script in script_directory().walk_revisions()][::-1]


def upgrade_to(store: Store, revision: str) -> None:
    with store.write() as connection:
        command.upgrade(config_of(connection), revision)


def config_of(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


def test_migrations_equal_the_schema(empty: Store) -> None:
    assert migrate(empty) == revisions()
    with empty.read() as connection:
        assert differences(connection) == []


def test_a_difference_would_be_seen(empty: Store) -> None:
    """The comparison above finds a column, an index and a type that differ."""
    migrate(empty)
    with empty.write() as connection:
        connection.execute(sa.text("DROP INDEX ix_evaluation_finished_at"))
        connection.execute(sa.text("ALTER TABLE monitor DROP COLUMN watermark"))
        connection.execute(sa.text("ALTER TABLE monitor ADD COLUMN watermark INTEGER"))
        found = str(differences(connection))
    assert "ix_evaluation_finished_at" in found
    assert "modify_type" in found


def test_names_of_keys_are_those_of_the_schema(empty: Store) -> None:
    """Later migrations name what they change, so the names must be there."""
    migrate(empty)
    with empty.read() as connection:
        inspector = sa.inspect(connection)
        for name, table in metadata.tables.items():
            unique = {str(found["name"]) for found in inspector.get_unique_constraints(name)}
            wanted = {
                str(constraint.name)
                for constraint in table.constraints
                if isinstance(constraint, sa.UniqueConstraint)
            }
            assert unique == wanted
            assert inspector.get_pk_constraint(name)["name"] == f"pk_{name}"


def test_the_release_names_the_newest_migration() -> None:
    assert script_directory().get_current_head() == SCHEMA_VERSION
    assert (migrations_folder() / "env.py").is_file()


def test_an_empty_store_is_migrated_automatically_and_once(empty: Store) -> None:
    ensure_schema(empty)
    ensure_schema(empty)
    assert migrate(empty) == []
    with empty.read() as connection:
        assert look(connection).version == SCHEMA_VERSION


def test_a_newer_schema_is_refused(empty: Store) -> None:
    ensure_schema(empty)
    set_version(empty, "0999")
    for attempt in (ensure_schema, migrate):
        with pytest.raises(SchemaVersionError, match=r"schema 0999, which is newer than this"):
            attempt(empty)
    with empty.read() as connection:
        assert look(connection).version == "0999"


def test_an_older_schema_asks_for_migrate(empty: Store) -> None:
    upgrade_to(empty, "0001")
    with pytest.raises(SchemaVersionError, match=r"has schema 0001; .*run `driftwatch migrate`"):
        ensure_schema(empty)


def test_tables_of_somebody_else_are_left_alone(empty: Store) -> None:
    with empty.write() as connection:
        connection.execute(sa.text("CREATE TABLE alert (theirs INTEGER)"))
    with pytest.raises(SchemaVersionError, match=r"not driftwatch's \(alert\).*of its own"):
        ensure_schema(empty)
    with empty.read() as connection:
        assert sa.inspect(connection).get_table_names() == ["alert"]


def test_a_migration_that_fails_leaves_nothing(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(config: Config, revision: str) -> None:
        run(config, revision)
        raise RuntimeError("stopped half way")

    run = command.upgrade
    monkeypatch.setattr("driftwatch.store.migrate.command.upgrade", fail)
    with pytest.raises(RuntimeError, match="stopped half way"):
        migrate(empty)
    with empty.read() as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    code = (
        "import sys; from driftwatch.store.engine import open_store; "
        "from driftwatch.store.migrate import ensure_schema; "
        "store = open_store(sys.argv[1]); sys.stdin.readline(); ensure_schema(store); store.close()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, database_url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, trouble = process.communicate(timeout=60)
        assert (process.returncode, trouble) == (0, "")
    store = open_store(database_url)
    with store.read() as connection:
        assert differences(connection) == []
    store.close()


def test_the_way_back_removes_what_was_made(empty: Store) -> None:
    migrate(empty)
    with empty.rebuild() as connection:
        command.downgrade(config_of(connection), "base")
        assert sa.inspect(connection).get_table_names() == [VERSION_TABLE]


def test_alembic_by_itself_says_how_it_is_run() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    with pytest.raises(RuntimeError, match="run `driftwatch migrate`"):
        command.upgrade(config, "head")


def test_the_wheel_carries_its_migrations(tmp_path: Path) -> None:
    """The package as it is installed, away from the source tree, makes a store ready."""
    root = Path(__file__).parents[2]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    code = (
        "import sys; from driftwatch.store import engine, migrate; "
        "store = engine.open_store(sys.argv[1]); migrate.ensure_schema(store); store.close(); "
        "print(migrate.migrations_folder())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'store.db'}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.strip() == str(tmp_path / "installed" / "driftwatch" / "migrations")
