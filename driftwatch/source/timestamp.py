"""How the timestamp column of a relation says its moments, and how they are compared.

The predicate compares the bare column with literals of its own type, never a function of the
column, so that indexes and partitions are used.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Float,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    collate,
    func,
    literal_column,
    types,
)
from sqlalchemy.sql.elements import ColumnElement

from driftwatch.errors import SourceError
from driftwatch.source.wall import Wall
from driftwatch.window import Interval, from_epoch, to_epoch

EPOCH_SECONDS = "epoch_s"
EPOCH_MILLISECONDS = "epoch_ms"
DEFAULT_FORMAT = "%Y-%m-%d %H:%M:%S"
"""SQLite's own way to write a timestamp."""

_WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_SEPARATORS = {"%Y": "", "%m": "-", "%d": "-", "%H": " ", "%M": ":", "%S": ":"}
_ORDER = "YmdHMSf"
_SECONDS: ColumnElement[str] = literal_column("'%s'")
_SAYS_UTC = re.compile(r"(Z|UTC|[+]00(:?00)?)$")
_UNIT_SECONDS = {"d": 86_400, "H": 3_600, "M": 60, "S": 1}


@dataclass(frozen=True, slots=True)
class Timestamp:
    """One way to keep moments.

    write(moment): the least value that is not before a moment; read(value): the moment of a value
    that the driver returned, None where it is none; seconds(column): seconds since 1970 in SQL;
    looks_right(value): whether a fetched value looks as declared; text: what it is kept in sorts
    as text. wall: the clock whose readings the values are, None where they say their zone (then
    `write`, `read` and `seconds` are about UTC, else about readings).
    """

    name: str
    type: types.TypeEngine[Any]
    write: Callable[[datetime], object]
    read: Callable[[Any], datetime | None]
    seconds: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    looks_right: Callable[[object], bool] = lambda _: True
    wall: Wall | None = None
    collation: str | None = None

    def bind(self, moment: datetime) -> object:
        """What the column is compared with: a row is before the moment if its value is below."""
        return self.write(moment if self.wall is None else self.wall.latest(moment))

    def moment(self, value: object) -> datetime | None:
        """The UTC moment of a value, None where it is no moment. Readings that a clock showed
        twice are the first of the two."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
        read = self.read(value)
        if read is None or self.wall is None:
            return read
        return self.wall.until(read)

    def compared(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The column as it is compared: texts byte by byte."""
        return column if self.collation is None else collate(column, self.collation)

    def since(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Seconds since `origin`, below the length of what is scanned: readings that the clock
        skipped belong to what was before them."""
        seconds = self.seconds(column)
        if self.wall is not None and self.wall.zone != "UTC":
            last = bindparam("last", type_=Integer())
            seconds = case((seconds > last, last), else_=seconds)
        return seconds - bindparam("origin", type_=Integer())

    def times(self, interval: Interval) -> dict[str, object]:
        """What is bound for an interval, or for one of its parts."""
        start = interval.start if self.wall is None else self.wall.latest(interval.start)
        origin = to_epoch(start)
        return {
            "start": self.bind(interval.start),
            "end": self.bind(interval.end),
            "origin": origin,
            "last": origin + interval.seconds - 1,
        }


def timestamp_of(
    dialect: str, type_: types.TypeEngine[Any], declared: str | None, zone: str = "UTC"
) -> Timestamp:
    """The way of a timestamp column of this SQL type; SourceError where there is none.

    zone: of the clock whose readings the values are, if they do not say their zone themselves.
    """
    if declared in (EPOCH_SECONDS, EPOCH_MILLISECONDS):
        return _epoch(declared, per_second=1 if declared == EPOCH_SECONDS else 1000)
    if dialect == "sqlite":
        return _text(declared or DEFAULT_FORMAT, dialect, Wall(zone))
    if isinstance(type_, types.DateTime):
        return _TIMESTAMPTZ if type_.timezone else _naive(Wall(zone))
    if isinstance(type_, types.Date):
        return _date(Wall(zone))
    if isinstance(type_, types.Text) and declared is not None:
        return _text(declared, dialect, Wall(zone))
    raise SourceError(
        "it is neither a timestamp nor a date; for text set its `format` (such as "
        f"{DEFAULT_FORMAT!r}), for numbers since 1970 {EPOCH_SECONDS} or {EPOCH_MILLISECONDS}, "
        "else watch a view that casts it"
    )


def _epoch(name: str, *, per_second: int) -> Timestamp:
    def seconds(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column if per_second == 1 else column / literal_column(str(per_second))

    def read(value: Any) -> datetime | None:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return None
        try:
            return from_epoch(0) + timedelta(seconds=float(value) / per_second)
        except (OverflowError, ValueError):
            return None

    return Timestamp(
        name,
        types.BigInteger(),
        lambda moment: to_epoch(moment) * per_second,
        read,
        seconds,
        lambda value: isinstance(value, int | float | Decimal),
    )


def _date_part(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.date_part(literal_column("'epoch'"), column, type_=Float())


def _midnight(moment: datetime) -> object:
    day = moment.date()
    return day if moment == datetime(day.year, day.month, day.day, tzinfo=UTC) else (
        day + timedelta(days=1)
    )  # fmt: skip


def reading_of(value: object) -> datetime | None:
    """Of a date, or of a timestamp without a zone."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None


_TIMESTAMPTZ = Timestamp(
    "timestamp with time zone",
    types.DateTime(timezone=True),
    lambda m: m,
    reading_of,
    _date_part,
)


def _naive(wall: Wall) -> Timestamp:
    return Timestamp(
        f"timestamp without time zone, read as {wall.zone}",
        types.DateTime(timezone=False),
        lambda m: m.replace(tzinfo=None),
        reading_of,
        _date_part,
        wall=wall,
    )


def _date(wall: Wall) -> Timestamp:
    return Timestamp("date", types.Date(), _midnight, reading_of, _date_part, wall=wall)


def _text(pattern: str, dialect: str, wall: Wall) -> Timestamp:
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
    fields_of = re.compile(_fields(tokens[:end], smallest))
    seconds = {"sqlite": _seconds_of_text, "postgresql": _seconds_in_postgresql}[dialect]
    if _SAYS_UTC.search(pattern):
        wall = Wall("UTC")
    zone = "" if wall.zone == "UTC" else f", read as {wall.zone}"

    def write(moment: datetime) -> str:
        late = -to_epoch(moment) % _UNIT_SECONDS[smallest]
        return (moment + timedelta(seconds=late)).strftime(bound_format)

    def read(value: object) -> datetime | None:
        match = fields_of.match(value) if isinstance(value, str) else None
        return None if match is None else _moment_of(match)

    return Timestamp(
        f"text such as {datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).strftime(pattern)!r}{zone}",
        types.Text(),
        write,
        read,
        seconds(tokens[:end]),
        lambda value: looks.fullmatch(str(value)) is not None,
        wall=wall,
        collation="C" if dialect == "postgresql" else None,
    )


def _fields(bound: Sequence[str], smallest: str) -> str:
    """The fields of a text as groups of a pattern, with the fraction of its seconds."""
    groups = "".join(
        rf"(?P<{token[1]}>\d{{{_WIDTHS[token]}}})" if token in _WIDTHS
        else re.escape(token.replace("%%", "%"))
        for token in bound
    )  # fmt: skip
    return groups + (r"(?:[.,](?P<f>\d+))?" if smallest == "S" else "")


def _moment_of(match: re.Match[str]) -> datetime | None:
    found = match.groupdict()
    fraction = found.pop("f", None) or "0"
    values = [int(found.get(field) or 0) for field in "YmdHMS"]
    try:
        return datetime(*values, int(f"{fraction:0<6.6}"), tzinfo=UTC)  # type: ignore[misc,arg-type]  # six of them
    except ValueError:
        return None


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
    places = _places(bound)
    length = places[-1].end - 1

    def seconds(column: ColumnElement[Any]) -> ColumnElement[Any]:
        if "".join(bound).replace("T", " ") == DEFAULT_FORMAT:
            return cast(func.strftime(_SECONDS, _part(column, 1, length)), Integer)
        iso: ColumnElement[Any] = literal_column("''")
        for place in places:
            separator: ColumnElement[str] = literal_column(f"'{_SEPARATORS[place.field]}'")
            iso = iso.concat(separator).concat(_part(column, place.start, place.width))
        if places[-1].field == "%H":
            iso = iso.concat(literal_column("':00'"))
        return cast(func.strftime(_SECONDS, iso), Integer)

    return seconds


def _seconds_in_postgresql(
    bound: Sequence[str],
) -> Callable[[ColumnElement[Any]], ColumnElement[Any]]:
    """The same in PostgreSQL, as days and seconds: its own casts would fail on a 30th of February,
    and all rows of the scan with it. NULL for what does not look as declared."""
    places = _places(bound)
    length = places[-1].end - 1
    shape = "".join(
        "0" * _WIDTHS[token] if token in _WIDTHS else re.sub("[1-9]", "0", token.replace("%%", "%"))
        for token in bound
    )

    def seconds(column: ColumnElement[Any]) -> ColumnElement[Any]:
        parts = {place.field[1]: _part(column, place.start, place.width) for place in places}
        numbers = {field: cast(part, Integer) for field, part in parts.items()}
        month = func.make_date(numbers["Y"], numbers["m"], literal_column("1"), type_=Integer())
        day = month - literal_column("'1970-01-01'::date", Integer()) + numbers["d"]
        total: ColumnElement[Any] = (day - literal_column("1")) * literal_column("86400::bigint")
        for field, unit in _UNIT_SECONDS.items():
            if field in numbers and field != "d":
                total = total + numbers[field] * literal_column(str(unit))
        digits = func.translate(
            _part(column, 1, length), literal_column("'123456789'"), literal_column("'000000000'")
        )
        looks = and_(
            digits == literal_column("'" + shape.replace("'", "''") + "'"),
            parts["m"].between(literal_column("'01'"), literal_column("'12'")),
            parts["Y"] > literal_column("'0000'"),
        )
        return case((looks, total))

    return seconds


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field stands in a text, counted from 1."""

    field: str
    start: int
    width: int

    @property
    def end(self) -> int:
        return self.start + self.width


def _places(bound: Sequence[str]) -> list[_Place]:
    places, position = [], 1
    for token in bound:
        width = _WIDTHS.get(token, len(token.replace("%%", "%")))
        if token in _WIDTHS:
            places.append(_Place(token, position, width))
        position += width
    return places


def _part(column: ColumnElement[Any], start: int, width: int) -> ColumnElement[Any]:
    return func.substr(column, literal_column(str(start)), literal_column(str(width)), type_=Text())
