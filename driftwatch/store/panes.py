"""Reading and writing the rows of the ledger.

`seconds` names a level of the ledger: the length of the panes, or 3600 and 86400 for roll-ups.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray
from driftwatch.store.dialect import insert_into
from driftwatch.store.packs import Packs, decode, encode
from driftwatch.store.schema import pane

Span = tuple[int, int]
"""Epoch seconds [low, high): panes that start inside."""

PORTION = 512
"""How many packs are in memory at once: 20 MB of a monitor with 200 columns."""

_MANY_SPANS = 16


@dataclass(frozen=True, slots=True)
class Level:
    """Where panes are: one monitor, one segment, one length."""

    monitor_id: int
    segment: str
    seconds: int


def no_counts(panes: int, cells: int) -> ColumnPanes:
    """Panes in which nothing was counted: zeros, and NaN for minimum and maximum."""
    return ColumnPanes(
        cells=np.zeros((panes, cells), np.int64),
        infinite=np.zeros(panes, np.int64),
        total=np.zeros(panes),
        total_squares=np.zeros(panes),
        minimum=np.full(panes, np.nan),
        maximum=np.full(panes, np.nan),
    )


def without_nan(values: FloatArray) -> list[float | None]:
    """The values as they are stored in columns of their own: None in place of NaN."""
    return [None if math.isnan(value) else value for value in values.tolist()]


def read_panes(
    connection: Connection, level: Level, spans: Iterable[Span]
) -> tuple[IntArray, IntArray]:
    """Starts, ascending, and rows of the panes inside the spans or between close ones."""
    statement = (
        sa.select(pane.c.start, pane.c.rows)
        .where(
            *_of(level), pane.c.start >= sa.bindparam("low"), pane.c.start < sa.bindparam("high")
        )
        .order_by(pane.c.start)
    )
    rows: list[tuple[int, int]] = []
    for low, high in _merged(spans):
        rows.extend(map(tuple, connection.execute(statement, {"low": low, "high": high})))
    table = np.array(rows, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def folded(connection: Connection, level: Level, starts: IntArray) -> IntArray:
    """Which of these panes stand for finer ones that were deleted."""
    if not starts.size:
        return starts
    low, high = int(starts.min()), int(starts.max())
    statement = sa.select(pane.c.start).where(
        *_of(level), pane.c.start.between(low, high), pane.c.folded
    )
    found: IntArray = np.intersect1d(starts, np.array(list(connection.scalars(statement)), int))
    return found


def set_folded(connection: Connection, level: Level, starts: IntArray, *, folded: bool) -> None:
    """Note that finer panes below these were deleted, or that all of them are there again."""
    for portion in portions(starts, PORTION):
        connection.execute(
            sa.update(pane)
            .where(*_of(level), pane.c.start.in_(portion.tolist()), pane.c.folded != folded)
            .values(folded=folded)
        )


def segments_of(connection: Connection, monitor_id: int) -> dict[str, bool]:
    """Every segment that has panes, each found by one look at the key, and whether its panes are
    counted apart from those of all rows ("" is)."""
    of_monitor = pane.c.monitor_id == monitor_id
    first = sa.select(sa.func.min(pane.c.segment).label("segment")).where(of_monitor)
    found = first.cte("found", recursive=True)
    later = sa.select(sa.func.min(pane.c.segment)).where(
        of_monitor, pane.c.segment > found.c.segment
    )
    found = found.union_all(sa.select(later.scalar_subquery()).where(found.c.segment.is_not(None)))
    some = pane.alias()
    apart = (
        sa.select(some.c.apart)
        .where(some.c.monitor_id == monitor_id, some.c.segment == found.c.segment)
        .limit(1)
        .scalar_subquery()
    )
    statement = sa.select(found.c.segment, apart).where(found.c.segment.is_not(None))
    return {segment: bool(is_apart) for segment, is_apart in connection.execute(statement)}


def lengths(connection: Connection, monitor_id: int, segment: str) -> list[int]:
    """The lengths of panes that are stored, longest first, each found by one look at the key."""
    of_segment = (pane.c.monitor_id == monitor_id, pane.c.segment == segment)
    first = sa.select(sa.func.max(pane.c.seconds).label("seconds")).where(*of_segment)
    found = first.cte("found", recursive=True)
    shorter = (
        sa.select(sa.func.max(pane.c.seconds))
        .where(*of_segment, pane.c.seconds < found.c.seconds)
        .scalar_subquery()
    )
    found = found.union_all(sa.select(shorter).where(found.c.seconds.is_not(None)))
    statement = sa.select(found.c.seconds).where(found.c.seconds.is_not(None))
    return sorted(connection.scalars(statement), reverse=True)


def first_and_last(connection: Connection, level: Level) -> tuple[int, int]:
    """The starts of the first and the last pane of a level that has some."""
    first, last = (
        sa.select(one(pane.c.start)).where(*_of(level)) for one in (sa.func.min, sa.func.max)
    )
    row = connection.execute(sa.select(first.scalar_subquery(), last.scalar_subquery())).one()
    return row[0], row[1]


@dataclass(frozen=True, slots=True)
class Stored:
    """Panes that were read: numbers of their segments among those asked for, starts, rows, shape
    (R,) each, in the order of segments and starts; their packs, None where nothing was counted."""

    segments: IntArray
    starts: IntArray
    rows: IntArray
    packs: Sequence[bytes | None]

    def decoded(self) -> list[tuple[IntArray, Packs]]:
        """The packs by layout, and the numbers of their panes."""
        held = [(number, one) for number, one in enumerate(self.packs) if one is not None]
        numbers = np.array([number for number, _ in held], np.int64)
        return [(numbers[index], found) for index, found in decode([one for _, one in held])]


def read_packs(
    connection: Connection,
    monitor_id: int,
    seconds: int,
    segments: Sequence[str],
    starts: IntArray,
    *,
    with_counts: bool = True,
) -> Iterator[Stored]:
    """The panes of these segments at these starts (ascending), in portions of starts."""
    counts = pane.c.counts if with_counts else sa.null()
    statement = sa.select(pane.c.segment, pane.c.start, pane.c.rows, counts).where(
        pane.c.monitor_id == monitor_id,
        pane.c.seconds == seconds,
        pane.c.segment.in_(sa.bindparam("segments", expanding=True)),
        pane.c.start.in_(sa.bindparam("starts", expanding=True)),
    )
    numbers = {segment: number for number, segment in enumerate(segments)}
    for portion in portions(starts, max(1, PORTION // max(len(segments), 1))):
        values = {"segments": list(segments), "starts": portion.tolist()}
        rows = [
            (numbers[segment], *rest) for segment, *rest in connection.execute(statement, values)
        ]
        rows.sort(key=itemgetter(0, 1))  # sums of floats depend on the order
        table = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3)
        yield Stored(table[:, 0], table[:, 1], table[:, 2], [row[3] for row in rows])


def portions(starts: IntArray, size: int) -> Iterator[IntArray]:
    """The starts, so many at a time."""
    for low in range(0, starts.size, size):
        yield starts[low : low + size]


@dataclass(frozen=True, slots=True)
class Block:
    """Panes of S segments at P starts, ascending, that are to be stored.

    rows, noted: shape (S, P); packs: S * P panes, segment after segment. noted: whether a pane
    without rows has a row of its own, too.
    """

    monitor_id: int
    seconds: int
    segments: Sequence[str]
    starts: IntArray
    rows: IntArray
    noted: npt.NDArray[np.bool_]
    packs: Packs
    apart: bool

    def number(self, stored: Stored) -> IntArray:
        """The numbers of stored panes in this block."""
        found: IntArray = stored.segments * self.starts.size + np.searchsorted(
            self.starts, stored.starts
        )
        return found


def upsert(
    connection: Connection,
    block: Block,
    packs: Packs,
    index: IntArray,
    now: datetime,
) -> None:
    """Store these panes of a block with these packs (one per index); revisions grow by one."""
    if not index.size:
        return
    insert = insert_into(connection, pane)
    statement = insert.on_conflict_do_update(
        index_elements=list(pane.primary_key),
        set_={
            "rows": insert.excluded.rows,
            "revision": pane.c.revision + 1,
            "scanned_at": insert.excluded.scanned_at,
            "counts": insert.excluded.counts,
        },
    )
    segments, starts = np.divmod(index, block.starts.size)
    values = zip(
        segments.tolist(),
        block.starts[starts].tolist(),
        block.rows.ravel()[index].tolist(),
        encode(packs),
        strict=True,
    )
    connection.execute(
        statement,
        [
            {
                "monitor_id": block.monitor_id,
                "segment": block.segments[segment],
                "seconds": block.seconds,
                "start": start,
                "rows": rows,
                "revision": 1,
                "scanned_at": now,
                "apart": block.apart or not block.segments[segment],
                "folded": False,
                "counts": counts,
            }
            for segment, start, rows, counts in values
        ],
    )


def _of(level: Level) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        pane.c.monitor_id == level.monitor_id,
        pane.c.segment == level.segment,
        pane.c.seconds == level.seconds,
    )


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, overlapping ones joined; of very many, the closest are joined, too."""
    joined: list[Span] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    if len(joined) <= _MANY_SPANS:
        return joined
    gaps = [b[0] - a[1] for a, b in pairwise(joined)]
    widest = sorted(range(len(gaps)), key=gaps.__getitem__)[-(_MANY_SPANS - 1) :]
    cuts = [-1, *sorted(widest), len(gaps)]
    return [(joined[a + 1][0], joined[b][1]) for a, b in pairwise(cuts)]
