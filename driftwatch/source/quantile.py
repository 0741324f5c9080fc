"""Edges of numeric axes: exact quantiles and frequent values, found by the store."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Double, bindparam, func, literal_column, select
from sqlalchemy.sql.selectable import Select, Subquery

from driftwatch.source.bucket import Finite
from driftwatch.source.catalog import ColumnInfo
from driftwatch.source.link import Link, Row
from driftwatch.source.place import Place
from driftwatch.window import Interval

_TAILS = (Fraction(1, 1000), Fraction(1, 100), Fraction(99, 100), Fraction(999, 1000))
_ATOM = Fraction(1, 20)
"""A value with this share of the finite values has a cell of its own."""


class RowReader:
    """Runs statements over the rows of one interval, in the snapshot of a link; over all of them
    (None) where rows have no time."""

    def __init__(self, link: Link, place: Place, interval: Interval | None) -> None:
        self.place = place
        self._link, self._times = link, place.times(interval)

    def run(self, statement: Select[*tuple[Any, ...]], **parameters: object) -> list[Row]:
        bound = {**self._times, **parameters}
        return list(self._link.run(self.place.compile(statement), bound))


@dataclass(frozen=True, slots=True)
class Extent:
    """The finite values of a column: how many, and between what."""

    values: int
    minimum: float
    maximum: float


def read_extent(reader: RowReader, found: ColumnInfo) -> Extent | None:
    """The extent of a column, None if it has no finite value."""
    rows = _finite_values(reader.place, found)
    statement = select(func.count(rows.c.v), func.min(rows.c.v), func.max(rows.c.v))
    ((values, minimum, maximum),) = reader.run(statement)
    return Extent(values, float(minimum), float(maximum)) if values else None


def uniform_edges(extent: Extent, count: int) -> tuple[float, ...]:
    """count cells of one width over [minimum, maximum]; the maximum is in the last of them.

    >>> uniform_edges(Extent(9, 0.0, 10.0), 4)
    (0.0, 2.5, 5.0, 7.5, 10.000000000000002)
    """
    low, high = Fraction(extent.minimum), Fraction(extent.maximum)
    inner = [float(low + (high - low) * i / count) for i in range(count)]
    return _ascending([*inner, _after(extent.maximum)])


def quantile_edges(
    reader: RowReader, found: ColumnInfo, extent: Extent, count: int
) -> tuple[float, ...]:
    """Edges at the quantiles 1/count, 2/count ..., at 0.1, 1, 99 and 99.9 %, and at both ends.

    The ends are the minimum and the next float after the maximum: what lies in an outer bin is
    beyond all that was fitted to, so that a few such rows are plain to see. The quantile p of n
    finite values is the one of rank ceil(p n) (inverted CDF, exact). A value v that holds at least
    5 % of them has the cell [v, next float). Such a value covers two neighbouring multiples of
    2.5 %, so only values that do so are counted.
    """
    shares = {*_TAILS, *(Fraction(i, count) for i in range(1, count))}
    grid = [_ATOM * i / 2 for i in range(1, 41)]
    ranks = {share: math.ceil(share * extent.values) for share in (*shares, *grid)}
    by_rank = _RANKED[reader.place.dialect](reader, found, extent, sorted(set(ranks.values())))
    along = [by_rank[ranks[share]] for share in grid]
    atoms = _frequent(reader, found, extent, {a for a, b in pairwise(along) if a == b})
    edges = {by_rank[ranks[share]] for share in shares}
    ends = (extent.minimum, _after(extent.maximum))
    return _ascending([*ends, *edges, *atoms, *(_after(atom) for atom in atoms)])


def _ascending(edges: Iterable[float]) -> tuple[float, ...]:
    """Without duplicates, -0.0 and what is beyond the largest float."""
    return tuple(sorted({edge + 0.0 for edge in edges if math.isfinite(edge)}))


def _after(value: float) -> float:
    return math.nextafter(value, math.inf)


def _finite_values(place: Place, found: ColumnInfo) -> Subquery:
    finite: ColumnElement[float] = Finite(place.value(found))
    if place.dialect == "sqlite":  # whose integers equal no float beyond 2**53 but their own
        finite = finite + literal_column("0.0", Double())
    return place.fenced(place.select(finite.label("v"))).subquery("finite")


def _ranked_by_row_number(
    reader: RowReader, found: ColumnInfo, _: Extent, ranks: list[int]
) -> dict[int, float]:
    values = _finite_values(reader.place, found)
    numbered = select(values.c.v, func.row_number().over(order_by=values.c.v).label("rank")).where(
        values.c.v.is_not(None)
    )
    rows = numbered.subquery("numbered")
    wanted: ColumnElement[Any] = literal_column(f"({', '.join(map(str, ranks))})")
    statement = select(rows.c.rank, rows.c.v).where(rows.c.rank.op("IN")(wanted))
    return {rank: float(value) for rank, value in reader.run(statement)}


def _ranked_by_percentile(
    reader: RowReader, found: ColumnInfo, extent: Extent, ranks: list[int]
) -> dict[int, float]:
    # percentile_disc takes the rank ceil(p n); the middle below a rank is safe from rounding.
    shares = ",".join(repr((rank - 0.5) / extent.values) for rank in ranks)
    values = _finite_values(reader.place, found)
    shares_array: ColumnElement[Any] = literal_column(f"'{{{shares}}}'::float8[]")
    statement = select(func.percentile_disc(shares_array).within_group(values.c.v))
    ((found_values,),) = reader.run(statement)
    return dict(zip(ranks, map(float, found_values), strict=True))


_RANKED = {"sqlite": _ranked_by_row_number, "postgresql": _ranked_by_percentile}


def _frequent(
    reader: RowReader, found: ColumnInfo, extent: Extent, candidates: set[float]
) -> list[float]:
    """Those of the candidates that hold at least 5 % of the finite values."""
    if not candidates:
        return []
    named = {f"candidate{index}": value for index, value in enumerate(sorted(candidates))}
    values = _finite_values(reader.place, found)
    statement = (
        select(values.c.v, func.count())
        .where(values.c.v.in_(_parameters(named)))
        .group_by(values.c.v)
    )
    return [
        float(value)
        for value, rows in reader.run(statement, **named)
        if Fraction(rows, extent.values) >= _ATOM
    ]


def _parameters(named: dict[str, float]) -> list[ColumnElement[float]]:
    return [bindparam(name, type_=Double()) for name in named]
