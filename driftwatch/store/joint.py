"""Joint counts: rows by feature bin x prediction bin, of an hour each, and their sums.

They are kept by the axes on which they were counted, so that counts of two versions of an axis are
never added. A feature without counts in an hour that has rows was not counted there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.stats.counts import IntArray, JointCounts
from driftwatch.store import monitors
from driftwatch.store.cover import gaps
from driftwatch.store.dialect import insert_into
from driftwatch.store.joint_rows import (
    DAY_SECONDS,
    Hours,
    JointAxes,
    Level,
    position,
    read_hours,
    write_hours,
)
from driftwatch.store.packs import Packs, decode, encode, no_packs, put, relaid, union
from driftwatch.store.panes import PORTION, Span, portions
from driftwatch.store.schema import joint_count, joint_reference
from driftwatch.window import Interval, to_epoch


@dataclass(frozen=True, slots=True)
class JointSum:
    """Rows of one feature by its cell and the prediction's, shape (Kx, Ky); seconds: how much of
    what was asked for was counted, with rows in it or not."""

    cells: IntArray
    seconds: int


def record(
    connection: Connection,
    axes: JointAxes,
    counts: JointCounts,
    interval: Interval,
    now: datetime,
    *,
    allow_shrink: bool = False,
) -> None:
    """Note the joint counts of an interval, those of hours without rows, too.

    Doing it twice changes nothing. Features that are not in `counts` keep what was counted of
    them. An hour never shrinks unless it is allowed: a log that expires must not empty it. Hours
    of a day that is kept as one stay in it, unless all of the day was counted again.
    """
    monitors.lock(connection, axes.monitor_id)
    level = Level(axes.monitor_id, axes.prediction.id, counts.seconds)
    every = np.arange(to_epoch(interval.start), to_epoch(interval.end), counts.seconds)
    starts = _apart_from_days(connection, level, every)
    for portion in portions(starts, PORTION):
        new = _hours_of(axes, counts, portion)
        old = read_hours(connection, level, portion)
        merged = _merged(new, old, allow_shrink=allow_shrink)
        before = relaid(old.packs, merged.packs.layout)
        differs = (merged.packs.counts != before.counts).any(axis=1)
        index = np.flatnonzero((merged.rows != old.rows) | differs)
        changed = Hours(merged.rows[index], merged.packs.at(index))
        write_hours(connection, level, portion[index].tolist(), changed, now)


def not_counted(connection: Connection, axes: JointAxes, span: Interval, seconds: int) -> list[int]:
    """Starts of the hours inside an interval in which not every one of these features was
    counted."""
    starts = np.arange(to_epoch(span.start), to_epoch(span.end), seconds)
    ids = {one.id for one in axes.features.values()}
    whole: list[Span] = []
    for level, some in _cover(connection, axes, [(to_epoch(span.start), to_epoch(span.end))]):
        hours = read_hours(connection, level, some)
        at = position(hours.packs.layout)
        own = [at[one] for one in ids if one in at]
        complete = (hours.present[:, own].sum(axis=1) == len(ids)) | (hours.rows == 0)
        whole += [(start, start + level.seconds) for start in some[complete].tolist()]
    left = np.ones(starts.size, np.bool_)
    for low, high in whole:
        left &= (starts < low) | (starts + seconds > high)
    found: list[int] = starts[left].tolist()
    return found


def sum_pieces(
    connection: Connection, axes: JointAxes, pieces: Sequence[Interval]
) -> dict[str, JointSum]:
    """What was counted of disjoint intervals, added up: whole hours and days inside them."""
    cells = {name: np.zeros(axes.shape(name), np.int64) for name in axes.features}
    seconds = dict.fromkeys(axes.features, 0)
    spans = [(to_epoch(one.start), to_epoch(one.end)) for one in pieces]
    for level, starts in _cover(connection, axes, spans):
        for portion in portions(starts, PORTION):
            hours = read_hours(connection, level, portion)
            at = position(hours.packs.layout)
            for name, table in axes.cells(hours.packs).items():
                cells[name] += table.sum(axis=0)
                own = hours.present[:, at[axes.features[name].id]]
                seconds[name] += level.seconds * int(own.sum())
            for name in seconds:
                seconds[name] += level.seconds * int((hours.rows == 0).sum())
    return {name: JointSum(cells[name], seconds[name]) for name in axes.features}


def save_reference(
    connection: Connection,
    axes: JointAxes,
    reference_id: int,
    cells: Mapping[str, IntArray],
    rows: int,
    now: datetime,
) -> None:
    """Note the joint counts of a reference, (Kx, Ky) by feature, beside those that it has."""
    packs = axes.packs({name: table[np.newaxis] for name, table in cells.items()}, 1)
    known = _of_reference(connection, reference_id)
    if known is not None:
        merged = no_packs(1, union([packs.layout, known.layout]))
        put(merged, known, slice(None))
        put(merged, packs, slice(None))
        packs = merged
    insert = insert_into(connection, joint_reference)
    statement = insert.on_conflict_do_update(
        index_elements=["reference_id"],
        set_={name: insert.excluded[name] for name in ("rows", "created_at", "counts")},
    )
    (blob,) = encode(packs)
    values = {"reference_id": reference_id, "rows": rows, "created_at": now, "counts": blob}
    connection.execute(statement, values)


def of_reference(connection: Connection, axes: JointAxes, reference_id: int) -> dict[str, IntArray]:
    """Joint counts of a reference, (Kx, Ky) by feature; without features that it does not have."""
    packs = _of_reference(connection, reference_id)
    if packs is None:
        return {}
    return {name: table[0] for name, table in axes.cells(packs).items()}


def _of_reference(connection: Connection, reference_id: int) -> Packs | None:
    blob = connection.scalar(
        sa.select(joint_reference.c.counts).where(joint_reference.c.reference_id == reference_id)
    )
    if blob is None:
        return None
    ((_, packs),) = decode([blob])
    return packs


def _hours_of(axes: JointAxes, counts: JointCounts, starts: IntArray) -> Hours:
    """What was counted at these starts; hours that the counts leave out have no rows."""
    here = np.isin(counts.starts, starts)
    at = np.searchsorted(starts, counts.starts[here])
    rows = np.zeros(starts.size, np.int64)
    rows[at] = counts.rows[here]
    cells = {}
    for name, table in counts.features.items():
        cells[name] = np.zeros((starts.size, *table.shape[1:]), np.int64)
        cells[name][at] = table[here]
    return Hours(rows, axes.packs(cells, starts.size))


def _merged(new: Hours, old: Hours, *, allow_shrink: bool) -> Hours:
    merged = no_packs(new.rows.size, union([new.packs.layout, old.packs.layout]))
    put(merged, old.packs, slice(None))
    before = merged.counts.copy()
    rows_before = merged.column_rows()
    put(merged, new.packs, slice(None))
    if allow_shrink:
        return Hours(new.rows, merged)
    fewer = np.repeat(merged.column_rows() < rows_before, merged.layout.cells, axis=1)
    merged.counts[fewer] = before[fewer]
    return Hours(np.maximum(new.rows, old.rows), merged)


def _apart_from_days(connection: Connection, level: Level, starts: IntArray) -> IntArray:
    """The starts that lie in no day that is kept as one; a day all of which is there goes."""
    if not starts.size or level.seconds >= DAY_SECONDS:
        return starts
    low, high = int(starts[0]), int(starts[-1]) + level.seconds
    of_days = Level(level.monitor_id, level.prediction_axis_id, DAY_SECONDS)
    days = connection.scalars(
        sa.select(joint_count.c.start).where(
            of_days.where, joint_count.c.start > low - DAY_SECONDS, joint_count.c.start < high
        )
    ).all()
    whole = [day for day in days if low <= day and day + DAY_SECONDS <= high]
    connection.execute(sa.delete(joint_count).where(of_days.where, joint_count.c.start.in_(whole)))
    kept = np.array([day for day in days if day not in whole], np.int64)
    apart: IntArray = starts[~np.isin(starts - starts % DAY_SECONDS, kept)]
    return apart


def _cover(
    connection: Connection, axes: JointAxes, spans: Sequence[Span]
) -> Iterator[tuple[Level, IntArray]]:
    """The stored hours and days that make up these spans, the longest first, none twice."""
    left = list(spans)
    if not left:
        return
    table = connection.execute(
        sa.select(joint_count.c.seconds, joint_count.c.start)
        .where(
            joint_count.c.monitor_id == axes.monitor_id,
            joint_count.c.prediction_axis_id == axes.prediction.id,
            joint_count.c.start >= min(low for low, _ in left),
            joint_count.c.start < max(high for _, high in left),
        )
        .order_by(joint_count.c.seconds.desc(), joint_count.c.start)
    ).all()
    for seconds in dict.fromkeys(row.seconds for row in table):
        known = [row.start for row in table if row.seconds == seconds]
        chosen: list[int] = []
        still: list[Span] = []
        for part in left:
            low, high = bisect_left(known, part[0]), bisect_right(known, part[1] - seconds)
            chosen += known[low:high]
            if low < high:
                still += gaps(part, np.array(known[low:high]), seconds)
            else:
                still.append(part)
        left = still
        if chosen:
            level = Level(axes.monitor_id, axes.prediction.id, seconds)
            yield level, np.array(sorted(chosen), np.int64)
