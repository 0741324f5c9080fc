"""`bucket(x, edges)` is numpy.searchsorted(edges, x, side="right"); NaN is NULL, NULL stays NULL.

It is rendered as a balanced tree of CASE, because right-nested ones fail in SQLite past 23 levels.
A NULL, a NaN and a text take the ELSE of every comparison, so only the last leaf has to tell them
from large values, and only the outer leaves have to tell infinite values from finite ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from driftwatch.source.value import Ordering, ordering


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The SQL that each outcome of a bucket becomes: one per bin, and the three special ones."""

    bins: tuple[str, ...]
    missing: str
    negative_infinite: str
    positive_infinite: str


class Bucket(ColumnElement[Any]):
    """The SQL construct that `bucket` makes; `outcomes` may replace the bin numbers."""

    inherit_cache = False

    def __init__(
        self,
        x: ColumnElement[Any],
        edges: Sequence[float],
        outcomes: Outcomes,
        type_: types.TypeEngine[Any],
    ) -> None:
        if len(outcomes.bins) != len(edges) + 1:
            raise ValueError(f"{len(edges)} edges make {len(edges) + 1} bins")
        self.x, self.edges, self.outcomes, self.type = x, tuple(edges), outcomes, type_


def bucket(x: ColumnElement[Any], edges: Sequence[float]) -> Bucket:
    """The bin of x among ascending, finite edges: numpy.searchsorted(edges, x, side="right").

    0 is below the first edge, len(edges) is from the last edge on; -Inf and +Inf fall into these.
    NULL for NULL and NaN, and in SQLite for text and blobs, whatever the column's declared type.
    Dates and timestamps are compared as seconds since 1970-01-01 UTC, booleans as 0 and 1;
    integers and decimals fall where their nearest float64 falls. The literals of the edges follow
    the SQL type of x, so x must carry it.

    >>> from sqlalchemy import Float, column
    >>> print(bucket(column("x", Float()), [0.5]).compile())
    CASE WHEN x < 0.5 THEN 0 ELSE CASE WHEN x IS NULL THEN NULL ELSE 1 END END
    """
    bins = tuple(str(index) for index in range(len(edges) + 1))
    return Bucket(x, edges, Outcomes(bins, "NULL", bins[0], bins[-1]), types.Integer())


class Finite(ColumnElement[float]):
    """x as a float64 where it is a finite number, NULL where it is not.

    Dates and timestamps become seconds since 1970-01-01 UTC, booleans 0 and 1.
    """

    inherit_cache = False

    def __init__(self, x: ColumnElement[Any]) -> None:
        self.x, self.type = x, types.Float()


@compiles(Finite)
def _render_finite(element: Finite, compiler: SQLCompiler, **kw: Any) -> str:
    dialect, type_ = compiler.dialect.name, element.x.type
    x, order = _compared(element.x, compiler, **kw), ordering(dialect, type_)
    number = x
    if dialect == "postgresql":
        time = isinstance(type_, types.Date | types.DateTime)
        number = f"date_part('epoch', {x})" if time else f"CAST({x} AS double precision)"
    if order.finite is None:
        return number
    return f"CASE WHEN {x} {order.finite} AND {x} {order.above_infinity} THEN {number} END"


class Present(ColumnElement[Any]):
    """x, or 1, where x is not missing, as `Bucket` takes it: NULL for NULL and NaN, and in SQLite
    for text and blobs."""

    inherit_cache = False

    def __init__(self, x: ColumnElement[Any]) -> None:
        self.x, self.type = x, types.Integer()


@compiles(Present)
def _render_present(element: Present, compiler: SQLCompiler, **kw: Any) -> str:
    x = _compared(element.x, compiler, **kw)
    order = ordering(compiler.dialect.name, element.x.type)
    if order.finite is None:
        return x
    return f"CASE WHEN {x} {order.finite} OR {x} {order.infinite} THEN 1 END"


def _compared(x: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    """x as it is compared with edges."""
    text = compiler.process(x, **kw)
    if compiler.dialect.name == "postgresql" and isinstance(x.type, types.Boolean):
        return f"CAST({text} AS INTEGER)"
    if compiler.dialect.name == "sqlite":
        return f"(+{text})"  # a column of TEXT affinity would compare with numbers as text
    return text


@compiles(Bucket)
def _render_bucket(element: Bucket, compiler: SQLCompiler, **kw: Any) -> str:
    x = _compared(element.x, compiler, **kw)
    order = ordering(compiler.dialect.name, element.x.type)
    outcomes = element.outcomes
    leaves = list(outcomes.bins)
    leaves[-1] = _last(x, order, outcomes)
    if len(leaves) > 1 and order.above_infinity and outcomes.negative_infinite != leaves[0]:
        leaves[0] = (
            f"CASE WHEN {x} {order.above_infinity} THEN {leaves[0]} "
            f"ELSE {outcomes.negative_infinite} END"
        )
    return _tree(x, element.edges, leaves, order)


def _last(x: str, order: Ordering, outcomes: Outcomes) -> str:
    """What is not below the last edge: large, infinite or missing."""
    if order.finite is None:
        return f"CASE WHEN {x} IS NULL THEN {outcomes.missing} ELSE {outcomes.bins[-1]} END"
    return (
        f"CASE WHEN {x} {order.finite} THEN {outcomes.bins[-1]} "
        f"WHEN {x} {order.infinite} THEN {outcomes.positive_infinite} "
        f"ELSE {outcomes.missing} END"
    )


def _tree(x: str, edges: Sequence[float], leaves: Sequence[str], order: Ordering) -> str:
    if not edges:
        return leaves[0]
    middle = len(edges) // 2
    low = _tree(x, edges[:middle], leaves[: middle + 1], order)
    high = _tree(x, edges[middle + 1 :], leaves[middle + 1 :], order)
    return f"CASE WHEN {x} {order.below(edges[middle])} THEN {low} ELSE {high} END"
