"""A log of predictions in a real database, written by SQL, and the same rows for numpy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import sqlalchemy as sa

from driftwatch.config.settings import RelationSettings

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
COLUMNS = {"x": "double precision", "k": "text"}
ROWS_PER_HOUR = 20
LEVELS = ("a", "b")
SQLITE_FORMAT = "%Y-%m-%d %H:%M:%S"

Row = dict[str, Any]


def day(days: float) -> datetime:
    """A moment in days after MONDAY, to the whole second."""
    return MONDAY + timedelta(seconds=round(days * 86_400))


def rows(start: float, end: float, *, per_hour: int = ROWS_PER_HOUR, **changed: Any) -> list[Row]:
    """Rows evenly over [start, end) in days: x is normal and missing in every 20th row, k has two
    levels. changed: a fixed value of a column in all of them, or a function of the usual value."""
    return [
        row | {n: f(row.get(n)) if callable(f) else f for n, f in changed.items()}
        for row in _usual(start, end, per_hour)
    ]


@lru_cache(maxsize=64)
def _usual(start: float, end: float, per_hour: int) -> tuple[Row, ...]:
    rng = np.random.default_rng([per_hour, round(start * 1000)])
    step = timedelta(hours=1) / per_hour
    size = -((day(start) - day(end)) // step)
    values = np.round(rng.normal(size=size), 3).tolist()
    levels = rng.random(size) < 0.6
    return tuple(
        {
            "at": (day(start) + n * step).replace(microsecond=0),
            "x": None if n % 20 == 7 else value,
            "k": LEVELS[int(levels[n])],
        }
        for n, value in enumerate(values)
    )


def shifted(value: float | None) -> float | None:
    """x, so far from where it was that no window hides it."""
    return None if value is None else value + 4.0


@dataclass
class Log:
    """One table of one database."""

    url: str
    table: str = "events"

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def moment(self) -> str:
        """The type of a column of moments."""
        return "text" if self.is_sqlite else "timestamptz"

    @property
    def relation(self) -> RelationSettings:
        return RelationSettings(self.table, None, "at")

    def create(self, columns: Mapping[str, str] = COLUMNS) -> None:
        moment = self.moment
        written = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
        self.execute(f"CREATE TABLE {self.table} (at {moment} NOT NULL, {written})")
        self.execute(f"CREATE INDEX {self.table}_at ON {self.table} (at)")

    def write(self, made: Sequence[Row]) -> None:
        """Append rows in one statement; columns that a row does not name are NULL."""
        names = list(made[0])
        target = f"INSERT INTO {self.table} ({', '.join(names)})"
        if self.is_sqlite:
            statement = f"{target} VALUES ({', '.join(f':{name}' for name in names)})"
            values: Any = [{**row, "at": f"{row['at']:{SQLITE_FORMAT}}"} for row in made]
        else:
            source = f"json_populate_recordset(NULL::{self.table}, cast(:rows AS json))"
            statement = f"{target} SELECT {', '.join(names)} FROM {source}"
            values = {"rows": json.dumps(list(made), default=datetime.isoformat)}
        with self._engine().begin() as connection:
            connection.execute(sa.text(statement), values)

    def execute(self, *statements: str) -> None:
        with self._engine().begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def change_type(self, column: str, type_: str) -> None:
        """ALTER TABLE; SQLite has none for types, so its table is made anew there."""
        if not self.is_sqlite:
            using = f"{column}::{type_}"
            self.execute(f"ALTER TABLE {self.table} ALTER {column} TYPE {type_} USING {using}")
            return
        self.execute(
            f"ALTER TABLE {self.table} ADD COLUMN changed {type_}",
            f"UPDATE {self.table} SET changed = {column}",
            f"ALTER TABLE {self.table} DROP COLUMN {column}",
            f"ALTER TABLE {self.table} RENAME COLUMN changed TO {column}",
        )

    def _engine(self) -> sa.Engine:
        return sa.create_engine(self.url, poolclass=sa.NullPool)
