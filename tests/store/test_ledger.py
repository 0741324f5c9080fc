"""The ledger keeps every pane once, and windows are exact sums of panes."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnPanes, PaneCounts
from driftwatch.store import axes, ledger
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.packs import decode
from driftwatch.store.schema import pane
from driftwatch.window import Interval, to_epoch
from tests.store.samples import (
    MONDAY,
    NOW,
    PlainLedger,
    column_panes,
    dump,
    hours,
    monitor_with_axes,
    pane_counts,
    random_interval,
)

LATER = NOW + timedelta(minutes=5)


def record(
    store: Store,
    monitor_id: int,
    axes_of: dict[str, AxisRecord],
    counts: PaneCounts,
    interval: Interval,
) -> None:
    with store.write() as connection:
        ledger.record(connection, monitor_id, axes_of, counts, interval, NOW)


def sums(
    store: Store, monitor_id: int, axes_of: dict[str, AxisRecord], windows: list[Interval]
) -> list[ledger.WindowCounts]:
    with store.read() as connection:
        return ledger.sum_windows(connection, monitor_id, axes_of, windows)


def only(counts: PaneCounts, *names: str) -> PaneCounts:
    return replace(counts, columns={name: counts.columns[name] for name in names})


def moments(panes: ColumnPanes) -> tuple[float, ...]:
    return (
        float(panes.infinite[0]), float(panes.total[0]), float(panes.total_squares[0]),
        float(panes.minimum[0]), float(panes.maximum[0]),
    )  # fmt: skip


def is_made_of(window: Interval, seconds: int) -> bool:
    since = [to_epoch(moment) - to_epoch(MONDAY) for moment in (window.start, window.end)]
    return all(moment % seconds == 0 for moment in since)


@pytest.mark.parametrize("pane_seconds", [900, 420, 2700, 7200])
def test_windows_of_any_length_equal_the_plain_sum_in_any_order_of_arrival(
    store: Store, pane_seconds: int
) -> None:
    rng = np.random.default_rng(pane_seconds)
    monitor_id, axes_of = monitor_with_axes(store)
    plain = PlainLedger()
    # Panes of 420 and 2700 s do not divide the day, the hour; 42 hours are whole panes of each.
    within = hours(0, 84)
    for _ in range(25):
        interval = random_interval(rng, within=within, seconds=pane_seconds, longest=110)
        counts = pane_counts(rng, interval, pane_seconds, axes_of)
        record(store, monitor_id, axes_of, counts, interval)
        plain.record(counts, interval)
    windows = [
        random_interval(rng, within=within, seconds=pane_seconds, longest=600) for _ in range(40)
    ]
    windows += [hours(0, 84), hours(0, 42), hours(42, 84), hours(-42, 126)]
    days = [hours(24, 48), hours(24, 72), hours(4, 6), hours(22, 50), hours(3, 75)]
    windows += [window for window in days if is_made_of(window, pane_seconds)]
    for found, window in zip(sums(store, monitor_id, axes_of, windows), windows, strict=True):
        assert found.interval == window
        assert found.rows == plain.window_rows(window)
        for name, record_of in axes_of.items():
            cells = plain.window_cells(name, window, record_of.axis.cells)
            assert found.columns[name].cells.tolist() == [cells]
            assert found.column_rows[name] == sum(cells)
            np.testing.assert_array_equal(
                moments(found.columns[name]), plain.window_moments(name, window)
            )


@pytest.mark.parametrize("pane_seconds", [300, 900])
def test_roll_ups_equal_the_sums_of_panes_and_exist_only_where_all_was_counted(
    store: Store, pane_seconds: int
) -> None:
    rng = np.random.default_rng(7)
    monitor_id, axes_of = monitor_with_axes(store)
    plain = PlainLedger()
    for _ in range(12):
        interval = random_interval(rng, within=hours(0, 60), seconds=pane_seconds, longest=200)
        counts = pane_counts(rng, interval, pane_seconds, axes_of, rate=1.0)
        record(store, monitor_id, axes_of, counts, interval)
        plain.record(counts, interval)
    stored = {(row[2], row[3]): row[4] for row in dump(store, "pane")["pane"]}
    for length in (3600, 86_400):
        for start in range(to_epoch(MONDAY), to_epoch(MONDAY) + 60 * 3600, length):
            inside = [at for at in plain.rows if start <= at < start + length]
            whole = len(inside) == length // pane_seconds
            assert ((length, start) in stored) == whole
            if whole:
                assert stored[length, start] == sum(plain.rows[at] for at in inside)


def test_the_same_panes_twice_change_nothing(store: Store) -> None:
    rng = np.random.default_rng(1)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = pane_counts(rng, hours(0, 30), 900, axes_of, rate=1.0)
    record(store, monitor_id, axes_of, counts, hours(0, 30))
    before = dump(store)
    with store.write() as connection:
        ledger.record(connection, monitor_id, axes_of, counts, hours(0, 30), LATER)
    assert dump(store) == before
    assert {row[5] for row in before["pane"]} == {1}


def test_a_change_raises_the_revision_of_its_pane_and_of_the_roll_ups_above_alone(
    store: Store,
) -> None:
    rng = np.random.default_rng(2)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = pane_counts(rng, hours(0, 48), 900, axes_of, rate=50.0)
    record(store, monitor_id, axes_of, counts, hours(0, 48))
    start = int(counts.starts[30])
    one = hours(7.5, 7.75)
    assert to_epoch(one.start) == start
    changed = pane_counts(rng, one, 900, axes_of, rate=80.0)
    record(store, monitor_id, axes_of, changed, one)
    hour, day = start - start % 3600, start - start % 86_400
    revised = {(row[2], row[3]) for row in dump(store, "pane")["pane"] if row[5] == 2}
    assert revised == {(900, start), (3600, hour), (86_400, day)}
    (window,) = sums(store, monitor_id, axes_of, [hours(0, 24)])
    rows = counts.rows[:96].sum() - counts.rows[30] + changed.rows[0]
    assert window.rows == rows
    assert window.column_rows == {"c0": rows, "c1": rows}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("infinite", np.array([5])),
        ("total", np.array([7.5])),
        ("total_squares", np.array([99.0])),
        ("minimum", np.array([-9.0])),
        ("maximum", np.array([np.nan])),
    ],
)
def test_a_change_of_a_moment_alone_is_a_change(store: Store, name: str, value: np.ndarray) -> None:
    monitor_id, axes_of = monitor_with_axes(store, columns=1)
    one = ColumnPanes(
        np.array([[3, 2, 1, 0]]), np.array([1]), np.array([4.0]), np.array([8.0]),
        np.array([-1.0]), np.array([3.0]),
    )  # fmt: skip
    starts, rows = np.array([to_epoch(MONDAY)]), np.array([6])
    interval = hours(0, 0.25)
    record(store, monitor_id, axes_of, PaneCounts(900, starts, rows, {"c0": one}), interval)
    other = replace(one, **{name: value})
    record(store, monitor_id, axes_of, PaneCounts(900, starts, rows, {"c0": other}), interval)
    assert [row[5] for row in dump(store, "pane")["pane"]] == [2]
    (found,) = sums(store, monitor_id, axes_of, [interval])
    np.testing.assert_array_equal(getattr(found.columns["c0"], name), value)


def test_another_order_of_addition_in_the_source_is_no_change(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store, columns=1)
    one = ColumnPanes(
        np.array([[3, 2, 1, 0]]), np.array([0]), np.array([1e-3]), np.array([3e10]),
        np.array([-1e5]), np.array([1e5]),
    )  # fmt: skip
    starts, rows = np.array([to_epoch(MONDAY)]), np.array([6])
    record(store, monitor_id, axes_of, PaneCounts(900, starts, rows, {"c0": one}), hours(0, 0.25))
    before = dump(store)
    # 1e-3 is what 1e5 - 1e5 leaves: its digits depend on the order.
    noisy = replace(one, total=one.total + 1e-8, total_squares=one.total_squares * (1 + 1e-13))
    record(store, monitor_id, axes_of, PaneCounts(900, starts, rows, {"c0": noisy}), hours(0, 0.25))
    assert dump(store) == before


def test_sums_that_overflow_are_kept_as_not_known(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store, columns=1)
    huge = ColumnPanes(
        np.array([[3, 2, 1, 0]]), np.array([0]), np.array([np.nan]), np.array([np.inf]),
        np.array([-1e308]), np.array([1e308]),
    )  # fmt: skip
    counts = PaneCounts(900, np.array([to_epoch(MONDAY)]), np.array([6]), {"c0": huge})
    record(store, monitor_id, axes_of, counts, hours(0, 0.25))
    before = dump(store, "pane")
    record(store, monitor_id, axes_of, counts, hours(0, 0.25))
    assert dump(store, "pane") == before
    (found,) = sums(store, monitor_id, axes_of, [hours(0, 0.25)])
    assert np.isnan(found.columns["c0"].total[0])
    assert np.isinf(found.columns["c0"].total_squares[0])


def test_sums_of_hours_may_overflow_where_those_of_panes_did_not(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store, columns=1)
    starts = to_epoch(MONDAY) + 900 * np.arange(2)
    huge = ColumnPanes(
        np.array([[0, 1, 0, 0]] * 2), np.zeros(2, np.int64), np.array([1.5e308, 1.5e308]),
        np.array([np.inf, np.inf]), np.array([1.5e308] * 2), np.array([1.5e308] * 2),
    )  # fmt: skip
    counts = PaneCounts(900, starts, np.array([1, 1]), {"c0": huge})
    record(store, monitor_id, axes_of, counts, hours(0, 0.5))
    (found,) = sums(store, monitor_id, axes_of, [hours(0, 1)])
    assert np.isinf(found.columns["c0"].total[0])
    assert found.columns["c0"].cells[0].tolist() == [0, 2, 0, 0]


def test_panes_without_rows_are_noted_as_counted(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    nothing = PaneCounts(
        300,
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        {
            name: column_panes(np.random.default_rng(0), np.zeros(0, np.int64), a.axis.cells)
            for name, a in axes_of.items()
        },
    )
    record(store, monitor_id, axes_of, nothing, hours(0, 2))
    stored = dump(store, "pane")["pane"]
    assert len(stored) == 24 + 2
    assert {row[4] for row in stored} == {0}
    assert {row[-1] for row in stored} == {None}
    counted, half, never = sums(store, monitor_id, axes_of, [hours(0, 2), hours(1, 3), hours(5, 6)])
    assert (counted.rows, counted.scanned_seconds, counted.is_whole) == (0, 7200, True)
    assert (half.scanned_seconds, half.is_whole) == (3600, False)
    assert (never.rows, never.scanned_seconds) == (0, 0)
    assert never.columns["c1"].cells.tolist() == [[0] * 5]
    assert np.isnan(never.columns["c1"].minimum).all()


def test_rows_that_went_away_leave_zeros_at_every_level(store: Store) -> None:
    rng = np.random.default_rng(3)
    monitor_id, axes_of = monitor_with_axes(store)
    full = pane_counts(rng, hours(0, 24), 900, axes_of, rate=9.0)
    record(store, monitor_id, axes_of, full, hours(0, 24))
    empty = PaneCounts(
        900,
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        {
            name: column_panes(rng, np.zeros(0, np.int64), a.axis.cells)
            for name, a in axes_of.items()
        },
    )
    record(store, monitor_id, axes_of, empty, hours(0, 24))
    for window in (hours(0, 24), hours(3, 4), hours(3, 3.25)):
        (found,) = sums(store, monitor_id, axes_of, [window])
        assert (found.rows, found.column_rows) == (0, {"c0": 0, "c1": 0})
        assert np.isnan(found.columns["c0"].maximum).all()


def test_a_column_that_was_not_scanned_in_a_part_of_the_window_shows(store: Store) -> None:
    rng = np.random.default_rng(4)
    monitor_id, axes_of = monitor_with_axes(store)
    both = pane_counts(rng, hours(0, 2), 900, axes_of, rate=20.0)
    alone = only(pane_counts(rng, hours(2, 3), 900, axes_of, rate=20.0), "c0")
    record(store, monitor_id, axes_of, both, hours(0, 2))
    record(store, monitor_id, axes_of, alone, hours(2, 3))
    (found,) = sums(store, monitor_id, axes_of, [hours(0, 3)])
    assert found.rows == both.rows.sum() + alone.rows.sum()
    assert found.column_rows == {"c0": found.rows, "c1": int(both.rows.sum())}


def test_a_column_counted_later_joins_what_is_there(store: Store) -> None:
    rng = np.random.default_rng(5)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = pane_counts(rng, hours(0, 24), 900, axes_of)
    record(store, monitor_id, axes_of, only(counts, "c0"), hours(0, 24))
    record(store, monitor_id, axes_of, only(counts, "c1"), hours(0, 24))
    day, hour = sums(store, monitor_id, axes_of, [hours(0, 24), hours(4, 5)])
    assert day.column_rows == {"c0": day.rows, "c1": day.rows}
    assert hour.column_rows == {"c0": hour.rows, "c1": hour.rows}


def test_a_reference_captured_by_the_hour_meets_live_panes(store: Store) -> None:
    """Hours counted directly, then finer panes of the same rows: nothing is counted twice."""
    rng = np.random.default_rng(6)
    monitor_id, axes_of = monitor_with_axes(store)
    fine = pane_counts(rng, hours(0, 48), 900, axes_of)
    coarse = by_hour(fine)
    record(store, monitor_id, axes_of, coarse, hours(0, 48))
    before = dump(store, "pane")["pane"]
    record(store, monitor_id, axes_of, fine, hours(0, 48))
    after = dump(store, "pane")["pane"]
    assert [row for row in after if row[2] > 900] == before
    (found,) = sums(store, monitor_id, axes_of, [hours(0, 48)])
    assert found.rows == fine.rows.sum()
    (quarter,) = sums(store, monitor_id, axes_of, [hours(1.25, 30.5)])
    low, high = to_epoch(quarter.interval.start), to_epoch(quarter.interval.end)
    assert quarter.rows == fine.rows[(fine.starts >= low) & (fine.starts < high)].sum()


def by_hour(counts: PaneCounts) -> PaneCounts:
    owners = counts.starts - counts.starts % 3600
    starts, first = np.unique(owners, return_index=True)
    columns = {
        name: ColumnPanes(
            np.add.reduceat(panes.cells, first),
            np.add.reduceat(panes.infinite, first),
            np.add.reduceat(panes.total, first),
            np.add.reduceat(panes.total_squares, first),
            np.fmin.reduceat(panes.minimum, first),
            np.fmax.reduceat(panes.maximum, first),
        )
        for name, panes in counts.columns.items()
    }
    return PaneCounts(3600, starts, np.add.reduceat(counts.rows, first), columns)


def test_an_axis_that_changes_starts_counting_anew(store: Store) -> None:
    rng = np.random.default_rng(8)
    monitor_id, axes_of = monitor_with_axes(store, columns=1)
    old = pane_counts(rng, hours(0, 24), 900, axes_of)
    record(store, monitor_id, axes_of, old, hours(0, 24))
    wider = NumericAxis((0.0, 1.0, 2.0, 3.0))
    with store.write() as connection:
        new = axes.save(connection, monitor_id, "c0", wider, "number", hours(0, 24), NOW)
    (before,) = sums(store, monitor_id, {"c0": new}, [hours(0, 24)])
    assert (before.column_rows, before.columns["c0"].cells.shape) == ({"c0": 0}, (1, 6))
    assert before.rows == old.rows.sum()
    fresh = pane_counts(rng, hours(24, 48), 900, {"c0": new})
    record(store, monitor_id, {"c0": new}, fresh, hours(24, 48))
    (both,) = sums(store, monitor_id, {"c0": new}, [hours(0, 48)])
    assert both.column_rows == {"c0": fresh.rows.sum()}
    (still,) = sums(store, monitor_id, axes_of, [hours(0, 48)])
    assert still.column_rows == {"c0": old.rows.sum()}


def test_segments_and_monitors_are_apart(store: Store) -> None:
    rng = np.random.default_rng(9)
    monitor_id, axes_of = monitor_with_axes(store)
    other_id, other_axes = monitor_with_axes(store, name="other")
    everything = pane_counts(rng, hours(0, 24), 900, axes_of, rate=30.0)
    part = pane_counts(rng, hours(0, 24), 900, axes_of, rate=5.0)
    record(store, monitor_id, axes_of, everything, hours(0, 24))
    with store.write() as connection:
        ledger.record(
            connection, monitor_id, axes_of, part, hours(0, 24), NOW, segment="carrier=UA"
        )
    (whole,) = sums(store, monitor_id, axes_of, [hours(0, 24)])
    assert whole.rows == everything.rows.sum()
    with store.read() as connection:
        (found,) = ledger.sum_windows(
            connection, monitor_id, axes_of, [hours(0, 24)], segment="carrier=UA"
        )
    assert found.rows == found.column_rows["c0"] == part.rows.sum()
    (nothing,) = sums(store, other_id, other_axes, [hours(0, 24)])
    assert (nothing.rows, nothing.scanned_seconds) == (0, 0)


def test_window_rows_are_those_of_windows_that_were_counted_whole(store: Store) -> None:
    rng = np.random.default_rng(10)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = pane_counts(rng, hours(1, 50), 900, axes_of, rate=40.0)
    assert counts.starts.size == 49 * 4
    record(store, monitor_id, axes_of, counts, hours(1, 50))
    with store.read() as connection:
        days = [hours(24, 48), hours(0, 24), hours(48, 72)]
        by_day = ledger.window_rows(connection, monitor_id, days)
        pairs = [hours(start, start + 2) for start in range(0, 52, 2)]
        by_hours = ledger.window_rows(connection, monitor_id, pairs)
        assert ledger.window_rows(connection, monitor_id, []) == []
    day_two = (counts.starts >= to_epoch(hours(24, 48).start)) & (
        counts.starts < to_epoch(hours(24, 48).end)
    )
    assert by_day == [counts.rows[day_two].sum(), None, None]
    whole = counts.rows[4:].reshape(24, 8).sum(axis=1).tolist()
    assert by_hours == [None, *whole, None]


def test_fine_panes_are_not_read_where_roll_ups_serve(store: Store) -> None:
    rng = np.random.default_rng(11)
    monitor_id, axes_of = monitor_with_axes(store)
    record(store, monitor_id, axes_of, pane_counts(rng, hours(0, 72), 300, axes_of), hours(0, 72))
    seen: list[tuple[str, Any]] = []

    def look(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    sa.event.listen(store._engine, "before_cursor_execute", look)
    windows = [hours(71, 72), hours(48, 72), hours(0, 72), hours(0, 48)]
    found = sums(store, monitor_id, axes_of, windows)
    sa.event.remove(store._engine, "before_cursor_execute", look)
    assert all(window.is_whole for window in found)
    bound = [
        list(parameters.values()) if isinstance(parameters, dict) else list(parameters)
        for _, parameters in seen
    ]
    assert any(86_400 in values for values in bound)
    assert any(3_600 in values for values in bound)
    assert not any(300 in values for values in bound)
    assert len(seen) <= 6


def test_two_writers_of_one_hour_leave_its_whole_sum(store: Store) -> None:
    """The second one waits for the first, and so sees all of the hour."""
    rng = np.random.default_rng(12)
    monitor_id, axes_of = monitor_with_axes(store)
    first = pane_counts(rng, hours(0, 0.75), 300, axes_of, rate=9.0)
    second = pane_counts(rng, hours(0.75, 1), 300, axes_of, rate=9.0)
    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            ledger.record(connection, monitor_id, axes_of, first, hours(0, 0.75), NOW)
            other = pool.submit(record, store, monitor_id, axes_of, second, hours(0.75, 1))
            assert not wait([other], timeout=0.3).done
        other.result(timeout=30)
    with store.read() as connection:
        of_hour = sa.select(pane.c.rows, pane.c.counts).where(pane.c.seconds == 3600)
        rows, counts = connection.execute(of_hour).one()
    total = first.rows.sum() + second.rows.sum()
    ((_, packs),) = decode([counts])
    assert (rows, packs.column_rows().tolist()) == (total, [[total, total]])


def test_rows_are_counted_where_no_column_is(store: Store) -> None:
    """Every column of a monitor may be in trouble; its volume is still watched."""
    monitor_id, axes_of = monitor_with_axes(store)
    starts = np.arange(to_epoch(MONDAY), to_epoch(MONDAY) + 3600, 900)
    for rows in (5, 7):
        counts = PaneCounts(900, starts, np.full(4, rows), {})
        record(store, monitor_id, axes_of, counts, hours(0, 1))
    (found,) = sums(store, monitor_id, axes_of, [hours(0, 1)])
    assert (found.rows, found.column_rows) == (28, {"c0": 0, "c1": 0})
    assert {row[5] for row in dump(store, "pane")["pane"]} == {2}


def test_what_does_not_fit_is_refused(store: Store) -> None:
    rng = np.random.default_rng(13)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = pane_counts(rng, hours(0, 1), 900, axes_of, rate=9.0)
    with pytest.raises(ValueError, match="not made of whole panes of 900 s"):
        record(store, monitor_id, axes_of, counts, hours(0, 0.9))
    with pytest.raises(ValueError, match="panes outside"):
        record(store, monitor_id, axes_of, counts, hours(0, 0.5))
    swapped = {"c0": axes_of["c1"], "c1": axes_of["c0"]}
    with pytest.raises(ValueError, match="its axis has"):
        record(store, monitor_id, swapped, counts, hours(0, 1))
    assert dump(store, "pane")["pane"] == []


def test_no_windows_are_no_sums(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    assert sums(store, monitor_id, axes_of, []) == []
