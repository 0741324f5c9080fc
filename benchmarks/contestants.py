"""The first scan by each of its ways, one per process: `python -m benchmarks.contestants`.

Each way counts all rows of the log per hour and cell on the same axes, writes its counts to a file
so that they can be compared, and prints what it cost as JSON.
"""

import json
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa

from benchmarks.databases import Database
from benchmarks.floor import TEXT_FORMAT, Floor
from benchmarks.load import TABLE, TIMESTAMP
from benchmarks.meter import measure
from benchmarks.rows import COLUMNS, LOG
from benchmarks.watched import FEATURES, HOUR, RELATION, source
from driftwatch.source import ColumnType, ScanColumn
from driftwatch.stats.axis import Axis, CategoricalAxis
from driftwatch.stats.counts import ColumnTrouble, IntArray
from driftwatch.window import to_epoch

PANES = LOG.seconds // HOUR
FETCHED_ROWS = 50_000

Axes = Mapping[str, tuple[Axis, ColumnType]]
Counts = Mapping[str, IntArray]
"""Per column, shape (PANES, cells)."""


def fit(database: Database, path: Path) -> None:
    """The axes of all columns, fitted in the store to all rows; written to a file."""
    opened = source(database)
    info = opened.inspect(RELATION)
    fitted: dict[str, tuple[Axis, ColumnType]] = {}
    for name, axis in opened.fit(RELATION, info, FEATURES, LOG).items():
        found = info.column(name)
        if isinstance(axis, ColumnTrouble) or found is None:
            raise RuntimeError(f"{name} was not fitted: {axis}")
        fitted[name] = (axis, found.column_type)
    opened.close()
    path.write_bytes(pickle.dumps(fitted))


def driftwatch(database: Database, axes: Axes) -> Counts:
    """Counted in the store: what `driftwatch serve` does when it sees a log for the first time."""
    opened = source(database)
    info = opened.inspect(RELATION)
    columns = [ScanColumn(name, axis, type_) for name, (axis, type_) in axes.items()]
    found = opened.scan(opened.plan(RELATION, info, columns, HOUR), LOG)
    opened.close()
    if found.troubles or found.starts.size != PANES:
        raise RuntimeError(f"not all was scanned: {found.troubles}")
    return {name: panes.cells for name, panes in found.columns.items()}


def pandas_whole(database: Database, axes: Axes) -> Counts:
    """One pandas.read_sql of all rows, then numpy."""
    engine = sa.create_engine(database.url)
    frame = pd.read_sql(_query(), engine, params=_times(database), parse_dates=[TIMESTAMP])
    engine.dispose()
    return _count(frame, axes)


def pandas_in_parts(database: Database, axes: Axes) -> Counts:
    """pandas.read_sql of 50,000 rows at a time, streamed, each counted by numpy."""
    engine = sa.create_engine(database.url)
    totals = {name: np.zeros((PANES, axis.cells), np.int64) for name, (axis, _) in axes.items()}
    with engine.connect().execution_options(stream_results=True) as connection:
        parts: Iterator[pd.DataFrame] = pd.read_sql(
            _query(), connection, params=_times(database), parse_dates=[TIMESTAMP],
            chunksize=FETCHED_ROWS,
        )  # fmt: skip
        for frame in parts:
            for name, counts in _count(frame, axes).items():
                totals[name] += counts
    engine.dispose()
    return totals


def floor(database: Database, function: str) -> None:
    """The store's own look at all rows."""
    looked = Floor(database)
    looked.seconds(LOG, function)
    looked.close()


def _query() -> sa.TextClause:
    return sa.text(
        f"SELECT {TIMESTAMP}, {', '.join(COLUMNS)} FROM {TABLE} "
        f"WHERE {TIMESTAMP} >= :start AND {TIMESTAMP} < :end"
    )


def _times(database: Database) -> dict[str, str | datetime]:
    if database.name == "SQLite":
        return {"start": LOG.start.strftime(TEXT_FORMAT), "end": LOG.end.strftime(TEXT_FORMAT)}
    return {"start": LOG.start, "end": LOG.end}


def _count(frame: pd.DataFrame, axes: Axes) -> Counts:
    """Rows per hour and cell. The moments that driftwatch also takes are left out: the peer does
    less."""
    moments = pd.to_datetime(frame[TIMESTAMP], utc=True).to_numpy("datetime64[s]")
    hours = (moments.astype(np.int64) - to_epoch(LOG.start)) // HOUR
    counts = {}
    for name, (axis, _) in axes.items():
        cells = _levels(frame[name], axis) if isinstance(axis, CategoricalAxis) else (
            _bins(frame[name], axis)
        )  # fmt: skip
        flat = np.bincount(hours * axis.cells + cells, minlength=PANES * axis.cells)
        counts[name] = flat.reshape(PANES, axis.cells)
    return counts


def _bins(values: "pd.Series[float]", axis: Axis) -> IntArray:
    if isinstance(axis, CategoricalAxis):
        raise TypeError("levels have no edges")
    numbers = values.to_numpy(np.float64)
    cells = np.searchsorted(axis.edges, numbers, side="right").astype(np.int64)
    cells[np.isnan(numbers)] = axis.missing
    return cells


def _levels(values: "pd.Series[str]", axis: CategoricalAxis) -> IntArray:
    known = pd.Index([*axis.levels, *axis.known])
    cells = known.get_indexer(pd.Index(values)).astype(np.int64)
    return np.where(
        cells < 0, np.where(values.isna(), axis.missing, axis.unseen), cells.clip(max=axis.other)
    )


WAYS: Mapping[str, Callable[[Database, Axes], Counts]] = {
    "driftwatch": driftwatch,
    "pandas, whole": pandas_whole,
    "pandas, in parts": pandas_in_parts,
}


def main(way: str, name: str, url: str, axes_file: str, counts_file: str) -> None:
    """Go one way once; the cost is printed as JSON."""
    database = Database(name, url, 0)
    found: dict[str, IntArray] = {}

    def work() -> None:
        if way.startswith("floor"):
            floor(database, way.rpartition(" ")[2])
        elif way == "fit":
            fit(database, Path(axes_file))
        else:
            found.update(WAYS[way](database, pickle.loads(Path(axes_file).read_bytes())))

    cost = measure(work)
    if found:
        with Path(counts_file).open("wb") as sink:
            np.savez_compressed(sink, allow_pickle=False, **found)
    print(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main(*sys.argv[1:])
