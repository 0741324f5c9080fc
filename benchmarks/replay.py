"""How long `driftwatch replay` takes: a year of hours, made of random counts, on SQLite.

python -m benchmarks.replay --features 80 --hours 8760 judges it by each kind of policy. Every
hundredth hour holds rows from elsewhere, so that there is something to flag.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from driftwatch.config.alternative import alternative
from driftwatch.config.settings import FeatureSettings, MonitorSettings, RelationSettings, Start
from driftwatch.evaluate.history import history
from driftwatch.evaluate.replay import replay
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnPanes, IntArray, PaneCounts
from driftwatch.store import axes, ledger, monitors, references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.references import NewReference
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, to_epoch

HOUR, DAY = 3_600, 86_400
BEGIN = datetime(2025, 1, 6, tzinfo=UTC)
REFERENCE = Interval(BEGIN, BEGIN + timedelta(days=28))
ROWS_PER_HOUR = 1_000
CELLS = 22
POLICIES = ("js_distance:0.1,0.2", "effect:0.05,0.2@0.001")
_STRANGE_EVERY = 100


def monitor(features: int, windows: tuple[int, ...]) -> MonitorSettings:
    return MonitorSettings(
        name="m",
        source="logs",
        relation=RelationSettings("events", None, "at"),
        features=tuple(FeatureSettings(f"x{n}") for n in range(features)),
        reference=REFERENCE,
        pane_seconds=HOUR,
        every_seconds=HOUR,
        delay_seconds=0,
        window_seconds=windows,
        start=Start(to_epoch(REFERENCE.end)),
        catch_up_seconds=DAY,
    )


def fill(store: Store, settings: MonitorSettings, hours: int) -> None:
    """The reference, and so many hours after it, as if they had been counted."""
    end = REFERENCE.end + timedelta(hours=hours)
    rng = np.random.default_rng(1)
    edges = tuple(np.linspace(-2, 2, CELLS - 2).tolist())
    with store.write() as connection:
        known = monitors.ensure(connection, settings.name, BEGIN)
        made = {
            one.name: axes.save(
                connection, known.id, one.name, NumericAxis(edges), "number", REFERENCE, BEGIN
            )
            for one in settings.features
        }
    for start in _days(BEGIN, end):
        day = Interval(start, min(start + timedelta(days=1), end))
        with store.write() as connection:
            ledger.record(connection, known.id, made, _counts(rng, made, day), day, BEGIN)
    with store.write() as connection:
        (whole,) = ledger.sum_windows(connection, known.id, made, [REFERENCE])
        for name, axis in {**made, VOLUME: None}.items():
            counts = None if axis is None else whole.columns[name]
            new = NewReference(
                column=name, axis=axis, interval=REFERENCE, counts=counts, rows=whole.rows
            )
            references.capture(connection, known.id, new, BEGIN)
        monitors.advance(
            connection, known.id, expected=None, watermark=end, scanned_from=REFERENCE.end
        )


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += timedelta(days=1)


def _counts(rng: np.random.Generator, made: dict[str, AxisRecord], day: Interval) -> PaneCounts:
    starts = np.arange(to_epoch(day.start), to_epoch(day.end), HOUR)
    rows = rng.poisson(ROWS_PER_HOUR, starts.size)
    strange = (starts // HOUR) % _STRANGE_EVERY == 0
    columns = {name: _panes(rng, rows, strange) for name in made}
    return PaneCounts(HOUR, starts, rows, columns)


def _panes(rng: np.random.Generator, rows: IntArray, strange: IntArray) -> ColumnPanes:
    shares = np.full(CELLS, 1 / CELLS)
    other = np.arange(1, CELLS + 1) / np.arange(1, CELLS + 1).sum()
    cells = np.array(
        [rng.multinomial(n, other if odd else shares) for n, odd in zip(rows, strange, strict=True)]
    )
    zeros = np.zeros(rows.size)
    return ColumnPanes(cells, np.zeros(rows.size, np.int64), zeros, zeros, zeros, zeros)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=80)
    parser.add_argument("--hours", type=int, default=8_760)
    parser.add_argument("--store", type=Path, help="Kept and used again; default: a new one.")
    asked = parser.parse_args()
    settings = monitor(asked.features, (HOUR,))
    with tempfile.TemporaryDirectory() as folder:
        path = asked.store or Path(folder) / "store.db"
        new = not path.exists()
        with closing(open_store(f"sqlite:///{path}")) as store:
            ensure_schema(store)
            if new:
                fill(store, settings, asked.hours)
            for policy in POLICIES:
                by = alternative(policy).of(settings)
                begun, cpu = time.perf_counter(), time.process_time()
                found = replay(by, history(by, store, start=None, end=None), store=store)
                seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
                judged = sum(len(some) for some in found.findings.values())
                flagged = sum(one.flagged for some in found.findings.values() for one in some)
                print(
                    f"{policy}: {judged:,} results in {seconds:.1f} s ({cpu:.1f} s of CPU, "
                    f"{cpu / judged * 1e6:.0f} microseconds each), {flagged:,} flagged, "
                    f"{len(found.raised):,} alerts"
                )


if __name__ == "__main__":
    main()
