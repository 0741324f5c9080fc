"""What a connection to a store of logs does: one read-only snapshot at a time."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from driftwatch.errors import SourceError

Parameters = Mapping[str, object]
Row = tuple[Any, ...]


class StatementError(SourceError):
    """The store refused or broke off one statement; the connection still serves."""


class Link(Protocol):
    """One connection. Errors of the driver come out as SourceError, without secrets."""

    def begin(self) -> None:
        """Begin a read-only transaction: everything until `end` sees one snapshot."""

    def run(self, statement: str, parameters: Parameters) -> Iterator[Row]:
        """The rows of one statement; after a StatementError the snapshot is still there."""

    def end(self) -> None:
        """End the transaction; never raises."""

    def interrupt(self) -> None:
        """Cancel what runs, from another thread; what runs raises SourceCancelledError."""

    def usable(self) -> bool:
        """Whether another transaction may use this connection."""

    def close(self) -> None:
        """Give the connection back; never raises."""
