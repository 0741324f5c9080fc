"""Roll-ups: hours and days of the ledger, each the exact sum of the panes below it.

A roll-up exists only where all of its span was counted, so that what is summed from it equals what
is summed from the panes.
"""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from driftwatch.stats.counts import ColumnPanes, IntArray
from driftwatch.store.panes import (
    ColumnRows,
    Level,
    PaneBlock,
    Span,
    axis_ids_of,
    no_counts,
    read_columns,
    read_panes,
    write_panes,
)

LENGTHS = (3_600, 86_400)
"""Hours and days; they are aligned to midnight UTC, as panes of these lengths are."""


def levels_above(seconds: int) -> list[int]:
    """The lengths into which panes of this length are rolled up, each a multiple of the last.

    >>> levels_above(300), levels_above(3600), levels_above(2700), levels_above(420)
    ([3600, 86400], [86400], [86400], [])
    """
    levels = []
    for length in LENGTHS:
        if length > seconds and length % seconds == 0:
            levels.append(length)
            seconds = length
    return levels


def roll_up(connection: Connection, level: Level, changed: IntArray, now: datetime) -> None:
    """Rebuild the hours and days above the panes of this level whose starts are given."""
    for seconds in levels_above(level.seconds):
        if not changed.size:
            return
        above = Level(level.monitor_id, level.segment, seconds)
        changed = _rebuild(connection, level, above, np.unique(changed - changed % seconds), now)
        level = above


def _rebuild(
    connection: Connection, level: Level, above: Level, bins: IntArray, now: datetime
) -> IntArray:
    spans: list[Span] = [(start, start + above.seconds) for start in bins.tolist()]
    starts, rows = read_panes(connection, level, spans)
    owners = starts - starts % above.seconds
    found, counted = np.unique(owners, return_counts=True)
    complete: IntArray = found[counted == above.seconds // level.seconds]
    complete = complete[np.isin(complete, bins)]
    if not complete.size:
        return complete
    chosen = np.isin(owners, complete)
    totals = np.add.reduceat(rows[chosen], np.searchsorted(owners[chosen], complete))
    spans = [(start, start + above.seconds) for start in complete.tolist()]
    stored = read_columns(connection, level, axis_ids_of(connection, level.monitor_id), spans)
    columns = {
        axis_id: _summed(column, complete, above.seconds) for axis_id, column in stored.items()
    }
    return write_panes(connection, PaneBlock(above, complete, totals, columns), now)


def _summed(column: ColumnRows, bins: IntArray, seconds: int) -> ColumnPanes:
    owners = column.starts - column.starts % seconds
    groups = np.searchsorted(bins, owners)
    inside = (groups < bins.size) & (bins[groups.clip(max=bins.size - 1)] == owners)
    return sum_groups(column.panes, np.flatnonzero(inside), groups[inside], bins.size)


def sum_groups(panes: ColumnPanes, index: IntArray, groups: IntArray, count: int) -> ColumnPanes:
    """Sums of the panes at `index` per group 0..count-1; groups ascend, shape of index.

    A group without panes has zeros and NaN. The order of addition is that of index, so that the
    same panes give the same bits.
    """
    sums = no_counts(count, panes.cells.shape[1])
    present, first = np.unique(groups, return_index=True)
    if present.size:
        sums.cells[present] = np.add.reduceat(panes.cells[index], first, axis=0)
        sums.infinite[present] = np.add.reduceat(panes.infinite[index], first)
        sums.total[present] = np.add.reduceat(panes.total[index], first)
        sums.total_squares[present] = np.add.reduceat(panes.total_squares[index], first)
        sums.minimum[present] = np.fmin.reduceat(panes.minimum[index], first)
        sums.maximum[present] = np.fmax.reduceat(panes.maximum[index], first)
    return sums
