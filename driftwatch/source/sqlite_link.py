"""A connection to a SQLite file: opened read-only, one read transaction per snapshot."""

import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL

from driftwatch.errors import SourceCancelledError, SourceError
from driftwatch.source.link import NO_LIMIT, Parameters, Query, Row, StatementError, TimeLimit

_STEPS_BETWEEN_LOOKS = 10_000
"""Instructions of SQLite between two looks at the clock: a few hundred microseconds."""

_BUSY_SECONDS = 5.0
_STATEMENT_ERRORS = frozenset(
    {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}
)


class SqliteLink:
    """One sqlite3 connection, with its deadline kept by the progress handler."""

    def __init__(self, url: URL) -> None:
        self._path = Path(url.database or "")
        self._cancelled, self._deadline = False, math.inf
        self._limit = NO_LIMIT
        if not url.database or url.database == ":memory:" or not self._path.is_file():
            raise SourceError(
                f"there is no SQLite file {str(self._path.absolute())!r}; check the path "
                "in its url (three slashes before a relative path, four before an absolute one)"
            )
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        try:
            self._identity = self._file_identity()
            self._connection = sqlite3.connect(
                address,
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=_BUSY_SECONDS,
            )
        except (sqlite3.Error, OSError) as error:
            raise self._explained(error) from error
        self._connection.text_factory = _text
        self._connection.set_progress_handler(self._stop_now, _STEPS_BETWEEN_LOOKS)

    def begin(self, limit: TimeLimit) -> None:
        self._cancelled = False
        self._limit = limit
        self._deadline = time.monotonic() + limit.seconds
        try:
            self._connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def run(self, query: Query, parameters: Parameters) -> Iterator[Row]:
        self._deadline = time.monotonic() + self._limit.seconds
        try:
            if self._cancelled:  # short statements end before the progress handler looks
                raise SourceCancelledError("the scan was cancelled")
            yield from self._connection.execute(query.text, parameters)
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def describe(self, query: str) -> list[Row]:
        """Columns of a table keep their declared type; expressions have none.

        Only a view tells them, so one is made for a moment, in this connection's own memory: the
        file itself stays as it is, and is opened read-only.
        """
        inside = f"SELECT * FROM (\n{query}\n)"  # noqa: S608  # the user's own
        statements = (
            f"{inside} LIMIT 0",  # a view is not looked at when it is made
            f"CREATE TEMP VIEW driftwatch_described AS {inside}",
            "SELECT name, type, '', \"notnull\" FROM pragma_table_xinfo('driftwatch_described', "
            "'temp') ORDER BY cid",
            "DROP VIEW temp.driftwatch_described",
        )
        _, _, columns, _ = [list(self.run(Query(statement, ()), {})) for statement in statements]
        return columns

    def end(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.rollback()

    def interrupt(self) -> None:
        self._cancelled = True

    def usable(self) -> bool:
        """Not when the file has been replaced: its old inode would be read for ever."""
        try:
            return not self._connection.in_transaction and self._file_identity() == self._identity
        except OSError:
            return False

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def _file_identity(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_dev, status.st_ino

    def _stop_now(self) -> bool:
        return self._cancelled or time.monotonic() > self._deadline

    def _explained(self, error: Exception) -> SourceError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT and self._cancelled:
            return SourceCancelledError("the scan was cancelled")
        if code == sqlite3.SQLITE_INTERRUPT:
            return self._limit.exceeded()
        if code in _STATEMENT_ERRORS:
            return StatementError(str(error))
        remedy = _REMEDIES.get(code, "look at the file with PRAGMA integrity_check")
        return SourceError(f"{self._path}: {error}; {remedy}")


_REMEDIES = {
    sqlite3.SQLITE_CANTOPEN: "check that it may be read; a file in WAL mode also needs its -shm "
    "and -wal files, or a folder that may be written",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite file",
    sqlite3.SQLITE_BUSY: "another process holds it for long; use WAL mode there",
    sqlite3.SQLITE_LOCKED: "another process holds it for long; use WAL mode there",
    sqlite3.SQLITE_PERM: "check that it may be read",
    sqlite3.SQLITE_IOERR: "check the disk",
}


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
