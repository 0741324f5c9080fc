"""Where the rows of a relation are: its columns, its interval of time, the user's `where`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    Dialect,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    collate,
    column,
    func,
    literal_column,
    quoted_name,
    select,
    table,
    text,
    types,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql.elements import ColumnClause, ColumnElement
from sqlalchemy.sql.selectable import FromClause, Select

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source.catalog import ColumnInfo, nearest, sql_type
from driftwatch.source.link import QUERY_OF, Query
from driftwatch.source.timestamp import Timestamp, timestamp_of
from driftwatch.source.value import ColumnType
from driftwatch.source.wall import Wall
from driftwatch.source.written import one_statement
from driftwatch.stats.axis import Scale
from driftwatch.window import Interval

_DIALECTS: dict[str, Dialect] = {
    "postgresql": psycopg.dialect(),  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
    "sqlite": sqlite.dialect(paramstyle="named"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A relation in a store. Its columns always carry an alias, because SQLite reads a quoted name
    that it does not know as a text.

    timestamp: None for rows without a time. partition: how a date is written in the column that
    cuts the table, None where there is none.
    """

    dialect: str
    relation: RelationSettings
    timestamp: Timestamp | None
    rows: FromClause
    partition: "Partition | None" = None

    def value(self, info: ColumnInfo) -> ColumnElement[Any]:
        """The column as it is compared with edges, carrying its SQL type."""
        value = self.rows.c[info.name]
        if self.dialect == "sqlite" and info.column_type is ColumnType.TIME:
            # A number is taken as seconds since 1970; any text is greater than any number.
            seconds = cast(func.strftime(literal_column("'%s'"), value), Integer)
            return case((value <= literal_column("9e999"), value), else_=seconds)
        return value

    def text(self, info: ColumnInfo) -> ColumnElement[Any]:
        """The column as text that is compared byte by byte, whatever its own collation."""
        column = self.rows.c[info.name]
        if self.dialect == "sqlite" and info.column_type is ColumnType.TEXT:
            return collate(column, "BINARY")
        return collate(cast(column, Text), "BINARY" if self.dialect == "sqlite" else "C")

    def moment(self) -> ColumnElement[Any]:
        """The timestamp, as it is compared. ValueError for rows without a time."""
        return self.timed().compared(self.rows.c[str(self.relation.timestamp)])

    def timed(self) -> Timestamp:
        """How the moments of the rows are kept. ValueError for rows without a time."""
        if self.timestamp is None:
            raise ValueError(f"the rows of {self.relation.table!r} have no time")
        return self.timestamp

    def select(self, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        """These columns of the rows within [start, end) that the user's `where` keeps; of all
        rows where they have no time."""
        statement = select(*columns).select_from(self.rows)
        if self.timestamp is not None:
            start, end = (bindparam(name, type_=self.timestamp.type) for name in ("start", "end"))
            statement = statement.where(self.moment() >= start, self.moment() < end)
        if self.partition is not None:
            statement = statement.where(*self.partition.bounds(self.rows))
        if self.relation.where:
            # The line ends keep a trailing comment from swallowing the parenthesis.
            statement = statement.where(literal_column(f"(\n{self.relation.where}\n)"))
        return statement

    def slice(self, slice_seconds: int) -> ColumnElement[Any]:
        """The number of the slice that a row falls into, from the beginning of a part on."""
        if self.timestamp is None:
            return literal_column("0", Integer())
        since = self.timestamp.since(self.moment())
        slices = since.op("/", precedence=8)(literal_column(str(slice_seconds)))
        return cast(slices, Integer) if self.dialect == "sqlite" else func.floor(slices)

    def parts(self, interval: Interval, slice_seconds: int) -> list[Interval]:
        """The parts of an interval whose rows `slice` numbers rightly, each from its own beginning
        on: all of it, unless a clock on the wall was changed meanwhile."""
        wall = self.timed().wall
        return [interval] if wall is None else wall.parts(interval, slice_seconds)

    def fenced(self, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """The statement, kept apart from what is put around it: each expression once per row.

        In SQLite, rows without a time can be read a part at a time, from the row `skip` on.
        """
        if self.dialect != "sqlite":
            return statement.offset(literal_column("0"))
        if self.timestamp is not None:
            return first(statement, -1)
        most, skip = (bindparam(name, type_=Integer()) for name in ("most", "skip"))
        return statement.limit(most).offset(skip)

    def compile(self, statement: Select[*tuple[Any, ...]]) -> Query:
        """The statement as the store's driver takes it; the rows' times are bound when it runs."""
        text = str(statement.compile(dialect=_DIALECTS[self.dialect]))
        return QUERY_OF[self.dialect](text)

    def times(self, interval: Interval | None) -> dict[str, object]:
        """What is bound for an interval (None: for rows without a time)."""
        if self.timestamp is None:
            return {"most": -1, "skip": 0}
        if interval is None:
            raise ValueError(f"{self.relation.table!r} is read by intervals of its timestamp")
        times = self.timestamp.times(interval)
        return times if self.partition is None else {**times, **self.partition.dates(interval)}


@dataclass(frozen=True, slots=True)
class Partition:
    """A column of dates by which a table is cut: dates of UTC, or of the timestamp's own zone."""

    column: str
    wall: Wall
    type: types.TypeEngine[Any]

    def bounds(self, rows: FromClause) -> tuple[ColumnElement[bool], ...]:
        """That the date is one of those of the interval."""
        column = rows.c[self.column]
        first, last = (bindparam(name, type_=self.type) for name in ("first_day", "last_day"))
        return column >= first, column <= last

    def dates(self, interval: Interval) -> dict[str, object]:
        first, last = self.wall.days(interval)
        return {"first_day": self._written(first), "last_day": self._written(last)}

    def _written(self, day: date) -> object:
        return day if isinstance(self.type, types.Date) else day.isoformat()


def first(statement: Select[*tuple[Any, ...]], rows: int) -> Select[*tuple[Any, ...]]:
    """At most so many rows, written into the text: SQLAlchemy would bind the numbers."""
    return statement.limit(literal_column(str(rows))).offset(literal_column("0"))


def make_place(dialect: str, relation: RelationSettings, found: Sequence[ColumnInfo]) -> Place:
    """The place of a relation with these columns; SourceError if its timestamp, or the column of
    its partitions, cannot be used."""
    timestamp = None
    types_ = {other.name: sql_type(dialect, other) for other in found}
    if relation.timestamp is not None:
        moment = _required(relation, relation.timestamp, found, "for its timestamp")
        try:
            timestamp = timestamp_of(
                dialect,
                types_[relation.timestamp],
                relation.timestamp_format,
                relation.timestamp_zone,
            )
        except SourceError as error:
            raise SourceError(
                f"{relation.table!r}: timestamp {relation.timestamp!r} is {moment.sql_type!r}: "
                f"{error}"
            ) from error
        types_[relation.timestamp] = timestamp.type
    partition = None
    if relation.partition is not None and timestamp is not None:
        partition = _partition(dialect, relation, found)
        types_[partition.column] = partition.type
    columns = [column(quoted_name(name, quote=True), type_) for name, type_ in types_.items()]
    rows = _rows(relation, dialect, columns)
    return Place(dialect, relation, timestamp, rows, partition)


def _rows(
    relation: RelationSettings, dialect: str, columns: Sequence[ColumnClause[Any]]
) -> FromClause:
    if relation.query is not None:
        written = one_statement(relation.query, dialect).replace(":", "\\:")
        return text(f"\n{written}\n").columns(*columns).subquery("r")
    schema = None if relation.schema is None else quoted_name(relation.schema, quote=True)
    return table(quoted_name(relation.table, quote=True), *columns, schema=schema).alias("r")


def _required(
    relation: RelationSettings, name: str, found: Sequence[ColumnInfo], purpose: str
) -> ColumnInfo:
    info = next((other for other in found if other.name == name), None)
    if info is None:
        near = nearest(name, [other.name for other in found])
        raise SourceError(f"{relation.table!r} has no column {name!r} {purpose}{near}")
    return info


def _partition(dialect: str, relation: RelationSettings, found: Sequence[ColumnInfo]) -> Partition:
    assert relation.partition is not None
    info = _required(relation, relation.partition, found, "for its partitions")
    wall = Wall(relation.timestamp_zone)
    if dialect == "sqlite":
        return Partition(relation.partition, wall, types.Text())
    own = sql_type(dialect, info)
    if info.column_type is ColumnType.TEXT or isinstance(own, types.Date):
        return Partition(relation.partition, wall, own)
    raise SourceError(
        f"{relation.table!r}: partition {relation.partition!r} is {info.sql_type!r}; it takes a "
        "date, or a text such as '2026-12-31'"
    )


def numeric_scale(dialect: str, column_type: ColumnType) -> Scale | None:
    """The scale on which values of this type lie, None if they are no numbers."""
    if column_type is ColumnType.TIME:
        return Scale.TIME
    if column_type in (ColumnType.NUMBER, ColumnType.BOOLEAN):
        return Scale.NUMBER
    # SQLite's columns without a type hold anything; what is no number is missing.
    untyped = dialect == "sqlite" and column_type is ColumnType.OTHER
    return Scale.NUMBER if untyped else None
