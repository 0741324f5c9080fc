"""References are versioned, immutable, and come back exactly."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftwatch.errors import StoreError
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnPanes
from driftwatch.store import axes, references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.references import NewReference, ReferenceRecord
from driftwatch.store.schema import ReferenceOrigin
from driftwatch.verdict.policy import VOLUME
from tests.store.samples import NOW, column_panes, dump, hours, monitor_with_axes

DAY = hours(0, 24)
VOLUME_OF_A_DAY = NewReference(column=VOLUME, axis=None, interval=DAY, counts=None, rows=99)
FIELDS = ("cells", "infinite", "total", "total_squares", "minimum", "maximum")


def counts_of(axis: AxisRecord, rows: int, seed: int = 0) -> ColumnPanes:
    return column_panes(np.random.default_rng(seed), np.array([rows]), axis.axis.cells)


def new_of(axis: AxisRecord, counts: ColumnPanes, **changes: Any) -> NewReference:
    rows = int(counts.cells.sum())
    new = NewReference(column=axis.column, axis=axis, interval=DAY, counts=counts, rows=rows)
    return replace(new, **changes)


def capture(store: Store, axis: AxisRecord, counts: ColumnPanes, **changes: Any) -> ReferenceRecord:
    with store.write() as connection:
        return references.capture(connection, 1, new_of(axis, counts, **changes), NOW)


def activate(store: Store, version: int, *, column: str = "c0", segment: str = "") -> Any:
    with store.write() as connection:
        return references.activate(connection, 1, column, version, segment=segment)


def active(store: Store, **where: Any) -> dict[str, tuple[int, bool]]:
    """Version of the active reference by column."""
    with store.read() as connection:
        found = references.active(connection, 1, **where)
    return {name: (one.version, one.active) for name, one in found.items()}


def history(store: Store, column: str | None = None) -> list[tuple[str, str, int, bool]]:
    with store.read() as connection:
        found = references.history(connection, 1, column)
    return [(one.column, one.segment, one.version, one.active) for one in found]


def test_counts_come_back_exactly(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    counts = counts_of(axes_of["c1"], 70_000)
    captured = capture(store, axes_of["c1"], counts)
    with store.write() as connection:
        volume = references.capture(connection, monitor_id, VOLUME_OF_A_DAY, NOW)
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
    with store.read() as connection:
        stored = references.history(connection, monitor_id, "c0")
        assert references.active(connection, monitor_id)["c0"].rows == 60
    assert [(one.version, one.active) for one in stored] == [(1, False), (2, False), (3, True)]
    assert (stored[0].id, stored[0].interval) == (first.id, DAY)


def test_a_column_without_values_has_no_moments(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    counts = replace(counts_of(axes_of["c0"], 5), minimum=np.array([np.nan]))
    found = capture(store, axes_of["c0"], counts).counts
    assert found is not None
    assert np.isnan(found.minimum).all()
    assert dump(store, "reference")["reference"][0][-5] is None


def test_counts_and_axis_belong_together(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    counts = counts_of(axes_of["c0"], 5)
    with pytest.raises(ValueError, match="an axis and counts, or neither"):
        replace(new_of(axes_of["c0"], counts), axis=None)
    two = column_panes(np.random.default_rng(0), np.array([3, 4]), 4)
    with pytest.raises(ValueError, match="is one pane, not 2"):
        new_of(axes_of["c0"], two)


def test_what_it_is_for_comes_back_with_it(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    words = {
        "specification": '{"file": "délai.parquet"}',
        "origin": ReferenceOrigin.ACCEPT,
        "note": "new tariff; it's meant",
    }
    found = capture(store, axes_of["c0"], counts_of(axes_of["c0"], 5), interval=None, **words)
    assert found.interval is None
    assert (found.specification, found.origin, found.note) == tuple(words.values())
    assert found.active
    assert found.segment == ""
    with store.read() as connection:
        (again,) = references.history(connection, 1, "c0")
    assert str(again) == str(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"specification": "other"},
        {"origin": ReferenceOrigin.COMMAND},
        {"note": "by hand"},
        {"specification": "other", "origin": ReferenceOrigin.ACCEPT, "note": "by hand"},
    ],
)
def test_the_same_counts_for_another_purpose_are_the_same_version(
    store: Store, changes: dict[str, Any]
) -> None:
    _, axes_of = monitor_with_axes(store)
    counts = counts_of(axes_of["c0"], 50)
    first = capture(store, axes_of["c0"], counts)
    other = capture(store, axes_of["c1"], counts_of(axes_of["c1"], 50))
    second = capture(store, axes_of["c0"], counts, **changes)
    assert str(second) == str(replace(first, **changes))
    with store.read() as connection:
        assert str(references.history(connection, 1)) == str([second, other])


@pytest.mark.parametrize("changes", [{"interval": hours(0, 23)}, {"interval": None}, {"rows": 51}])
def test_another_interval_or_other_counts_are_a_new_version(
    store: Store, changes: dict[str, Any]
) -> None:
    _, axes_of = monitor_with_axes(store)
    counts = counts_of(axes_of["c0"], 50)
    capture(store, axes_of["c0"], counts)
    assert capture(store, axes_of["c0"], counts, **changes).version == 2


def test_segments_have_versions_of_their_own(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    axis = axes_of["c0"]
    for segment, rows in (("", 5), ("", 6), ("country=DE", 7), ("country=AT", 8), ("", 9)):
        capture(store, axis, counts_of(axis, rows), segment=segment)
    assert active(store) == {"c0": (3, True)}
    assert active(store, segment="country=DE") == {"c0": (1, True)}
    assert active(store, segment="country=FR") == {}
    with store.read() as connection:
        found = references.active_segments(connection, 1)
    assert {key: part["c0"].rows for key, part in found.items()} == {
        "country=DE": 7,
        "country=AT": 8,
    }


def test_the_history_is_in_order_and_of_one_column_if_wanted(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    other, _ = monitor_with_axes(store, name="other")
    for name, segment, rows in (("c1", "", 5), ("c0", "s=1", 5), ("c0", "", 5), ("c0", "", 6)):
        capture(store, axes_of[name], counts_of(axes_of[name], rows), segment=segment)
    with store.write() as connection:
        references.capture(connection, other, VOLUME_OF_A_DAY, NOW)
    of_c0 = [("c0", "", 1, False), ("c0", "", 2, True), ("c0", "s=1", 1, True)]
    assert history(store, "c0") == of_c0
    assert history(store) == [*of_c0, ("c1", "", 1, True)]
    assert history(store, "nothing") == []


def test_an_older_version_is_made_active_again_with_its_axis(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    first_axis = axes_of["c0"]
    first = capture(store, first_axis, counts_of(first_axis, 5))
    capture(store, first_axis, counts_of(first_axis, 5), segment="s=1")
    capture(store, axes_of["c1"], counts_of(axes_of["c1"], 5))
    with store.write() as connection:
        refitted = axes.save(connection, monitor_id, "c0", NumericAxis((7.0,)), "number", DAY, NOW)
    second = capture(store, refitted, counts_of(refitted, 6))
    assert str(activate(store, 1)) == str(first)
    assert active(store) == {"c0": (1, True), "c1": (1, True)}
    assert active(store, segment="s=1") == {"c0": (1, True)}
    with store.read() as connection:
        assert axes.active(connection, monitor_id) == axes_of
    before = dump(store)
    assert str(activate(store, 1)) == str(first)
    assert dump(store) == before
    assert str(activate(store, 2)) == str(second)
    with store.read() as connection:
        assert axes.active(connection, monitor_id)["c0"] == refitted


def test_a_reference_that_is_active_gets_its_axis_back(store: Store) -> None:
    """The axis was fitted anew, and no reference was captured with it."""
    monitor_id, axes_of = monitor_with_axes(store)
    capture(store, axes_of["c0"], counts_of(axes_of["c0"], 5))
    with store.write() as connection:
        axes.save(connection, monitor_id, "c0", NumericAxis((7.0,)), "number", DAY, NOW)
    activate(store, 1)
    with store.read() as connection:
        assert axes.active(connection, monitor_id) == axes_of


def test_the_volume_has_versions_without_an_axis(store: Store) -> None:
    monitor_id, _ = monitor_with_axes(store)
    with store.write() as connection:
        references.capture(connection, monitor_id, VOLUME_OF_A_DAY, NOW)
        more = replace(VOLUME_OF_A_DAY, rows=100)
        assert references.capture(connection, monitor_id, more, NOW).version == 2
    assert activate(store, 1, column=VOLUME).rows == 99
    assert active(store) == {VOLUME: (1, True)}


def test_a_version_after_an_older_one_was_made_active_is_above_the_highest(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    axis = axes_of["c0"]
    for rows in (5, 6):
        capture(store, axis, counts_of(axis, rows))
    activate(store, 1)
    assert capture(store, axis, counts_of(axis, 7)).version == 3
    assert history(store, "c0") == [
        ("c0", "", 1, False), ("c0", "", 2, False), ("c0", "", 3, True)
    ]  # fmt: skip


def test_a_version_that_is_not_there_is_refused_with_those_that_are(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    axis = axes_of["c0"]
    for rows, segment in ((5, ""), (6, ""), (5, "s=1")):
        capture(store, axis, counts_of(axis, rows), segment=segment)
    before = dump(store)
    with pytest.raises(StoreError, match=r"'c0' has no reference of version 4; there are: 1, 2$"):
        activate(store, 4)
    with pytest.raises(StoreError, match=r"version 2 in segment 's=1'; there are: 1$"):
        activate(store, 2, segment="s=1")
    with pytest.raises(StoreError, match=r"'gone' has no reference of version 1; there are: none$"):
        activate(store, 1, column="gone")
    assert dump(store) == before


def test_two_that_capture_the_same_at_once_make_one_version(store: Store) -> None:
    _, axes_of = monitor_with_axes(store)
    axis = axes_of["c0"]
    capture(store, axis, counts_of(axis, 5))
    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            new = new_of(axis, counts_of(axis, 6))
            first = references.capture(connection, 1, new, NOW)
            other = pool.submit(capture, store, axis, counts_of(axis, 6))
            assert not wait([other], timeout=0.3).done
        assert str(other.result(timeout=30)) == str(first)
    assert first.version == 2
