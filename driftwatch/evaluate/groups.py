"""Which parts of the rows are counted by themselves: segments with a frozen list, versions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings, SegmentGroup
from driftwatch.source import RelationInfo, Source
from driftwatch.stats.counts import PaneCounts
from driftwatch.stats.segment import Grouping, other_key, segment_key
from driftwatch.store import segments
from driftwatch.store.segments import SegmentRow
from driftwatch.window import Interval

VERSION_PREFIX = "version="
"""Segments of this beginning are versions of the model, whatever their column is called."""

OTHER_VERSIONS = other_key(("version",))
"""Rows of versions that were not known when they were counted."""

NO_VERSION = segment_key(("version",), (None,))
"""What is left of all rows without those of the versions that are counted apart."""

MANY_VERSIONS = 50
"""The newest versions are counted apart; a column with many more of them names something else."""


@dataclass(frozen=True, slots=True)
class Found:
    """The values of a group that are to be watched, and how many others there are."""

    group: SegmentGroup
    levels: tuple[tuple[str | None, ...], ...]
    left_out: int


def version_key(version: str) -> str:
    """The segment of one version.

    >>> version_key("v2")
    'version=v2'
    """
    return segment_key(("version",), (version,))


def segment_groupings(
    monitor: MonitorSettings, frozen: Sequence[SegmentRow]
) -> tuple[Grouping, ...]:
    """The configured segments: their own levels, or those that were frozen. Groups that are not
    frozen yet are left out."""
    if monitor.segments is None:
        return ()
    found = []
    for group in _apart(monitor):
        levels: tuple[tuple[str | None, ...], ...] = group.levels
        if not levels:
            rows = sorted(frozen, key=lambda row: row.position)
            levels = tuple(
                row.levels for row in rows if row.grouping == group.columns and row.levels
            )
        if levels:
            found.append(Grouping(group.columns, levels))
    return tuple(found)


def _apart(monitor: MonitorSettings) -> list[SegmentGroup]:
    """The groups, without one by the version alone: versions are counted apart anyway."""
    assert monitor.segments is not None
    version = (monitor.version.column,) if monitor.version else None
    return [group for group in monitor.segments.groups if group.columns != version]


def version_grouping(monitor: MonitorSettings, known: Sequence[str]) -> tuple[Grouping, ...]:
    """The versions that are counted apart, rows without one, and all others together."""
    if monitor.version is None:
        return ()
    levels = ((None,), *((version,) for version in known[-MANY_VERSIONS:]))
    return (Grouping((monitor.version.column,), levels),)


def with_version_keys(
    monitor: MonitorSettings, known: Sequence[str], counts: PaneCounts
) -> PaneCounts:
    """The same counts with the segments of versions under keys that do not name the column."""
    if monitor.version is None:
        return counts
    column = (monitor.version.column,)
    names = {segment_key(column, (version,)): version_key(version) for version in known}
    names[other_key(column)] = OTHER_VERSIONS
    segments = {names.get(key, key): found for key, found in counts.segments.items()}
    return replace(counts, segments=segments)


def freeze_segments(
    connection: Connection,
    monitor_id: int,
    found: Sequence[Found],
    now: datetime,
) -> None:
    """Keep the lists of segments for good."""
    rows = [
        SegmentRow(segment_key(one.group.columns, levels), one.group.columns, levels, position)
        for one in found
        for position, levels in enumerate(one.levels)
    ]
    segments.freeze(connection, monitor_id, rows, now)


def left_out(found: Sequence[Found]) -> str:
    """How many values have no segment of their own, for people; "" where every value has one."""
    parts = [
        f"{one.left_out:,} further values of {', '.join(one.group.columns)} are counted as (other)"
        for one in found
        if one.left_out
    ]
    return "; ".join(parts)


def look_for_segments(
    monitor: MonitorSettings,
    frozen: Sequence[SegmentRow],
    source: Source,
    info: RelationInfo,
    interval: Interval,
) -> list[Found]:
    """The most frequent values of each group that has neither levels of its own nor a frozen
    list, in these rows."""
    if monitor.segments is None:
        return []
    known = {row.grouping for row in frozen}
    found = []
    for group in _apart(monitor):
        if group.levels or group.columns in known:
            continue
        listed = source.levels(
            monitor.relation,
            info,
            group.columns,
            interval,
            limit=group.limit,
            min_rows=monitor.segments.min_rows,
        )
        found.append(Found(group, listed.levels, listed.left_out))
    return found
