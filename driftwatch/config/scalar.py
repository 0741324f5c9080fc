"""The kinds of single values: durations, moments, names ... each with its own words when wrong.

A text that begins with a comma or a space is put behind the value as the file writes it; one that
does not is shown alone, because the value may be a secret.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from driftwatch.config.problem import nearest, suggestion
from driftwatch.window import parse_duration

OWN = "driftwatch"
"""The type of an error whose text is final."""

OWN_ABOUT_VALUE = "driftwatch_value"
"""The type of an error whose text follows the value as the file writes it."""

LONGEST_SECONDS = 3650 * 86_400

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?\s?(?P<zone>Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_NO_ZONES = {"Factory", "localtime"}
"""Files beside the zones: no place, and whatever this machine is set to."""

_ENDINGS = (".csv", ".csv.gz", ".parquet")
_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/@]+):(?P<port>\d{1,5})", re.ASCII)


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError(OWN, "{text}", {"text": text})


def _wrong_value(text: str) -> PydanticCustomError:
    return PydanticCustomError(OWN_ABOUT_VALUE, "{text}", {"text": text})


def _duration(value: object) -> int:
    try:
        if not isinstance(value, str):
            raise ValueError("not text")
        seconds = parse_duration(value)
    except ValueError:
        raise _wrong_value("is not a duration; write it like 30s, 5m, 1h30m, 1d or 2w") from None
    if seconds > LONGEST_SECONDS:
        raise _wrong_value("is longer than 3650d; write a shorter one")
    return seconds


def _positive_duration(value: object) -> int:
    seconds = _duration(value)
    if seconds == 0:
        raise _wrong_value("must be longer than nothing; write it like 30s, 5m or 1d")
    return seconds


def _moment(value: object) -> datetime:
    """Bare dates are UTC midnights; moments without a zone are UTC."""
    advice = "write 2026-09-01 (midnight UTC), 2026-09-01T06:00Z or 2026-09-01T08:00+02:00"
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong_value(f"is not a date; {advice}")
    try:
        moment = datetime.fromisoformat(re.sub(r"\s(?=Z|[+-]\d\d:)", "", match[0]))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _wrong_value(f"is not a date of the calendar; {advice}") from None


def _text(value: object) -> str:
    """Text that is not blank and holds no control character."""
    if isinstance(value, bool | int | float):
        raise _wrong('must be text; put it in quotes: "..."')
    if not isinstance(value, str):
        raise _wrong("must be text")
    if not value.strip():
        raise _wrong("must not be blank; remove the key or write a value")
    if "\0" in value:
        raise _wrong("must not hold a NUL character")
    return value


def _monitor_name(value: object) -> str:
    name = _text(value)
    if not name.isprintable() or name != name.strip() or len(name) > 200:
        raise _wrong(
            "a name has at most 200 characters, all printable, and no space at its ends; "
            "choose another"
        )
    return name


def _label_value(value: object) -> str:
    text = _text(value)
    if not text.isprintable() or text != text.strip() or len(text) > 200:
        raise _wrong(
            "a label has at most 200 characters, all printable, and no space at its ends; "
            "write a word"
        )
    return text


def _column(value: object) -> str:
    name = _text(value)
    if name.startswith("@"):
        raise _wrong_value("begins with @, which is kept for driftwatch's own features; alias it")
    return name


def _zone(value: object) -> str:
    """A name of the IANA database that means the same everywhere."""
    name = _text(value)
    known = _zones()
    if name in known:
        return name
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known)}
    near = cities.get(name.strip().replace(" ", "_").casefold()) or nearest(name, known)
    advice = f"did you mean {near!r}?" if near else "write a name such as Europe/Berlin, or UTC"
    raise _wrong_value(f"is not a zone of the IANA database; {advice}")


@cache
def _zones() -> frozenset[str]:
    """UTC is known even where there is no database."""
    return frozenset(available_timezones() - _NO_ZONES | {"UTC"})


def _age(value: object) -> int | None:
    """A duration; None is "forever"."""
    if value == "forever":
        return None
    try:
        return _positive_duration(value)
    except PydanticCustomError:
        if isinstance(value, str) and value.isalpha():
            raise _wrong_value("is not a duration; write it like 30d, or forever") from None
        raise


def _file(value: object) -> Path:
    """A file of rows, whether it is there or not."""
    text = _text(value)
    if "://" in text:
        raise _wrong("is a URL; files are read from a disk: write a path")
    if not text.endswith(_ENDINGS):
        raise _wrong_value(f"ends with none of {', '.join(_ENDINGS)}; write a file of rows")
    return Path(text)


def _listen(value: object) -> tuple[str, int]:
    match = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong_value("is not an address; write host:port, such as 127.0.0.1:10777")
    port = int(match["port"])
    if port > 65_535:
        raise _wrong_value("has a port above 65535; write one from 1 to 65535, or 0 for a free one")
    return match["host"].strip("[]"), port


def one_of(words: type[StrEnum]) -> Callable[[object], StrEnum]:
    """A validator that takes exactly the words of an enumeration."""

    def read(value: object) -> StrEnum:
        known = [str(word) for word in words]
        if isinstance(value, str) and value in known:
            return words(value)
        near = suggestion(value, known) if isinstance(value, str) else suggestion("", known)
        raise _wrong_value(f"is unknown; {near}")

    return read


Duration = Annotated[int, BeforeValidator(_duration)]
PositiveDuration = Annotated[int, BeforeValidator(_positive_duration)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Text = Annotated[str, BeforeValidator(_text)]
MonitorName = Annotated[str, BeforeValidator(_monitor_name)]
LabelValue = Annotated[str, BeforeValidator(_label_value)]
Column = Annotated[str, BeforeValidator(_column)]
Listen = Annotated[tuple[str, int], BeforeValidator(_listen)]
Zone = Annotated[str, BeforeValidator(_zone)]
Age = Annotated[int | None, BeforeValidator(_age)]
RowsFile = Annotated[Path, BeforeValidator(_file)]
Alpha = Annotated[float, Field(gt=0, le=0.05, allow_inf_nan=False)]
Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Edge = Annotated[float, Field(allow_inf_nan=False)]
