"""The SQL of a scan, compiled once to text with named times.

Rows are binned in a fenced subquery, so that each expression is computed once per row, and counted
outside it. How the counts travel differs by store, as measured (benchmarks/shapes.py):

- PostgreSQL adds one number per column and row, 10**(12 * cell): the decimal digits of the sum are
  the counts of all cells, twelve digits each.
- SQLite has no wide numbers: it concatenates one character per column and row, whose code is the
  cell plus one. SQLite runs in our own process, so these characters only go through memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Integer, Numeric, Text, case, cast, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Select

from driftwatch.source.bucket import Bucket, Finite, Outcomes
from driftwatch.source.catalog import ColumnInfo
from driftwatch.source.levels import Level
from driftwatch.source.link import Query
from driftwatch.source.place import Place
from driftwatch.source.value import ColumnType
from driftwatch.stats.axis import Axis, CategoricalAxis

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
class Statement:
    """The queries that count some columns together: an interval as one, or by its slices."""

    columns: tuple[ScanColumn, ...]
    single: Query
    grouped: Query


Pair = tuple[ScanColumn, ColumnInfo]


def build_statement(place: Place, columns: Sequence[Pair], slice_seconds: int) -> Statement:
    """The statement that counts these columns together, with their moments."""
    build = {"postgresql": _summed, "sqlite": _packed}[place.dialect]
    return Statement(
        columns=tuple(scanned for scanned, _ in columns),
        single=place.compile(build(place, columns, literal_column("0"), grouped=False)),
        grouped=place.compile(build(place, columns, place.slice(slice_seconds), grouped=True)),
    )


def _packed(
    place: Place, columns: Sequence[Pair], slice_: ColumnElement[Any], *, grouped: bool
) -> Select[*tuple[Any, ...]]:
    """SQLite: slice, rows, the characters of all rows, then four moments per numeric column."""
    codes = [
        _cell(place, pair, [str(index + 1) for index in range(pair[0].outcomes)], Integer())
        for pair in columns
    ]
    packed: ColumnElement[Any] = func.char(*codes[:_FUNCTION_ARGUMENTS])
    for first in range(_FUNCTION_ARGUMENTS, len(codes), _FUNCTION_ARGUMENTS):
        packed = packed.op("||")(func.char(*codes[first : first + _FUNCTION_ARGUMENTS]))
    rows = place.fenced(
        place.select(slice_.label("slice"), packed.label("codes"), *_values(place, columns))
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
        rows.c.slice if grouped else literal_column("0"),
        func.count(),
        func.group_concat(rows.c.codes, literal_column("''")),
        *moments,
    ).select_from(rows)
    return statement.group_by(rows.c.slice) if grouped else statement


def _summed(
    place: Place, columns: Sequence[Pair], slice_: ColumnElement[Any], *, grouped: bool
) -> Select[*tuple[Any, ...]]:
    """PostgreSQL: slice, rows, one packed sum per column, then four moments per numeric column."""
    units = [
        _cell(
            place,
            pair,
            [f"'1e{DIGITS * index}'::numeric" for index in range(pair[0].outcomes)],
            Numeric(),
        ).label(f"c{position}")
        for position, pair in enumerate(columns)
    ]
    rows = place.fenced(
        place.select(slice_.label("slice"), *units, *_values(place, columns))
    ).subquery("binned")
    statement = select(
        rows.c.slice if grouped else literal_column("0"),
        func.count(),
        *(cast(func.sum(rows.c[f"c{index}"]), Text) for index in range(len(columns))),
        *(
            moment
            for index in _numeric(columns)
            for moment in _moments(rows.c[f"v{index}"], columns[index][1])
        ),
    ).select_from(rows)
    return statement.group_by(rows.c.slice) if grouped else statement


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


def _cell(place: Place, pair: Pair, outcomes: list[str], type_: Any) -> ColumnElement[Any]:
    """The outcome of the cell that a value falls into."""
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
