"""How the timestamp column of a relation says its moments, and how they are compared.

The predicate compares the bare column with literals of its own type, never a function of the
column, so that indexes and partitions are used.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Float, Integer, Text, cast, func, literal_column, types
from sqlalchemy.sql.elements import ColumnElement

from driftwatch.errors import SourceError
from driftwatch.window import to_epoch

EPOCH_SECONDS = "epoch_s"
EPOCH_MILLISECONDS = "epoch_ms"
DEFAULT_FORMAT = "%Y-%m-%d %H:%M:%S"
"""SQLite's own way to write a timestamp."""

_WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_SEPARATORS = {"%Y": "", "%m": "-", "%d": "-", "%H": " ", "%M": ":", "%S": ":"}
_ORDER = "YmdHMSf"
_SECONDS: ColumnElement[str] = literal_column("'%s'")
_UNIT_SECONDS = {"d": 86_400, "H": 3_600, "M": 60, "S": 1}


@dataclass(frozen=True, slots=True)
class Timestamp:
    """One way to keep moments: how to bind one, and how to read the seconds since 1970.

    bind(moment) is the least value that is not before the moment. looks_right(value) is whether a
    value fetched from the column looks as declared.
    """

    name: str
    type: types.TypeEngine[Any]
    bind: Callable[[datetime], object]
    seconds: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    looks_right: Callable[[object], bool] = lambda _: True


def timestamp_of(dialect: str, type_: types.TypeEngine[Any], declared: str | None) -> Timestamp:
    """The way of a timestamp column of this SQL type; SourceError where there is none."""
    if declared in (EPOCH_SECONDS, EPOCH_MILLISECONDS):
        return _epoch(declared, per_second=1 if declared == EPOCH_SECONDS else 1000)
    if dialect == "sqlite":
        return _text(declared or DEFAULT_FORMAT)
    if isinstance(type_, types.DateTime):
        return _TIMESTAMPTZ if type_.timezone else _TIMESTAMP
    if isinstance(type_, types.Date):
        return _DATE
    raise SourceError(
        "it is neither a timestamp nor a date; watch a view that casts it, or for integers since "
        f"1970 set its `format` to {EPOCH_SECONDS} or {EPOCH_MILLISECONDS}"
    )


def _epoch(name: str, *, per_second: int) -> Timestamp:
    def seconds(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column if per_second == 1 else column / literal_column(str(per_second))

    return Timestamp(
        name,
        types.BigInteger(),
        lambda moment: to_epoch(moment) * per_second,
        seconds,
        lambda value: isinstance(value, int | float),
    )


def _date_part(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.date_part(literal_column("'epoch'"), column, type_=Float())


def _midnight(moment: datetime) -> object:
    day = moment.date()
    return day if moment == datetime(day.year, day.month, day.day, tzinfo=UTC) else (
        day + timedelta(days=1)
    )  # fmt: skip


_TIMESTAMPTZ = Timestamp(
    "timestamp with time zone", types.DateTime(timezone=True), lambda m: m, _date_part
)
_TIMESTAMP = Timestamp(
    "timestamp without time zone, read as UTC",
    types.DateTime(timezone=False),
    lambda m: m.replace(tzinfo=None),
    _date_part,
)
_DATE = Timestamp("date", types.Date(), _midnight, _date_part)


def _text(pattern: str) -> Timestamp:
    """Text by a strftime format whose fields stand from large to small, so that it sorts."""
    tokens = re.findall(r"%.|[^%]+", pattern)
    fields = [field[1] for field in tokens if field[0] == "%" and field != "%%"]
    if "".join(fields) not in [_ORDER[:length] for length in range(3, len(_ORDER) + 1)]:
        raise SourceError(
            f"the format {pattern!r} does not sort as time does; it takes %Y %m %d, then %H "
            f"%M %S %f as far as they go, in this order (or {EPOCH_SECONDS}, {EPOCH_MILLISECONDS})"
        )
    smallest = "S" if fields[-1] == "f" else fields[-1]
    # A shorter text sorts before a longer one with the same beginning, so bounds end with the
    # seconds: fractions of any length and a trailing Z stay on their side of it.
    end = tokens.index(f"%{smallest}") + 1
    bound_format = "".join(tokens[:end])
    looks = re.compile(_looks(tokens[:end], tokens[end:], smallest))

    def bind(moment: datetime) -> str:
        late = -to_epoch(moment) % _UNIT_SECONDS[smallest]
        return (moment + timedelta(seconds=late)).strftime(bound_format)

    return Timestamp(
        f"text such as {datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).strftime(pattern)!r}",
        types.Text(),
        bind,
        _seconds_of_text(tokens[:end]),
        lambda value: looks.fullmatch(str(value)) is not None,
    )


def _looks(bound: Sequence[str], rest: Sequence[str], smallest: str) -> str:
    """What the values look like. Behind whole seconds a fraction and a zone of UTC may stand or
    not, for they change neither the order nor the second."""
    known, declared = (
        "".join(
            rf"\d{{{_WIDTHS[field]}}}" if field in _WIDTHS
            else r"\d+" if field == "%f" else re.escape(field.replace("%%", "%"))
            for field in fields
        )
        for fields in (bound, rest)
    )  # fmt: skip
    free = r"([.,]\d+)?(Z|[+]00(:?00)?)?" if smallest == "S" else ""
    return f"{known}({free}|{declared})"


def _seconds_of_text(bound: Sequence[str]) -> Callable[[ColumnElement[Any]], ColumnElement[Any]]:
    """The seconds since 1970 of the beginning of a text, which goes as far as bounds go.

    Its fields are cut out by their places and put together as SQLite's date functions read them.
    """
    places, position = [], 1
    for token in bound:
        width = _WIDTHS.get(token, len(token.replace("%%", "%")))
        if token in _WIDTHS:
            places.append((token, position, width))
        position += width

    def seconds(column: ColumnElement[Any]) -> ColumnElement[Any]:
        if "".join(bound).replace("T", " ") == DEFAULT_FORMAT:
            return cast(func.strftime(_SECONDS, _part(column, 1, position - 1)), Integer)
        iso: ColumnElement[Any] = literal_column("''")
        for token, start, width in places:
            separator: ColumnElement[str] = literal_column(f"'{_SEPARATORS[token]}'")
            iso = iso.concat(separator).concat(_part(column, start, width))
        if places[-1][0] == "%H":
            iso = iso.concat(literal_column("':00'"))
        return cast(func.strftime(_SECONDS, iso), Integer)

    return seconds


def _part(column: ColumnElement[Any], start: int, width: int) -> ColumnElement[Any]:
    return func.substr(column, literal_column(str(start)), literal_column(str(width)), type_=Text())
