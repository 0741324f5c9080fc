"""Bringing the tables to the schema of this release; alembic does the work, in one transaction."""

import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import driftwatch
from driftwatch.errors import SchemaVersionError, StoreError
from driftwatch.store.engine import Store
from driftwatch.store.schema import SCHEMA_VERSION, VERSION_TABLE, metadata, monitor

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
    else:
        _require_current(store, found)


def has_schema(store: Store) -> bool:
    """Whether the tables are there, as this release needs them; False where nothing is yet.

    It leaves no trace, not even the empty file that connecting to SQLite makes.

    SchemaVersionError: the schema is older or newer, or other tables are in the way.
    """
    if not store.exists:
        return False
    with store.read() as connection:
        found = look(connection)
    _refuse_strangers(store, found)
    if not found.is_empty:
        _require_current(store, found)
    return not found.is_empty


def rehearse(store: Store) -> bool:
    """Whether the tables are there; where they are not yet, whether they could be made is tried.

    Everything is taken back. StoreError: what `ensure_schema`, or the first write after it, would
    raise.
    """
    if not store.exists:
        folder = store.folder
        if not os.access(folder, os.W_OK | os.X_OK):
            state = "is read-only" if folder.is_dir() else "does not exist"
            raise StoreError(
                f"{store.name} cannot be made: the folder {folder} {state}. Create the folder, or "
                "let the user that driftwatch runs as write there."
            )
        return False
    ready = has_schema(store)
    with store.write() as connection:
        if ready:
            nothing = sa.update(monitor).where(sa.false()).values(name=monitor.c.name)
            connection.execute(nothing)
        else:
            with connection.begin_nested() as attempt:
                _upgrade(connection, None)
                attempt.rollback()
    return ready


def migrate(store: Store) -> list[str]:
    """Bring the store to this release's schema; returns the versions gone through, oldest first.

    Nothing to do is an empty list. It is done whole or not at all.
    """
    store.use_wal()
    with store.rebuild() as connection:
        if not store.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        found = look(connection)
        _refuse_newer(store, found)
        _refuse_strangers(store, found)
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


def _require_current(store: Store, found: Found) -> None:
    if found.version == SCHEMA_VERSION:
        return
    _refuse_newer(store, found)
    raise SchemaVersionError(
        f"{store.name} has schema {found.version}; this release works on {SCHEMA_VERSION}. Stop "
        "every driftwatch that uses it, make a backup, then run `driftwatch migrate`."
    )


def _refuse_strangers(store: Store, found: Found) -> None:
    if found.strangers:
        names = ", ".join(found.strangers)
        raise SchemaVersionError(
            f"{store.name} holds tables that are not driftwatch's ({names}). Give driftwatch a "
            "database or schema of its own."
        )


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
