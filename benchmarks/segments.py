"""What segments and a census cost beside a plain scan: the choice of their SQL rests on it.

    python -m benchmarks.segments             # 1M rows x 20 columns, both stores: 5 minutes
    python -m benchmarks.segments --save      # write benchmarks/results/segments.md as well

Panes of 5 minutes. A tick is the newest of them, an hour the newest 12, a day the newest 288. It is
CPU that is given, of client and server together, for it hardly depends on what else runs on the
machine: the least of some rounds, which take turns; `scans` is the ratio to the scan of the same
panes without segments.
"""

import argparse
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlalchemy.sql.elements import ColumnElement

from benchmarks import machine
from benchmarks.databases import (
    Database,
    maybe_postgres,
    postgres_database,
    postgres_version,
    sqlite_database,
)
from benchmarks.rows import COLUMNS, DAY, LOG, level_text
from benchmarks.tables import table
from benchmarks.watched import FEATURES, HOUR, PANE_SECONDS, RELATION, source
from driftwatch.config.settings import SourceSettings
from driftwatch.source import RelationInfo, ScanColumn, ScanPlan, Source
from driftwatch.source.connection import Connections
from driftwatch.source.link import Parameters, Query
from driftwatch.source.scan import queries
from driftwatch.stats.axis import Axis
from driftwatch.stats.segment import Grouping
from driftwatch.window import Interval

RESULT = Path(__file__).parent / "results" / "segments.md"
LEFT_OUT = "c50000"
"""Nearly an identifier: a day of it has no axis."""

HEAD = """# Segments and the census: 20 columns, panes of 5 minutes

Milliseconds of CPU, of client and server together: the least of some rounds, which take turns. A
tick is the newest pane, an hour the newest 12, a day the newest 288; `scans` is the ratio to the
scan of the same panes without segments. Every grouping also counts the rest of its levels; all
rows are the sum over a grouping.

- One scan counts all segments by one pass over the rows. `two, a scan for each grouping` and `20
  scans` are what that saves.
- `SQL alone` compares PostgreSQL's GROUPING SETS, which are used, with the cross of the groupings'
  numbers added up in Python, without decoding either.
- The census counts the rows and the present values of each column per pane. Its floors are one
  count over the whole interval, by the same index, without panes."""

FOOT = "## Machine and versions"

Work = Callable[[Interval], object]
DAY_OF_LOG = Interval(LOG.end - timedelta(seconds=DAY), LOG.end)
INTERVALS: Mapping[str, tuple[Interval, int]] = {
    "tick": (Interval(LOG.end - timedelta(seconds=PANE_SECONDS), LOG.end), 50),
    "hour": (Interval(LOG.end - timedelta(seconds=HOUR), LOG.end), 10),
    "day": (DAY_OF_LOG, 1),
}
"""What is scanned, and how often in a round."""

_SETS = re.compile(r"GROUP BY GROUPING SETS\(.*\)")
_CROSSED = "GROUP BY 1, binned.s0, binned.s1, binned.s2"

FIRST = "scan without segments"
TWO = "two groupings: 20 of 50, 4 of 5"
THREE = "three: 20 of 50, 4 of 5, 50 of 1,000"


def grouping(column: str, listed: int) -> Grouping:
    """By the most frequent levels of a column, and other."""
    return Grouping((column,), tuple((level_text(column, level),) for level in range(listed)))


TWENTY = grouping("c50", 20)
CROSS = Grouping(
    ("c5", "c50"),
    tuple((level_text("c5", a), level_text("c50", b)) for a in range(4) for b in range(5)),
)
GROUPINGS: Mapping[str, tuple[Grouping, ...]] = {
    "one grouping: 20 of 50 levels": (TWENTY,),
    TWO: (TWENTY, grouping("c5", 4)),
    THREE: (TWENTY, grouping("c5", 4), grouping("c1000", 50)),
    "one of two columns: 20 of 250": (CROSS,),
}


