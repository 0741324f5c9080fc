"""How values compare with edges in each store, so that a value falls where its float64 falls.

numpy compares `float(value)`. An integer beyond 2**53 or a decimal of 30 digits must fall on the
side of an edge on which its nearest float64 falls, so each type has its own way to write an edge.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import partial
from typing import Any

from sqlalchemy import types


class ColumnType(StrEnum):
    """What the values of a column are, as far as drift is concerned."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Ordering:
    """The comparisons of one SQL type, as the SQL that follows the value.

    below(edge): the value is below the edge. finite: a value not below the last edge is finite.
    infinite: a value that is not `finite` is +Inf (else it is NaN, NULL or text). above_infinity:
    a value below the first edge is finite. None where the type has no infinities.
    """

    below: Callable[[float], str]
    finite: str | None = None
    infinite: str | None = None
    above_infinity: str | None = None


def ordering(dialect: str, type_: types.TypeEngine[Any]) -> Ordering:
    """The ordering of a type in a store; unknown stores compare plain numbers."""
    if dialect == "sqlite":
        return _SQLITE
    if dialect == "postgresql":
        if isinstance(type_, types.DateTime) and not type_.timezone:
            return _TIMESTAMP
        for kind, found in _POSTGRESQL:
            if isinstance(type_, kind):
                return found
    return _PLAIN


def least_integer(edge: float) -> int:
    """The smallest integer whose nearest float64 is not below `edge`.

    >>> least_integer(5.5), least_integer(-3.0), least_integer(9007199254740996.0)
    (6, -3, 9007199254740995)
    """
    before = math.nextafter(edge, -math.inf)
    if abs(edge) < 2**53 or math.isinf(before):
        return math.ceil(edge)
    middle = (int(before) + int(edge)) // 2
    return middle if float(middle) >= edge else middle + 1


def sqlite_real(edge: float) -> str:
    """An expression whose value in SQLite is exactly this float64.

    SQLite may read a decimal literal one unit in the last place wrong, so the value is written as
    an integer times or divided by powers of two. From 2**53 on it is the least integer, because
    SQLite compares integers with reals exactly and numpy compares their nearest float64.

    >>> sqlite_real(3.0), sqlite_real(0.375), sqlite_real(2.0**53 + 4)
    ('3.0', '(3*1.0/8)', '9007199254740995')
    """
    numerator, denominator = edge.as_integer_ratio()
    if denominator == 1 and abs(numerator) < 2**53:
        return f"({numerator}.0)" if numerator < 0 else f"{numerator}.0"
    if denominator == 1 and -(2**63) < (least := least_integer(edge)) < 2**63:
        return f"({least})" if least < 0 else f"{least}"
    power = (numerator & -numerator).bit_length() - 1
    up = _powers("*", power) + _powers("/", denominator.bit_length() - 1)
    return f"({numerator >> power}*1.0{up})"


def _powers(operator: str, power: int) -> str:
    """Times or divided by 2**power, in integers that SQLite holds."""
    whole, rest = divmod(power, 62)
    return f"{operator}{1 << 62}" * whole + (f"{operator}{1 << rest}" if rest else "")


def _below_integer(edge: float) -> str:
    """An int8 or smaller; an edge beyond its range has everything or nothing below it."""
    least = least_integer(edge)
    if least > 2**63 - 1:
        return f"<= {2**63 - 1}"
    return f"< ({max(least, -(2**63))})"


def _below_double(edge: float) -> str:
    return f"< '{edge!r}'::float8"


def _below_decimal(edge: float) -> str:
    """float(x) < edge where x is below the middle between the edge and the float before it."""
    before = math.nextafter(edge, -math.inf)
    if math.isinf(before):
        return f"<= {-_BEYOND_FLOAT}::numeric"
    middle = (Fraction(before) + Fraction(edge)) / 2
    tie_is_edge = middle.numerator / middle.denominator == edge
    return f"{'<' if tie_is_edge else '<='} '{_decimal(middle)}'::numeric"


def _decimal(value: Fraction) -> str:
    quotient = Context(prec=1200).divide(Decimal(value.numerator), Decimal(value.denominator))
    return format(quotient, "f")


def _below_timestamp(edge: float, *, sql_type: str) -> str:
    """Seconds since 1970 against a timestamp, which has whole microseconds."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=_least_micros(edge))
    except OverflowError:
        return f"< '{'' if edge > 0 else '-'}infinity'::{sql_type}"
    return f"< '{moment.isoformat(sep=' ')}'::{sql_type}"


def _least_micros(edge: float) -> int:
    """The least whole microseconds whose nearest float64 of seconds is not below the edge."""
    micros = math.ceil(Fraction(edge) * 10**6)
    if abs(edge) < _LAST_SECOND:  # a float64 there is coarser than a microsecond by little
        while (micros - 1) / 10**6 >= edge:
            micros -= 1
    return micros


def _below_date(edge: float) -> str:
    """Seconds since 1970 against a date, which is its midnight."""
    days = math.ceil(Fraction(edge) / 86_400)
    try:
        return f"< '{date(1970, 1, 1) + timedelta(days=days)}'::date"
    except OverflowError:
        return f"< '{'' if days > 0 else '-'}infinity'::date"


def _with_infinity(below: Callable[[float], str], sql_type: str) -> Ordering:
    return Ordering(
        below,
        finite=f"< 'infinity'::{sql_type}",
        infinite=f"= 'infinity'::{sql_type}",
        above_infinity=f"> '-infinity'::{sql_type}",
    )


_LAST_SECOND = 1e12
"""No timestamp that Python knows is so far from 1970."""

_BEYOND_FLOAT = 2**1024 - 2**970
"""The smallest number whose nearest float64 is infinite."""

_PLAIN = Ordering(lambda edge: f"< {edge!r}")
_SQLITE = Ordering(lambda edge: f"< {sqlite_real(edge)}", "< 9e999", "= 9e999", "> -9e999")
_INTEGER = Ordering(_below_integer)
_NUMERIC = Ordering(
    _below_decimal,
    finite=f"< {_BEYOND_FLOAT}::numeric",
    infinite="< 'NaN'::numeric",
    above_infinity=f"> {-_BEYOND_FLOAT}::numeric",
)
_TIMESTAMP = _with_infinity(partial(_below_timestamp, sql_type="timestamp"), "timestamp")
_POSTGRESQL: tuple[tuple[type[types.TypeEngine[Any]], Ordering], ...] = (
    (types.Boolean, _INTEGER),
    (types.Integer, _INTEGER),
    (types.Float, _with_infinity(_below_double, "float8")),
    (types.Numeric, _NUMERIC),
    (
        types.DateTime,
        _with_infinity(partial(_below_timestamp, sql_type="timestamptz"), "timestamptz"),
    ),
    (types.Date, _with_infinity(_below_date, "date")),
)
