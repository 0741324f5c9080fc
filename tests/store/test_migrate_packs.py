"""Counts that were a row per column become a pack per pane, and sums stay what they were."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command

from driftwatch.stats.axis import CategoricalAxis
from driftwatch.stats.counts import PaneCounts
from driftwatch.store import axes, ledger, monitors
from driftwatch.store.axes import AxisRecord
from driftwatch.store.encoding import decode, encode
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import migrate
from driftwatch.store.panes import without_nan
from driftwatch.store.types import UtcDateTime
from driftwatch.window import to_epoch
from tests.store.samples import MONDAY, NOW, PlainLedger, hours, monitor_with_axes, pane_counts
from tests.store.test_migrate import config_of, upgrade_to

MOMENTS = ("total", "total_squares", "minimum", "maximum")


@pytest.fixture
def old(database_url: str) -> Iterator[Store]:
    store = open_store(database_url)
    upgrade_to(store, "0002")
    yield store
    store.close()


def fill(store: Store) -> tuple[dict[str, AxisRecord], PaneCounts]:
    """Two monitors, more panes than are converted at once, and a segment, as 0002 kept them."""
    rng = np.random.default_rng(1)
    monitor_id, axes_of = monitor_with_axes(store)
    with store.write() as connection:
        levels = CategoricalAxis(("a", "b"))
        axes_of["k"] = axes.save(connection, monitor_id, "k", levels, "text", hours(0, 1), NOW)
        other = monitors.ensure(connection, "other", NOW).id
    counts = pane_counts(rng, hours(0, 72), 900, axes_of)
    counts.columns["k"].total[:] = counts.columns["k"].total_squares[:] = 0.0
    counts.columns["k"].minimum[:] = counts.columns["k"].maximum[:] = np.nan
    counts.columns["k"].infinite[:] = 0
    every = np.arange(to_epoch(MONDAY), to_epoch(MONDAY) + 72 * 3600, 900)
    rows = dict(zip(counts.starts.tolist(), counts.rows.tolist(), strict=True))
    with store.write() as connection:
        for key, owner in (("", monitor_id), ("country=DE", monitor_id), ("", other)):
            connection.execute(
                TABLES["pane"].insert(),
                [pane(owner, key, start, rows.get(start, 0)) for start in every.tolist()],
            )
        for key in ("", "country=DE"):
            for name, axis in axes_of.items():
                connection.execute(
                    TABLES["pane_column"].insert(), columns(axis.id, key, counts, name)
                )
    return axes_of, counts


def pane(owner: int, key: str, start: int, rows: int) -> dict[str, Any]:
    return {
        "monitor_id": owner, "segment": key, "seconds": 900, "start": start, "rows": rows,
        "revision": 3, "scanned_at": NOW,
    }  # fmt: skip


def columns(axis_id: int, key: str, counts: PaneCounts, name: str) -> list[dict[str, Any]]:
    panes = counts.columns[name]
    blobs = encode(panes.cells)
    moments = {field: without_nan(getattr(panes, field)) for field in MOMENTS}
    return [
        {
            "axis_id": axis_id, "segment": key, "seconds": 900, "start": start,
            "counts": blobs[at], "infinite": int(panes.infinite[at]),
            **{field: values[at] for field, values in moments.items()},
        }
        for at, start in enumerate(counts.starts.tolist())
    ]  # fmt: skip


TABLES = {
    "pane": sa.table(
        "pane",
        *map(sa.column, ("monitor_id", "segment", "seconds", "start", "rows", "revision")),
        sa.column("scanned_at", UtcDateTime()),
    ),
    "pane_column": sa.table(
        "pane_column",
        *map(sa.column, ("axis_id", "segment", "seconds", "start", "counts", "infinite", *MOMENTS)),
    ),
}


def table(store: Store, name: str) -> list[dict[str, Any]]:
    with store.read() as connection:
        found = connection.execute(sa.select(TABLES[name])).mappings().all()
    return sorted((dict(row) for row in found), key=lambda row: list(map(str, row.values())))


def test_sums_are_the_same_after_the_upgrade(old: Store) -> None:
    axes_of, counts = fill(old)
    plain = PlainLedger()
    plain.record(counts, hours(0, 72))
    migrate(old)
    windows = [hours(0, 72), hours(3.25, 50.5), hours(70, 80)]
    with old.read() as connection:
        monitor = monitors.find(connection, "m")
        other = monitors.find(connection, "other")
        assert monitor is not None
        assert other is not None
        found = ledger.sum_segments(connection, monitor.id, axes_of, windows, ["", "country=DE"])
        (bare,) = ledger.sum_windows(connection, other.id, {}, [hours(0, 72)])
    for of_key in found.values():
        for one, window in zip(of_key, windows, strict=True):
            assert one.rows == plain.window_rows(window)
            assert one.scanned_seconds == min(window.seconds, 900 * len(plain._starts(window)))
            for name, axis in axes_of.items():
                panes = one.columns[name]
                assert panes.cells.tolist() == [plain.window_cells(name, window, axis.axis.cells)]
                moments = [getattr(panes, field)[0] for field in ("infinite", *MOMENTS)]
                none = (0, 0.0, 0.0, np.nan, np.nan)
                wanted = none if name == "k" else plain.window_moments(name, window)
                np.testing.assert_array_equal(moments, wanted)
    assert (bare.rows, bare.scanned_seconds) == (counts.rows.sum(), 72 * 3600)


def test_the_next_pane_joins_what_was_upgraded(old: Store) -> None:
    """The hours above are made of old panes and new ones; revisions go on."""
    axes_of, counts = fill(old)
    migrate(old)
    rng = np.random.default_rng(2)
    late = pane_counts(rng, hours(71.75, 72), 900, axes_of, rate=30.0)
    with old.write() as connection:
        monitor = monitors.ensure(connection, "m", NOW)
        changed = ledger.record(connection, monitor.id, axes_of, late, hours(71.75, 72), NOW)
        again = ledger.record(connection, monitor.id, axes_of, late, hours(71.75, 72), NOW)
        (hour,) = ledger.sum_windows(connection, monitor.id, axes_of, [hours(71, 72)])
    assert (changed, again) == ((hours(71.75, 72),), ())
    inside = (counts.starts >= to_epoch(hours(71, 72).start)) & (
        counts.starts < to_epoch(hours(71.75, 72).start)
    )
    assert hour.rows == hour.column_rows["k"] == counts.rows[inside].sum() + late.rows.sum()


def test_the_way_back_keeps_the_counts(old: Store) -> None:
    fill(old)
    before = {name: table(old, name) for name in TABLES}
    migrate(old)
    with old.rebuild() as connection:
        command.downgrade(config_of(connection), "0002")
    assert table(old, "pane") == before["pane"]
    after = table(old, "pane_column")
    for key in ("axis_id", "segment", "start", "infinite", *MOMENTS):
        assert [row[key] for row in after] == [row[key] for row in before["pane_column"]]
    for axis_id, rows in groupby(
        zip(after, before["pane_column"], strict=True), key=lambda pair: pair[0]["axis_id"]
    ):
        pairs = list(rows)
        cells = len(pairs[0][1]["counts"]) - 1
        assert axis_id > 0
        now, then = ([pair[at]["counts"] for pair in pairs] for at in (0, 1))
        assert decode(now, cells).tolist() == decode(then, cells).tolist()
