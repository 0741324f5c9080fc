"""A tick: what one evaluation of a 5-minute pane costs, as the daemon does it.

The clock stands an hour before the end of the log; twelve evaluations count its last twelve panes.
Eleven of them end no window; the last one ends windows of every length at once, the dearest tick
there is. Each repetition starts from a fresh copy of a store whose ledger holds 30 days.
"""

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from benchmarks.databases import Database
from benchmarks.floor import FUNCTIONS, Floor
from benchmarks.own_store import WATERMARK, copied, ready_store
from benchmarks.rows import DAY, END
from benchmarks.watched import DELAY_SECONDS, HOUR, PANE_SECONDS, monitor, source
from driftwatch.config.settings import ALL_MAX_SERIES, MonitorSettings
from driftwatch.daemon.publish import Publisher
from driftwatch.evaluate.pipeline import Report, evaluate
from driftwatch.evaluate.prepare import Prepared, prepare
from driftwatch.source import Source
from driftwatch.store.engine import Store
from driftwatch.window import Interval

WINDOWS: dict[str, tuple[int, ...]] = {
    "1 h": (HOUR,),
    "1 d": (DAY,),
    "7 d": (7 * DAY,),
    "30 d": (30 * DAY,),
    "all four": (HOUR, DAY, 7 * DAY, 30 * DAY),
}
FRESH_FOR = timedelta(minutes=25)


@dataclass(frozen=True, slots=True)
class Tick:
    """One evaluation. Seconds of wall clock. kind: "first" of its process (connections open),
    "ordinary" (no window ended) or "windows end"; whole: all of the evaluation, more than its three
    stages by what lies between them; publish: rendering its metrics, after it."""

    database: str
    log_rows: int
    windows: str
    kind: str
    pane_rows: int
    windows_judged: int
    floor_count: float
    floor_max: float
    scan: float
    store: float
    judge: float
    whole: float
    publish: float


def measure_ticks(database: Database, repetitions: int) -> list[Tick]:
    """All configurations of windows in turn, as often as asked."""
    opened = source(database)
    floor = Floor(database)
    try:
        with ready_store(database, opened, monitor(WINDOWS["all four"])) as ready:
            ticks: list[Tick] = []
            for repetition in range(repetitions):
                for name in WINDOWS if repetition % 2 == 0 else reversed(WINDOWS):
                    with copied(ready) as store:
                        ticks += _hour(database, name, opened, store, floor)
    finally:
        floor.close()
        opened.close()
    return ticks


def _hour(
    database: Database, name: str, opened: Source, store: Store, floor: Floor
) -> Iterator[Tick]:
    watched = monitor(WINDOWS[name])
    prepared = prepare(watched, WATERMARK, source=opened, store=store, started_at=WATERMARK)
    for number, later in enumerate(range(0, HOUR, PANE_SECONDS)):
        start = WATERMARK + timedelta(seconds=later)
        pane = Interval(start, start + timedelta(seconds=PANE_SECONDS))
        floors: dict[str, float] = {}
        if number % 2:  # who comes first finds the rows colder
            floors = {function: floor.seconds(pane, function) for function in FUNCTIONS}
        ran = _evaluate(watched, pane.end, opened, store, prepared)
        if not floors:
            floors = {function: floor.seconds(pane, function) for function in reversed(FUNCTIONS)}
        stages = ran.report.stages
        yield Tick(
            database=database.name,
            log_rows=database.rows,
            windows=name,
            kind="first" if number == 0 else "ordinary" if pane.end < END else "windows end",
            pane_rows=ran.report.rows_scanned,
            windows_judged=ran.report.windows_judged,
            floor_count=floors["count"],
            floor_max=floors["max"],
            scan=stages.scan,
            store=stages.store,
            judge=stages.judge,
            whole=ran.whole,
            publish=ran.publish,
        )


@dataclass(frozen=True, slots=True)
class _Ran:
    report: Report
    whole: float
    publish: float


def _evaluate(
    watched: MonitorSettings, end: datetime, opened: Source, store: Store, prepared: Prepared
) -> _Ran:
    now = end + timedelta(seconds=DELAY_SECONDS)
    gc.collect()
    begun = time.perf_counter()
    report = evaluate(watched, now, source=opened, store=store, prepared=prepared, started_at=now)
    evaluated = time.perf_counter()
    Publisher(store, watched, fresh_for=FRESH_FOR, steady_now=lambda: now).publish(
        room=ALL_MAX_SERIES
    )
    published = time.perf_counter()
    one_pane = report.scan is not None and report.scan.end == end and report.panes == 1
    if not one_pane or report.revised_panes:
        raise RuntimeError(f"this was no tick: {replace(report, prepared=None)}")
    return _Ran(report, evaluated - begun, published - evaluated)
