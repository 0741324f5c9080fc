"""Whether the log is complete, and up to when, by a query of the user."""

from datetime import datetime

from driftwatch.errors import SourceError
from driftwatch.source.link import QUERY_OF, Link, Row, StatementError
from driftwatch.source.place import Place
from driftwatch.source.timestamp import reading_of
from driftwatch.source.wall import Wall
from driftwatch.source.written import one_statement

_FORMS = "one row with one value: true, false, or a moment as the timestamp column holds it"


def ready_until(link: Link, place: Place, written: str) -> datetime | bool:
    """The moment up to which all rows have arrived, or whether they have; NULL and no row: no.

    SQLite has no booleans: there 0 and 1 are. SourceError, about `ready`, for any other answer.
    """
    rows = _answer(link, place, written)
    if not rows:
        return False
    if len(rows) > 1 or len(rows[0]) != 1:
        what = "more than one row" if len(rows) > 1 else f"{len(rows[0])} columns"
        raise SourceError(f"`ready` gives {what}; it takes {_FORMS}")
    (value,) = rows[0]
    if value is None or isinstance(value, bool):
        return bool(value)
    if place.dialect == "sqlite" and value in (0, 1):
        return bool(value)
    moment = _moment(place, value)
    if moment is None:
        raise SourceError(
            f"`ready` gives {value!r}, but the timestamp {place.relation.timestamp!r} is "
            f"{place.timed().name}; it takes {_FORMS}"
        )
    return moment


def _moment(place: Place, value: object) -> datetime | None:
    """Dates and timestamps without a zone are local time, whatever the timestamp column is."""
    reading = reading_of(value)
    if reading is None or getattr(value, "tzinfo", None) is not None:
        return place.timed().moment(value)
    return Wall(place.relation.timestamp_zone).until(reading)


def _answer(link: Link, place: Place, written: str) -> list[Row]:
    """Two rows at most, so that a query without its `max` does not fetch the log."""
    try:
        query = one_statement(written, place.dialect)
        inside = f"SELECT * FROM (\n{query}\n) AS r LIMIT 2"  # noqa: S608  # the user's own
        if place.dialect == "postgresql":
            inside = inside.replace("%", "%%")
        return list(link.run(QUERY_OF[place.dialect](inside), {}))
    except StatementError as error:
        raise SourceError(
            f"`ready` was refused: {error}; check it, and that SELECT is granted on what it reads"
        ) from error
    except SourceError as error:
        raise type(error)(f"`ready`: {error}") from error
