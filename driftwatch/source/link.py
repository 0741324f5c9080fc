"""What a connection to a store of logs does: one read-only snapshot at a time."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from driftwatch.errors import SourceError, SourceTimeoutError

Parameters = Mapping[str, object]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as its driver takes it, and the names of what is bound, in their order."""

    text: str
    names: tuple[str, ...]


def sqlite_query(text: str) -> Query:
    """`:name` stays as it is."""
    return Query(text, ())


def postgres_query(text: str) -> Query:
    """`%(name)s` becomes $1, $2 ..., and a doubled percent sign one, once and for all.

    >>> postgres_query("select %(a)s, 'x %% y', %(b)s, %(a)s")
    Query(text="select $1, 'x % y', $2, $1", names=('a', 'b'))
    """
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    numbered = _PLACE.sub(place, text)
    return Query(numbered, tuple(names))


_PLACE = re.compile(r"%%|%\((\w+)\)s")
QUERY_OF = {"postgresql": postgres_query, "sqlite": sqlite_query}


class StatementError(SourceError):
    """The store refused or broke off one statement; the connection still serves."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How long each statement of a snapshot may take, and the option that says so."""

    seconds: float
    option: str

    def exceeded(self) -> SourceTimeoutError:
        return SourceTimeoutError(
            f"no answer within the {self.option} of {self.seconds:g} s; raise it, or let an index "
            "serve the timestamp"
        )


NO_LIMIT = TimeLimit(math.inf, "none")
"""Of a link outside a snapshot."""


class Link(Protocol):
    """One connection. Errors of the driver come out as SourceError, without secrets."""

    def begin(self, limit: TimeLimit) -> None:
        """Begin a read-only transaction: everything until `end` sees one snapshot."""

    def run(self, query: Query, parameters: Parameters) -> Iterator[Row]:
        """The rows of one query; after a StatementError the snapshot is still there."""

    def describe(self, query: str) -> list[Row]:
        """Name, SQL type, the store's category of that type, and whether it is never NULL, of
        each column that a query of the user gives. It is not run for more than that."""

    def end(self) -> None:
        """End the transaction; never raises."""

    def interrupt(self) -> None:
        """Cancel what runs, from another thread; what runs raises SourceCancelledError."""

    def usable(self) -> bool:
        """Whether another transaction may use this connection."""

    def close(self) -> None:
        """Give the connection back; never raises."""
