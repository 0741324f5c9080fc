"""A shop: a table of orders in a real database, a configuration, and the command line over both."""

import random
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from driftwatch.cli import main

FIRST = datetime(2026, 9, 1, tzinfo=UTC)
NOW = datetime(2026, 9, 13, 9, 3, tzinfo=UTC)
FIXED = "{js_distance: {warning: 0.1, critical: 0.2}}"
REFERENCE = "{from: 2026-09-02, to: 2026-09-09}"
SECRET = "S3cret-pw"
ROWS_PER_DAY = 96

Values = Mapping[str, Callable[[int, datetime, random.Random], object]]
ORDERS: Values = {
    "price": lambda n, moment, rng: round(rng.gauss(20, 5), 2),
    "city": lambda n, moment, rng: rng.choice(["Oslo", "Rome", "Lima"]),
}


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err

    def line(self, part: str) -> str:
        """The only line that holds this."""
        (found,) = [line for line in self.all.splitlines() if part in line]
        return found


@dataclass
class Shop:
    """Everything lies in a folder; the process stands in it."""

    folder: Path
    source_url: str
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    store: str = "sqlite:///store.db"
    now: datetime = NOW
    table_name: str = "orders"

    @property
    def is_sqlite(self) -> bool:
        return self.source_url.startswith("sqlite")

    def fill(
        self,
        values: Values = ORDERS,
        *,
        types: Mapping[str, str] | None = None,
        timestamp: str = "at",
        start: datetime = FIRST,
        end: datetime | None = None,
        index: bool = True,
    ) -> None:
        """Make the table with rows evenly over [start, end). types: SQL, where it is no guess."""
        rng = random.Random(7)
        step = timedelta(days=1) / ROWS_PER_DAY
        rows: list[dict[str, object]] = []
        moment = start
        while moment < (end or self.now):
            row = {name: make(len(rows), moment, rng) for name, make in values.items()}
            written = moment.strftime("%Y-%m-%d %H:%M:%S") if self.is_sqlite else moment
            rows.append({timestamp: written, **row})
            moment += step
        kinds = {name: (types or {}).get(name) or _sql_type(rows, name) for name in values}
        self.write(rows, {timestamp: "text" if self.is_sqlite else "timestamptz", **kinds})
        if index:
            self.sql(f"CREATE INDEX by_time ON {quoted(self.table_name)} ({quoted(timestamp)})")

    def write(self, rows: Sequence[Mapping[str, object]], types: Mapping[str, str]) -> None:
        columns = ", ".join(f"{quoted(name)} {type_}" for name, type_ in types.items())
        engine = sa.create_engine(self.source_url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            mark = "?" if self.is_sqlite else "%s"
            table = quoted(self.table_name)
            connection.exec_driver_sql(_escaped(f"CREATE TABLE {table} ({columns})", mark))
            if rows:
                marks = ", ".join([mark] * len(types))
                connection.exec_driver_sql(
                    f"INSERT INTO {_escaped(table, mark)} VALUES ({marks})",
                    [tuple(row[name] for name in types) for row in rows],
                )

    def sql(self, *statements: str) -> None:
        """Run statements on the source, as its owner."""
        engine = sa.create_engine(self.source_url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(
                    _escaped(statement, "?" if self.is_sqlite else "%s"),
                )

    def config(
        self, *monitors: str, source: str | None = None, limits: str = "", head: str = ""
    ) -> None:
        """Write config.yaml with these monitors (`monitor` makes one).

        limits: more keys of the source; head: instead of the usual `listen`.
        """
        listed = "".join(monitors or (self.monitor(),))
        self._write(
            f"store: {quoted(self.store)}\n{head or 'listen: 127.0.0.1:0'}\n"
            f"sources:\n  logs:\n    url: {quoted(source or plain(self.source_url))}\n"
            f"{''.join(f'    {one}' + chr(10) for one in limits.split(', ') if one)}"
            f"monitors:\n{listed}"
        )

    def monitor(self, name: str = "shop", **changed: str) -> str:
        keys = {
            "table": self.table_name,
            "timestamp": "at",
            "features": "[price, {name: city, kind: categorical}]",
            "reference": REFERENCE,
            "start": "2026-09-09",
            "windows": "[1d]",
            "pane": "1h",
            "delay": "0s",
            "min_rows": "20",
            "thresholds": FIXED,
            "alert": "{k: 1, of: 1}",
        } | changed
        return f"  - name: {name}\n" + "".join(f"    {k}: {v}\n" for k, v in keys.items() if v)

    def run(self, *words: str) -> Said:
        """The command line, as the process would run it, at `now`."""
        self.monkeypatch.setattr(sys, "argv", ["driftwatch", *words])
        with time_machine.travel(self.now), pytest.raises(SystemExit) as ended:
            main()
        printed = self.capsys.readouterr()
        said = Said(int(ended.value.code or 0), printed.out, printed.err)
        assert "Traceback" not in said.all, said.all
        assert SECRET not in said.all, said.all
        return said

    def drift(self) -> None:
        """From 11 September on, prices are twice what they were."""
        start = "2026-09-11 00:00:00"
        self.sql(f"UPDATE {quoted(self.table_name)} SET price = price * 2 WHERE at >= '{start}'")

    def _write(self, text: str) -> None:
        (self.folder / "config.yaml").write_text(text, "utf-8")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def plain(url: str) -> str:
    """As a user writes it."""
    return url.replace("+psycopg", "")


def unstyled(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def _escaped(statement: str, mark: str) -> str:
    return statement.replace("%", "%%") if mark == "%s" else statement


def _sql_type(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    return "text" if rows and isinstance(rows[0][name], str) else "double precision"
