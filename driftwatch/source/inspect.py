"""What a relation is, and how the store would read an interval of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source.catalog import (
    FIRST_OF_INDEX,
    ColumnInfo,
    nearest,
    partitioned_by,
    require_columns,
)
from driftwatch.source.link import Link, Parameters, Query
from driftwatch.source.place import Partition, Place, first, make_place
from driftwatch.source.timestamp import EPOCH_MILLISECONDS, EPOCH_SECONDS, Timestamp
from driftwatch.window import Interval, from_epoch

_SOME_DAY = Interval(from_epoch(0), from_epoch(86_400))
"""Any interval: whether an index serves the timestamp does not depend on it."""

_SEQSCAN = Query("SELECT set_config('enable_seqscan', $1::text, true)", ("value",))
_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
)
_REST = re.compile(r"(?:([.,])\d+)?( ?(?:Z|UTC|[+]00(?::?00)?))?")
"""What may follow the last field of a text: a fraction and a zone, which must be UTC."""
_MILLISECONDS_FROM, _MICROSECONDS_FROM = 1e11, 1e14
"""Fewer seconds, milliseconds since 1970 were before 1973."""


@dataclass(frozen=True, slots=True)
class RelationInfo:
    """A table, a view or a query.

    timestamp_type: in words, "none" for rows without a time. timestamp_served: an index or a
    partition serves the timestamp, or the declared column of partitions.
    """

    columns: tuple[ColumnInfo, ...]
    timestamp_type: str
    timestamp_served: bool

    def column(self, name: str) -> ColumnInfo | None:
        return next((column for column in self.columns if column.name == name), None)

    def missing(self, name: str) -> str:
        """What to say of a column that is not there, with the nearest names that are."""
        near = nearest(name, [column.name for column in self.columns])
        return f"there is no column {name!r}{near}"


def inspect_relation(link: Link, dialect: str, relation: RelationSettings) -> RelationInfo:
    """Look at a relation; SourceError if it or its timestamp is not there or not as declared."""
    columns = require_columns(link, dialect, relation)
    place = make_place(dialect, relation, columns)
    if place.timestamp is None:
        return RelationInfo(columns, "none", timestamp_served=False)
    _check_sample(link, place, place.timestamp)
    if place.partition is not None:
        _check_dates(link, place, place.partition)
    return RelationInfo(columns, place.timestamp.name, _is_served(link, place))


def explain(link: Link, dialect: str, query: Query, parameters: Parameters) -> list[str]:
    """The lines of the store's own plan of a query."""
    if dialect == "sqlite":
        return [str(row[3]) for row in link.run(_prefixed("EXPLAIN QUERY PLAN", query), parameters)]
    return [str(row[0]) for row in link.run(_prefixed("EXPLAIN", query), parameters)]


def _prefixed(prefix: str, query: Query) -> Query:
    return Query(f"{prefix} {query.text}", query.names)


def _check_sample(link: Link, place: Place, timestamp: Timestamp) -> None:
    """A text in another format would compare wrongly and lose rows without a word."""
    for value in _some_value(link, place, str(place.relation.timestamp)):
        if not timestamp.looks_right(value):
            raise SourceError(
                f"{place.relation.table!r}: timestamp {place.relation.timestamp!r} holds values "
                f"such as {value!r}, not {timestamp.name}; {_remedy(value)}"
            )


def _check_dates(link: Link, place: Place, partition: Partition) -> None:
    """The same for the texts of a column of partitions."""
    for value in _some_value(link, place, partition.column):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) is None:
            raise SourceError(
                f"{place.relation.table!r}: partition {partition.column!r} holds values such as "
                f"{value!r}; it takes dates such as '2026-12-31'"
            )


def _some_value(link: Link, place: Place, name: str) -> Iterator[object]:
    """One that is not NULL, if there is any."""
    column = place.rows.c[name]
    statement = first(select(column).where(column.is_not(None)), 1)
    return (value for (value,) in link.run(place.compile(statement), {}))


def _remedy(value: object) -> str:
    declared = _format_of(value)
    if declared is None:
        return "no `format` serves these: cast it in a view or a `query`"
    return f"set its `format` to {declared}"


def _format_of(value: object) -> str | None:
    """What a value may be declared as, as it is written in a message; None where nothing fits. A
    text that says another zone than UTC would be read as if it did not."""
    if isinstance(value, int | float):
        if value >= _MICROSECONDS_FROM:
            return None
        return EPOCH_MILLISECONDS if value > _MILLISECONDS_FROM else EPOCH_SECONDS
    text = str(value)
    for pattern in _FORMATS:
        match = re.match(_shape(pattern), text)
        rest = match and _REST.fullmatch(text, match.end())
        if match and rest and _is_a_moment(match[0], pattern):
            separator, zone = rest[1] or "", rest[2] or ""
            fraction = f"{separator}%f" if separator else ""
            if not fraction or pattern.endswith("%S"):
                return repr(f"{pattern}{fraction}{zone}")
    return None


def _shape(pattern: str) -> str:
    return re.sub("%.", lambda m: r"\d{4}" if m[0] == "%Y" else r"\d{2}", re.escape(pattern))


def _is_a_moment(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 - only whether there is one
    except ValueError:
        return False
    return True


def _is_served(link: Link, place: Place) -> bool:
    """Ask the planner, which also knows the tables below a view."""
    times = place.times(_SOME_DAY)
    bare = replace(place, relation=replace(place.relation, where=None), partition=None)
    query = place.compile(bare.select(func.count()))
    if place.dialect == "sqlite":
        lines = explain(link, place.dialect, query, times)
        return any("SEARCH" in line and ">? AND" in line for line in lines)
    cut_by = (place.relation.timestamp, place.relation.partition)
    if any(column in cut_by for column in partitioned_by(link, place.relation)):
        return True
    list(link.run(_SEQSCAN, {"value": "off"}))  # on a small table it would not use its index
    ((plan,),) = link.run(_prefixed("EXPLAIN (FORMAT JSON)", query), times)
    list(link.run(_SEQSCAN, {"value": "on"}))
    return any(
        # A later column of an index is also a condition, but the whole index is read for it.
        any(first in condition for (first,) in link.run(FIRST_OF_INDEX, {"index": index}))
        for index, condition in _index_conditions(plan)
    )


def _index_conditions(node: Any) -> Iterator[tuple[str, str]]:
    """The indexes of a plan and the conditions that they are searched with."""
    if isinstance(node, dict) and "Index Cond" in node:
        yield node["Index Name"], node["Index Cond"]
    for part in node.values() if isinstance(node, dict) else node:
        if isinstance(part, dict | list):
            yield from _index_conditions(part)