class Contest:
    """Everything that is measured on one store."""

    def __init__(self, opened: Source, connections: Connections) -> None:
        self.source, self.connections = opened, connections
        self.info: RelationInfo = opened.inspect(RELATION)
        self.columns = self._columns()

    def works(self) -> dict[str, Work]:
        """What is measured, planned once; the first is what the others are compared with."""
        plain = self.plan(())
        found: dict[str, Work] = {FIRST: self._scan(plain)}
        for name, groupings in GROUPINGS.items():
            found[name] = self._scan(self.plan(groupings))
        each = [self._scan(self.plan((one,))) for one in GROUPINGS[TWO]]
        own = [self._scan(self._where(str(level))) for (level,) in TWENTY.levels]
        found["two, a scan for each grouping"] = lambda interval: [one(interval) for one in each]
        found["20 scans, each of a level by `where`"] = lambda interval: [
            one(interval) for one in own
        ]
        found["census"] = lambda interval: self.source.census(plain, [interval])
        counts = [func.count(plain.place.rows.c[column.name]) for column in self.columns]
        found["floor: count(*), count of each column"] = self._asked(plain, func.count(), *counts)
        found["floor: count(*)"] = self._asked(plain, func.count())
        return found

    def crossed(self) -> dict[str, Work]:
        """PostgreSQL: the numbers of three groupings crossed, instead of GROUPING SETS. Either
        without decoding."""
        plan = self.plan(GROUPINGS[THREE])
        found = {}
        for name, by in (("GROUPING SETS", r"\g<0>"), ("their cross", _CROSSED)):
            found[f"three, SQL alone: {name}"] = self._bare(plan, by)
        return found

    def plan(self, groupings: Sequence[Grouping]) -> ScanPlan:
        return self.source.plan(
            RELATION, self.info, self.columns, PANE_SECONDS, groupings=groupings
        )

    def _scan(self, plan: ScanPlan) -> Work:
        return lambda interval: self.source.scan(plan, interval)

    def _where(self, level: str) -> ScanPlan:
        relation = replace(RELATION, where=f"c50 = '{level}'")
        return self.source.plan(relation, self.info, self.columns, PANE_SECONDS)

    def _asked(self, plan: ScanPlan, *counts: ColumnElement[Any]) -> Work:
        query = plan.place.compile(plan.place.select(*counts))
        return lambda interval: self._run([(query, plan.place.times(interval))])

    def _bare(self, plan: ScanPlan, by: str) -> Work:
        """The SQL of a scan, grouped by something else, and nothing done with what it gives."""

        def work(interval: Interval) -> object:
            asked = (
                (_SETS.sub(by, query.text), query.names) for query, _ in queries(plan, interval)
            )
            times = plan.place.times(interval)
            return self._run([(Query(text, names), times) for text, names in asked])

        return work

    def _run(self, asked: Sequence[tuple[Query, Parameters]]) -> object:
        with self.connections.snapshot() as link:
            return [sum(1 for _ in link.run(query, times)) for query, times in asked]

    def _columns(self) -> list[ScanColumn]:
        features = [feature for feature in FEATURES if feature.name != LEFT_OUT]
        axes = self.source.fit(RELATION, self.info, features, DAY_OF_LOG)
        found = [(self.info.column(name), axis) for name, axis in axes.items()]
        columns = [
            ScanColumn(info.name, axis, info.column_type)
            for info, axis in found
            if info is not None and isinstance(axis, Axis)
        ]
        if len(columns) != len(COLUMNS) - 1:
            raise RuntimeError(f"only {len(columns)} columns were fitted")
        return columns


def measure(database: Database, rounds: int) -> str:
    """The table of one store: milliseconds, and times the scan without segments."""
    opened = source(database)
    connections = Connections(SourceSettings("log", database.url, statement_timeout_seconds=600))
    try:
        contest = Contest(opened, connections)
        works = contest.works()
        if database.name == "PostgreSQL":
            works |= contest.crossed()
        best = best_of(works, lambda: time.process_time() + database.server_cpu_seconds(), rounds)
    finally:
        opened.close()
        connections.close()
    lines = []
    for name, found in best.items():
        pairs = zip(found, best[FIRST], strict=True)
        cells = [cell for a, b in pairs for cell in (f"{a * 1e3:,.1f}", f"{a / b:.2f}")]
        lines.append([name, *cells])
    head = [f"{database.name}, {database.rows:,} rows in 7 days"]
    for name in INTERVALS:
        head += [f"{name}, ms", "scans"]
    return table(head, lines)


def best_of(
    works: Mapping[str, Work], cpu: Callable[[], float], rounds: int
) -> dict[str, list[float]]:
    """The least CPU seconds of a run of each, per interval. They take turns."""
    best = {name: [math.inf] * len(INTERVALS) for name in works}
    for turn in range(rounds):
        order = [*works][turn % len(works) :] + [*works][: turn % len(works)]
        for place, (interval, runs) in enumerate(INTERVALS.values()):
            for name in order:
                before = cpu()
                for _ in range(runs):
                    works[name](interval)
                best[name][place] = min(best[name][place], (cpu() - before) / runs)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segments", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the log (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="of all; the best counts (3)")
    parser.add_argument("--save", action="store_true", help=f"write {RESULT.name} to results/")
    options = parser.parse_args()
    before = machine.load()
    pages = [measure(sqlite_database(options.rows), options.rounds)]
    print(pages[-1], flush=True)
    with maybe_postgres() as server:
        about = machine.describe(postgres_version(server))
        if server is not None:
            with postgres_database(server, options.rows) as database:
                pages.append(measure(database, options.rounds))
                print("\n" + pages[-1], flush=True)
    about["load average"] = f"{before} before, {machine.load()} after"
    if options.save:
        versions = table(["measured on", ""], ([*pair] for pair in about.items()))
        RESULT.write_text("\n\n".join([HEAD, *pages, FOOT, versions]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
