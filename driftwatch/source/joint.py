"""Counts of feature bin x prediction bin: one more pass over the rows of an interval.

They travel as those of a scan do. PostgreSQL groups by the prediction's cell and adds one number
per feature and row, whose digits are the counts of the feature's cells; SQLite sends one character
per row for the cell of each column, and what falls together is counted here.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import Integer, Numeric, Text, cast, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Select

from driftwatch.errors import SourceError
from driftwatch.source.decode import counts_of_digits
from driftwatch.source.link import Link, Row, StatementError
from driftwatch.source.plan import COLUMNS_PER_STATEMENT, ScanPlan
from driftwatch.source.scan import (
    aligned,
    check_unchanged,
    halved,
    reads,
    rows_at_once,
    unreadable,
)
from driftwatch.source.statement import (
    DIGITS,
    Pair,
    Queries,
    ScanColumn,
    cell_of,
    characters,
)
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnTrouble, IntArray, JointCounts
from driftwatch.window import Interval, to_epoch

_CODES_AT_ONCE = 1_000_000
"""Characters of SQLite that are widened to integers at a time."""

_SLICES_AT_ONCE = 168


def joint(link: Link, plan: ScanPlan, prediction: str, interval: Interval | None) -> JointCounts:
    """Joint counts of the plan's columns with one of them, in the snapshot of `link`; of all rows
    where they have no time, as if they were one pane that starts at 0.

    Columns in trouble are left out; with the prediction in trouble, all are. ChangedError as of
    `scan`.
    """
    if interval is not None:
        aligned(interval, plan.pane_seconds)
    broken = {trouble.column for trouble in plan.troubles}
    good = [one for one in plan.columns if one.name not in broken]
    y = next((one for one in good if one.name == prediction), None)
    refused: dict[str, StatementError] = {}
    tallies: list[_Tally] = []
    if y is not None:
        features = {one.name: one for one in good if one is not y}
        try:
            tallies = _count(link, plan, y, features, interval, refused)
        except StatementError as error:
            # Neither alone nor without features: it is the prediction that cannot be read.
            refused[prediction] = error
    check_unchanged(link, plan)
    troubles = [unreadable(plan, name, error) for name, error in refused.items()]
    return _together(plan, tallies, interval, (*plan.troubles, *troubles))


def _count(
    link: Link,
    plan: ScanPlan,
    y: ScanColumn,
    features: dict[str, ScanColumn],
    interval: Interval | None,
    refused: dict[str, StatementError],
) -> "list[_Tally]":
    def run(names: Sequence[str]) -> _Tally:
        return _run(link, plan, y, [features[name] for name in names], interval)

    names = list(features)
    parts = [
        names[first : first + COLUMNS_PER_STATEMENT]
        for first in range(0, len(names), COLUMNS_PER_STATEMENT)
    ]
    return [tally for part in parts for tally in halved(part, run, refused)]


def _run(
    link: Link,
    plan: ScanPlan,
    y: ScanColumn,
    features: Sequence[ScanColumn],
    interval: Interval | None,
) -> "_Tally":
    key = ("joint", y.name, *(one.name for one in features))
    if key not in plan.kept:
        plan.kept[key] = _queries(plan, [y, *features])
    queries, sqlite = plan.kept[key], plan.place.dialect == "sqlite"
    tally = _Tally(y, features, plan.pane_seconds // plan.slice_seconds)
    add = tally.add_characters if sqlite else tally.add_digits
    if interval is not None:
        seconds = plan.slice_seconds
        for first, records in reads(
            link, plan, queries, interval, slice_seconds=seconds, slices_at_once=_SLICES_AT_ONCE
        ):
            add(records, first)
        return tally
    if not sqlite:
        add(link.run(queries.single, plan.place.times(None)), 0)
        return tally
    most, skip = rows_at_once(1 + len(features)), 0
    while add(link.run(queries.single, {"most": most, "skip": skip}), 0) == most:
        skip += most
    return tally


class _Tally:
    """Joint counts by pane, slice after slice."""

    def __init__(self, y: ScanColumn, features: Sequence[ScanColumn], slices_per_pane: int) -> None:
        self.features, self._slices_per_pane = features, slices_per_pane
        self.deep = y.axis.cells
        sizes = [one.axis.cells * self.deep for one in features]
        self.edges = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
        self.panes: dict[int, IntArray] = {}
        self.rows: dict[int, int] = {}

    def add_digits(self, records: Iterable[Row], first: int) -> int:
        """PostgreSQL: one record per slice and cell of the prediction."""
        read = 0
        for slice_, cell, rows, *texts in records:
            if rows and slice_ is not None:  # None: a text that is no timestamp
                counts = self._pane(first + int(slice_), rows)
                for begin, column, text in zip(self.edges, self.features, texts, strict=False):
                    wide = column.axis.cells
                    of_x = counts[begin : begin + wide * self.deep]
                    of_x[int(cell) :: self.deep] += counts_of_digits(text.zfill(DIGITS * wide))
                read += rows
        return read

    def add_characters(self, records: Iterable[Row], first: int) -> int:
        """SQLite: one record per slice, in which each row has one character per column."""
        read = 0
        for slice_, rows, text in records:
            if rows and slice_ is not None:
                counts = self._pane(first + slice_, rows)
                codes = np.frombuffer(text.encode("latin-1"), np.uint8)
                self._fall_together(counts, codes.reshape(rows, -1))
                read += rows
        return read

    def _fall_together(self, counts: IntArray, codes: "np.typing.NDArray[np.uint8]") -> None:
        step = max(1, _CODES_AT_ONCE // codes.shape[1])
        for begin in range(0, len(codes), step):
            cells = codes[begin : begin + step].astype(np.int64) - 1
            joint = cells[:, 1:] * self.deep + cells[:, :1] + self.edges[:-1]
            counts += np.bincount(joint.ravel(), minlength=counts.size)

    def _pane(self, slice_: int, rows: int) -> IntArray:
        """The counts of the slice's pane, to which these rows are being added."""
        pane = slice_ // self._slices_per_pane
        self.rows[pane] = self.rows.get(pane, 0) + rows
        if pane not in self.panes:
            self.panes[pane] = np.zeros(int(self.edges[-1]), np.int64)
        return self.panes[pane]

    def by_name(self, panes: Sequence[int]) -> Iterator[tuple[str, IntArray]]:
        for number, column in enumerate(self.features):
            own = slice(int(self.edges[number]), int(self.edges[number + 1]))
            shape = (len(panes), column.axis.cells, self.deep)
            yield column.name, np.array([self.panes[one][own] for one in panes]).reshape(shape)


