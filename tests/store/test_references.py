"""References are versioned, immutable, and come back exactly."""

from dataclasses import replace

import numpy as np
import pytest

from driftwatch.stats.counts import ColumnPanes
from driftwatch.store import references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.references import ReferenceRecord
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval
from tests.store.samples import NOW, column_panes, dump, hours, monitor_with_axes

DAY = hours(0, 24)
FIELDS = ("cells", "infinite", "total", "total_squares", "minimum", "maximum")


def counts_of(axis: AxisRecord, rows: int, seed: int = 0) -> ColumnPanes:
    return column_panes(np.random.default_rng(seed), np.array([rows]), axis.axis.cells)


def capture(
    store: Store, axis: AxisRecord, counts: ColumnPanes, *, interval: Interval = DAY
) -> ReferenceRecord:
    with store.write() as connection:
        return references.capture(
            connection, 1, axis.column, axis, interval, counts, int(counts.cells.sum()), NOW
        )


def test_counts_come_back_exactly(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    counts = counts_of(axes_of["c1"], 70_000)
    captured = capture(store, axes_of["c1"], counts)
    with store.write() as connection:
        volume = references.capture(connection, monitor_id, VOLUME, None, DAY, None, 99, NOW)
    with store.read() as connection:
        found = references.active(connection, monitor_id)
    assert set(found) == {"c1", VOLUME}
    for record in (captured, found["c1"]):
        assert record.counts is not None
        for name in FIELDS:
            assert getattr(record.counts, name) == pytest.approx(getattr(counts, name))
        assert (record.rows, record.version, record.axis_version) == (70_000, 1, 1)
        assert (record.interval, record.smoothing) == (DAY, "reference +0.5")
    assert found[VOLUME] == volume
    assert (volume.axis_id, volume.counts, volume.rows) == (None, None, 99)


def test_the_same_reference_twice_is_one_version(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    counts = counts_of(axes_of["c0"], 50)
    first = capture(store, axes_of["c0"], counts)
    before = dump(store, "reference")
    assert capture(store, axes_of["c0"], counts).id == first.id
    assert dump(store, "reference") == before


def test_a_new_reference_leaves_the_old_one_stored(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    axis = axes_of["c0"]
    first = capture(store, axis, counts_of(axis, 50))
    versions = [
        capture(store, axis, counts_of(axis, 50), interval=hours(24, 48)).version,
        capture(store, axis, counts_of(axis, 60, seed=1), interval=hours(24, 48)).version,
    ]
    assert versions == [2, 3]
    stored = dump(store, "reference")["reference"]
    assert [(row[3], row[-1]) for row in stored] == [(1, False), (2, False), (3, True)]
    assert stored[0][0] == first.id
    assert stored[0][5] == DAY.start
    with store.read() as connection:
        assert references.active(connection, monitor_id)["c0"].rows == 60


def test_a_column_without_values_has_no_moments(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    counts = replace(counts_of(axes_of["c0"], 5), minimum=np.array([np.nan]))
    found = capture(store, axes_of["c0"], counts).counts
    assert found is not None
    assert np.isnan(found.minimum).all()
    assert dump(store, "reference")["reference"][0][-5] is None


def test_counts_and_axis_belong_together(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    with pytest.raises(ValueError, match="an axis and counts, or neither"), store.write() as write:
        references.capture(write, monitor_id, "c0", axes_of["c0"], DAY, None, 5, NOW)
