"""A connection to PostgreSQL: READ ONLY, REPEATABLE READ, with a statement timeout."""

import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
from sqlalchemy.engine import URL

from driftwatch.errors import SourceCancelledError, SourceError
from driftwatch.source.link import (
    NO_LIMIT,
    Parameters,
    Query,
    Row,
    StatementError,
    TimeLimit,
    postgres_query,
)

_QUERY_CANCELED = "57014"
_PREPARED_LOST = ("26000", "42P05", "0A000")
"""A prepared statement is not there, is there already, or gives other types than it did."""

_BACK = "ROLLBACK TO SAVEPOINT scan"
_NOT_THE_STATEMENT = ("40", "53", "55", "57", "58", "XX")
"""Classes of SQLSTATE that no other statement would avoid: conflicts, resources, the server."""

_TYPES = postgres_query("""SELECT name, pg_catalog.format_type(type, modifier), typcategory::text,
        false
    FROM unnest(%(names)s::text[], %(types)s::oid[], %(modifiers)s::int[])
        WITH ORDINALITY AS found (name, type, modifier, place)
    JOIN pg_catalog.pg_type ON oid = type ORDER BY place""")
_DEFAULTS = {
    "connect_timeout": "10",
    "application_name": "driftwatch",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


class PostgresLink:
    """One psycopg connection. What runs again is prepared on the server, for parsing a scan takes
    longer than a tick; where a pooler between us loses what was prepared, nothing is any more."""

    def __init__(self, url: URL) -> None:
        self._limit = NO_LIMIT
        secrets = (url.password, url.query.get("password"), url.query.get("sslpassword"))
        self._secrets = [str(secret) for secret in secrets if secret]
        self._cancelled = False
        # As of the store: host, user and password may also stand among the options.
        named = url.translate_connect_args(username="user", database="dbname")
        options = {**_DEFAULTS, **named, **{key: str(one) for key, one in url.query.items()}}
        try:
            # libpq reads every option as text.
            self._connection = psycopg.connect(autocommit=True, prepare_threshold=1, **options)
        except (psycopg.Error, TypeError, ValueError) as error:
            raise SourceError(
                f"it cannot be reached: {self._clean(error)}; check its url, that "
                "the server runs, and that the role may connect"
            ) from error
        with suppress(psycopg.Error):  # a server that cannot do this is read all the same
            self._connection.execute("SET client_connection_check_interval = '10s'")

    def begin(self, limit: TimeLimit) -> None:
        self._cancelled = False
        self._limit = limit
        statements = (
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            f"SET LOCAL statement_timeout = {round(limit.seconds * 1000)}",
            "SET LOCAL standard_conforming_strings = on",
            "SET LOCAL jit = off",  # it compiles hundreds of expressions longer than they run
            "SAVEPOINT scan",  # a refused statement rolls back to here
        )
        self._execute("; ".join(statements))

    def run(self, query: Query, parameters: Parameters) -> Iterator[Row]:
        text = query.text.encode()
        bound = [parameters[name] for name in query.names]
        started = time.monotonic()
        try:
            return iter(self._fetch(text, bound))
        except psycopg.Error as error:
            if error.sqlstate not in _PREPARED_LOST:
                raise self._explained(error, time.monotonic() - started) from error
        self._connection.prepare_threshold = None
        self._execute(_BACK)
        try:
            return iter(self._fetch(text, bound))
        except psycopg.Error as error:
            raise self._explained(error, time.monotonic() - started) from error

    def _fetch(self, text: bytes, bound: list[object]) -> list[Row]:
        if self._cancelled:
            raise SourceCancelledError("the scan was cancelled")
        with psycopg.RawCursor(self._connection) as cursor:
            return cursor.execute(text, bound).fetchall()

    def describe(self, query: str) -> list[Row]:
        try:
            with psycopg.RawCursor(self._connection) as cursor:
                inside = f"SELECT * FROM (\n{query}\n) AS r LIMIT 0"  # noqa: S608  # the user's own
                cursor.execute(inside.encode())
                found = cursor.pgresult
                assert found is not None
                columns = range(found.nfields)
                names = [(found.fname(index) or b"").decode() for index in columns]
                types = [found.ftype(index) for index in columns]
                modifiers = [found.fmod(index) for index in columns]
        except psycopg.Error as error:
            raise self._explained(error, 0.0) from error
        bound = {"names": names, "types": types, "modifiers": modifiers}
        return list(self.run(_TYPES, bound))

    def end(self) -> None:
        with suppress(psycopg.Error):
            self._connection.execute("ROLLBACK")

    def interrupt(self) -> None:
        self._cancelled = True
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=5)

    def usable(self) -> bool:
        idle = psycopg.pq.TransactionStatus.IDLE
        return not self._connection.closed and self._connection.info.transaction_status == idle

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()

    def _execute(self, statement: str) -> None:
        try:
            self._connection.execute(statement.encode())
        except psycopg.Error as error:
            raise self._explained(error, 0.0) from error

    def _explained(self, error: psycopg.Error, seconds: float) -> SourceError:
        if self._connection.closed:
            return SourceError(
                f"it went away: {self._clean(error)}; the next evaluation connects again"
            )
        if error.sqlstate == _QUERY_CANCELED:
            return self._stopped(seconds)
        if (error.sqlstate or "XX")[:2] in _NOT_THE_STATEMENT:
            return SourceError(f"{self._clean(error)}; the next evaluation tries again")
        with suppress(psycopg.Error):
            self._connection.execute(_BACK)
        return StatementError(self._clean(error))

    def _stopped(self, seconds: float) -> SourceError:
        if self._cancelled:
            return SourceCancelledError("the scan was cancelled")
        if seconds >= 0.9 * self._limit.seconds:
            return self._limit.exceeded()
        return SourceError("somebody cancelled the statement there")

    def _clean(self, error: Exception) -> str:
        """The first line of the driver's message, without secrets."""
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line
