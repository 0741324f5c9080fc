"""Which rows of the ledger add up to a window: days where they serve, then hours, then panes."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from driftwatch.stats.counts import IntArray
from driftwatch.store.panes import Level, Span, lengths, read_panes


@dataclass(frozen=True, slots=True)
class CoverLevel:
    """The panes of one length that were found."""

    level: Level
    starts: IntArray
    rows: IntArray


@dataclass(frozen=True, slots=True)
class Cover:
    """Windows as sums of stored panes.

    The panes of all levels are numbered through, level after level. index and groups have one
    entry per (window, pane): the number of the pane, and that of the window, ascending.
    """

    levels: tuple[CoverLevel, ...]
    index: IntArray
    groups: IntArray

    def rows(self, windows: int) -> IntArray:
        """Rows per window."""
        found = [level.rows for level in self.levels]
        return self._sums(np.concatenate(found) if found else _EMPTY, windows)

    def scanned_seconds(self, windows: int) -> IntArray:
        """Seconds of each window that were counted, with rows in them or not."""
        found = [np.full(level.starts.size, level.level.seconds) for level in self.levels]
        return self._sums(np.concatenate(found) if found else _EMPTY, windows)

    def _sums(self, values: IntArray, windows: int) -> IntArray:
        sums = np.zeros(windows, np.int64)
        np.add.at(sums, self.groups, values[self.index])
        return sums


_EMPTY = np.zeros(0, np.int64)


def cover(connection: Connection, monitor_id: int, segment: str, windows: Sequence[Span]) -> Cover:
    """Find the fewest stored panes that make up each window (epoch seconds [start, end)).

    A part of a window that was never counted stays uncovered. Fine panes are read only where no
    roll-up serves.
    """
    open_parts: list[list[Span]] = [[window] for window in windows]
    levels: list[CoverLevel] = []
    pairs: list[tuple[int, int, int]] = []  # window, first and last number of a run of panes
    size = 0
    for seconds in lengths(connection, monitor_id, segment):
        spans = {part for parts in open_parts for part in parts if part[1] - part[0] >= seconds}
        if not spans:
            continue
        level = Level(monitor_id, segment, seconds)
        starts, rows = read_panes(connection, level, spans)
        known = starts.tolist()
        for window, parts in enumerate(open_parts):
            left: list[Span] = []
            for part in parts:
                low, high = bisect_left(known, part[0]), bisect_right(known, part[1] - seconds)
                if low < high:
                    pairs.append((window, size + low, size + high))
                    left.extend(gaps(part, starts[low:high], seconds))
                else:
                    left.append(part)
            open_parts[window] = left
        levels.append(CoverLevel(level, starts, rows))
        size += starts.size
    pairs.sort()
    return _numbered(levels, pairs)


def gaps(part: Span, starts: IntArray, seconds: int) -> list[Span]:
    """What the panes of this length leave open of a part."""
    ends = np.concatenate(([part[0]], starts + seconds))
    begins = np.concatenate((starts, [part[1]]))
    bare = begins > ends
    return list(zip(ends[bare].tolist(), begins[bare].tolist(), strict=True))


def _numbered(levels: list[CoverLevel], pairs: list[tuple[int, int, int]]) -> Cover:
    if not pairs:
        return Cover(tuple(levels), _EMPTY, _EMPTY)
    table = np.array(pairs, np.int64)
    lengths = table[:, 2] - table[:, 1]
    before = np.cumsum(lengths) - lengths
    within = np.arange(int(lengths.sum())) - np.repeat(before, lengths)
    index = np.repeat(table[:, 1], lengths) + within
    return Cover(tuple(levels), index, np.repeat(table[:, 0], lengths))