def _together(
    plan: ScanPlan,
    tallies: Sequence[_Tally],
    interval: Interval | None,
    troubles: tuple[ColumnTrouble, ...],
) -> JointCounts:
    """Statements of one snapshot have the same panes and rows."""
    rows = tallies[0].rows if tallies else {}
    if any(one.rows != rows for one in tallies):
        raise SourceError(f"{plan.place.relation.table!r}: statements saw different rows")
    panes = sorted(rows)
    start = to_epoch(interval.start) if interval else 0
    return JointCounts(
        seconds=plan.pane_seconds,
        starts=start + plan.pane_seconds * np.array(panes, np.int64),
        rows=np.array([rows[one] for one in panes], np.int64),
        features={name: found for one in tallies for name, found in one.by_name(panes)},
        troubles=troubles,
    )


def _queries(plan: ScanPlan, columns: Sequence[ScanColumn]) -> Queries:
    place = plan.place
    pairs = []
    for column in columns:
        info = plan.info.column(column.name)
        assert info is not None, "what is not there has no statement"
        pairs.append((column, info))
    build = {"postgresql": _summed, "sqlite": _packed}[place.dialect]
    slice_ = place.slice(plan.slice_seconds)
    return Queries(
        single=place.compile(build(plan, pairs, None)),
        grouped=place.compile(build(plan, pairs, slice_)),
    )


def _packed(
    plan: ScanPlan, pairs: Sequence[Pair], slice_: ColumnElement[int] | None
) -> Select[tuple[object, ...]]:
    """SQLite: slice, rows, and the characters of all rows, the prediction's first."""
    place = plan.place
    codes = [
        joint_cell(plan, pair, [str(n + 1) for n in _cells(pair)], Integer()) for pair in pairs
    ]
    number = literal_column("0") if slice_ is None else slice_
    rows = place.fenced(
        place.select(number.label("slice"), characters(codes).label("codes"))
    ).subquery("binned")
    joined = func.group_concat(rows.c.codes, literal_column("''"))
    if slice_ is None:
        return select(literal_column("0"), func.count(), joined).select_from(rows)
    return select(rows.c.slice, func.count(), joined).select_from(rows).group_by(rows.c.slice)


def _summed(
    plan: ScanPlan, pairs: Sequence[Pair], slice_: ColumnElement[int] | None
) -> Select[tuple[object, ...]]:
    """PostgreSQL: slice, cell of the prediction, rows, and one packed sum per feature."""
    place, (y, *features) = plan.place, pairs
    units = [
        joint_cell(plan, pair, [f"'1e{DIGITS * n}'::numeric" for n in _cells(pair)], Numeric())
        for pair in features
    ]
    number = literal_column("0") if slice_ is None else slice_
    rows = place.fenced(
        place.select(
            number.label("slice"),
            joint_cell(plan, y, [str(n) for n in _cells(y)], Integer()).label("y"),
            *(unit.label(f"c{position}") for position, unit in enumerate(units)),
        )
    ).subquery("binned")
    sums = (cast(func.sum(rows.c[f"c{position}"]), Text) for position in range(len(units)))
    statement = select(rows.c.slice, rows.c.y, func.count(), *sums).select_from(rows)
    return statement.group_by(rows.c.slice, rows.c.y)


def _cells(pair: Pair) -> range:
    return range(pair[0].axis.cells)


def joint_cell(
    plan: ScanPlan, pair: Pair, outcomes: list[str], type_: object
) -> ColumnElement[object]:
    """Infinite values are in the outer bins."""
    axis = pair[0].axis
    if isinstance(axis, NumericAxis):
        outcomes = [*outcomes, outcomes[0], outcomes[axis.missing - 1]]
    return cell_of(plan.place, pair, outcomes, type_)
