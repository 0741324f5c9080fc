"""The columns of a relation and their types, by the store's own catalog."""

import difflib
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import types

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source.link import Link, postgres_query, sqlite_query
from driftwatch.source.value import ColumnType
from driftwatch.source.written import one_statement


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column. sql_type is as the store writes it, of the domain's base where there is one."""

    name: str
    sql_type: str
    column_type: ColumnType
    nullable: bool


def nearest(name: str, names: list[str]) -> str:
    """ "; did you mean ...?" with the names that are like it, or what there is."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if not close:
        close = [other for other in names if other.casefold() == name.casefold()]
    if close:
        return "; did you mean " + " or ".join(map(repr, close)) + "?"
    some = ", ".join(map(repr, sorted(names)[:8]))
    return f"; there are {some}{' ...' if len(names) > 8 else ''}" if names else ""


def read_columns(link: Link, dialect: str, relation: RelationSettings) -> tuple[ColumnInfo, ...]:
    """The columns of a relation in their order; empty if there is no table of that name.

    Those of a query have the types that a view of the same text would have.
    """
    if relation.query is None:
        rows = list(link.run(_COLUMNS[dialect], _names(relation)))
    else:
        rows = link.describe(one_statement(relation.query, dialect))
        _refuse_twins(relation, [name for name, *_ in rows])
    return tuple(
        ColumnInfo(name, sql_type, _TYPES[dialect](sql_type, category), not not_null)
        for name, sql_type, category, not_null in rows
    )


def _refuse_twins(relation: RelationSettings, names: list[str]) -> None:
    twin = next((name for name in names if names.count(name) > 1), None)
    if twin is not None:
        raise SourceError(
            f"{relation.table!r} gives several columns named {twin!r}; write AS and a name of its "
            "own behind each"
        )


def require_columns(link: Link, dialect: str, relation: RelationSettings) -> tuple[ColumnInfo, ...]:
    """The columns of a relation; SourceError with the nearest names if there is none."""
    columns = read_columns(link, dialect, relation)
    if not columns:
        others = [row[0] for row in link.run(_RELATIONS[dialect], {"schema": relation.schema})]
        place = f" in schema {relation.schema!r}" if relation.schema else ""
        raise SourceError(f"there is no table or view {relation.table!r}{place} (or the role may "
                          f"not see it){nearest(relation.table, others)}")  # fmt: skip
    return columns


def partitioned_by(link: Link, relation: RelationSettings) -> list[str]:
    """PostgreSQL: the columns of the partition key of a table."""
    if relation.query is not None:
        return []
    return [row[0] for row in link.run(_PARTITION_KEY, _names(relation))]


def sql_type(dialect: str, column: ColumnInfo) -> types.TypeEngine[Any]:
    """The SQLAlchemy type that decides how the values are compared."""
    if dialect == "postgresql":
        plain = re.sub(r"\(.*?\)", "", column.sql_type)
        return _POSTGRESQL_TYPES.get(plain, types.Text())
    return _SQLITE_TYPES[column.column_type]


def _names(relation: RelationSettings) -> dict[str, object]:
    return {"schema": relation.schema, "table": relation.table}


def _postgresql_type(sql_type: str, category: str) -> ColumnType:
    plain = re.sub(r"\(.*?\)", "", sql_type)
    if plain in _POSTGRESQL_TYPES:
        return _column_type(_POSTGRESQL_TYPES[plain])
    return ColumnType.TEXT if category in ("S", "E") else ColumnType.OTHER


def _column_type(type_: types.TypeEngine[Any]) -> ColumnType:
    if isinstance(type_, types.Boolean):
        return ColumnType.BOOLEAN
    return ColumnType.TIME if isinstance(type_, types.Date | types.DateTime) else ColumnType.NUMBER


def _sqlite_type(declared: str, _: str) -> ColumnType:
    """By the words of the declared type, in the order in which SQLite itself looks for them."""
    upper = declared.upper()
    for words, column_type in _SQLITE_WORDS:
        if any(word in upper for word in words):
            return column_type
    return ColumnType.OTHER


_POSTGRESQL_TYPES: dict[str, types.TypeEngine[Any]] = {
    "boolean": types.Boolean(),
    "smallint": types.Integer(),
    "integer": types.Integer(),
    "bigint": types.BigInteger(),
    "real": types.Float(),
    "double precision": types.Float(),
    "numeric": types.Numeric(),
    "date": types.Date(),
    "timestamp without time zone": types.DateTime(timezone=False),
    "timestamp with time zone": types.DateTime(timezone=True),
}
_SQLITE_TYPES: dict[ColumnType, types.TypeEngine[Any]] = {
    ColumnType.NUMBER: types.Float(),
    ColumnType.BOOLEAN: types.Integer(),
    ColumnType.TIME: types.DateTime(),
    ColumnType.TEXT: types.Text(),
    ColumnType.OTHER: types.NullType(),
}
_SQLITE_WORDS = (
    (("INTERVAL", "JSON"), ColumnType.OTHER),
    (("BOOL",), ColumnType.BOOLEAN),
    (("INT",), ColumnType.NUMBER),
    (("CHAR", "CLOB", "TEXT"), ColumnType.TEXT),
    (("BLOB",), ColumnType.OTHER),
    (("DATE", "TIME"), ColumnType.TIME),
    (("REAL", "FLOA", "DOUB", "NUM", "DEC"), ColumnType.NUMBER),
)
_TYPES = {"postgresql": _postgresql_type, "sqlite": _sqlite_type}

_RESOLVED = """coalesce(
        to_regclass(quote_ident(%(schema)s::text) || '.' || quote_ident(%(table)s::text)),
        CASE WHEN %(schema)s::text IS NULL THEN to_regclass(quote_ident(%(table)s::text)) END)"""

_COLUMNS = {
    "sqlite": sqlite_query("""SELECT name, type, '', "notnull"
        FROM pragma_table_xinfo(:table, coalesce(:schema, 'main'))
        WHERE hidden <> 1 ORDER BY cid"""),
    "postgresql": postgres_query(f"""WITH RECURSIVE attribute AS (
        SELECT attname, attnum, attnotnull, atttypid AS type, atttypmod AS modifier
        FROM pg_catalog.pg_attribute
        WHERE attrelid = {_RESOLVED} AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT attname, attnum, attnotnull, typbasetype, typtypmod
        FROM attribute JOIN pg_catalog.pg_type ON oid = type WHERE typtype = 'd')
        SELECT attname::text, pg_catalog.format_type(type, modifier), typcategory::text, attnotnull
        FROM attribute JOIN pg_catalog.pg_type ON oid = type
        WHERE typtype <> 'd' ORDER BY attnum"""),  # noqa: S608  # constants only
}
_PARTITION_KEY = postgres_query(f"""SELECT attname::text FROM pg_catalog.pg_partitioned_table
    JOIN pg_catalog.pg_attribute ON attrelid = partrelid AND attnum = ANY (partattrs::int2[])
    WHERE partrelid = {_RESOLVED}""")  # noqa: S608  # constants only
FIRST_OF_INDEX = postgres_query("""SELECT pg_catalog.pg_get_indexdef(oid, 1, true)
    FROM pg_catalog.pg_class WHERE relkind = 'i' AND relname = %(index)s::text""")
"""The first column of the indexes of a name, in PostgreSQL."""

_RELATIONS = {
    "sqlite": sqlite_query("""SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
        AND name NOT LIKE 'sqlite%' AND :schema IS :schema"""),
    "postgresql": postgres_query("""SELECT relname::text FROM pg_catalog.pg_class
        JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND CASE WHEN %(schema)s::text IS NULL
        THEN pg_catalog.pg_table_is_visible(pg_class.oid) AND nspname !~ '^(pg_|information_schema)'
        ELSE nspname = %(schema)s::text END"""),
}
