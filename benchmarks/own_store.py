"""driftwatch's own store with 30 days in its ledger, and fresh copies of it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.databases import Database, sqlite_path
from benchmarks.rows import END
from benchmarks.watched import DELAY_SECONDS, HOUR
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.prepare import Prepared, prepare
from driftwatch.source import Source
from driftwatch.stats.counts import ColumnPanes, PaneCounts
from driftwatch.store import ledger, monitors
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.window import Interval, to_epoch

LEDGER_DAYS = 30
SCANNED_DAYS = 2
WATERMARK = END - timedelta(seconds=HOUR)
"""What the ledger holds ends an hour before the log: the hour that is evaluated."""


@dataclass(frozen=True, slots=True)
class ReadyStore:
    """A store that is at `WATERMARK`, nobody connected to it."""

    url: str
    database: Database


@contextmanager
def ready_store(
    database: Database, source: Source, monitor: MonitorSettings
) -> Iterator[ReadyStore]:
    """A store of the same kind as the log's: a file, or a database of the same server.

    The newest two days of the ledger are scanned: what is compared with the log again must be what
    the log holds. Each of the days before is a copy of one of them.
    """
    with tempfile.TemporaryDirectory(prefix="driftwatch-benchmarks-store-") as folder:
        if database.server is None:
            ready = ReadyStore(f"sqlite:///{Path(folder) / 'ready.db'}", database)
        else:
            name = f"ready_{database.rows}"
            database.server.execute(f"CREATE DATABASE {name}")
            ready = ReadyStore(database.server.url(name), database)
        store = open_store(ready.url)
        ensure_schema(store)
        prepared = prepare(monitor, END, source=source, store=store, started_at=END)
        _fill(store, source, prepared)
        store.close()
        yield ready
        if database.server is not None:
            database.server.execute(f"DROP DATABASE {name}")


@contextmanager
def copied(ready: ReadyStore) -> Iterator[Store]:
    """A copy of the store that may be written, gone at the end."""
    number = next(_NUMBERS)
    server = ready.database.server
    if server is None:
        path = sqlite_path(ready.url)
        copy = path.with_name(f"copy-{number}.db")
        shutil.copyfile(path, copy)
        url = f"sqlite:///{copy}"
    else:
        server.execute(f"CREATE DATABASE copy_{number} TEMPLATE {ready.url.rpartition('/')[2]}")
        url = server.url(f"copy_{number}")
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
        if server is None:
            copy.unlink()
        else:
            server.execute(f"DROP DATABASE copy_{number}")


_NUMBERS = count()


def _fill(store: Store, source: Source, prepared: Prepared) -> None:
    def keep(counts: PaneCounts, interval: Interval) -> None:
        counted_at = interval.end + timedelta(seconds=DELAY_SECONDS)
        with store.write() as connection:
            ledger.record(
                connection, prepared.monitor_id, prepared.axes, counts, interval, counted_at
            )

    newest = Interval(END - timedelta(days=SCANNED_DAYS), WATERMARK)
    scanned = source.scan(prepared.plan, newest)
    day = Interval(newest.start, newest.start + timedelta(days=1))
    for age in range(LEDGER_DAYS, SCANNED_DAYS, -1):
        start = END - timedelta(days=age)
        interval = Interval(start, start + timedelta(days=1))
        keep(_moved(scanned, to_epoch(start) - to_epoch(day.start), interval), interval)
    keep(scanned, newest)
    with store.write() as connection:
        monitors.advance(
            connection,
            prepared.monitor_id,
            expected=None,
            watermark=WATERMARK,
            scanned_from=END - timedelta(days=LEDGER_DAYS),
        )


def _moved(counts: PaneCounts, seconds: int, day: Interval) -> PaneCounts:
    """The same counts so much later, those of one day alone."""
    starts = counts.starts + seconds
    kept = np.flatnonzero((starts >= to_epoch(day.start)) & (starts < to_epoch(day.end)))

    def cut(panes: ColumnPanes) -> ColumnPanes:
        return ColumnPanes(
            panes.cells[kept],
            panes.infinite[kept],
            panes.total[kept],
            panes.total_squares[kept],
            panes.minimum[kept],
            panes.maximum[kept],
        )

    columns = {name: cut(panes) for name, panes in counts.columns.items()}
    return replace(counts, starts=starts[kept], rows=counts.rows[kept], columns=columns)
