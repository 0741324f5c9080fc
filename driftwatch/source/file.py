"""Training data in a file: read in parts into a private SQLite file, then counted as any source.

So that the same binning applies to it as to the log, and memory does not grow with its rows.
"""

import math
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
from sqlalchemy.engine import URL

from driftwatch.config.settings import RelationSettings, SourceSettings
from driftwatch.errors import SourceError
from driftwatch.source.source import Source, open_source

_CELLS = 1_000_000
"""So many values are in memory at a time."""

_INTEGER = re.compile(r"\s*[+-]?(0|[1-9][0-9]*)\s*")
_NUMBER = re.compile(
    r"\s*[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"
    r"|\s*[+-]?([iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])\s*"
)
_MISSING = ["", "NA"]
_EXTRA = "pip install 'driftwatch-daemon[parquet]' (in the clone: pip install '.[parquet]')"


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the copy: its declared type, and how its values are written there."""

    name: str
    declared: str
    written: Callable[[Any], list[object]]


@dataclass(frozen=True, slots=True)
class _Table:
    """What a file holds: its columns, and all its rows in parts, one list per column."""

    columns: Sequence[_Column]
    parts: Iterator[Sequence[Any]]


class FileSource:
    """The rows of a file as a source and a relation without a timestamp; `close` deletes the copy.

    Use it in a `with` statement.
    """

    def __init__(self, path: Path, folder: "tempfile.TemporaryDirectory[str]") -> None:
        self._folder = folder
        self.relation = RelationSettings(_table_of(path), None, None)
        url = URL.create("sqlite", database=str(_database(folder)))
        self.source: Source = open_source(
            SourceSettings(path.name, url.render_as_string(), max_concurrent=1)
        )

    def close(self) -> None:
        """Close the connections and delete the copy."""
        self.source.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_file(path: Path, *, dialect: str = "sqlite") -> FileSource:
    """The rows of a CSV (.csv, .csv.gz) or Parquet (.parquet) file.

    CSV: UTF-8, with a header; empty fields and NA are missing; a column whose every value is a
    number is numeric, any other is text, and so are numbers with leading zeros, as codes are.
    Parquet: booleans, numbers, decimals, dates, timestamps, texts, and dictionaries of these; other
    columns are left out.

    dialect: of the log that it is compared with. As texts, PostgreSQL writes booleans `true` and
    `false`, SQLite `1` and `0`.

    SourceError, with the file's name, if it cannot be read.
    """
    read = next(
        (read for ending, read in _READERS.items() if path.name.lower().endswith(ending)), None
    )
    if read is None:
        raise SourceError(
            f"file {str(path)!r}: its ending tells how it is read; it takes {', '.join(_READERS)}"
        )
    if not path.is_file():
        raise SourceError(f"there is no file {str(path.absolute())!r}; check its path")
    folder = tempfile.TemporaryDirectory(prefix="driftwatch-")
    try:
        _copy(read(path, dialect), _database(folder), _table_of(path))
        return FileSource(path, folder)
    except BaseException as error:
        folder.cleanup()
        if isinstance(error, sqlite3.Error):
            raise SourceError(
                f"file {str(path)!r}: it could not be copied to {folder.name}: {error}; check its "
                "column names, and the room there"
            ) from error
        if isinstance(error, OSError | ValueError | EOFError):  # also of pandas and pyarrow
            line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise SourceError(f"file {str(path)!r} cannot be read: {line}") from error
        raise


def _table_of(path: Path) -> str:
    return f"rows of {path.name}"


def _database(folder: "tempfile.TemporaryDirectory[str]") -> Path:
    return Path(folder.name) / "rows.sqlite"


def _copy(table: _Table, database: Path, name: str) -> None:
    """All rows of a table into a new SQLite file that only this user can read."""
    database.touch(mode=0o600, exist_ok=False)
    columns = ", ".join(f"{_quoted(column.name)} {column.declared}" for column in table.columns)
    marks = ", ".join("?" * len(table.columns))
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE {_quoted(name)} ({columns})")
        connection.execute("BEGIN")
        for part in table.parts:
            values = (
                column.written(column_values)
                for column, column_values in zip(table.columns, part, strict=True)
            )
            connection.executemany(
                f"INSERT INTO {_quoted(name)} VALUES ({marks})",  # noqa: S608  # a quoted name
                zip(*values, strict=True),
            )
        connection.execute("COMMIT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _read_csv(path: Path, _: str) -> _Table:
    """Twice: first to decide what its columns are."""
    names = [str(name) for name in pd.read_csv(path, dtype=str, nrows=0, encoding="utf-8-sig")]
    _require_distinct(path)
    patterns: list[re.Pattern[str] | None] = [_INTEGER] * len(names)
    for part in _csv_parts(path, len(names)):
        for index, values in enumerate(part):
            patterns[index] = _narrowest(patterns[index], values)
    columns = [
        _Column(name, *_OF_PATTERN[pattern]) for name, pattern in zip(names, patterns, strict=True)
    ]
    return _Table(columns, _csv_parts(path, len(names)))


def _require_distinct(path: Path) -> None:
    """pandas would call the second of two columns of one name something else."""
    first = pd.read_csv(
        path, dtype=str, header=None, nrows=1, keep_default_na=False, encoding="utf-8-sig"
    )
    written = [str(name) for name in first.iloc[0]]
    for name in written:
        if name and written.count(name) > 1:
            raise ValueError(f"its header names {name!r} twice; rename or remove one of them")


def _csv_parts(path: Path, columns: int) -> Iterator[list["pd.Series[str]"]]:
    with pd.read_csv(
        path,
        dtype=str,
        keep_default_na=False,
        na_values=_MISSING,
        encoding="utf-8-sig",
        chunksize=max(_CELLS // columns, 1),
    ) as parts:
        for part in parts:
            if not isinstance(part.index, pd.RangeIndex):
                raise ValueError("its rows have more fields than its header")
            yield [part.iloc[:, index] for index in range(columns)]


def _narrowest(pattern: re.Pattern[str] | None, values: "pd.Series[str]") -> re.Pattern[str] | None:
    """The first of integer, number and text (None), from `pattern` on, that all values are."""
    known = set(values.dropna())
    for candidate in (_INTEGER, _NUMBER)[pattern is _NUMBER :] if pattern else ():
        if all(candidate.fullmatch(value) for value in known):
            return candidate
    return None


def _integers(values: "pd.Series[str]") -> list[object]:
    return [
        None if pd.isna(value) else _fitting(int(value)) for value in values.array.to_numpy(object)
    ]


def _fitting(value: int) -> int | float:
    """SQLite holds 64 bits; beyond them its nearest float."""
    if -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _floats(values: "pd.Series[str]") -> list[object]:
    return [None if pd.isna(value) else float(value) for value in values.array.to_numpy(object)]


def _texts(values: "pd.Series[str]") -> list[object]:
    return [None if pd.isna(value) else str(value) for value in values.array.to_numpy(object)]


_OF_PATTERN: dict[re.Pattern[str] | None, tuple[str, Callable[[Any], list[object]]]] = {
    _INTEGER: ("INTEGER", _integers),
    _NUMBER: ("REAL", _floats),
    None: ("TEXT", _texts),
}


def _read_parquet(path: Path, dialect: str) -> _Table:
    try:
        import pyarrow.parquet as pq  # noqa: PLC0415  # an extra that most do without
    except ImportError as error:
        raise SourceError(
            f"file {str(path)!r}: Parquet needs pyarrow; get it with {_EXTRA}"
        ) from error
    file = pq.ParquetFile(path)
    found = [
        (index, _Column(field.name, *written))
        for index, field in enumerate(file.schema_arrow)
        if (written := _of_arrow(field.type, dialect)) is not None
    ]
    if not found:
        file.close()
        raise ValueError("it has no column of booleans, numbers, times or texts")

    def parts() -> Iterator[list[Any]]:
        with file:
            for batch in file.iter_batches(batch_size=max(_CELLS // len(found), 1)):
                yield [batch.column(index) for index, _ in found]

    return _Table([column for _, column in found], parts())


def _of_arrow(type_: Any, dialect: str) -> tuple[str, Callable[[Any], list[object]]] | None:
    """The declared type and the writer of an Arrow type, None where it cannot be counted."""
    import pyarrow.types as pt  # noqa: PLC0415

    if pt.is_dictionary(type_):
        inner = _of_arrow(type_.value_type, dialect)
        return inner and (inner[0], lambda array: inner[1](array.dictionary_decode()))
    if pt.is_boolean(type_) and dialect == "postgresql":
        return "BOOLEAN TEXT", _written(lambda value: "true" if value else "false")
    if pt.is_timestamp(type_):
        return "TIMESTAMP", _seconds(_PER_SECOND[type_.unit])
    kinds: tuple[tuple[Callable[[Any], bool], str, Callable[[Any], list[object]]], ...] = (
        (pt.is_boolean, "BOOLEAN", _written(int)),
        (pt.is_integer, "INTEGER", _written(_fitting)),
        (pt.is_floating, "REAL", _written(float)),
        (pt.is_decimal, "REAL", _written(float)),
        (pt.is_null, "REAL", _written(float)),
        (pt.is_date32, "DATE", _days),
        (pt.is_date64, "DATE", _seconds(1_000)),
        (pt.is_string, "TEXT", _written(str)),
        (pt.is_large_string, "TEXT", _written(str)),
        (pt.is_string_view, "TEXT", _written(str)),
    )
    return next(((declared, written) for is_, declared, written in kinds if is_(type_)), None)


_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def _written(write: Callable[[Any], object]) -> Callable[[Any], list[object]]:
    return lambda array: [None if value is None else write(value) for value in array.to_pylist()]


def _seconds(per_second: int) -> Callable[[Any], list[object]]:
    """Times as seconds since 1970."""
    write = _written(lambda value: value / per_second)
    return lambda array: write(array.view("int64"))


def _days(array: Any) -> list[object]:
    return _written(lambda days: days * 86_400)(array.view("int32"))


_READERS: dict[str, Callable[[Path, str], _Table]] = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".parquet": _read_parquet,
}
