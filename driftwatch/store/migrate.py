"""Bringing the tables to the schema of this release; alembic does the work, in one transaction."""

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import driftwatch
from driftwatch.errors import SchemaVersionError, StoreError
from driftwatch.store.engine import Store
from driftwatch.store.schema import SCHEMA_VERSION, VERSION_TABLE, metadata

_LOCK = 0x64726966  # any number that only driftwatch uses: its migrations wait for each other


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a store. version None: no driftwatch schema; strangers: tables in its way."""

    version: str | None
    strangers: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self.version is None


def ensure_schema(store: Store) -> None:
    """Make an empty store ready, and refuse one that this release cannot work on.

    Two processes may do so at once: one of them waits and finds the work done.

    SchemaVersionError: the schema is older (`driftwatch migrate` is the user's decision) or newer.
    """
    with store.read() as connection:
        found = look(connection)
    if found.is_empty:
        migrate(store)
        return
    if found.version == SCHEMA_VERSION:
        return
    _refuse_newer(store, found)
    raise SchemaVersionError(
        f"{store.name} has schema {found.version}; this release works on {SCHEMA_VERSION}. Stop "
        "every driftwatch that uses it, make a backup, then run `driftwatch migrate`."
    )


def migrate(store: Store) -> list[str]:
    """Bring the store to this release's schema; returns the versions gone through, oldest first.

    Nothing to do is an empty list. It is done whole or not at all.
    """
    store.use_wal()
    with store.write() as connection:
        if not store.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        found = look(connection)
        _refuse_newer(store, found)
        if found.strangers:
            names = ", ".join(found.strangers)
            raise SchemaVersionError(
                f"{store.name} holds tables that are not driftwatch's ({names}). Give driftwatch a "
                "database or schema of its own."
            )
        return _upgrade(connection, found.version)


def look(connection: sa.Connection) -> Found:
    """Which schema is there."""
    names = set(sa.inspect(connection).get_table_names())
    if VERSION_TABLE in names:
        version = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
        if version is not None:
            return Found(str(version))
    return Found(None, tuple(sorted(names & set(metadata.tables))))


def migrations_folder() -> Path:
    """Where the migrations are: inside the installed package, else beside it in the source tree."""
    package = Path(driftwatch.__file__).parent
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise StoreError(
        f"the migrations are missing beside {package}; install driftwatch again, it is incomplete"
    )


def script_directory() -> ScriptDirectory:
    """alembic's view of the migrations."""
    return ScriptDirectory(str(migrations_folder()))


def _refuse_newer(store: Store, found: Found) -> None:
    if found.version is None:
        return
    known = {script.revision for script in script_directory().walk_revisions()}
    if found.version not in known:
        raise SchemaVersionError(
            f"{store.name} has schema {found.version}, which is newer than this release knows "
            f"({SCHEMA_VERSION}). Run the release that wrote it, or a newer one. It is unchanged."
        )


def _upgrade(connection: sa.Connection, since: str | None) -> list[str]:
    steps = script_directory().iterate_revisions("head", since or "base")
    missing = [step.revision for step in steps if step.revision != since]
    if missing:
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return missing[::-1]
