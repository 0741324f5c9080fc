"""Errors of the store's driver, wrapped once: what happened, and what to do about it."""

import sqlite3
from collections.abc import Iterable

import sqlalchemy as sa

from driftwatch.errors import ConflictError, StoreAwayError, StoreError

_MIGRATE = "Run `driftwatch migrate`"
_DISK = "Free space on its disk; driftwatch goes on by itself"
_RIGHTS = "Let the user that driftwatch runs as write the file and its folder"

# Primary SQLite result codes.
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", "End what holds it, or wait"),
    sqlite3.SQLITE_LOCKED: ("is locked by another process", "End what holds it, or wait"),
    sqlite3.SQLITE_READONLY: ("is read-only", _RIGHTS),
    sqlite3.SQLITE_PERM: ("is read-only", _RIGHTS),
    sqlite3.SQLITE_FULL: ("has no space left", _DISK),
    sqlite3.SQLITE_IOERR: ("could not be read or written", "Look at its disk and file system"),
    sqlite3.SQLITE_CANTOPEN: (
        "could not be opened",
        "Check that its folder exists and that the user that driftwatch runs as may write there",
    ),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "Restore it from a backup"),
    sqlite3.SQLITE_NOTADB: ("is not an SQLite database", "Check the path in `store`"),
}

# SQLSTATE codes of PostgreSQL; two characters stand for their class.
_POSTGRESQL = {
    "53100": ("has no space left", _DISK),
    "53300": ("accepts no more connections", "Raise max_connections or stop other clients"),
    "25006": ("is read-only", "Name the primary server, not a standby, in `store`"),
    "0A000": ("is read-only", "Name the primary server, not a standby, in `store`"),
    "42501": ("denied a right", "Grant driftwatch's role the rights on its own tables"),
    "42P01": ("lacks a table", _MIGRATE),
    "42703": ("lacks a column", _MIGRATE),
    "55P03": ("is locked by another session", "End what holds it, or wait"),
    "3D000": ("does not exist", "Create the database, or correct `store`"),
    "08": ("could not be reached", "Check that the server runs"),
    "57": ("ended the connection", "Check that the server runs"),
    "28": ("refused the login", "Check user and password in `store`"),
}

_UNREACHABLE = (
    "could not be reached",
    "Check that the server runs and that host, port, user and password in `store` are right",
)
_AWAY = {_UNREACHABLE, *(_POSTGRESQL[state] for state in ("08", "28", "53300", "57"))}
_CONFLICTS = ("40001", "40P01", "23505")  # serialisation failure, deadlock, unique violation


def translate(error: sa.exc.SQLAlchemyError, *, store: str, secrets: Iterable[str]) -> StoreError:
    """The error to raise in place of `error`. `store` names the store without secrets.

    secrets: passwords, those that were replaced meanwhile too; they are cut out of whatever the
    driver says.
    """
    if isinstance(error, sa.exc.TimeoutError):
        return StoreError(
            f"{store}: all connections are in use. Let fewer evaluations run at once."
        )
    if not isinstance(error, sa.exc.DBAPIError) or error.orig is None:
        return StoreError(f"{store}: {_clean(str(error), secrets)}")
    detail = _clean(str(error.orig), secrets)
    if _is_conflict(error.orig):
        return ConflictError(
            f"{store}: another process wrote the same rows first ({detail}); nothing was written, "
            "the next evaluation does it again"
        )
    what, remedy = _found(error)
    # Whether a login is refused for good, or until a password is rotated, nobody can tell.
    away = StoreAwayError if (what, remedy) in _AWAY else StoreError
    return away(f"{store} {what} ({detail}). {remedy}.")


def _found(error: sa.exc.DBAPIError) -> tuple[str, str]:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        if str(error.orig).startswith(("no such table", "no such column")):
            return "lacks a table or column", _MIGRATE
        return _SQLITE.get(code & 0xFF, _other())
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2]) or _other()
    if error.connection_invalidated or isinstance(error, sa.exc.OperationalError):
        return _UNREACHABLE
    return _other()


def _other() -> tuple[str, str]:
    return "refused a statement", "This is a defect of driftwatch or of the store; please report it"


def _is_conflict(error: BaseException) -> bool:
    if getattr(error, "sqlstate", None) in _CONFLICTS:
        return True
    unique = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
    return getattr(error, "sqlite_errorcode", None) in unique


def _clean(text: str, secrets: Iterable[str]) -> str:
    """The first line alone: further lines of PostgreSQL quote rows."""
    line = text.strip().partition("\n")[0]
    for secret in secrets:
        line = line.replace(secret, "***")
    return line
