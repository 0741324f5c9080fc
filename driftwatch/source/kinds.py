"""Proposals of what kind a column is, for a person to accept: nothing is guessed in a scan."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import distinct, func, select

from driftwatch.config.settings import Kind
from driftwatch.source.inspect import RelationInfo
from driftwatch.source.link import Link, StatementError
from driftwatch.source.place import Place, first
from driftwatch.source.value import ColumnType

_SAMPLE_ROWS = 10_000
_FEW_VALUES = 20
_ENOUGH_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class KindProposal:
    """What kind a column seems to be; None where it had better not be watched as it is."""

    column: str
    kind: Kind | None
    reason: str


def propose_kinds(
    link: Link, place: Place, info: RelationInfo, names: Sequence[str]
) -> list[KindProposal]:
    """A proposal per column, from its type and from the first rows of the relation."""
    return [_propose(link, place, info, name) for name in names]


def _propose(link: Link, place: Place, info: RelationInfo, name: str) -> KindProposal:
    found = info.column(name)
    if found is None:
        return KindProposal(name, None, info.missing(name))
    rows = first(select(place.text(found).label("v")), _SAMPLE_ROWS).subquery("sample")
    statement = select(func.count(rows.c.v), func.count(distinct(rows.c.v)))
    try:
        (values, levels) = next(link.run(place.compile(statement), {}))
    except StatementError as error:
        return KindProposal(name, None, f"it cannot be read: {error}")
    column_type = found.column_type if found.sql_type else _type_of_values(link, place, name)
    kind, reason = _judge(column_type, values, levels)
    seen = f"{levels} distinct of {values} values in the first {_SAMPLE_ROWS} rows"
    return KindProposal(name, kind, f"{found.sql_type or 'no type'}: {reason} ({seen})")


def _type_of_values(link: Link, place: Place, name: str) -> ColumnType:
    """What the first rows of one of SQLite's columns without a type hold, where it is all one."""
    column = place.rows.c[name]
    rows = first(select(func.typeof(column).label("type")), _SAMPLE_ROWS).subquery("sample")
    statement = place.compile(select(rows.c.type).distinct())
    types = {found for (found,) in link.run(statement, {})} - {"null"}
    if types and types <= {"integer", "real"}:
        return ColumnType.NUMBER
    return ColumnType.TEXT if types == {"text"} else ColumnType.OTHER


def _judge(column_type: ColumnType, values: int, levels: int) -> tuple[Kind | None, str]:
    enough = values >= _ENOUGH_ROWS
    if column_type is ColumnType.NUMBER and enough and levels <= _FEW_VALUES:
        return Kind.CATEGORICAL, "numbers with few distinct values may be codes"
    if column_type is ColumnType.TEXT and enough and 2 * levels > values:
        return None, "nearly every value is different, as in an identifier"
    return _BY_TYPE[column_type]


_BY_TYPE = {
    ColumnType.BOOLEAN: (Kind.CATEGORICAL, "a boolean has levels"),
    ColumnType.TIME: (Kind.NUMERIC, "a time is counted on a scale"),
    ColumnType.NUMBER: (Kind.NUMERIC, "numbers"),
    ColumnType.TEXT: (Kind.CATEGORICAL, "text has levels"),
    ColumnType.OTHER: (None, "watch a view that casts it to a number or to text"),
}
