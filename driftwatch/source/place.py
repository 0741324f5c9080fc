"""Where the rows of a relation are: its columns, its interval of time, the user's `where`."""

from collections.abc import Sequence
from dataclasses import dataclass
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
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause, Select

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source.catalog import ColumnInfo, nearest, sql_type
from driftwatch.source.link import QUERY_OF, Query
from driftwatch.source.timestamp import Timestamp, timestamp_of
from driftwatch.source.value import ColumnType
from driftwatch.stats.axis import Scale
from driftwatch.window import Interval, to_epoch

_DIALECTS: dict[str, Dialect] = {
    "postgresql": psycopg.dialect(),  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
    "sqlite": sqlite.dialect(paramstyle="named"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A relation in a store. Its columns always carry an alias, because SQLite reads a quoted name
    that it does not know as a text."""

    dialect: str
    relation: RelationSettings
    timestamp: Timestamp
    rows: FromClause

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

    def select(self, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        """These columns of the rows within [start, end) that the user's `where` keeps."""
        moment = self.rows.c[self.relation.timestamp]
        start, end = (bindparam(name, type_=self.timestamp.type) for name in ("start", "end"))
        statement = select(*columns).select_from(self.rows).where(moment >= start, moment < end)
        if self.relation.where:
            # The line ends keep a trailing comment from swallowing the parenthesis.
            statement = statement.where(literal_column(f"(\n{self.relation.where}\n)"))
        return statement

    def slice(self, slice_seconds: int) -> ColumnElement[Any]:
        """The number of the slice that a row falls into, from `origin` on."""
        seconds = self.timestamp.seconds(self.rows.c[self.relation.timestamp])
        since = seconds - bindparam("origin", type_=Integer())
        slices = since.op("/", precedence=8)(literal_column(str(slice_seconds)))
        return cast(slices, Integer) if self.dialect == "sqlite" else func.floor(slices)

    def fenced(self, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """The statement, kept apart from what is put around it: each expression once per row."""
        if self.dialect == "sqlite":
            return first(statement, -1)
        return statement.offset(literal_column("0"))

    def compile(self, statement: Select[*tuple[Any, ...]]) -> Query:
        """The statement as the store's driver takes it; the rows' times are bound when it runs."""
        text = str(statement.compile(dialect=_DIALECTS[self.dialect]))
        return QUERY_OF[self.dialect](text)

    def times(self, interval: Interval) -> dict[str, object]:
        """What is bound for an interval."""
        return {
            "start": self.timestamp.bind(interval.start),
            "end": self.timestamp.bind(interval.end),
            "origin": to_epoch(interval.start),
        }


def first(statement: Select[*tuple[Any, ...]], rows: int) -> Select[*tuple[Any, ...]]:
    """At most so many rows, written into the text: SQLAlchemy would bind the numbers."""
    return statement.limit(literal_column(str(rows))).offset(literal_column("0"))


def make_place(dialect: str, relation: RelationSettings, found: Sequence[ColumnInfo]) -> Place:
    """The place of a relation with these columns; SourceError if its timestamp cannot be used."""
    moment = next((other for other in found if other.name == relation.timestamp), None)
    if moment is None:
        near = nearest(relation.timestamp, [other.name for other in found])
        raise SourceError(
            f"{relation.table!r} has no column {relation.timestamp!r} for its timestamp{near}"
        )
    try:
        timestamp = timestamp_of(dialect, sql_type(dialect, moment), relation.timestamp_format)
    except SourceError as error:
        raise SourceError(
            f"{relation.table!r}: timestamp {relation.timestamp!r} is {moment.sql_type!r}: {error}"
        ) from error
    columns = [
        column(quoted_name(other.name, quote=True), sql_type(dialect, other))
        for other in found
        if other.name != relation.timestamp
    ]
    columns.append(column(quoted_name(relation.timestamp, quote=True), timestamp.type))
    schema = None if relation.schema is None else quoted_name(relation.schema, quote=True)
    rows = table(quoted_name(relation.table, quote=True), *columns, schema=schema)
    return Place(dialect, relation, timestamp, rows.alias("r"))


def numeric_scale(dialect: str, column_type: ColumnType) -> Scale | None:
    """The scale on which values of this type lie, None if they are no numbers."""
    if column_type is ColumnType.TIME:
        return Scale.TIME
    if column_type in (ColumnType.NUMBER, ColumnType.BOOLEAN):
        return Scale.NUMBER
    # SQLite's columns without a type hold anything; what is no number is missing.
    untyped = dialect == "sqlite" and column_type is ColumnType.OTHER
    return Scale.NUMBER if untyped else None
