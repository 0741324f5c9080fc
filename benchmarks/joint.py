"""What it costs to count features together with the prediction: the choice of its SQL rests on it.

    python -m benchmarks.joint             # 1M rows x 21 columns, both stores: some minutes
    python -m benchmarks.joint --save      # write benchmarks/results/joint.md as well

It is CPU that is given, of client and server together, for it hardly depends on what else runs on
the machine: the least of some rounds, which take turns.
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Integer, func, select, tuple_

from benchmarks import machine
from benchmarks.databases import (
    Database,
    maybe_postgres,
    postgres_database,
    postgres_version,
    sqlite_database,
)
from benchmarks.own_store import WATERMARK, ReadyStore, copied, ready_store
from benchmarks.rows import COLUMNS, DAY, END, PREDICTION
from benchmarks.tables import table
from benchmarks.watched import DELAY_SECONDS, HOUR, PANE_SECONDS, monitor, source
from driftwatch.config.settings import MonitorSettings, SourceSettings
from driftwatch.evaluate.pipeline import evaluate
from driftwatch.evaluate.prepare import Prepared, prepare
from driftwatch.source import ScanPlan, Source
from driftwatch.source.connection import Connections
from driftwatch.source.joint import joint_cell
from driftwatch.store.engine import Store
from driftwatch.window import Interval

RESULT = Path(__file__).parent / "results" / "joint.md"
WINDOWS = (HOUR, DAY)
NEWEST = Interval(END - timedelta(seconds=HOUR), END)
RUNS = 10

HEAD = """# Joint counts: 20 features with the prediction, once an hour

Milliseconds of CPU, of client and server together: the least of some rounds, which take turns.

- An evaluation counts a pane of 5 minutes; the twelfth ends an hour and a day, whose windows are
  judged, and counts the features of that hour together with the prediction. `without` is the same
  monitor without `explain_prediction`.
- The statements read the newest hour once: a plain scan on full axes, the joint counts on coarse
  ones, and in PostgreSQL what GROUPING SETS of (prediction, feature) would take instead, without
  decoding."""

FOOT = "## Machine and versions"

Work = Callable[[], object]


def measure(database: Database, rounds: int) -> str:
    """Both tables of one store."""
    opened = source(database)
    plain = monitor(WINDOWS)
    features = tuple(name for name in COLUMNS if name != PREDICTION)
    asked = replace(plain, explained_by=features)
    try:
        with ready_store(database, opened, plain) as ready:
            ticks = _best_hours(ready, opened, {"without": plain, "with": asked}, rounds)
            with copied(ready) as store:
                statements = _statements(database, opened, _prepared(asked, opened, store), rounds)
    finally:
        opened.close()
    return "\n\n".join(
        [
            table(
                [f"{database.name}, {database.rows:,} rows in 7 days", "an evaluation of eleven",
                 "the twelfth", "all twelve"],
                ([name, *(f"{1e3 * one:,.1f}" for one in found)] for name, found in ticks.items()),
            ),
            table(
                [f"{database.name}, statements over an hour", "ms", "scans"],
                (
                    [name, f"{1e3 * one:,.1f}", f"{one / statements['scan']:.2f}"]
                    for name, one in statements.items()
                ),
            ),
        ]
    )  # fmt: skip


def _best_hours(
    ready: ReadyStore, opened: Source, monitors: Mapping[str, MonitorSettings], rounds: int
) -> dict[str, tuple[float, float, float]]:
    """CPU seconds of an ordinary evaluation, of the one that ends the hour, and of all."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in monitors}
    for turn in range(rounds):
        for name in [*monitors] if turn % 2 else reversed([*monitors]):
            with copied(ready) as store:
                found[name].append(_hour(ready, opened, monitors[name], store))
    made = {}
    for name, measured in found.items():
        eleven, twelfth = (min(one) for one in zip(*measured, strict=True))
        made[name] = (eleven, twelfth, 11 * eleven + twelfth)
    return made


