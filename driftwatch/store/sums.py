"""Sums of the ledger over windows: days, hours and panes added up, for one segment or many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnPanes, IntArray
from driftwatch.store.axes import AxisRecord
from driftwatch.store.cover import Cover, cover
from driftwatch.store.packs import EMPTY, Layout, layout_of
from driftwatch.store.panes import Span, Stored, read_packs, segments_of
from driftwatch.store.totals import Totals
from driftwatch.window import Interval, to_epoch


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """What the ledger knows of one window.

    rows: all rows; scanned_seconds: how much of the window was counted (all of it: the window's
    length), with rows in it or not; columns: one pane of counts per axis, zeros where it was never
    counted; column_rows: rows of the window on which the column was counted (the sum of its
    cells): fewer than `rows` where it was not scanned in a part of the window.

    A segment that is counted with all rows was counted where these were: its scanned_seconds are
    theirs, also for the time before it was first named. 0 if it never was.
    """

    interval: Interval
    rows: int
    scanned_seconds: int
    columns: Mapping[str, ColumnPanes]
    column_rows: Mapping[str, int]

    @property
    def is_whole(self) -> bool:
        """Whether all of the window was counted."""
        return self.scanned_seconds == self.interval.seconds


@dataclass(frozen=True, slots=True)
class PieceCounts:
    """What the ledger knows of several intervals together; as `WindowCounts`. seconds: the length
    of all of them."""

    rows: int
    seconds: int
    scanned_seconds: int
    columns: Mapping[str, ColumnPanes]
    column_rows: Mapping[str, int]


def sum_windows(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    windows: Sequence[Interval],
    *,
    segment: str = "",
) -> list[WindowCounts]:
    """The counts of each window, in the order of `windows`.

    Windows may have any length and overlap. What was never counted adds nothing, and
    `scanned_seconds` tells.
    """
    return sum_segments(connection, monitor_id, axes, windows, [segment])[segment]


def sum_segments(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    windows: Sequence[Interval],
    segments: Sequence[str],
) -> dict[str, list[WindowCounts]]:
    """The counts of each window for each of these segments."""
    groups = [[window] for window in windows]
    found = _sums(connection, monitor_id, axes, groups, segments)
    return {
        segment: [
            WindowCounts(window, one.rows, one.scanned_seconds, one.columns, one.column_rows)
            for window, one in zip(windows, pieces, strict=True)
        ]
        for segment, pieces in found.items()
    }


def sum_pieces(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    groups: Sequence[Sequence[Interval]],
    *,
    segment: str = "",
) -> list[PieceCounts]:
    """The counts of each group of disjoint intervals, added up. No intervals are zeros."""
    return _sums(connection, monitor_id, axes, groups, [segment])[segment]


def window_rows(
    connection: Connection,
    monitor_id: int,
    windows: Sequence[Interval],
    *,
    segment: str = "",
) -> list[int | None]:
    """Rows of each window; None where not all of it was counted."""
    found = sum_windows(connection, monitor_id, {}, windows, segment=segment)
    return [one.rows if one.is_whole else None for one in found]


def layout_of_axes(axes: Mapping[str, AxisRecord]) -> Layout:
    """The layout of these columns."""
    return layout_of(
        (one.id, one.axis.cells, isinstance(one.axis, NumericAxis)) for one in axes.values()
    )


def _sums(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    groups: Sequence[Sequence[Interval]],
    segments: Sequence[str],
) -> dict[str, list[PieceCounts]]:
    known = {} if set(segments) <= {""} else segments_of(connection, monitor_id)
    families: dict[str, list[str]] = {}  # by the segment that tells what was counted
    for segment in dict.fromkeys(segments):
        families.setdefault(segment if known.get(segment, True) else "", []).append(segment)
    spans, owners = _spans(groups)
    layout = layout_of_axes(axes)
    found: dict[str, list[PieceCounts]] = {}
    for base, family in families.items():
        covered = cover(connection, monitor_id, base, spans)
        sums = _Sums.of(covered, owners, len(groups), len(family), layout)
        sums.read(connection, monitor_id, family, rows_only=not axes and family == [base])
        for number, segment in enumerate(family):
            found[segment] = sums.pieces(axes, groups, number)
    return found


def _spans(groups: Sequence[Sequence[Interval]]) -> tuple[list[Span], IntArray]:
    """The intervals, adjacent ones of a group joined, and the group of each."""
    spans: list[Span] = []
    owners: list[int] = []
    for number, group in enumerate(groups):
        for interval in sorted(group):
            low, high = to_epoch(interval.start), to_epoch(interval.end)
            if owners and owners[-1] == number and spans[-1][1] == low:
                spans[-1] = (spans[-1][0], high)
            else:
                spans.append((low, high))
                owners.append(number)
    return spans, np.array(owners, np.int64)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of segments that were counted together. pairs: of each pane of the cover and each group
    that it belongs to the numbers, shape (2, pairs); groups ascend. rows: shape (segments, groups);
    totals: segments x groups."""

    cover: Cover
    pairs: IntArray
    scanned: IntArray
    rows: IntArray
    totals: Totals

    @classmethod
    def of(
        cls, covered: Cover, owners: IntArray, groups: int, segments: int, layout: Layout
    ) -> "_Sums":
        scanned = np.zeros(groups, np.int64)
        np.add.at(scanned, owners, covered.scanned_seconds(owners.size))
        pairs = np.stack([covered.index, owners[covered.groups]])
        rows = np.zeros((segments, groups), np.int64)
        return cls(covered, pairs, scanned, rows, Totals.of(rows.size, layout))

    def read(
        self, connection: Connection, monitor_id: int, segments: Sequence[str], *, rows_only: bool
    ) -> None:
        """Add up what is stored. rows_only: of the segment that was covered, without columns."""
        first = 0
        for level in self.cover.levels:
            inside = (self.pairs[0] >= first) & (self.pairs[0] < first + level.starts.size)
            panes, groups = self.pairs[0][inside] - first, self.pairs[1][inside]
            first += level.starts.size
            if rows_only:
                np.add.at(self.rows[0], groups, level.rows[panes])
                continue
            used = np.unique(panes)
            starts = level.starts[used[level.rows[used] > 0]]
            owners = _Owners.of(level.starts, panes, groups)
            with_counts = self.totals.packs.layout != EMPTY
            for stored in read_packs(
                connection,
                monitor_id,
                level.level.seconds,
                segments,
                starts,
                with_counts=with_counts,
            ):
                self._add(stored, owners)

    def _add(self, stored: Stored, owners: "_Owners") -> None:
        size = self.rows.shape[1]
        index, groups = owners.pairs(stored.starts)
        np.add.at(self.rows, (stored.segments[index], groups), stored.rows[index])
        for held, packs in stored.decoded():
            index, groups = owners.pairs(stored.starts[held])
            groups = stored.segments[held][index] * size + groups
            order = np.argsort(groups, kind="stable")
            self.totals.add(packs, index[order], groups[order])

    def pieces(
        self, axes: Mapping[str, AxisRecord], groups: Sequence[Sequence[Interval]], segment: int
    ) -> list[PieceCounts]:
        """What was found of one segment, group by group."""
        size = len(groups)
        packs = self.totals.packs.at(slice(segment * size, (segment + 1) * size))
        columns = packs.columns()
        counted = dict(zip(packs.layout.axis_ids, packs.column_rows().T.tolist(), strict=True))
        return [
            PieceCounts(
                rows=int(self.rows[segment, number]),
                seconds=sum(interval.seconds for interval in group),
                scanned_seconds=int(self.scanned[number]),
                columns={name: _pane(columns[axis.id], number) for name, axis in axes.items()},
                column_rows={name: counted[axis.id][number] for name, axis in axes.items()},
            )
            for number, group in enumerate(groups)
        ]


