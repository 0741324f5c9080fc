"""Running a plan: one snapshot, all columns together, the rest when one column fails."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import numpy as np

from driftwatch.errors import SourceError
from driftwatch.source.catalog import require_columns
from driftwatch.source.decode import Counted, Tally
from driftwatch.source.link import Link, Parameters, Query, Row, StatementError
from driftwatch.source.plan import ScanPlan, fingerprint
from driftwatch.source.statement import Queries, ScanColumn, Statement
from driftwatch.stats.counts import ColumnTrouble, PaneCounts
from driftwatch.stats.segment import Grouping
from driftwatch.window import Interval, floor, to_epoch, tumbling

_ALL_SECONDS = 86_400
"""The length of the one pane that rows without a time are said to have."""

_CHARACTERS = 16_000_000
"""SQLite sends one character per column and row."""

_CELLS = 5_000_000
"""PostgreSQL sends up to twelve digits per cell of a slice and segment, all of a statement at once.
An interval with more cells is read piece by piece, where an index serves that."""


_Found = TypeVar("_Found")


class ChangedError(SourceError):
    """The relation is no longer what the plan was made for."""


def scan(link: Link, plan: ScanPlan, interval: Interval | None) -> PaneCounts:
    """The counts of an interval, in the snapshot of `link`; of all rows where they have no time.

    ChangedError if the types of the columns are no longer the plan's. It is looked at after the
    counting, because only a relation that was read is held by the store until the end.
    """
    if interval is not None:
        aligned(interval, plan.pane_seconds)
    troubles = list(plan.troubles)
    try:
        counted = [_run(link, plan, statement, interval) for statement in plan.statements]
    except StatementError:
        check_unchanged(link, plan)
        counted = _run_apart(link, plan, interval, troubles)
    check_unchanged(link, plan)
    return _together(plan, interval, counted, troubles)


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


def queries(plan: ScanPlan, interval: Interval) -> list[tuple[Query, Parameters]]:
    """What a scan of an interval runs, with the times of their first run."""
    found: list[tuple[Query, Parameters]] = []
    for statement in plan.statements:
        single, parts = _parts(plan, interval, plan.slice_seconds, _slices_at_once(statement))
        one = statement.queries
        found.append((one.single if single else one.grouped, plan.place.times(parts[0])))
    return found


def reads(
    link: Link,
    plan: ScanPlan,
    queries: Queries,
    interval: Interval,
    *,
    slice_seconds: int,
    slices_at_once: int = _CELLS,
) -> Iterator[tuple[int, Iterator[Row]]]:
    """The records of the queries over an interval, part by part, each with the number of the slice
    from which on it numbers its own."""
    single, parts = _parts(plan, interval, slice_seconds, slices_at_once)
    query = queries.single if single else queries.grouped
    for part in parts:
        first = (part.start - interval.start) // timedelta(seconds=slice_seconds)
        yield first, link.run(query, plan.place.times(part))


def _run(link: Link, plan: ScanPlan, statement: Statement, interval: Interval | None) -> Counted:
    tally = Tally(plan.place.dialect, statement.columns, statement.groupings)
    if interval is None:
        _run_all_rows(link, plan, statement, tally)
        return tally.counted(1)
    for first, records in reads(
        link,
        plan,
        statement.queries,
        interval,
        slice_seconds=plan.slice_seconds,
        slices_at_once=_slices_at_once(statement),
    ):
        tally.add(records, first=first)
    return tally.counted(plan.pane_seconds // plan.slice_seconds)


def _run_all_rows(link: Link, plan: ScanPlan, statement: Statement, tally: Tally) -> None:
    """Rows without a time, in PostgreSQL at once, in SQLite so many at a time that their
    characters have room in memory. It skips rows far faster than it counts them."""
    if plan.place.dialect != "sqlite":
        tally.add(link.run(statement.queries.single, plan.place.times(None)))
        return
    most, skip = rows_at_once(len(statement.columns)), 0
    while tally.add(link.run(statement.queries.single, {"most": most, "skip": skip})) == most:
        skip += most


def rows_at_once(columns: int) -> int:
    """How many rows of so many columns SQLite sends at a time."""
    return _CHARACTERS // max(columns, 1)


def _parts(
    plan: ScanPlan, interval: Interval, slice_seconds: int, slices_at_once: int
) -> tuple[bool, list[Interval]]:
    """What is read at a time, and whether that is one slice each.

    SQLite would sort all rows to group them: by an index it reads each slice on its own.
    """
    slices = list(tumbling(interval.start, interval.end, slice_seconds))
    served = plan.info.timestamp_served
    if len(slices) == 1 or (served and plan.place.dialect == "sqlite"):
        return True, slices
    parts = plan.place.parts(interval, slice_seconds)
    if not served:
        return False, parts
    step = timedelta(seconds=slice_seconds * min(slices_at_once, len(slices)))
    return False, [piece for part in parts for piece in _pieces(part, step)]


def _slices_at_once(statement: Statement) -> int:
    cells = sum(column.outcomes for column in statement.columns)
    segments = sum(len(grouping.levels) + 1 for grouping in statement.groupings)
    return max(1, _CELLS // max(1, cells * max(1, segments)))


def _pieces(part: Interval, step: timedelta) -> Iterator[Interval]:
    start = part.start
    while start < part.end:
        yield Interval(start, min(start + step, part.end))
        start += step


def _run_apart(
    link: Link, plan: ScanPlan, interval: Interval | None, troubles: list[ColumnTrouble]
) -> list[Counted]:
    """What can be read, when not all of it can."""

    def run(columns: Sequence[ScanColumn], groupings: Sequence[Grouping]) -> Counted:
        return _run(link, plan, plan.part(columns, groupings), interval)

    def run_segments(names: Sequence[str]) -> Counted:
        return run((), [Grouping((name,), ()) for name in names])

    refused: dict[str, StatementError] = {}
    halved(
        list(dict.fromkeys(n for one in plan.counted for n in one.columns)), run_segments, refused
    )
    groupings = [one for one in plan.counted if not refused.keys() & set(one.columns)]
    columns = {column.name: column for column in plan.columns}
    counted = [
        one
        for statement in plan.statements
        for one in halved(
            [column.name for column in statement.columns],
            lambda names: run([columns[name] for name in names], groupings),
            refused,
        )
    ]
    troubles += [unreadable(plan, name, error) for name, error in refused.items()]
    return counted


def halved(
    names: Sequence[str],
    run: Callable[[Sequence[str]], _Found],
    refused: dict[str, StatementError],
) -> list[_Found]:
    """What `run` makes of columns, halved until those that the store cannot read stand alone: these
    are refused. StatementError if it cannot read without any column either."""
    try:
        return [run(names)]
    except StatementError as error:
        if not names:
            raise
        if len(names) == 1:
            # Without the column the rows must still be readable, or it is not the column's fault.
            rest = [run(())]
            refused[names[0]] = error
            return rest
    middle = len(names) // 2
    return [*halved(names[:middle], run, refused), *halved(names[middle:], run, refused)]


def unreadable(plan: ScanPlan, name: str, error: StatementError) -> ColumnTrouble:
    """That the store refused to read a column."""
    message = f"{plan.place.relation.table!r}, column {name!r} cannot be read: {error}"
    return ColumnTrouble(name, "unreadable", message)


def _together(
    plan: ScanPlan,
    interval: Interval | None,
    counted: Sequence[Counted],
    troubles: Sequence[ColumnTrouble],
) -> PaneCounts:
    """Statements of one snapshot have the same panes and rows. Rows without a time are one pane."""
    seconds = plan.pane_seconds if interval else _ALL_SECONDS
    start = to_epoch(interval.start) if interval else 0
    segments = dict.fromkeys(key for one in counted for key in one.segments)
    try:
        return replace(
            _joined(counted, start, seconds),
            troubles=tuple(troubles),
            segments={
                key: _joined([one.segments[key] for one in counted], start, seconds)
                for key in segments
            },
        )
    except (_DifferentRowsError, KeyError):
        raise SourceError(f"{plan.place.relation.table!r}: statements saw different rows") from None


class _DifferentRowsError(Exception):
    """Two statements did not see the same rows in the same panes."""


def _joined(counted: Sequence[Counted], start: int, pane_seconds: int) -> PaneCounts:
    """The columns of several statements beside each other."""
    first, *others = counted
    for other in others:
        same = np.array_equal(first.panes, other.panes) and np.array_equal(first.rows, other.rows)
        if not same:
            raise _DifferentRowsError
    return PaneCounts(
        pane_seconds=pane_seconds,
        starts=start + first.panes * pane_seconds,
        rows=first.rows,
        columns={name: panes for one in counted for name, panes in one.columns.items()},
    )
