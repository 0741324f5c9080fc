"""Running a plan: one snapshot, all columns together, the rest when one column fails."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from driftwatch.errors import SourceError
from driftwatch.source.catalog import require_columns
from driftwatch.source.decode import Tally
from driftwatch.source.link import Link, Parameters, Query, Row, StatementError
from driftwatch.source.plan import ScanPlan, fingerprint
from driftwatch.source.statement import ScanColumn, Statement
from driftwatch.stats.counts import ColumnPanes, ColumnTrouble, IntArray, PaneCounts
from driftwatch.window import Interval, floor, to_epoch

_ALL_SECONDS = 86_400
"""The length of the one pane that rows without a time are said to have."""

_CHARACTERS = 16_000_000
"""SQLite sends one character per column and row."""


class ChangedError(SourceError):
    """The relation is no longer what the plan was made for."""


def scan(link: Link, plan: ScanPlan, interval: Interval | None) -> PaneCounts:
    """The counts of an interval, in the snapshot of `link`; of all rows where they have no time.

    ChangedError if the types of the columns are no longer the plan's. It is looked at after the
    counting, because only a relation that was read is held by the store until the end.
    """
    if interval is not None:
        aligned(interval, plan.pane_seconds)
    panes: list[_Panes] = []
    troubles = list(plan.troubles)
    try:
        for statement in plan.statements:
            panes.append(_run(link, plan, statement, interval))
    except StatementError:
        check_unchanged(link, plan)
        panes = []
        for statement in plan.statements:
            panes += _run_parts(link, plan, statement.columns, interval, troubles)
    check_unchanged(link, plan)
    return _together(plan, interval, panes, troubles)


def aligned(interval: Interval, pane_seconds: int) -> None:
    """ValueError if the interval does not begin and end with a pane."""
    if any(floor(moment, pane_seconds) != moment for moment in (interval.start, interval.end)):
        raise ValueError(f"{interval} is not made of panes of {pane_seconds} s")


def check_unchanged(link: Link, plan: ScanPlan) -> None:
    """ChangedError if a column of the plan came, went or changed its type."""
    place = plan.place
    found = fingerprint(plan, require_columns(link, place.dialect, place.relation))
    if found != plan.fingerprint:
        raise ChangedError(f"{place.relation.table!r} has changed")


_Panes = tuple[IntArray, IntArray, dict[str, ColumnPanes]]


def queries(plan: ScanPlan, interval: Interval) -> list[tuple[Query, Parameters]]:
    """What a scan of an interval runs, with the times of their first run."""
    single, parts = _parts(plan, interval)
    times = plan.place.times(parts[0])
    return [
        (statement.single if single else statement.grouped, times) for statement in plan.statements
    ]


def _run(link: Link, plan: ScanPlan, statement: Statement, interval: Interval | None) -> _Panes:
    tally = Tally(plan.place.dialect, statement.columns)
    if interval is None:
        for records in _all_rows(link, plan, statement):
            tally.add(records)
        return tally.panes(1)
    single, parts = _parts(plan, interval)
    query = statement.single if single else statement.grouped
    for part in parts:
        first = (part.start - interval.start) // timedelta(seconds=plan.slice_seconds)
        tally.add(link.run(query, plan.place.times(part)), first=first)
    return tally.panes(plan.pane_seconds // plan.slice_seconds)


def _all_rows(link: Link, plan: ScanPlan, statement: Statement) -> Iterator[list[Row]]:
    """Rows without a time, in PostgreSQL at once, in SQLite so many at a time that their
    characters have room in memory. It skips rows far faster than it counts them."""
    times = plan.place.times(None)
    if plan.place.dialect != "sqlite":
        yield list(link.run(statement.single, times))
        return
    most, skip = _CHARACTERS // max(len(statement.columns), 1), 0
    while True:
        records = list(link.run(statement.single, {"most": most, "skip": skip}))
        yield records
        if sum(rows for _, rows, *_ in records) < most:
            return
        skip += most


def _parts(plan: ScanPlan, interval: Interval) -> tuple[bool, list[Interval]]:
    """What is read at a time, and whether that is one slice each."""
    slices = _slices(interval, plan)
    if len(slices) == 1 or _by_index(plan):
        return True, slices
    return False, plan.place.parts(interval, plan.slice_seconds)


def _by_index(plan: ScanPlan) -> bool:
    """SQLite would sort all rows to group them; by an index each slice is read on its own."""
    return plan.place.dialect == "sqlite" and plan.info.timestamp_served


def _slices(interval: Interval, plan: ScanPlan) -> list[Interval]:
    step = timedelta(seconds=plan.slice_seconds)
    starts = [interval.start + i * step for i in range(interval.seconds // plan.slice_seconds)]
    return [Interval(start, start + step) for start in starts]


def _run_parts(
    link: Link,
    plan: ScanPlan,
    columns: Sequence[ScanColumn],
    interval: Interval | None,
    troubles: list[ColumnTrouble],
) -> list[_Panes]:
    """Halve the columns until those that the store cannot read stand alone."""
    try:
        return [_run(link, plan, plan.part(columns), interval)]
    except StatementError as error:
        if not columns:
            raise
        if len(columns) == 1:
            # Without the column the rows must still be readable, or it is not the column's fault.
            rest = [_run(link, plan, plan.part(()), interval)]
            name = columns[0].name
            message = f"{plan.place.relation.table!r}, column {name!r} cannot be read: {error}"
            troubles.append(ColumnTrouble(name, "unreadable", message))
            return rest
    middle = len(columns) // 2
    return [
        *_run_parts(link, plan, columns[:middle], interval, troubles),
        *_run_parts(link, plan, columns[middle:], interval, troubles),
    ]


def _together(
    plan: ScanPlan,
    interval: Interval | None,
    panes: Sequence[_Panes],
    troubles: Sequence[ColumnTrouble],
) -> PaneCounts:
    """Statements of one snapshot have the same panes and rows. Rows without a time are one pane."""
    pane_seconds = plan.pane_seconds if interval else _ALL_SECONDS
    numbers, rows, _ = panes[0]
    for other_numbers, other_rows, _ in panes[1:]:
        if not (np.array_equal(numbers, other_numbers) and np.array_equal(rows, other_rows)):
            raise SourceError(f"{plan.place.relation.table!r}: statements saw different rows")
    return PaneCounts(
        pane_seconds=pane_seconds,
        starts=(to_epoch(interval.start) if interval else 0) + numbers * pane_seconds,
        rows=rows,
        columns={name: counts for _, _, columns in panes for name, counts in columns.items()},
        troubles=tuple(troubles),
    )
