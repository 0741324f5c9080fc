"""Loading the log into a store: SQLite by executemany, PostgreSQL by COPY in its binary format."""

import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg

from benchmarks.rows import (
    COLUMNS,
    FLOATS,
    INTEGERS,
    LEVELS,
    NUMBERS,
    PREDICTION,
    SEED,
    Block,
    blocks,
    level_text,
)

TABLE = "predictions"
TIMESTAMP = "scored_at"
CACHE = Path(tempfile.gettempdir()) / "driftwatch-benchmarks"

_POSTGRES_EPOCH = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL = b"\xff\xff"


def sqlite_log(rows: int) -> Path:
    """The SQLite file of the log; built once, then taken from the cache folder."""
    path = CACHE / f"log-{rows}-{SEED}.db"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        _fill_sqlite(unfinished, rows)
        unfinished.rename(path)
    return path


def _fill_sqlite(path: Path, rows: int) -> None:
    places = ", ".join("?" for _ in range(1 + len(COLUMNS)))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(f"CREATE TABLE {TABLE} ({_definition('REAL', 'INTEGER', 'TEXT')})")
        for block in blocks(rows):
            connection.executemany(f"INSERT INTO {TABLE} VALUES ({places})", _tuples(block))
        connection.execute(f"CREATE INDEX {TABLE}_{TIMESTAMP} ON {TABLE} ({TIMESTAMP})")
        connection.execute("ANALYZE")
    connection.close()


def _tuples(block: Block) -> Iterator[tuple[object, ...]]:
    moments = np.datetime_as_string(block.seconds.astype("datetime64[s]"))
    columns: dict[str, list[object]] = {}
    for name, values in block.numbers.items():
        found = values.astype(object)
        if name in INTEGERS:
            there = ~np.isnan(values)
            found[there] = values[there].astype(np.int64)
        found[np.isnan(values)] = None
        columns[name] = found.tolist()
    for name, levels in block.levels.items():
        texts = np.array([level_text(name, level) for level in range(LEVELS[name])], object)
        columns[name] = texts[levels].tolist()
    times = [moment.replace("T", " ") for moment in moments.tolist()]
    return zip(times, *(columns[name] for name in COLUMNS), strict=True)


def fill_postgres(conninfo: str, rows: int) -> None:
    """Create and fill the table of the log in a database, with its index and its statistics."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        definition = _definition("double precision", "bigint", "text", "timestamptz")
        connection.execute(f"CREATE TABLE {TABLE} ({definition})".encode())
        copy = f"COPY {TABLE} FROM STDIN (FORMAT BINARY)".encode()
        with connection.cursor() as cursor, cursor.copy(copy) as sink:
            sink.write(_HEAD)
            for block in blocks(rows):
                sink.write(_binary(block))
            sink.write(_TAIL)
        index = f"CREATE INDEX {TABLE}_{TIMESTAMP} ON {TABLE} ({TIMESTAMP})"
        connection.execute(index.encode())
        connection.execute(f"VACUUM (ANALYZE) {TABLE}".encode())


def _definition(real: str, integer: str, text: str, moment: str = "") -> str:
    types = dict.fromkeys((*FLOATS, PREDICTION), real)
    types |= dict.fromkeys(INTEGERS, integer) | dict.fromkeys(LEVELS, text)
    columns = ", ".join(f"{name} {types[name]}" for name in COLUMNS)
    return f"{TIMESTAMP} {moment or text} NOT NULL, {columns}"


Bytes = npt.NDArray[np.uint8]


def _binary(block: Block) -> bytes:
    """The rows as PostgreSQL's binary COPY reads them: each field is its length, then its bytes;
    NULL is the length -1 and nothing."""
    microseconds = (block.seconds - _POSTGRES_EPOCH) * 1_000_000
    parts = [_plain(np.full(block.rows, 1 + len(COLUMNS)), ">i2"), *_field(microseconds, ">i8")]
    keep = [np.ones((block.rows, part.shape[1]), bool) for part in parts]
    for name in COLUMNS:
        if name in NUMBERS:
            values = block.numbers[name]
            null = np.isnan(values)
            found = np.where(null, 0, values)
            length, data = _field(found, ">i8" if name in INTEGERS else ">f8")
            length[null] = 0xFF
        else:
            null = np.zeros(block.rows, bool)
            length, data = _text(name, block)
        parts += [length, data]
        keep += [np.ones(length.shape, bool), np.broadcast_to(~null[:, None], data.shape)]
    sent: Bytes = np.concatenate(parts, axis=1)[np.concatenate(keep, axis=1)]
    return sent.tobytes()


def _field(values: npt.NDArray[np.generic], type_: str) -> tuple[Bytes, Bytes]:
    data = _plain(values, type_)
    return _plain(np.full(values.size, data.shape[1]), ">i4"), data


def _text(name: str, block: Block) -> tuple[Bytes, Bytes]:
    texts = np.array([level_text(name, level).encode() for level in range(LEVELS[name])])
    data = texts[block.levels[name]].view(np.uint8).reshape(block.rows, -1)
    return _plain(np.full(block.rows, data.shape[1]), ">i4"), data


def _plain(values: npt.NDArray[np.generic], type_: str) -> Bytes:
    return np.ascontiguousarray(values.astype(type_)).view(np.uint8).reshape(values.size, -1)
