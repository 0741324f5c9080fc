"""How much is in each pane, without its distribution: what tells that a pane has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, literal_column
from sqlalchemy.sql.elements import ColumnElement

from driftwatch.errors import SourceError
from driftwatch.source.bucket import Present
from driftwatch.source.link import Link, StatementError
from driftwatch.source.plan import ScanPlan
from driftwatch.source.scan import aligned, check_unchanged, halved, reads
from driftwatch.source.statement import Queries, ScanColumn
from driftwatch.stats.counts import IntArray, PaneCensus
from driftwatch.window import Interval, to_epoch


def census(link: Link, plan: ScanPlan, intervals: Sequence[Interval]) -> list[PaneCensus]:
    """Rows and present values of every pane with rows, by interval, in the snapshot of `link`.

    Columns in trouble are left out. ChangedError as of `scan`.
    """
    for interval in intervals:
        aligned(interval, plan.pane_seconds)
    found = [_census(link, plan, interval) for interval in intervals]
    check_unchanged(link, plan)
    return found


def _census(link: Link, plan: ScanPlan, interval: Interval) -> PaneCensus:
    names = [[column.name for column in statement.columns] for statement in plan.statements]
    try:
        found = [_count(link, plan, some, interval) for some in names]
    except StatementError:
        check_unchanged(link, plan)
        found = [
            one
            for some in names
            for one in halved(some, lambda part: _count(link, plan, part, interval), {})
        ]
    panes, rows = _rows(plan, found)
    return PaneCensus(
        pane_seconds=plan.pane_seconds,
        starts=to_epoch(interval.start) + panes * plan.pane_seconds,
        rows=rows,
        present={name: values for one in found for name, values in one.present.items()},
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    panes: IntArray
    rows: IntArray
    present: Mapping[str, IntArray]


def _rows(plan: ScanPlan, found: Sequence[_Counted]) -> tuple[IntArray, IntArray]:
    """Statements of one snapshot have the same panes and rows."""
    first, *others = found
    for other in others:
        same = np.array_equal(first.panes, other.panes) and np.array_equal(first.rows, other.rows)
        if not same:
            raise SourceError(f"{plan.place.relation.table!r}: statements saw different rows")
    return first.panes, first.rows


def _count(link: Link, plan: ScanPlan, names: Sequence[str], interval: Interval) -> _Counted:
    key = ("census", *names)
    if key not in plan.kept:
        plan.kept[key] = _queries(plan, names)
    table: dict[int, IntArray] = {}
    seconds = plan.pane_seconds
    for first, records in reads(link, plan, plan.kept[key], interval, slice_seconds=seconds):
        for pane, *counts in records:
            if counts[0] and pane is not None:  # None: a text that is no timestamp
                table[first + int(pane)] = np.array(counts, np.int64)
    panes = sorted(table)
    counted = np.array([table[pane] for pane in panes], np.int64).reshape(-1, 1 + len(names))
    present = {name: counted[:, position] for position, name in enumerate(names, start=1)}
    return _Counted(np.array(panes, np.int64), counted[:, 0], present)


def _queries(plan: ScanPlan, names: Sequence[str]) -> Queries:
    """Rows and present values, as one pane or by panes."""
    place, columns = plan.place, {column.name: column for column in plan.columns}
    counts = [func.count(), *(_present(plan, columns[name]) for name in names)]
    pane = place.slice(plan.pane_seconds).label("pane")
    return Queries(
        single=place.compile(place.select(literal_column("0"), *counts)),
        grouped=place.compile(place.select(pane, *counts).group_by(literal_column("1"))),
    )


def _present(plan: ScanPlan, column: ScanColumn) -> ColumnElement[int]:
    """How many values are not missing on the axis of the column."""
    info = plan.info.column(column.name)
    assert info is not None, "what is not there has no statement"
    if not column.numeric:
        return func.count(plan.place.rows.c[column.name])
    return func.count(Present(plan.place.value(info)))
