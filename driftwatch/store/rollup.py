"""Roll-ups: hours and days of the ledger, each the exact sum of the panes below it.

A roll-up exists only where all of its span was counted, so that what is summed from it equals what
is summed from the panes. Where the panes below it were deleted (it is folded then), it can only be
made anew from all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from driftwatch.errors import FoldedError
from driftwatch.stats.counts import IntArray
from driftwatch.store.merge import store
from driftwatch.store.packs import Packs, union
from driftwatch.store.panes import (
    PORTION,
    Block,
    Level,
    Span,
    folded,
    portions,
    read_packs,
    read_panes,
    set_folded,
)
from driftwatch.store.totals import Totals
from driftwatch.window import Interval, format_duration, from_epoch

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


def require_whole(connection: Connection, level: Level, starts: IntArray) -> None:
    """See that panes at these starts can be stored without contradicting a folded roll-up.

    FoldedError: some lie in an hour or day whose other panes were deleted.
    """
    tops = [replace(level, seconds=seconds) for seconds in levels_above(level.seconds)]
    bins = [np.unique(starts - starts % above.seconds) for above in tops]
    marked = [
        folded(connection, above, of_level) for above, of_level in zip(tops, bins, strict=True)
    ]
    if not any(of_level.size for of_level in marked):
        return
    given = starts
    for number, above in enumerate(tops):
        seconds = above.seconds
        complete = _complete(connection, level, above, bins[number], given)
        lacking = np.setdiff1d(marked[number], complete)
        if lacking.size:
            start = int(lacking[0])
            raise FoldedError(
                f"{Interval(from_epoch(start), from_epoch(start + seconds))} is kept as one "
                f"{'hour' if seconds == LENGTHS[0] else 'day'} by now; its panes of "
                f"{format_duration(level.seconds)} were deleted after their retention. Count all "
                "of it at once"
            )
        level, given = above, complete


def _complete(
    connection: Connection, level: Level, above: Level, bins: IntArray, given: IntArray
) -> IntArray:
    """The bins that are whole once panes at the given starts are stored, too."""
    spans: list[Span] = [(start, start + above.seconds) for start in bins.tolist()]
    starts, _ = read_panes(connection, level, spans)
    owners = np.union1d(starts, given)
    found, counted = np.unique(owners - owners % above.seconds, return_counts=True)
    return np.intersect1d(found[counted == above.seconds // level.seconds], bins)


@dataclass(frozen=True, slots=True)
class Family:
    """Segments that are rolled up together: the first one's panes tell which hours and days are
    whole, those of the others have a row only where they have rows."""

    monitor_id: int
    segments: Sequence[str]

    @property
    def apart(self) -> bool:
        """Whether it is a segment that is counted by itself."""
        return self.segments[0] != ""

    def level(self, seconds: int) -> Level:
        return Level(self.monitor_id, self.segments[0], seconds)


def roll_up(
    connection: Connection, family: Family, seconds: int, changed: IntArray, now: datetime
) -> None:
    """Rebuild the hours and days above the panes of this length whose starts are given."""
    for above in levels_above(seconds):
        if not changed.size:
            return
        bins = np.unique(changed - changed % above)
        nothing = np.zeros(0, np.int64)
        whole = _complete(connection, family.level(seconds), family.level(above), bins, nothing)
        size = PORTION // (len(family.segments) * (above // seconds))
        made = [
            _rebuild(connection, family, seconds, above, some, now)
            for some in portions(whole, max(1, size))
        ]
        refilled = folded(connection, family.level(above), whole)
        set_folded(connection, family.level(above), refilled, folded=False)
        changed, seconds = np.concatenate([nothing, *made]), above


def _rebuild(
    connection: Connection, family: Family, seconds: int, above: int, bins: IntArray, now: datetime
) -> IntArray:
    """Sum up all panes of these bins; returns the bins that changed."""
    below = (bins[:, None] + np.arange(0, above, seconds)).ravel()
    rows = np.zeros((len(family.segments), bins.size), np.int64)
    parts: list[tuple[IntArray, Packs]] = []
    for found in read_packs(connection, family.monitor_id, seconds, family.segments, below):
        owners = np.searchsorted(bins, found.starts - found.starts % above)
        np.add.at(rows, (found.segments, owners), found.rows)
        groups = found.segments * bins.size + owners
        parts.extend((groups[index], packs) for index, packs in found.decoded())
    totals = Totals.of(rows.size, union([packs.layout for _, packs in parts]))
    for groups, packs in parts:
        totals.add(packs, np.arange(groups.size), groups)
    noted = np.zeros(rows.shape, np.bool_)
    noted[0] = True
    block = Block(
        family.monitor_id,
        above,
        family.segments,
        bins,
        rows,
        noted,
        totals.packs,
        apart=family.apart,
    )
    return store(connection, block, now)
