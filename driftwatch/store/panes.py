"""Reading and writing the rows of the ledger: panes, and the counts of columns in panes.

`seconds` names a level of the ledger: the length of the panes, or 3600 and 86400 for roll-ups.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray
from driftwatch.store.dialect import insert_into
from driftwatch.store.encoding import cells_of, decode, encode
from driftwatch.store.schema import axis as axis_table
from driftwatch.store.schema import pane, pane_column

Span = tuple[int, int]
"""Epoch seconds [low, high): panes that start inside."""

_MANY_SPANS = 16


@dataclass(frozen=True, slots=True)
class Level:
    """Where panes are: one monitor, one segment, one length."""

    monitor_id: int
    segment: str
    seconds: int


@dataclass(frozen=True, slots=True)
class ColumnRows:
    """What is stored of one column: epoch starts, ascending, shape (P,), and P panes of counts."""

    starts: IntArray
    panes: ColumnPanes

    def at(self, starts: IntArray) -> ColumnPanes:
        """The counts at these starts, in their order; zeros where nothing is stored."""
        result = no_counts(starts.size, self.panes.cells.shape[1])
        if self.starts.size:
            found = np.searchsorted(self.starts, starts).clip(max=self.starts.size - 1)
            here = self.starts[found] == starts
            for name in ("cells", "infinite", "total", "total_squares", "minimum", "maximum"):
                getattr(result, name)[here] = getattr(self.panes, name)[found[here]]
        return result


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


def read_panes(
    connection: Connection, level: Level, spans: Iterable[Span]
) -> tuple[IntArray, IntArray]:
    """Starts, ascending, and rows of the panes inside the spans or between close ones."""
    statement = (
        sa.select(pane.c.start, pane.c.rows)
        .where(
            pane.c.monitor_id == level.monitor_id,
            pane.c.segment == level.segment,
            pane.c.seconds == level.seconds,
            pane.c.start >= sa.bindparam("low"),
            pane.c.start < sa.bindparam("high"),
        )
        .order_by(pane.c.start)
    )
    rows: list[tuple[int, int]] = []
    for low, high in _merged(spans):
        rows.extend(map(tuple, connection.execute(statement, {"low": low, "high": high})))
    table = np.array(rows, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def read_columns(
    connection: Connection, level: Level, axis_ids: Sequence[int], spans: Iterable[Span]
) -> dict[int, ColumnRows]:
    """Counts of the axes in the panes that start inside the spans or between close ones.

    Axes of which nothing is stored there are left out.
    """
    fields = (
        pane_column.c.start, pane_column.c.counts, pane_column.c.infinite, pane_column.c.total,
        pane_column.c.total_squares, pane_column.c.minimum, pane_column.c.maximum,
    )  # fmt: skip
    statement = (
        sa.select(pane_column.c.axis_id, *fields)
        .where(
            pane_column.c.axis_id.in_(axis_ids),
            pane_column.c.segment == level.segment,
            pane_column.c.seconds == level.seconds,
            pane_column.c.start >= sa.bindparam("low"),
            pane_column.c.start < sa.bindparam("high"),
        )
        .order_by(pane_column.c.axis_id, pane_column.c.start)
    )
    rows: dict[int, list[Any]] = {}
    for low, high in _merged(spans) if axis_ids else ():
        for row in connection.execute(statement, {"low": low, "high": high}):
            rows.setdefault(row[0], []).append(row)
    return {axis_id: _decoded(of_axis) for axis_id, of_axis in rows.items()}


def axis_ids_of(connection: Connection, monitor_id: int) -> list[int]:
    """Every axis of the monitor, active or not."""
    statement = sa.select(axis_table.c.id).where(axis_table.c.monitor_id == monitor_id)
    return list(connection.scalars(statement))


@dataclass(frozen=True, slots=True)
class PaneBlock:
    """Panes of one level: starts ascend, shape (P,); rows (P,); per axis id P panes of counts."""

    level: Level
    starts: IntArray
    rows: IntArray
    columns: Mapping[int, ColumnPanes]


def write_panes(connection: Connection, block: PaneBlock, now: datetime) -> IntArray:
    """Store what is new or differs; returns the starts of those panes.

    What is stored of other columns stays. A changed pane's revision grows by one. Sums and sums of
    squares that differ by less than 1e-9 of their size do not differ: a store adds in any order.
    """
    level, starts, rows = block.level, block.starts, block.rows
    if not starts.size:
        return starts
    spans = [(int(starts[0]), int(starts[-1]) + 1)]
    known_starts, known_rows = read_panes(connection, level, spans)
    at = np.searchsorted(known_starts, starts).clip(max=max(known_starts.size - 1, 0))
    is_known = known_starts[at] == starts if known_starts.size else np.zeros(starts.size, bool)
    changed = ~is_known
    changed[is_known] = known_rows[at[is_known]] != rows[is_known]
    stored = read_columns(connection, level, list(block.columns), spans) if is_known.any() else {}
    written: list[dict[str, object]] = []
    for axis_id, panes in block.columns.items():
        differs = _differs(panes, stored.get(axis_id), starts)
        changed |= differs
        written.extend(_column_values(axis_id, level, starts, panes, np.flatnonzero(differs)))
    _upsert_panes(connection, level, starts[changed], rows[changed], now)
    if written:
        connection.execute(_upsert_column(connection), written)
    found: IntArray = starts[changed]
    return found


def _differs(panes: ColumnPanes, stored: ColumnRows | None, starts: IntArray) -> Any:
    if stored is None:
        return panes.cells.any(axis=1)
    old = stored.at(starts)
    size = np.sqrt(old.total_squares) * np.sqrt(old.cells.sum(axis=1))  # sum of |x| is at most this
    size[~np.isfinite(size)] = 0.0
    return (
        (panes.cells != old.cells).any(axis=1)
        | (panes.infinite != old.infinite)
        | ~_near(panes.total, old.total, size)
        | ~_near(panes.total_squares, old.total_squares, old.total_squares)
        | ~_near(panes.minimum, old.minimum, 0.0)
        | ~_near(panes.maximum, old.maximum, 0.0)
    )


def _near(new: FloatArray, old: FloatArray, size: FloatArray | float) -> Any:
    margin = np.nan_to_num(1e-9 * np.asarray(size), nan=0.0, posinf=0.0)
    return np.isclose(new, old, rtol=0.0, atol=margin, equal_nan=True)


def _column_values(
    axis_id: int, level: Level, starts: IntArray, panes: ColumnPanes, index: IntArray
) -> Iterator[dict[str, object]]:
    values = zip(
        starts[index].tolist(),
        encode(panes.cells[index]),
        panes.infinite[index].tolist(),
        without_nan(panes.total[index]),
        without_nan(panes.total_squares[index]),
        without_nan(panes.minimum[index]),
        without_nan(panes.maximum[index]),
        strict=True,
    )
    for start, counts, infinite, total, squares, minimum, maximum in values:
        yield {
            "axis_id": axis_id,
            "segment": level.segment,
            "seconds": level.seconds,
            "start": start,
            "counts": counts,
            "infinite": infinite,
            "total": total,
            "total_squares": squares,
            "minimum": minimum,
            "maximum": maximum,
        }


def _upsert_panes(
    connection: Connection, level: Level, starts: IntArray, rows: IntArray, now: datetime
) -> None:
    if not starts.size:
        return
    insert = insert_into(connection, pane)
    statement = insert.on_conflict_do_update(
        index_elements=list(pane.primary_key),
        set_={
            "rows": insert.excluded.rows,
            "revision": pane.c.revision + 1,
            "scanned_at": insert.excluded.scanned_at,
        },
    )
    connection.execute(
        statement,
        [
            {
                "monitor_id": level.monitor_id,
                "segment": level.segment,
                "seconds": level.seconds,
                "start": start,
                "rows": count,
                "revision": 1,
                "scanned_at": now,
            }
            for start, count in zip(starts.tolist(), rows.tolist(), strict=True)
        ],
    )


def _upsert_column(connection: Connection) -> sa.Insert:
    insert = insert_into(connection, pane_column)
    values = ("counts", "infinite", "total", "total_squares", "minimum", "maximum")
    return insert.on_conflict_do_update(
        index_elements=list(pane_column.primary_key),
        set_={name: insert.excluded[name] for name in values},
    )


def _decoded(rows: list[Any]) -> ColumnRows:
    _, starts, blobs, infinite, total, squares, minimum, maximum = zip(*rows, strict=True)
    panes = ColumnPanes(
        cells=decode(blobs, cells_of(blobs[0])),
        infinite=np.array(infinite, np.int64),
        total=np.array(total, np.float64),
        total_squares=np.array(squares, np.float64),
        minimum=np.array(minimum, np.float64),  # None becomes NaN
        maximum=np.array(maximum, np.float64),
    )
    return ColumnRows(np.array(starts, np.int64), panes)


def without_nan(values: FloatArray) -> list[float | None]:
    """The values as they are stored: None in place of NaN."""
    return [None if math.isnan(value) else value for value in values.tolist()]


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
