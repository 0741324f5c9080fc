"""The ledger: every pane's counts, kept once. Windows of any length are sums of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from driftwatch.stats.counts import ColumnPanes, IntArray, PaneCounts
from driftwatch.store import monitors
from driftwatch.store.axes import AxisRecord
from driftwatch.store.cover import Cover, cover
from driftwatch.store.panes import (
    ColumnRows,
    Level,
    PaneBlock,
    no_counts,
    read_columns,
    write_panes,
)
from driftwatch.store.rollup import roll_up, sum_groups
from driftwatch.window import Interval, floor, to_epoch, tumbling


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """What the ledger knows of one window.

    rows: all rows; scanned_seconds: how much of the window was counted (all of it: the window's
    length), with rows in it or not; columns: one pane of counts per axis, zeros where it was never
    counted; column_rows: rows of the window on which the column was counted (the sum of its
    cells): fewer than `rows` where it was not scanned in a part of the window.
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


def record(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    counts: PaneCounts,
    interval: Interval,
    now: datetime,
    *,
    segment: str = "",
) -> None:
    """Note every pane of `interval` as counted, those without rows too, and roll up above them.

    Doing it twice changes nothing. Where a pane's rows or counts changed, its revision grows by
    one. Columns that are not in `counts` keep what was counted of them earlier.

    ValueError: the interval is not made of whole panes, counts lie outside, or a column has no axis
    or one with another number of cells.
    """
    starts = _pane_starts(counts, interval)
    at = np.searchsorted(starts, counts.starts)
    rows = np.zeros(starts.size, np.int64)
    rows[at] = counts.rows
    columns = {
        axes[name].id: ColumnRows(counts.starts, _fitting(axes[name], panes)).at(starts)
        for name, panes in counts.columns.items()
    }
    monitors.lock(connection, monitor_id)
    level = Level(monitor_id, segment, counts.pane_seconds)
    changed = write_panes(connection, PaneBlock(level, starts, rows, columns), now)
    roll_up(connection, level, changed, now)


def sum_windows(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    windows: Sequence[Interval],
    *,
    segment: str = "",
) -> list[WindowCounts]:
    """The counts of each window, in the order of `windows`: days, hours and panes added up.

    Windows may have any length and overlap. What was never counted adds nothing, and
    `scanned_seconds` tells.
    """
    if not windows:
        return []
    found = _cover(connection, monitor_id, segment, windows)
    rows, seconds = found.rows(len(windows)), found.scanned_seconds(len(windows))
    sums = _column_sums(connection, axes, found, len(windows))
    counted = {name: panes.cells.sum(axis=1).tolist() for name, panes in sums.items()}
    return [
        WindowCounts(
            interval=window,
            rows=int(rows[number]),
            scanned_seconds=int(seconds[number]),
            columns={name: _pane(panes, number) for name, panes in sums.items()},
            column_rows={name: of_column[number] for name, of_column in counted.items()},
        )
        for number, window in enumerate(windows)
    ]


def window_rows(
    connection: Connection,
    monitor_id: int,
    interval: Interval,
    window_seconds: int,
    *,
    segment: str = "",
) -> IntArray:
    """Rows of every tumbling window inside `interval` that was counted whole, oldest first."""
    windows = list(tumbling(interval.start, interval.end, window_seconds))
    if not windows:
        return np.zeros(0, np.int64)
    found = _cover(connection, monitor_id, segment, windows)
    whole = found.scanned_seconds(len(windows)) == window_seconds
    rows: IntArray = found.rows(len(windows))[whole]
    return rows


def _pane_starts(counts: PaneCounts, interval: Interval) -> IntArray:
    seconds = counts.pane_seconds
    for moment in (interval.start, interval.end):
        if floor(moment, seconds) != moment:
            raise ValueError(f"{interval} is not made of whole panes of {seconds} s")
    starts = np.arange(to_epoch(interval.start), to_epoch(interval.end), seconds)
    if not np.isin(counts.starts, starts).all():
        raise ValueError(f"counts have panes outside {interval}")
    return starts


def _fitting(axis: AxisRecord, panes: ColumnPanes) -> ColumnPanes:
    if panes.cells.shape[1] != axis.axis.cells:
        raise ValueError(
            f"column {axis.column!r} was counted in {panes.cells.shape[1]} cells; its axis has "
            f"{axis.axis.cells}"
        )
    return panes


def _cover(
    connection: Connection, monitor_id: int, segment: str, windows: Sequence[Interval]
) -> Cover:
    spans = [(to_epoch(window.start), to_epoch(window.end)) for window in windows]
    return cover(connection, monitor_id, segment, spans)


def _column_sums(
    connection: Connection, axes: Mapping[str, AxisRecord], found: Cover, windows: int
) -> dict[str, ColumnPanes]:
    ids = [axis.id for axis in axes.values()]
    stored = [
        read_columns(connection, level.level, ids, level.spans) if level.starts.size else {}
        for level in found.levels
    ]
    sums = {}
    for name, axis in axes.items():
        parts = [
            of_level[axis.id].at(level.starts)
            if axis.id in of_level
            else no_counts(level.starts.size, axis.axis.cells)
            for level, of_level in zip(found.levels, stored, strict=True)
        ]
        whole = _joined(parts) if parts else no_counts(0, axis.axis.cells)
        sums[name] = sum_groups(whole, found.index, found.groups, windows)
    return sums


def _joined(parts: Sequence[ColumnPanes]) -> ColumnPanes:
    if len(parts) == 1:
        return parts[0]
    return ColumnPanes(
        cells=np.concatenate([part.cells for part in parts]),
        infinite=np.concatenate([part.infinite for part in parts]),
        total=np.concatenate([part.total for part in parts]),
        total_squares=np.concatenate([part.total_squares for part in parts]),
        minimum=np.concatenate([part.minimum for part in parts]),
        maximum=np.concatenate([part.maximum for part in parts]),
    )


def _pane(panes: ColumnPanes, number: int) -> ColumnPanes:
    one = slice(number, number + 1)
    return ColumnPanes(
        panes.cells[one],
        panes.infinite[one],
        panes.total[one],
        panes.total_squares[one],
        panes.minimum[one],
        panes.maximum[one],
    )
