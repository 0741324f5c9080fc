"""What the parts of one monitor are held against."""

from collections.abc import Mapping
from dataclasses import dataclass

from driftwatch.config.settings import SourceSettings


@dataclass(frozen=True, slots=True)
class Scope:
    """Lengths in seconds; None where the file has a problem there already, so that nothing is
    told twice. sources: the names of those that are configured; none: no problem is told of one.
    settings: of those that could be read.
    """

    monitor: str
    sources: tuple[str, ...]
    settings: Mapping[str, SourceSettings]
    pane_seconds: int | None
    window_seconds: tuple[int, ...] | None
    delay_seconds: int | None
