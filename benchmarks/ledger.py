"""The ledger of a large monitor: 200 columns, 20 segments and all rows, 90 days of 5-minute panes.

`python -m benchmarks.ledger [--save]`: what it weighs with the default retention, and what a tick
and a window cost then. It takes half an hour.
"""

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import numpy as np
import psycopg
import sqlalchemy as sa

from benchmarks import machine
from benchmarks.databases import conninfo, maybe_postgres, postgres_version
from benchmarks.tables import spread, table
from driftwatch.config.settings import RetentionSettings
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray, PaneCounts
from driftwatch.store import axes, ledger, monitors, retention
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.schema import pane
from driftwatch.window import Calendar, Interval, to_epoch
from tests.servers.postgres import PostgresServer

RESULTS = Path(__file__).parent / "results"
PANE_SECONDS = 300
HOUR, DAY = 3_600, 86_400
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SHORT = RetentionSettings(panes_seconds=2 * DAY)
CHUNK = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Shape:
    """A monitor. rows: in 5 minutes, all segments together; the first segments have most."""

    numeric: int = 150
    categorical: int = 50
    segments: int = 20
    days: int = 90
    rows: int = 3_500

    @property
    def columns(self) -> int:
        return self.numeric + self.categorical


@dataclass(frozen=True, slots=True)
class Size:
    """What one level weighs. kept: the retention; payload: bytes of the packs themselves."""

    database: str
    kept: str
    level: str
    rows: int
    payload: int
    disk: int


@dataclass(frozen=True, slots=True)
class Timing:
    """One piece of work, in seconds of wall clock, commit included."""

    database: str
    work: str
    seconds: float


TICKS = (
    "a tick of one pane",
    "a tick that completes an hour",
    "a tick that completes an hour and a day",
    "a pane of two days before, revised",
)
SUMS = (
    "all segments, 1 day",
    "all segments, 30 days",
    "all segments, 30 days up to the newest pane",
    "all rows, 30 days",
)


class Rows:
    """Random counts of six hours, which stand for every six hours."""

    def __init__(self, shape: Shape, axes_of: dict[str, AxisRecord]) -> None:
        rng = np.random.default_rng(7)
        panes = int(CHUNK.total_seconds()) // PANE_SECONDS
        starts = np.arange(panes) * PANE_SECONDS
        shares = 1 / np.arange(1, shape.segments + 1)
        parts: dict[str, PaneCounts] = {}
        cells = {n: rng.dirichlet(np.full(a.axis.cells, 5.0)) for n, a in axes_of.items()}
        for number, share in enumerate(shares / shares.sum()):
            rows = rng.poisson(shape.rows * share, panes) + 1
            columns = {
                name: _column(rng, rows, cells[name], record.axis)
                for name, record in axes_of.items()
            }
            parts[f"country={number:02d}"] = PaneCounts(PANE_SECONDS, starts, rows, columns)
        every = {name: _added([one.columns[name] for one in parts.values()]) for name in axes_of}
        rows = np.sum([one.rows for one in parts.values()], axis=0)
        self.counts = PaneCounts(PANE_SECONDS, starts, rows, every, segments=parts)

    def of(self, interval: Interval) -> PaneCounts:
        """Counts of an interval within six hours of the clock."""
        start, end = to_epoch(interval.start), to_epoch(interval.end)
        base = start - start % int(CHUNK.total_seconds())
        return _cut(self.counts, start - base, end - base, base)


def _column(rng: np.random.Generator, rows: IntArray, cells: FloatArray, axis: Axis) -> ColumnPanes:
    counts = rng.multinomial(rows, cells)
    if isinstance(axis, CategoricalAxis):
        nothing = np.zeros(rows.size)
        nan = np.full(rows.size, np.nan)
        return ColumnPanes(counts, np.zeros(rows.size, np.int64), nothing, nothing, nan, nan)
    mean, deviation = rng.lognormal(0, 2), rng.lognormal(0, 1)
    noise = rng.normal(size=(4, rows.size))
    return ColumnPanes(
        cells=counts,
        infinite=np.zeros(rows.size, np.int64),
        total=rows * mean + np.sqrt(rows) * deviation * noise[0],
        total_squares=rows * (mean**2 + deviation**2) * (1 + noise[1] ** 2 / np.sqrt(rows)),
        minimum=mean - deviation * (3 + noise[2] ** 2),
        maximum=mean + deviation * (3 + noise[3] ** 2),
    )


