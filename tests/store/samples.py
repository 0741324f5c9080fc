"""Panes with random counts, a plain model of the ledger, and a look at what is stored."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnPanes, IntArray, PaneCounts
from driftwatch.store import axes, monitors
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.schema import metadata
from driftwatch.window import Interval, from_epoch, to_epoch

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def hours(start: float, end: float) -> Interval:
    """An interval in hours after MONDAY."""
    return Interval(MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end))


def monitor_with_axes(
    store: Store, *, columns: int = 2, name: str = "m"
) -> tuple[int, dict[str, AxisRecord]]:
    """A monitor, and axes of 4, 5, 6 ... cells for columns c0, c1, c2 ..."""
    with store.write() as connection:
        monitor_id = monitors.ensure(connection, name, NOW).id
        found = {
            f"c{n}": axes.save(
                connection,
                monitor_id,
                f"c{n}",
                NumericAxis(tuple(float(edge) for edge in range(n + 2))),
                "number",
                hours(0, 24),
                NOW,
            )
            for n in range(columns)
        }
    return monitor_id, found


def column_panes(rng: np.random.Generator, rows: IntArray, cells: int) -> ColumnPanes:
    """Counts that add up to rows. Sums are whole numbers, so that every order adds up alike."""
    has = rows > 0
    values = rng.integers(-50, 50, rows.size).astype(float) * has
    return ColumnPanes(
        cells=rng.multinomial(rows, np.full(cells, 1 / cells)).reshape(rows.size, cells),
        infinite=np.minimum(rows, rng.integers(0, 3, rows.size)),
        total=values,
        total_squares=values * values,
        minimum=np.where(has, values, np.nan),
        maximum=np.where(has, values + 1, np.nan),
    )


def pane_counts(
    rng: np.random.Generator,
    interval: Interval,
    seconds: int,
    axes_of: dict[str, AxisRecord],
    *,
    rate: float = 3.0,
) -> PaneCounts:
    """Random counts of the interval's panes; some panes have no rows, and are left out."""
    starts = np.arange(to_epoch(interval.start), to_epoch(interval.end), seconds)
    rows = rng.poisson(rate, starts.size)
    starts, rows = starts[rows > 0], rows[rows > 0]
    columns = {name: column_panes(rng, rows, record.axis.cells) for name, record in axes_of.items()}
    return PaneCounts(seconds, starts, rows, columns)


@dataclass
class PlainLedger:
    """What the ledger must equal: each pane's counts in a dict, windows added up one by one."""

    rows: dict[int, int] = field(default_factory=dict)
    cells: dict[tuple[str, int], IntArray] = field(default_factory=dict)
    moments: dict[tuple[str, int], tuple[float, ...]] = field(default_factory=dict)

    def record(self, counts: PaneCounts, interval: Interval) -> None:
        for start in range(to_epoch(interval.start), to_epoch(interval.end), counts.pane_seconds):
            self.rows[start] = 0
            for name in counts.columns:
                self.cells.pop((name, start), None)
                self.moments.pop((name, start), None)
        for at, start in enumerate(counts.starts.tolist()):
            self.rows[start] = int(counts.rows[at])
            for name, panes in counts.columns.items():
                self.cells[name, start] = panes.cells[at]
                self.moments[name, start] = (
                    float(panes.infinite[at]), panes.total[at], panes.total_squares[at],
                    panes.minimum[at], panes.maximum[at],
                )  # fmt: skip

    def window_rows(self, window: Interval) -> int:
        return sum(self.rows.get(start, 0) for start in self._starts(window))

    def window_cells(self, name: str, window: Interval, cells: int) -> list[int]:
        total = np.zeros(cells, np.int64)
        for start in self._starts(window):
            total += self.cells.get((name, start), 0)
        return [int(count) for count in total]

    def window_moments(self, name: str, window: Interval) -> tuple[float, ...]:
        found = [
            self.moments[name, start]
            for start in self._starts(window)
            if (name, start) in self.moments
        ]
        if not found:
            return (0.0, 0.0, 0.0, np.nan, np.nan)
        table = np.array(found)
        return (
            *table[:, :3].sum(axis=0).tolist(),
            float(np.nanmin(table[:, 3])),
            float(np.nanmax(table[:, 4])),
        )

    def _starts(self, window: Interval) -> list[int]:
        low, high = to_epoch(window.start), to_epoch(window.end)
        return [start for start in self.rows if low <= start < high]


def dump(store: Store, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of these tables (of all, if none is named), in the order of the key; NaN is None,
    so that two looks can be equal."""
    names = tables or tuple(metadata.tables)
    with store.read() as connection:
        return {
            name: [
                tuple(None if value != value else value for value in row)  # noqa: PLR0124
                for row in connection.execute(
                    sa.select(metadata.tables[name]).order_by(*metadata.tables[name].primary_key)
                )
            ]
            for name in names
        }


def random_interval(
    rng: np.random.Generator, *, within: Interval, seconds: int, longest: int
) -> Interval:
    """A random interval of 1..longest panes inside another."""
    panes = within.seconds // seconds
    length = int(rng.integers(1, min(longest, panes) + 1))
    first = int(rng.integers(0, panes - length + 1))
    start = to_epoch(within.start) + first * seconds
    return Interval(from_epoch(start), from_epoch(start + length * seconds))
