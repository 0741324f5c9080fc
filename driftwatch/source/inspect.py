"""What a relation is, and how the store would read an interval of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
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
from driftwatch.source.place import Place, first, make_place
from driftwatch.source.timestamp import EPOCH_MILLISECONDS, EPOCH_SECONDS
from driftwatch.window import Interval, from_epoch

_SOME_DAY = Interval(from_epoch(0), from_epoch(86_400))
"""Any interval: whether an index serves the timestamp does not depend on it."""

_SEQSCAN = Query("SELECT set_config('enable_seqscan', $1::text, true)", ("value",))
_FORMATS = (
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
)


@dataclass(frozen=True, slots=True)
class RelationInfo:
    """A table or view. timestamp_served: an index or a partition serves the timestamp."""

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
    _check_sample(link, place)
    return RelationInfo(columns, place.timestamp.name, _is_served(link, place))


def explain(link: Link, dialect: str, query: Query, parameters: Parameters) -> list[str]:
    """The lines of the store's own plan of a query."""
    if dialect == "sqlite":
        return [str(row[3]) for row in link.run(_prefixed("EXPLAIN QUERY PLAN", query), parameters)]
    return [str(row[0]) for row in link.run(_prefixed("EXPLAIN", query), parameters)]


def _prefixed(prefix: str, query: Query) -> Query:
    return Query(f"{prefix} {query.text}", query.names)


def _check_sample(link: Link, place: Place) -> None:
    """A text in another format would compare wrongly and lose rows without a word."""
    moment = place.rows.c[place.relation.timestamp]
    statement = first(select(moment).where(moment.is_not(None)), 1)
    for (value,) in link.run(place.compile(statement), {}):
        if not place.timestamp.looks_right(value):
            raise SourceError(
                f"{place.relation.table!r}: timestamp {place.relation.timestamp!r} holds values "
                f"such as {value!r}, not {place.timestamp.name}; set its `format`"
                f"{_suggestion(value)}"
            )


def _suggestion(value: object) -> str:
    if isinstance(value, int | float):
        return f" to {EPOCH_MILLISECONDS if value > 1e11 else EPOCH_SECONDS}"
    for pattern in _FORMATS:
        expression = re.sub(r"%(Y)|%f|%\w", lambda m: r"\d{4}" if m[1] else (
            r"\d+" if m[0] == "%f" else r"\d{2}"), pattern)  # fmt: skip
        if match := re.match(expression, str(value)):
            return f" to {(pattern + str(value)[match.end() :].replace('%', '%%'))!r}"
    return ""


def _is_served(link: Link, place: Place) -> bool:
    """Ask the planner, which also knows the tables below a view."""
    moment = place.rows.c[place.relation.timestamp]
    times = place.times(_SOME_DAY)
    bare = Place(place.dialect, _without_where(place.relation), place.timestamp, place.rows)
    query = place.compile(bare.select(func.count(moment)))
    if place.dialect == "sqlite":
        lines = explain(link, place.dialect, query, times)
        return any("SEARCH" in line and ">? AND" in line for line in lines)
    if place.relation.timestamp in partitioned_by(link, place.relation):
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


def _without_where(relation: RelationSettings) -> RelationSettings:
    return RelationSettings(relation.table, relation.schema, relation.timestamp)