def _added(parts: list[ColumnPanes]) -> ColumnPanes:
    return ColumnPanes(
        np.sum([one.cells for one in parts], axis=0),
        np.sum([one.infinite for one in parts], axis=0),
        np.sum([one.total for one in parts], axis=0),
        np.sum([one.total_squares for one in parts], axis=0),
        np.fmin.reduce([one.minimum for one in parts]),
        np.fmax.reduce([one.maximum for one in parts]),
    )


def _cut(counts: PaneCounts, low: int, high: int, later: int) -> PaneCounts:
    index = np.flatnonzero((counts.starts >= low) & (counts.starts < high))
    return replace(
        counts,
        starts=counts.starts[index] + later,
        rows=counts.rows[index],
        columns={name: panes.at(index) for name, panes in counts.columns.items()},
        segments={name: _cut(one, low, high, later) for name, one in counts.segments.items()},
    )


class Large:
    """A store with the ledger of one large monitor."""

    def __init__(self, name: str, store: Store, shape: Shape) -> None:
        self.name, self.store, self.shape = name, store, shape
        ensure_schema(store)
        with store.write() as connection:
            self.id = monitors.ensure(connection, "large", FIRST).id
            self.axes = self._axes(connection)
        self.rows = Rows(shape, self.axes)
        self.segments = list(self.rows.counts.segments)
        self.end = FIRST

    def _axes(self, connection: sa.Connection) -> dict[str, AxisRecord]:
        numeric: Axis = NumericAxis(tuple(float(edge) for edge in range(21)))
        wanted = {f"x{n:03d}": numeric for n in range(self.shape.numeric)}
        for n in range(self.shape.categorical):
            levels = tuple(f"level {k}" for k in range(5 + n % 46))
            wanted[f"c{n:03d}"] = CategoricalAxis(levels)
        fitted = Interval(FIRST, FIRST + timedelta(days=1))
        return {
            name: axes.save(connection, self.id, name, axis, "number", fitted, FIRST)
            for name, axis in wanted.items()
        }

    def fill(self, until: datetime) -> None:
        """Count up to a moment, six hours at a time, and prune each day."""
        while self.end < until:
            self.count(Interval(self.end, min(self._next_chunk(), until)))
            if self.end.hour == 0:
                self.prune(RetentionSettings())

    def _next_chunk(self) -> datetime:
        since = (self.end - FIRST) // CHUNK
        return FIRST + (since + 1) * CHUNK

    def count(self, interval: Interval, *, factor: int = 1) -> float:
        """Seconds that it takes to record this interval. factor: another one changes the counts."""
        counts = self.rows.of(interval)
        if factor != 1:
            counts = _times(counts, factor)
        begun = time.perf_counter()
        with self.store.write() as connection:
            ledger.record(connection, self.id, self.axes, counts, interval, interval.end)
        self.end = max(self.end, interval.end)
        return time.perf_counter() - begun

    def prune(self, kept: RetentionSettings) -> None:
        while True:
            with self.store.write() as connection:
                calendars = {"large": Calendar()}
                if not retention.prune(connection, kept, monitors=calendars, now=self.end):
                    break
        if not self.store.is_sqlite:
            _vacuum(self.store, "VACUUM pane")  # as autovacuum does, which has a day for it

    def ticks(self) -> Iterator[Timing]:
        """Two hours of ticks, the last of which completes a day."""
        self.fill(self.end.replace(hour=22))
        for number in range(24):
            end = self.end + timedelta(seconds=PANE_SECONDS)
            kind = {11: 1, 23: 2}.get(number, 0)
            yield Timing(self.name, TICKS[kind], self.count(Interval(self.end, end)))
        for number in range(3):
            start = self.end - timedelta(days=2) + timedelta(seconds=PANE_SECONDS * number)
            old = Interval(start, start + timedelta(seconds=PANE_SECONDS))
            yield Timing(self.name, TICKS[3], self.count(old, factor=2))
            self.count(old)  # as it was

    def sums(self) -> Iterator[Timing]:
        day = self.end.replace(hour=0, minute=0)
        days = Interval(day - timedelta(days=30), day)
        newest = Interval(self.end - timedelta(days=30), self.end)
        every = ["", *self.segments]
        asked = zip(
            SUMS,
            (Interval(day - timedelta(days=1), day), days, newest, days),
            (every, every, every, [""]),
            strict=True,
        )
        for work, window, segments in asked:
            begun = time.perf_counter()
            with self.store.read() as connection:
                found = ledger.sum_segments(connection, self.id, self.axes, [window], segments)
            seconds = time.perf_counter() - begun
            if not all(one.is_whole for (one,) in found.values()):
                raise RuntimeError(f"{window} was not counted whole")
            yield Timing(self.name, work, seconds)

    def sizes(self, kept: str, disk: Callable[[Store], int]) -> Iterator[Size]:
        per_level = (
            sa.select(pane.c.seconds, sa.func.count(), sa.func.sum(sa.func.length(pane.c.counts)))
            .group_by(pane.c.seconds)
            .order_by(pane.c.seconds)
        )
        with self.store.read() as connection:
            found = connection.execute(per_level).all()
        names = {PANE_SECONDS: "panes", HOUR: "hours", DAY: "days"}
        for seconds, rows, payload in found:
            yield Size(self.name, kept, names[seconds], rows, int(payload), 0)
        total = [sum(row[n] for row in found) for n in (1, 2)]
        yield Size(self.name, kept, "all", total[0], int(total[1]), disk(self.store))