def _hour(
    ready: ReadyStore, opened: Source, watched: MonitorSettings, store: Store
) -> tuple[float, float]:
    prepared = _prepared(watched, opened, store)
    cpu, ends = _cpu(ready.database), []
    begun = cpu()
    for later in range(PANE_SECONDS, HOUR + 1, PANE_SECONDS):
        now = WATERMARK + timedelta(seconds=later + DELAY_SECONDS)
        report = evaluate(
            watched, now, source=opened, store=store, prepared=prepared, started_at=now
        )
        assert report.panes == 1, report.message
        ends.append(cpu())
    return (ends[-2] - begun) / 11, ends[-1] - ends[-2]


def _prepared(watched: MonitorSettings, opened: Source, store: Store) -> Prepared:
    return prepare(watched, WATERMARK, source=opened, store=store, started_at=WATERMARK)


def _statements(
    database: Database, opened: Source, prepared: Prepared, rounds: int
) -> Mapping[str, float]:
    assert prepared.joint is not None
    (lane,) = prepared.joint.lanes
    scan = replace(prepared.plan, pane_seconds=HOUR, slice_seconds=HOUR)
    works: dict[str, Work] = {
        "scan": lambda: opened.scan(scan, NEWEST),
        "joint counts": lambda: opened.joint(lane.plan, PREDICTION, NEWEST),
    }
    connections = Connections(SourceSettings("log", database.url, statement_timeout_seconds=600.0))
    try:
        if database.server is not None:
            works["joint counts by GROUPING SETS, SQL alone"] = _grouping_sets(
                connections, lane.plan
            )
        return best_of(works, _cpu(database), rounds)
    finally:
        connections.close()


def _grouping_sets(connections: Connections, plan: ScanPlan) -> Work:
    place = plan.place
    infos = {one.name: one for one in plan.info.columns}
    pairs = sorted(
        ((one, infos[one.name]) for one in plan.columns),
        key=lambda pair: pair[0].name != PREDICTION,
    )
    cells = [
        joint_cell(plan, pair, [str(n) for n in range(pair[0].axis.cells)], Integer()).label(
            f"c{position}"
        )
        for position, pair in enumerate(pairs)
    ]
    rows = place.fenced(place.select(*cells)).subquery("binned")
    y, *xs = (rows.c[f"c{position}"] for position in range(len(pairs)))
    statement = select(y, *xs, func.count()).select_from(rows)
    query = place.compile(statement.group_by(func.grouping_sets(*(tuple_(y, x) for x in xs))))
    times = place.times(NEWEST)

    def work() -> object:
        with connections.snapshot() as link:
            return sum(1 for _ in link.run(query, times))

    return work


def best_of(works: Mapping[str, Work], cpu: Callable[[], float], rounds: int) -> dict[str, float]:
    """The least CPU seconds of a run of each. They take turns."""
    best = dict.fromkeys(works, math.inf)
    for _ in range(rounds):
        for name, work in works.items():
            before = cpu()
            for _ in range(RUNS):
                work()
            best[name] = min(best[name], (cpu() - before) / RUNS)
    return best


def _cpu(database: Database) -> Callable[[], float]:
    return lambda: time.process_time() + database.server_cpu_seconds()


def _pages(rows: int, rounds: int) -> Sequence[str]:
    pages = [measure(sqlite_database(rows), rounds)]
    with maybe_postgres() as server:
        about = machine.describe(postgres_version(server))
        if server is not None:
            with postgres_database(server, rows) as database:
                pages.append(measure(database, rounds))
    versions = table(["measured on", ""], ([*pair] for pair in about.items()))
    return [*pages, FOOT, versions]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.joint", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the log (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="of all; the best counts (3)")
    parser.add_argument("--save", action="store_true", help=f"write {RESULT.name} to results/")
    options = parser.parse_args()
    before = machine.load()
    *pages, versions = _pages(options.rows, options.rounds)
    load = f"| load average | {before} before, {machine.load()} after |"
    text = "\n\n".join([HEAD, *pages, f"{versions}\n{load}"]) + "\n"
    print(text)
    if options.save:
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
