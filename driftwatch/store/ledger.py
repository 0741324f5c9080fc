"""The ledger: every pane's counts, kept once. Windows of any length are sums of it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from driftwatch.stats.counts import IntArray, PaneCensus, PaneCounts
from driftwatch.store import monitors
from driftwatch.store.axes import AxisRecord
from driftwatch.store.merge import store
from driftwatch.store.packs import EMPTY, Layout, Packs, no_packs, packs_of
from driftwatch.store.panes import (
    PORTION,
    Block,
    Level,
    first_and_last,
    lengths,
    portions,
    read_packs,
    read_panes,
    segments_of,
)
from driftwatch.store.rollup import Family, require_whole, roll_up
from driftwatch.store.sums import (
    PieceCounts,
    WindowCounts,
    layout_of_axes,
    sum_pieces,
    sum_segments,
    sum_windows,
    window_rows,
)
from driftwatch.window import Interval, floor, from_epoch, to_epoch

__all__ = [
    "PieceCounts",
    "WindowCounts",
    "census",
    "extent",
    "record",
    "sum_pieces",
    "sum_segments",
    "sum_windows",
    "window_rows",
]


def record(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    counts: PaneCounts,
    interval: Interval,
    now: datetime,
    *,
    segment: str = "",
) -> tuple[Interval, ...]:
    """Note every pane of `interval` as counted, those without rows too, and roll up above them.

    `counts.segments` are recorded with all rows. Segments by the same columns as one of them were
    counted with it, and where they are not among them they have no rows. Segments by other columns
    keep what they have, save where a pane has no rows at all. What is recorded under a `segment`
    of its own (a cohort) stands apart: it is counted where it was recorded, whatever became of all
    rows; its own `counts.segments` are not recorded.

    Doing it twice changes nothing. Where a pane's rows or counts changed, its revision grows by
    one. Columns that are not in `counts` keep what was counted of them earlier.

    Returns where panes changed, those noted for the first time included, all segments together;
    adjacent panes as one interval.

    ValueError: the interval is not made of whole panes, counts lie outside, a column has no axis
    or one with another number of cells, or a segment is recorded both with all rows and apart.
    FoldedError: a part of an hour or day whose finer panes were deleted; see `retention`.
    """
    starts = _pane_starts(counts, interval)
    segments = {} if segment else counts.segments
    parts = {segment: counts, **segments}
    layouts = _Layouts(axes)
    prepared = {
        name: _Part.of(part, counts.pane_seconds, starts, layouts) for name, part in parts.items()
    }
    monitors.lock(connection, monitor_id)
    known = segments_of(connection, monitor_id)
    _require_one_way(known, parts)
    require_whole(connection, Level(monitor_id, segment, counts.pane_seconds), starts)
    beside = [] if segment else [one for one, apart in known.items() if not apart]
    family = Family(monitor_id, list(dict.fromkeys([*parts, *beside])))
    groups = {_columns(one) for one in segments}
    prepared = {one: _NOTHING for one in beside if _columns(one) in groups} | prepared
    fresh = {one for one in parts if one not in known}
    found = []
    for portion in portions(starts, max(1, PORTION // len(family.segments))):
        for block in _blocks(family, counts.pane_seconds, prepared, portion, fresh):
            found.append(store(connection, block, now))
        fresh = set()
    changed: IntArray = np.unique(np.concatenate([np.zeros(0, np.int64), *found]))
    roll_up(connection, family, counts.pane_seconds, changed, now)
    return tuple(_intervals(changed, counts.pane_seconds))


@dataclass(frozen=True, slots=True)
class _Part:
    """What was counted of one segment, as packs."""

    starts: IntArray
    rows: IntArray
    packs: Packs

    @classmethod
    def of(cls, counts: PaneCounts, seconds: int, starts: IntArray, layouts: "_Layouts") -> "_Part":
        if counts.pane_seconds != seconds:
            raise ValueError(f"segments were counted in panes of {counts.pane_seconds} s")
        if not np.isin(counts.starts, starts).all():
            raise ValueError("counts have panes outside the interval")
        if not counts.columns:
            return cls(counts.starts, counts.rows, no_packs(counts.starts.size, EMPTY))
        columns = {}
        for name, panes in counts.columns.items():
            axis = layouts.axes[name]
            if panes.cells.shape[1] != axis.axis.cells:
                raise ValueError(
                    f"column {name!r} was counted in {panes.cells.shape[1]} cells; its axis has "
                    f"{axis.axis.cells}"
                )
            columns[axis.id] = panes
        return cls(counts.starts, counts.rows, packs_of(columns, layouts.of(counts.columns)))


@dataclass(frozen=True, slots=True)
class _Layouts:
    """Layouts by the names of columns: segments mostly have the same."""

    axes: Mapping[str, AxisRecord]
    _known: dict[tuple[str, ...], Layout] = field(default_factory=dict)

    def of(self, names: Iterable[str]) -> Layout:
        key = tuple(names)
        if key not in self._known:
            self._known[key] = layout_of_axes({name: self.axes[name] for name in key})
        return self._known[key]


def _blocks(
    family: Family,
    seconds: int,
    parts: Mapping[str, _Part],
    starts: IntArray,
    fresh: set[str],
) -> Iterator[Block]:
    """What is to be stored at these starts, segments with the same columns together."""
    by_layout: dict[Layout, list[str]] = {}
    for name, part in parts.items():
        by_layout.setdefault(part.packs.layout, []).append(name)
    for layout, names in by_layout.items():
        yield _block(family, seconds, {name: parts[name] for name in names}, starts, layout, fresh)
    others = [one for one in family.segments if one not in parts]
    base = parts[family.segments[0]]
    empty = np.setdiff1d(starts, base.starts)
    if others and empty.size:
        nothing = dict.fromkeys(others, _NOTHING)
        yield _block(family, seconds, nothing, empty, EMPTY, set())


def _block(
    family: Family,
    seconds: int,
    parts: Mapping[str, _Part],
    starts: IntArray,
    layout: Layout,
    fresh: set[str],
) -> Block:
    rows = np.zeros((len(parts), starts.size), np.int64)
    noted = np.zeros(rows.shape, np.bool_)
    packs = no_packs(rows.size, layout)
    for number, (name, part) in enumerate(parts.items()):
        noted[number] = name == family.segments[0]
        noted[number, 0] |= name in fresh  # so that it is known, rows or not
        low, high = np.searchsorted(part.starts, [starts[0], starts[-1] + 1])
        at = np.searchsorted(starts, part.starts[low:high])
        rows[number, at] = part.rows[low:high]
        packs.counts[number * starts.size + at] = part.packs.counts[low:high]
        packs.moments[number * starts.size + at] = part.packs.moments[low:high]
    return Block(
        family.monitor_id,
        seconds,
        list(parts),
        starts,
        rows,
        noted,
        packs,
        apart=family.apart,
    )


def census(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    interval: Interval,
    pane_seconds: int,
    *,
    segment: str = "",
) -> PaneCensus:
    """What the ledger holds of the panes of this length that start inside `interval`.

    starts: every pane that was counted and is still there, those without rows, too: not what was
    counted or is kept in longer panes alone. present: -1 where a column was not counted in a pane
    that has rows.
    """
    apart = not segment or segments_of(connection, monitor_id).get(segment, True)
    family = segment if apart else ""
    span = (to_epoch(interval.start), to_epoch(interval.end))
    starts, rows = read_panes(connection, Level(monitor_id, family, pane_seconds), [span])
    if family != segment:
        rows = np.zeros(starts.size, np.int64)
    layout = layout_of_axes(axes)
    present = np.zeros((starts.size, len(layout.axis_ids)), np.int64)
    for stored in read_packs(connection, monitor_id, pane_seconds, [segment], starts):
        at = np.searchsorted(starts, stored.starts)
        rows[at] = stored.rows
        present[at] = np.where(stored.rows[:, None] > 0, -1, 0)
        for index, packs in stored.decoded():
            _note_present(present, layout, at[index], packs)
    columns = {axis_id: present[:, number] for number, axis_id in enumerate(layout.axis_ids)}
    return PaneCensus(
        pane_seconds, starts, rows, {name: columns[axis.id] for name, axis in axes.items()}
    )


def extent(connection: Connection, monitor_id: int) -> Interval | None:
    """From the first pane of all rows to the end of the last one, panes of any length."""
    edges = []
    for seconds in lengths(connection, monitor_id, ""):
        first, last = first_and_last(connection, Level(monitor_id, "", seconds))
        edges.append((first, last + seconds))
    if not edges:
        return None
    return Interval(from_epoch(min(edges)[0]), from_epoch(max(end for _, end in edges)))


_COLUMN = re.compile(r'("(?:[^"\\]|\\.)*"|[^=,"]+)=(?:"(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)')

_NOTHING = _Part(np.zeros(0, np.int64), np.zeros(0, np.int64), no_packs(0, EMPTY))


def _pane_starts(counts: PaneCounts, interval: Interval) -> IntArray:
    seconds = counts.pane_seconds
    for moment in (interval.start, interval.end):
        if floor(moment, seconds) != moment:
            raise ValueError(f"{interval} is not made of whole panes of {seconds} s")
    return np.arange(to_epoch(interval.start), to_epoch(interval.end), seconds)


def _require_one_way(known: Mapping[str, bool], parts: Collection[str]) -> None:
    """A segment is counted with all rows or apart: else nobody could tell where it was counted."""
    apart = "" not in parts
    for name in parts:
        if name and known.get(name, apart) != apart:
            how = ("apart from all rows", "with all rows")
            raise ValueError(f"segment {name!r} was counted {how[apart]} so far; go on like that")


def _columns(segment: str) -> tuple[str, ...]:
    """The names of the columns that a segment is told by, as its key writes them.

    >>> _columns('country=DE, "a=b"="New, York"'), _columns("@cohort")
    (('country', '"a=b"'), ())
    """
    return tuple(_COLUMN.findall(segment))


def _intervals(starts: IntArray, seconds: int) -> Iterator[Interval]:
    """Adjacent panes as one interval."""
    if starts.size:
        for run in np.split(starts, np.flatnonzero(np.diff(starts) != seconds) + 1):
            yield Interval(from_epoch(int(run[0])), from_epoch(int(run[-1]) + seconds))


def _note_present(present: IntArray, layout: Layout, at: IntArray, packs: Packs) -> None:
    """The rows of each column without those of its last cell, which is `missing`."""
    counted = packs.column_rows()
    held = counted - packs.counts[:, packs.layout.edges[1:] - 1]
    where = {axis_id: number for number, axis_id in enumerate(packs.layout.axis_ids)}
    for number, axis_id in enumerate(layout.axis_ids):
        if axis_id in where:
            found = where[axis_id]
            has = counted[:, found] > 0
            present[at[has], number] = held[has, found]
