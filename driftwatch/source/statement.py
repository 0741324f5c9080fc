"""The SQL of a scan, compiled once to text with named times.

Rows are binned in a fenced subquery, so that each expression is computed once per row, and counted
outside it. How the counts travel differs by store, as measured (benchmarks/shapes.py):

- PostgreSQL adds one number per column and row, 10**(12 * cell): the decimal digits of the sum are
  the counts of all cells, twelve digits each.
- SQLite has no wide numbers: it concatenates one character per column and row, whose code is the
  cell plus one. SQLite runs in our own process, so these characters only go through memory.

Segments are counted by the same pass over the rows. Each grouping gives every row a number
(`SegmentNumber`), and the counts of all rows are the sums over the numbers of the first grouping.
PostgreSQL counts by GROUPING SETS, one per grouping: it sends one row per slice and segment,
however the groupings cross. SQLite has none: it counts by all numbers together, and decoding adds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Float,
    Integer,
    Numeric,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Select, Subquery

from driftwatch.source.bucket import Bucket, Finite, Outcomes
from driftwatch.source.catalog import ColumnInfo
from driftwatch.source.levels import Level, SegmentNumber
from driftwatch.source.link import Query
from driftwatch.source.place import Place
from driftwatch.source.value import ColumnType
from driftwatch.stats.axis import Axis, CategoricalAxis
from driftwatch.stats.segment import Grouping

DIGITS = 12
"""Decimal digits of one cell's count in PostgreSQL's packed sums."""

INFINITE_CELLS = 2
"""After the cells of a numeric axis travel those of -Inf and of +Inf."""

_FUNCTION_ARGUMENTS = 100
_LARGE = literal_column("'1e145'::float8", Float())
"""The squares of larger values could overflow, which is an error in PostgreSQL."""

_TINY = literal_column("'1e-160'::float8", Float())
"""The squares of smaller values could underflow, which is an error in PostgreSQL."""

_INFINITY = literal_column("'Infinity'::float8", Float())
_ONLY: ColumnElement[Any] = literal_column("0")


@dataclass(frozen=True, slots=True)
class ScanColumn:
    """A column to be counted, its axis, and its type when the axis was fitted."""

    name: str
    axis: Axis
    column_type: ColumnType

    @property
    def numeric(self) -> bool:
        return not isinstance(self.axis, CategoricalAxis)

    @property
    def outcomes(self) -> int:
        """Cells of the axis and, for a numeric one, the two of infinite values."""
        return self.axis.cells + (INFINITE_CELLS if self.numeric else 0)


@dataclass(frozen=True, slots=True)
class Queries:
    """What is asked of an interval: as if it were one slice, or by its slices. The first value of
    each record is the number of the slice."""

    single: Query
    grouped: Query


@dataclass(frozen=True, slots=True)
class Statement:
    """The queries that count some columns together, of all rows and by segments."""

    columns: tuple[ScanColumn, ...]
    groupings: tuple[Grouping, ...]
    queries: Queries


Pair = tuple[ScanColumn, ColumnInfo]


@dataclass(frozen=True, slots=True)
class _Keys:
    """What rows are counted by: their slice (None: it is the only one) and a number per grouping.

    They are columns of the fenced subquery, by the names `slice` and `s0`, `s1` ...
    """

    slice_: ColumnElement[Any] | None
    segments: Sequence[ColumnElement[Any]]

    def computed(self) -> list[ColumnElement[Any]]:
        slice_ = _ONLY if self.slice_ is None else self.slice_
        numbers = (number.label(f"s{index}") for index, number in enumerate(self.segments))
        return [slice_.label("slice"), *numbers]

    def slices(self, rows: Subquery) -> list[ColumnElement[Any]]:
        return [] if self.slice_ is None else [rows.c.slice]

    def numbers(self, rows: Subquery) -> list[ColumnElement[Any]]:
        return [rows.c[f"s{index}"] for index in range(len(self.segments))]

    def travelling(self, rows: Subquery) -> list[ColumnElement[Any]]:
        """What every row of the result begins with."""
        return [*(self.slices(rows) or [_ONLY]), *self.numbers(rows)]


def build_statement(
    place: Place,
    columns: Sequence[Pair],
    segments: Sequence[tuple[Grouping, Sequence[ColumnInfo]]],
    slice_seconds: int,
) -> Statement:
    """The statement that counts these columns together, with their moments, of all rows and of the
    segments of each grouping, whose columns are given as they are in the relation."""
    build = {"postgresql": _summed, "sqlite": _packed}[place.dialect]
    numbers = [
        SegmentNumber([place.text(info) for info in infos], grouping.levels)
        for grouping, infos in segments
    ]
    one, many = _Keys(None, numbers), _Keys(place.slice(slice_seconds), numbers)
    return Statement(
        columns=tuple(scanned for scanned, _ in columns),
        groupings=tuple(grouping for grouping, _ in segments),
        queries=Queries(
            single=place.compile(build(place, columns, one)),
            grouped=place.compile(build(place, columns, many)),
        ),
    )


def _packed(place: Place, columns: Sequence[Pair], keys: _Keys) -> Select[*tuple[Any, ...]]:
    """SQLite: slice, segments, rows, the characters of all rows, then four moments per numeric
    column."""
    codes = [
        cell_of(place, pair, [str(index + 1) for index in range(pair[0].outcomes)], Integer())
        for pair in columns
    ]
    rows = place.fenced(
        place.select(*keys.computed(), characters(codes).label("codes"), *_values(place, columns))
    ).subquery("binned")
    moments = [
        moment
        for value in (rows.c[f"v{index}"] for index in _numeric(columns))
        for moment in (
            func.total(value),
            func.total(value * value),
            func.min(value),
            func.max(value),
        )
    ]
    statement = select(
        *keys.travelling(rows),
        func.count(),
        func.group_concat(rows.c.codes, literal_column("''")),
        *moments,
    ).select_from(rows)
    by = [*keys.slices(rows), *keys.numbers(rows)]
    return statement.group_by(*by) if by else statement


def characters(codes: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """SQLite: one text of a character per code."""
    packed: ColumnElement[Any] = func.char(*codes[:_FUNCTION_ARGUMENTS])
    for first in range(_FUNCTION_ARGUMENTS, len(codes), _FUNCTION_ARGUMENTS):
        packed = packed.op("||")(func.char(*codes[first : first + _FUNCTION_ARGUMENTS]))
    return packed


def _summed(place: Place, columns: Sequence[Pair], keys: _Keys) -> Select[*tuple[Any, ...]]:
    """PostgreSQL: slice, segments (all NULL but one), rows, one packed sum per column, then four
    moments per numeric column."""
    units = [
        cell_of(
            place,
            pair,
            [f"'1e{DIGITS * index}'::numeric" for index in range(pair[0].outcomes)],
            Numeric(),
        ).label(f"c{position}")
        for position, pair in enumerate(columns)
    ]
    rows = place.fenced(place.select(*keys.computed(), *units, *_values(place, columns))).subquery(
        "binned"
    )
    statement = select(
        *keys.travelling(rows),
        func.count(),
        *(cast(func.sum(rows.c[f"c{index}"]), Text) for index in range(len(columns))),
        *(
            moment
            for index in _numeric(columns)
            for moment in _moments(rows.c[f"v{index}"], columns[index][1])
        ),
    ).select_from(rows)
    sets = [tuple_(*keys.slices(rows), number) for number in keys.numbers(rows)]
    if sets:
        return statement.group_by(func.grouping_sets(*sets))
    slices = keys.slices(rows)
    return statement.group_by(*slices) if slices else statement


def _moments(value: ColumnElement[Any], info: ColumnInfo) -> list[ColumnElement[Any]]:
    """Sum, sum of squares, minimum and maximum. Values of 1e145 and more make the sums infinite."""
    number, square = value, value * value
    if info.column_type is ColumnType.NUMBER and "int" not in info.sql_type:
        size = func.abs(value)
        number = case((size < _LARGE, value), else_=value * _INFINITY)
        square = case(
            (size < _LARGE, case((size > _TINY, square), else_=literal_column("0", Float()))),
            else_=size * _INFINITY,
        )
    return [func.sum(number), func.sum(square), func.min(value), func.max(value)]


def cell_of(place: Place, pair: Pair, outcomes: list[str], type_: Any) -> ColumnElement[Any]:
    """The outcome of the cell that a value falls into; of a numeric axis, two more outcomes than
    cells: those of -Inf and +Inf."""
    scanned, info = pair
    axis = scanned.axis
    if isinstance(axis, CategoricalAxis):
        return Level(place.text(info), axis, outcomes, type_)
    *bins, missing, negative, positive = outcomes
    return Bucket(
        place.value(info), axis.edges, Outcomes(tuple(bins), missing, negative, positive), type_
    )


def _values(place: Place, columns: Sequence[Pair]) -> list[ColumnElement[Any]]:
    return [
        Finite(place.value(columns[index][1])).label(f"v{index}") for index in _numeric(columns)
    ]


def _numeric(columns: Sequence[Pair]) -> list[int]:
    return [index for index, (scanned, _) in enumerate(columns) if scanned.numeric]
