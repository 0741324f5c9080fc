"""The policy of an alert and the words of its state."""

from dataclasses import dataclass
from enum import StrEnum


class AlertState(StrEnum):
    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class AlertKind(StrEnum):
    """What kind of change an alert is about; a closed list, so that it may become a label."""

    DRIFT = "drift"
    VOLUME = "volume"
    NO_DATA = "no_data"
    COLUMN = "column"
    """The column is gone, has another type or cannot be read."""


class Severity(StrEnum):
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Fire on `k` flagged of the last `of` disjoint judged windows; the same counts end it."""

    k: int = 2
    of: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.of <= 32:
            raise ValueError(f"k of m needs 1 <= k <= m <= 32, not {self.k} of {self.of}")
