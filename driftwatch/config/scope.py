"""What the parts of one monitor are held against."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Lengths in seconds; None where the file has a problem there already, so that nothing is
    told twice. sources: the names of those that are configured; none: no problem is told of one.
    """

    monitor: str
    sources: tuple[str, ...]
    pane_seconds: int | None
    window_seconds: tuple[int, ...] | None
    delay_seconds: int | None