def _times(counts: PaneCounts, factor: int) -> PaneCounts:
    return replace(
        counts,
        rows=counts.rows * factor,
        columns={n: replace(c, cells=c.cells * factor) for n, c in counts.columns.items()},
        segments={n: _times(one, factor) for n, one in counts.segments.items()},
    )


def measure(
    name: str, store: Store, shape: Shape, repetitions: int
) -> tuple[list[Size], list[Timing]]:
    """Fill a ledger, weigh it, and time it."""
    large = Large(name, store, shape)
    large.fill(FIRST + timedelta(days=shape.days))
    sizes = list(large.sizes("default", _disk))
    timings: list[Timing] = []
    for _ in range(repetitions):
        timings += large.ticks()
        large.fill(large.end + timedelta(hours=10, minutes=25))
        for _ in range(3):
            timings += large.sums()
        large.fill(large.end.replace(hour=0, minute=0) + timedelta(days=1))
    large.prune(SHORT)
    sizes += large.sizes("panes: 2d", _packed_disk)
    return sizes, timings


def _disk(store: Store) -> int:
    """Bytes of the table with its index, or of the SQLite file."""
    with store.read() as connection:
        if store.is_sqlite:
            size = sa.text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        else:
            size = sa.text("SELECT pg_total_relation_size('pane')")
        return int(connection.execute(size).scalar_one())


def _packed_disk(store: Store) -> int:
    """The same, after the space of what was deleted is given back."""
    _vacuum(store, "VACUUM" if store.is_sqlite else "VACUUM FULL pane")
    return _disk(store)


def _vacuum(store: Store, statement: LiteralString) -> None:
    """Run a statement that can be in no transaction."""
    engine = store._engine  # noqa: SLF001
    if store.is_sqlite:
        with closing(sqlite3.connect(str(engine.url.database))) as connection:
            connection.execute(statement)
    else:
        url = engine.url.render_as_string(hide_password=False)
        with psycopg.connect(conninfo(url), autocommit=True) as server:
            server.execute(statement)


