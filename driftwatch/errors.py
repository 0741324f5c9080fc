"""The one tree of errors.

A message says what happened, to which monitor, feature or window, and what to do about it.
Driver errors are wrapped once, at the border (`raise ... from`), and never carry a secret.
`outcome` is the value of the label `outcome` that counts evaluations ending this way.
"""

from typing import ClassVar


class DriftwatchError(Exception):
    """Something that driftwatch can name went wrong."""

    outcome: ClassVar[str] = "internal_error"


class ConfigError(DriftwatchError):
    """The configuration cannot be used as it is."""

    outcome: ClassVar[str] = "config_error"


class SourceError(DriftwatchError):
    """The source store could not be read."""

    outcome: ClassVar[str] = "source_error"


class SourceTimeoutError(SourceError):
    """The source store did not answer within its statement timeout."""

    outcome: ClassVar[str] = "timeout"


class ScanTimeoutError(SourceTimeoutError):
    """New panes were not counted in time; fewer of them may be. scan_seconds: their event time."""

    def __init__(self, message: str, *, scan_seconds: int) -> None:
        super().__init__(message)
        self.scan_seconds = scan_seconds


class SourceCancelledError(SourceError):
    """A running statement was cancelled because the daemon stops."""

    outcome: ClassVar[str] = "cancelled"


class StoreError(DriftwatchError):
    """driftwatch's own store could not be read or written."""

    outcome: ClassVar[str] = "store_error"


class StoreAwayError(StoreError):
    """driftwatch's own store does not answer at this moment; it may later."""


class SchemaVersionError(StoreError):
    """The store's schema is not the one that this release works on."""


class FoldedError(StoreError):
    """Panes of an hour or day whose other panes were deleted after their retention."""


class ConflictError(StoreError):
    """Another process advanced the same monitor first; nothing was written."""

    outcome: ClassVar[str] = "conflict"


class MovedError(ConflictError):
    """Another process counted the same panes again meanwhile; nothing was written."""
