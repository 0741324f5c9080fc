"""The blocks of bytes of one monitor, one per family, rendered once per evaluation."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from driftwatch.exposition.families import OF_RESULTS
from driftwatch.exposition.reading import MonitorReading
from driftwatch.exposition.series import (
    Sample,
    feature_samples,
    monitor_samples,
    reference_samples,
    segment_samples,
)
from driftwatch.exposition.text import number_text

MONITOR_SERIES = 20_000
"""Series of one monitor's features that are exposed unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Block:
    """The sample lines of one family of one monitor."""

    lines: bytes
    series: int


@dataclass(frozen=True, slots=True)
class MonitorBlocks:
    """One monitor, ready to be served.

    core: what a limit of series never cuts (the monitor itself and its alerts); detail: references
    and results, as far as the limit of this monitor lets them; dropped: series of the detail that
    it did not. Both map the name of a family to its block.
    """

    monitor: str
    core: Mapping[str, Block]
    detail: Mapping[str, Block]
    dropped: int
    expires_at: datetime | None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


def render(reading: MonitorReading, *, max_series: int = MONITOR_SERIES) -> MonitorBlocks:
    """Render a reading. Features beyond `max_series` are left out whole, in the reading's order."""
    detail: list[Sample] = []
    dropped = 0
    groups = [list(reference_samples(reading)), list(segment_samples(reading))]
    groups += [list(feature_samples(reading.monitor, result)) for result in reading.features]
    for group in groups:
        if len(detail) + len(group) <= max_series:
            detail += group
        else:
            dropped += len(group)
    return MonitorBlocks(
        monitor=reading.monitor,
        core=_blocks(monitor_samples(reading)),
        detail=_blocks(detail),
        dropped=dropped,
        expires_at=reading.expires_at,
    )


def _blocks(samples: Iterable[Sample]) -> dict[str, Block]:
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for family, labels, value in samples:
        lines[family.name].append(f"{family.name}{{{labels}}} {number_text(value)}\n")
    return {
        family.name: Block("".join(lines[family.name]).encode(), len(lines[family.name]))
        for family in OF_RESULTS
        if family.name in lines
    }