def page(shape: Shape, found: list[Size | Timing]) -> str:
    """The tables."""
    sizes = [one for one in found if isinstance(one, Size)]
    timings = [one for one in found if isinstance(one, Timing)]
    stores = list(dict.fromkeys(one.database for one in sizes))
    return "\n\n".join(
        [
            f"# The ledger: {shape.columns} columns, {shape.segments} segments, {shape.days} days",
            f"{shape.numeric} numeric columns of 23 cells with moments that do not deflate, "
            f"{shape.categorical} categorical ones of 8 to 53 cells; all rows and "
            f"{shape.segments} segments, of which the first has most rows; "
            f"{shape.rows * 288 / 1e6:.1f} million rows a day in panes of 5 minutes. All "
            f"{shape.days} days were counted pane by pane and pruned day by day, as a running "
            "monitor does; nothing is extrapolated. Six hours of random counts stand for all.",
            "## What it weighs",
            "Packs: the bytes of the counts. Disk: the SQLite file, or the table with its index "
            "and its large values; with `panes: 2d` after VACUUM. Default: panes of 5 minutes for "
            "30 days, hours for 400 days, days for ever.",
            table(
                ["store", "retention", "level", "rows", "packs, MB", "bytes per pack", "disk, MB"],
                (
                    [
                        one.database, one.kept, one.level, f"{one.rows:,}",
                        f"{one.payload / 1e6:,.0f}", f"{one.payload / one.rows:,.0f}",
                        f"{one.disk / 1e6:,.0f}" if one.disk else "",
                    ]
                    for one in sizes
                ),
            ),
            "## What a tick costs the store",
            "Milliseconds of wall clock: `ledger.record` of one pane of all columns and segments "
            "with the roll-ups above it, commit included; without the scan, the verdicts and the "
            "results.",
            _timed(timings, stores, TICKS),
            "## What a window costs",
            "Milliseconds: `ledger.sum_segments` of all columns. The newest pane ends at 10:25: "
            "that window is made of days, hours and panes.",
            _timed(timings, stores, SUMS),
        ]
    )  # fmt: skip


def _timed(timings: list[Timing], stores: list[str], works: tuple[str, ...]) -> str:
    rows = []
    for work in works:
        seconds = [
            [one.seconds for one in timings if (one.database, one.work) == (name, work)]
            for name in stores
        ]
        rows.append([work, *(spread(of_store, scale=1000) for of_store in seconds)])
    return table(["", *stores], rows)


@contextmanager
def _stores(server: PostgresServer | None) -> Iterator[list[tuple[str, Store]]]:
    with tempfile.TemporaryDirectory(prefix="driftwatch-benchmarks-ledger-") as folder:
        stores = [("SQLite", open_store(f"sqlite:///{Path(folder) / 'ledger.db'}"))]
        if server is not None:
            server.execute("CREATE DATABASE ledger")
            stores.append(("PostgreSQL", open_store(server.url("ledger"))))
        try:
            yield stores
        finally:
            for _, store in stores:
                store.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/")
    parser.add_argument("--days", type=int, default=Shape().days, metavar="N", help="of the ledger")
    parser.add_argument("--repetitions", type=int, default=3, metavar="N", help="of each (3)")
    options = parser.parse_args()
    shape = Shape(days=options.days)
    with maybe_postgres() as server, _stores(server) as stores:
        about = machine.describe(postgres_version(server))
        before = machine.load()
        found: list[Size | Timing] = []
        for name, store in stores:
            sizes, timings = measure(name, store, shape, options.repetitions)
            found += [*sizes, *(replace(one, seconds=round(one.seconds, 6)) for one in timings)]
        about["load average"] = f"{before} before, {machine.load()} after"
    versions = table(["measured on", ""], ([*pair] for pair in about.items()))
    text = f"{page(shape, found)}\n\n## Machine and versions\n\n{versions}\n"
    print(text, flush=True)
    if options.save:
        (RESULTS / "ledger.md").write_text(text, encoding="utf-8")
        raw = {"machine": about, "shape": asdict(shape), "measured": [asdict(one) for one in found]}
        content = json.dumps(raw, indent=1, ensure_ascii=False)
        (RESULTS / "ledger.json").write_text(f"{content}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
