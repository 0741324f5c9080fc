"""The blocks of bytes of one monitor, one per family, rendered once per evaluation."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from driftwatch.config.settings import MONITOR_MAX_SERIES
from driftwatch.exposition.choice import choose, worst_first
from driftwatch.exposition.families import OF_RESULTS
from driftwatch.exposition.reading import MonitorReading
from driftwatch.exposition.series import (
    Sample,
    feature_samples,
    monitor_samples,
    reference_samples,
    segment_sample,
)
from driftwatch.exposition.text import number_text


@dataclass(frozen=True, slots=True)
class Block:
    """The sample lines of one family of one monitor."""

    lines: bytes
    series: int


@dataclass(frozen=True, slots=True)
class MonitorBlocks:
    """One monitor, ready to be served.

    core: what a limit of series never cuts (the monitor itself and its alerts); detail: references
    and results of `features`, those for which the limit leaves room; dropped: series of the others.
    core and detail map the name of a family to its block. detail_series: all series of detail.
    """

    monitor: str
    core: Mapping[str, Block]
    detail: Mapping[str, Block]
    features: frozenset[str]
    dropped: int
    detail_series: int
    expires_at: datetime | None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


def render(
    reading: MonitorReading,
    *,
    max_series: int = MONITOR_MAX_SERIES,
    before: frozenset[str] = frozenset(),
) -> MonitorBlocks:
    """Render a reading. A feature is shown with all of its series or none, the worst ones first.

    before: the features that were shown last; see `choose`.
    """
    groups = _by_feature(reading)
    sizes = {feature: len(group) for feature, group in groups.items()}
    order = worst_first(reading.features)
    shown = choose(sizes, order, room=max_series, before=before)
    detail = [one for feature, group in groups.items() if feature in shown for one in group]
    return MonitorBlocks(
        monitor=reading.monitor,
        core=_blocks(monitor_samples(reading)),
        detail=_blocks(detail),
        features=shown,
        dropped=sum(sizes.values()) - len(detail),
        detail_series=len(detail),
        expires_at=reading.expires_at,
    )


def _by_feature(reading: MonitorReading) -> Mapping[str, list[Sample]]:
    found: defaultdict[str, list[Sample]] = defaultdict(list)
    monitor = reading.monitor
    for result in reading.features:
        found[result.feature] += (
            one
            for one in feature_samples(monitor, result)
            if not one.family.extra or one.family.name in reading.extra_metrics
        )
    for reference in reading.references:
        found[reference.feature] += reference_samples(monitor, reference)
    for segment in reading.of_segments:
        found[segment.feature].append(segment_sample(monitor, segment))
    return found


def _blocks(samples: Iterable[Sample]) -> dict[str, Block]:
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for family, labels, value in samples:
        lines[family.name].append(f"{family.name}{{{labels}}} {number_text(value)}\n")
    return {
        family.name: Block("".join(lines[family.name]).encode(), len(lines[family.name]))
        for family in OF_RESULTS
        if family.name in lines
    }
