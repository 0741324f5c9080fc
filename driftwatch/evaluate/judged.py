"""A result with what the alerts need of it."""

from dataclasses import dataclass
from datetime import datetime

from driftwatch.alert.policy import Severity
from driftwatch.store.results import ResultBin, ResultRow

Place = tuple[str, int, datetime]
"""Feature, length of the window and its end."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A result, its bins where they are kept, and what the alert machine needs of it.

    plain: flagged so plainly that an alert fires at once; expected: of an empty window, whether the
    reference's own windows were never empty; cap: what an alert's severity is at most, None: any.
    """

    row: ResultRow
    bins: tuple[ResultBin, ...] = ()
    above_clear: bool = False
    expected: bool = True
    cap: Severity | None = None
    plain: bool = False

    @property
    def place(self) -> Place:
        return self.row.feature, self.row.window_seconds, self.row.window_end
