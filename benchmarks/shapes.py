"""Which SQL counts the bins of many columns fastest: the choice that driftwatch/source rests on.

    python -m benchmarks.shapes            # 1M rows x 17 numeric columns, both stores

Every shape counts the same bins of the same rows without moments; `as shipped` is the statement
of a scan with its sums, squares, minima and maxima, over all 21 columns. The first scan is the
whole log as one pane, the tick its newest pane of 5 minutes; each is the best of some runs, beside
the floor: max() of the same columns.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Integer, Numeric, Text, cast, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Select

from benchmarks.databases import Database, maybe_postgres, postgres_database, sqlite_database
from benchmarks.rows import LOG, NUMBERS
from benchmarks.tables import table
from benchmarks.watched import FEATURES, PANE_SECONDS, RELATION, source
from driftwatch.config.settings import SourceSettings
from driftwatch.source import RelationInfo, ScanColumn, bucket
from driftwatch.source.bucket import Bucket, Outcomes
from driftwatch.source.connection import Connections
from driftwatch.source.link import Link, Query
from driftwatch.source.place import Place, make_place
from driftwatch.source.statement import DIGITS
from driftwatch.source.value import sqlite_real
from driftwatch.stats.axis import Axis, NumericAxis
from driftwatch.window import Interval

TICK = Interval(LOG.end - timedelta(seconds=PANE_SECONDS), LOG.end)
Statement = Select[*tuple[Any, ...]]
Values = dict[str, tuple[ColumnElement[Any], tuple[float, ...]]]
Shape = Callable[[Place, Values], list[Statement]]


def floor(place: Place, values: Values) -> list[Statement]:
    return [place.select(*(func.max(x) for x, _ in values.values()))]


def group_by_each(place: Place, values: Values) -> list[Statement]:
    statements = []
    for x, edges in values.values():
        bins = place.fenced(place.select(bucket(x, edges).label("bin"))).subquery()
        statements.append(select(bins.c.bin, func.count()).group_by(bins.c.bin))
    return statements


def cumulative_filter(place: Place, values: Values) -> list[Statement]:
    """count(*) FILTER (WHERE x < edge), for every edge; 16 columns are 400 results."""
    literal = sqlite_real if place.dialect == "sqlite" else "'{!r}'::float8".format
    counts = [
        func.count().filter(x < literal_column(literal(edge)))
        for x, edges in values.values()
        for edge in edges
    ]
    return [place.select(*counts)]


def one_sum_per_bin(place: Place, values: Values) -> list[Statement]:
    """sum(bin = 3), with the bins computed once in a subquery."""
    bins = [bucket(x, edges).label(f"c{i}") for i, (x, edges) in enumerate(values.values())]
    rows = place.fenced(place.select(*bins)).subquery()
    counts = [
        func.count().filter(rows.c[f"c{i}"] == literal_column(str(one)))
        for i, (_, edges) in enumerate(values.values())
        for one in range(len(edges) + 1)
    ]
    return [select(*counts)]


def packed_digits(place: Place, values: Values) -> list[Statement]:
    """sum(10 ** (12 * bin)): one wide number per column."""
    units = [_outcomes(x, edges, lambda i: f"'1e{DIGITS * i}'::numeric") for x, edges in
             values.values()]  # fmt: skip
    return [place.select(*(cast(func.sum(unit), Text) for unit in units))]


def packed_characters(place: Place, values: Values) -> list[Statement]:
    """group_concat(char(bin, bin ...)): one character per row and column."""
    codes = [_outcomes(x, edges, lambda i: str(i + 1)) for x, edges in values.values()]
    return [place.select(func.group_concat(func.char(*codes), literal_column("''")))]


def _outcomes(
    x: ColumnElement[Any], edges: Sequence[float], text: Callable[[int], str]
) -> ColumnElement[Any]:
    bins = tuple(text(index) for index in range(len(edges) + 1))
    outcomes = Outcomes(bins, text(len(edges) + 1), bins[0], bins[-1])
    return Bucket(x, edges, outcomes, Numeric() if "numeric" in bins[0] else Integer())


SHAPES: dict[str, dict[str, Shape]] = {
    "SQLite": {
        "max of each column (floor)": floor,
        "GROUP BY per column": group_by_each,
        "count(*) FILTER (WHERE x < edge)": cumulative_filter,
        "count(*) FILTER (WHERE bin = i)": one_sum_per_bin,
        "group_concat(char(bin, ...))": packed_characters,
    },
    "PostgreSQL": {
        "max of each column (floor)": floor,
        "GROUP BY per column": group_by_each,
        "count(*) FILTER (WHERE x < edge)": cumulative_filter,
        "count(*) FILTER (WHERE bin = i)": one_sum_per_bin,
        "sum(10 ** (12 * bin))": packed_digits,
    },
}


def measure(database: Database, runs: int) -> str:
    """The table of one store."""
    watched = source(database)
    try:
        info = watched.inspect(RELATION)
        axes = {n: a for n, a in watched.fit(RELATION, info, FEATURES, TICK).items() if _is(a)}
        plan = watched.plan(RELATION, info, _columns(info, axes), PANE_SECONDS)
    finally:
        watched.close()
    connections = Connections(SourceSettings("log", database.url, statement_timeout_seconds=600))
    place = make_place(connections.dialect, RELATION, info.columns)
    values: Values = {
        name: (place.value(column), axis.edges)
        for name in NUMBERS
        if (column := info.column(name)) and isinstance(axis := axes[name], NumericAxis)
    }
    queries = {
        name: [place.compile(statement) for statement in shape(place, values)]
        for name, shape in SHAPES[database.name].items()
    }
    queries["as shipped: 21 columns, moments"] = [one.queries.single for one in plan.statements]
    rows: list[list[str]] = []
    floors: list[float] = []
    with connections.snapshot() as link:
        for name, texts in queries.items():
            found = [_best(link, place, texts, interval, runs) for interval in (LOG, TICK)]
            floors = floors or found
            ratios = [f"{a / b:.1f}" for a, b in zip(found, floors, strict=True)]
            rows.append([name, f"{found[0]:.2f}", ratios[0], f"{found[1] * 1e3:.1f}", ratios[1]])
    connections.close()
    head = [f"{database.name}, {database.rows:,} rows", "all, s", "floors", "tick, ms", "floors"]
    return table(head, rows)


def _is(axis: object) -> bool:
    if not isinstance(axis, Axis):
        raise TypeError(f"no axis: {axis}")
    return True


def _columns(info: RelationInfo, axes: dict[str, Any]) -> list[ScanColumn]:
    found = [(info.column(name), axis) for name, axis in axes.items()]
    return [ScanColumn(c.name, axis, c.column_type) for c, axis in found if c is not None]


def _best(
    link: Link, place: Place, queries: Sequence[Query], interval: Interval, runs: int
) -> float:
    """Seconds of the fastest of some runs; a tick runs ten times as often."""
    times, seconds = place.times(interval), []
    for _ in range(runs * (1 if interval is LOG else 10)):
        begun = time.perf_counter()
        for query in queries:
            for _row in link.run(query, times):
                pass
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapes", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the log (1000000)")
    parser.add_argument("--runs", type=int, default=2, help="of each shape; the best counts (2)")
    options = parser.parse_args()
    print(measure(sqlite_database(options.rows), options.runs), flush=True)
    with maybe_postgres() as server:
        if server is not None:
            with postgres_database(server, options.rows) as database:
                print("\n" + measure(database, options.runs), flush=True)


if __name__ == "__main__":
    main()