@dataclass(frozen=True, slots=True)
class _Owners:
    """The groups of each pane of a level: those of pane n are groups[edges[n]:edges[n + 1]]."""

    starts: IntArray
    edges: IntArray
    groups: IntArray

    @classmethod
    def of(cls, starts: IntArray, panes: IntArray, groups: IntArray) -> "_Owners":
        order = np.argsort(panes, kind="stable")
        edges = np.searchsorted(panes[order], np.arange(starts.size + 1))
        return cls(starts, edges, groups[order])

    def pairs(self, starts: IntArray) -> tuple[IntArray, IntArray]:
        """Each of these panes, by its number among `starts`, with each of its groups."""
        panes = np.searchsorted(self.starts, starts)
        many = self.edges[panes + 1] - self.edges[panes]
        index = np.repeat(np.arange(starts.size), many)
        within = np.arange(index.size) - np.repeat(np.cumsum(many) - many, many)
        return index, self.groups[self.edges[panes][index] + within]


def _pane(panes: ColumnPanes, number: int) -> ColumnPanes:
    one = slice(number, number + 1)  # a view; there are thousands of them
    return ColumnPanes(
        panes.cells[one],
        panes.infinite[one],
        panes.total[one],
        panes.total_squares[one],
        panes.minimum[one],
        panes.maximum[one],
    )
