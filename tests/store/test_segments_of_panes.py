"""Segments are counted beside all rows, from the same panes, and summed like them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from driftwatch.stats.counts import ColumnPanes, IntArray, PaneCounts
from driftwatch.store import ledger
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.window import Interval, to_epoch
from tests.store.samples import (
    MONDAY,
    NOW,
    PlainLedger,
    dump,
    hours,
    monitor_with_axes,
    pane_counts,
    random_interval,
)

KEYS = ("country=DE", "country=FR", "country=(other)")
Axes = dict[str, AxisRecord]


def split(
    rng: np.random.Generator, interval: Interval, seconds: int, axes_of: Axes, rate: float = 2.0
) -> PaneCounts:
    """Random counts of three segments, and of all rows as their sum."""
    parts = {key: pane_counts(rng, interval, seconds, axes_of, rate=rate) for key in KEYS}
    return replace(added(list(parts.values()), seconds), segments=parts)


def added(parts: list[PaneCounts], seconds: int) -> PaneCounts:
    starts: IntArray = np.unique(np.concatenate([part.starts for part in parts]))

    def summed(name: str, field: str) -> np.ndarray:
        shape = getattr(parts[0].columns[name], field).shape[1:]
        total = np.zeros((starts.size, *shape), np.int64 if field in INTEGERS else np.float64)
        for part in parts:
            values = getattr(part.columns[name], field)
            np.add.at(total, np.searchsorted(starts, part.starts), values)
        return total

    def extreme(name: str, field: str, reduce: np.ufunc) -> np.ndarray:
        found = np.full(starts.size, np.nan)
        for part in parts:
            at = np.searchsorted(starts, part.starts)
            found[at] = reduce(found[at], getattr(part.columns[name], field))
        return found

    rows = np.zeros(starts.size, np.int64)
    for part in parts:
        np.add.at(rows, np.searchsorted(starts, part.starts), part.rows)
    columns = {
        name: ColumnPanes(
            summed(name, "cells"),
            summed(name, "infinite"),
            summed(name, "total"),
            summed(name, "total_squares"),
            extreme(name, "minimum", np.fmin),
            extreme(name, "maximum", np.fmax),
        )
        for name in parts[0].columns
    }
    return PaneCounts(seconds, starts, rows, columns)


INTEGERS = ("cells", "infinite")


def nothing(counts: PaneCounts) -> PaneCounts:
    """The same segments and columns, no rows."""
    none = np.zeros(0, np.int64)
    return replace(
        counts,
        starts=counts.starts[none],
        rows=counts.rows[none],
        columns={name: panes.at(none) for name, panes in counts.columns.items()},
        segments={key: nothing(part) for key, part in counts.segments.items()},
    )


def record(
    store: Store,
    monitor_id: int,
    axes_of: Axes,
    counts: PaneCounts,
    interval: Interval,
    key: str = "",
) -> tuple[Interval, ...]:
    with store.write() as connection:
        return ledger.record(connection, monitor_id, axes_of, counts, interval, NOW, segment=key)


def sums(
    store: Store, monitor_id: int, axes_of: Axes, windows: list[Interval], *keys: str
) -> dict[str, list[ledger.WindowCounts]]:
    with store.read() as connection:
        return ledger.sum_segments(connection, monitor_id, axes_of, windows, keys)


def stored(store: Store, key: str) -> list[tuple[Any, ...]]:
    return [row for row in dump(store, "pane")["pane"] if row[1] == key]


@pytest.mark.parametrize("pane_seconds", [900, 420])
def test_windows_of_segments_equal_the_plain_sums_in_any_order_of_arrival(
    store: Store, pane_seconds: int
) -> None:
    rng = np.random.default_rng(pane_seconds)
    monitor_id, axes_of = monitor_with_axes(store)
    plain = {key: PlainLedger() for key in ("", *KEYS)}
    within = hours(0, 56)
    for _ in range(12):
        interval = random_interval(rng, within=within, seconds=pane_seconds, longest=110)
        counts = split(rng, interval, pane_seconds, axes_of, rate=0.6)
        record(store, monitor_id, axes_of, counts, interval)
        for key, model in plain.items():
            model.record(counts.segments[key] if key else counts, interval)
    windows = [
        random_interval(rng, within=within, seconds=pane_seconds, longest=220) for _ in range(9)
    ]
    windows += [hours(0, 56), hours(-14, 70), hours(14, 28)]
    found = sums(store, monitor_id, axes_of, windows, *KEYS, "")
    assert list(found) == [*KEYS, ""]
    for key, model in plain.items():
        for one, all_rows, window in zip(found[key], found[""], windows, strict=True):
            assert one.rows == model.window_rows(window)
            assert one.scanned_seconds == all_rows.scanned_seconds
            for name, axis in axes_of.items():
                cells = model.window_cells(name, window, axis.axis.cells)
                assert one.columns[name].cells.tolist() == [cells]
                panes = one.columns[name]
                np.testing.assert_array_equal(
                    [panes.infinite[0], panes.total[0], panes.total_squares[0], panes.minimum[0],
                     panes.maximum[0]],
                    model.window_moments(name, window),
                )  # fmt: skip


def test_a_segment_without_rows_was_counted_all_the_same(store: Store) -> None:
    rng = np.random.default_rng(1)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 24), 900, axes_of)
    quiet = {**counts.segments, "country=IS": nothing(counts.segments["country=DE"])}
    record(store, monitor_id, axes_of, replace(counts, segments=quiet), hours(0, 24))
    found = sums(store, monitor_id, axes_of, [hours(0, 24), hours(20, 26)], "country=IS", "never")
    day, later = found["country=IS"]
    assert (day.rows, day.is_whole, day.column_rows) == (0, True, {"c0": 0, "c1": 0})
    assert later.scanned_seconds == 4 * 3600
    assert [one.scanned_seconds for one in found["never"]] == [0, 0]
    assert len(stored(store, "country=IS")) == 1
    full, quiet_rows = len(stored(store, "")), len(stored(store, "country=DE"))
    assert quiet_rows < full, "panes without rows take no place"


def test_rows_of_a_segment_that_went_away_leave_zeros_at_every_level(store: Store) -> None:
    rng = np.random.default_rng(2)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 24), 900, axes_of, rate=9.0)
    record(store, monitor_id, axes_of, counts, hours(0, 24))
    assert counts.segments["country=DE"].rows.sum() > 0
    without = {**counts.segments, "country=DE": nothing(counts.segments["country=DE"])}
    rest = added([part for key, part in without.items() if key != "country=DE"], 900)
    changed = record(store, monitor_id, axes_of, replace(rest, segments=without), hours(0, 24))
    assert sum(one.seconds for one in changed) == 900 * counts.segments["country=DE"].starts.size
    for window in (hours(0, 24), hours(3, 4), hours(3, 3.25)):
        found = sums(store, monitor_id, axes_of, [window], "country=DE", "country=FR", "")
        assert found["country=DE"][0].rows == found["country=DE"][0].column_rows["c0"] == 0
        assert found["country=FR"][0].rows > 0 or window.seconds < 86_400
        assert found["country=DE"][0].is_whole
    assert {row[5] for row in stored(store, "country=DE")} == {2}


@pytest.mark.parametrize("value", ["DE", '"New, York"'])
def test_a_segment_without_rows_need_not_be_named(store: Store, value: str) -> None:
    """A scan brings home what has rows; what it counted shows by the columns of the others."""
    rng = np.random.default_rng(16)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 24), 900, axes_of, rate=9.0)
    key = f"country={value}"
    city = {key: counts.segments["country=DE"], "city=Ulm": counts.segments["country=FR"]}
    record(
        store, monitor_id, axes_of, replace(counts, segments={**counts.segments, **city}),
        hours(0, 24),
    )  # fmt: skip
    fewer = {"country=(other)": counts.segments["country=(other)"]}
    rest = replace(fewer["country=(other)"], segments=fewer)
    record(store, monitor_id, axes_of, rest, hours(0, 24))
    found = sums(
        store, monitor_id, axes_of, [hours(0, 24), hours(5, 6)], key, "country=FR", "city=Ulm"
    )
    assert [one.rows for one in (*found[key], *found["country=FR"])] == [0, 0, 0, 0]
    assert all(one.is_whole for one in found[key])
    assert found["city=Ulm"][0].rows == counts.segments["country=FR"].rows.sum()


def test_a_pane_without_rows_empties_segments_that_are_not_named(store: Store) -> None:
    rng = np.random.default_rng(3)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 2), 900, axes_of, rate=9.0)
    record(store, monitor_id, axes_of, counts, hours(0, 2))
    alone = replace(counts, segments={})
    assert record(store, monitor_id, axes_of, alone, hours(0, 2)) == ()
    kept = sums(store, monitor_id, axes_of, [hours(0, 2)], "country=FR")["country=FR"][0]
    assert kept.rows == counts.segments["country=FR"].rows.sum()
    record(store, monitor_id, axes_of, replace(nothing(counts), segments={}), hours(0, 2))
    gone = sums(store, monitor_id, axes_of, [hours(0, 2), hours(0, 1)], *KEYS)
    assert {one.rows for of_key in gone.values() for one in of_key} == {0}


def test_the_same_twice_changes_nothing(store: Store) -> None:
    rng = np.random.default_rng(4)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 30), 900, axes_of)
    changed = record(store, monitor_id, axes_of, counts, hours(0, 30))
    assert changed == (hours(0, 30),)
    before = dump(store)
    assert record(store, monitor_id, axes_of, counts, hours(0, 30)) == ()
    assert dump(store) == before


def test_what_changed_in_one_segment_alone_is_told(store: Store) -> None:
    rng = np.random.default_rng(5)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 4), 900, axes_of, rate=9.0)
    record(store, monitor_id, axes_of, counts, hours(0, 4))
    german = counts.segments["country=DE"]
    later = np.isin(np.arange(german.rows.size), [4, 5, 9])
    moved = {
        name: replace(panes, total=panes.total + 7 * later)
        for name, panes in german.columns.items()
    }
    segments = {**counts.segments, "country=DE": replace(german, columns=moved)}
    changed = record(store, monitor_id, axes_of, replace(counts, segments=segments), hours(0, 4))
    assert german.starts.size == 16, "every pane has rows"
    assert changed == (hours(1, 1.5), hours(2.25, 2.5))
    assert max(row[5] for row in stored(store, "")) == 1


def test_columns_of_segments_that_are_counted_later_join(store: Store) -> None:
    rng = np.random.default_rng(6)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 24), 900, axes_of)

    def only(part: PaneCounts, name: str) -> PaneCounts:
        return replace(
            part,
            columns={name: part.columns[name]},
            segments={key: only(one, name) for key, one in part.segments.items()},
        )

    for name in ("c0", "c1"):
        record(store, monitor_id, axes_of, only(counts, name), hours(0, 24))
    for window in (hours(0, 24), hours(4, 5)):
        for found in sums(store, monitor_id, axes_of, [window], *KEYS).values():
            assert found[0].column_rows == {"c0": found[0].rows, "c1": found[0].rows}


def test_a_cohort_stands_apart(store: Store) -> None:
    """It is counted where it was recorded, not where all rows were."""
    rng = np.random.default_rng(7)
    monitor_id, axes_of = monitor_with_axes(store)
    record(store, monitor_id, axes_of, split(rng, hours(0, 24), 900, axes_of), hours(0, 24))
    cohort = pane_counts(rng, hours(0, 12), 900, axes_of)
    record(store, monitor_id, axes_of, cohort, hours(0, 12), "@cohort")
    record(store, monitor_id, axes_of, nothing(split(rng, hours(0, 1), 900, axes_of)), hours(0, 1))
    found = sums(store, monitor_id, axes_of, [hours(0, 24), hours(0, 1)], "@cohort", "country=DE")
    day, hour = found["@cohort"]
    assert (day.rows, day.scanned_seconds) == (cohort.rows.sum(), 12 * 3600)
    assert hour.rows == cohort.rows[cohort.starts < to_epoch(hours(1, 2).start)].sum()
    assert hour.is_whole
    assert found["country=DE"][1].rows == 0


def test_a_segment_is_counted_in_one_way(store: Store) -> None:
    rng = np.random.default_rng(8)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 1), 900, axes_of, rate=9.0)
    record(store, monitor_id, axes_of, counts, hours(0, 1))
    part = counts.segments["country=DE"]
    with pytest.raises(ValueError, match="'country=DE' was counted with all rows so far"):
        record(store, monitor_id, axes_of, part, hours(0, 1), "country=DE")
    record(store, monitor_id, axes_of, part, hours(0, 1), "@cohort")
    mixed = replace(counts, segments={"@cohort": part})
    with pytest.raises(ValueError, match="'@cohort' was counted apart from all rows so far"):
        record(store, monitor_id, axes_of, mixed, hours(0, 1))


def test_segments_must_fit_all_rows(store: Store) -> None:
    rng = np.random.default_rng(9)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 1), 900, axes_of, rate=9.0)
    outside = {"country=DE": pane_counts(rng, hours(5, 6), 900, axes_of, rate=9.0)}
    with pytest.raises(ValueError, match="panes outside"):
        record(store, monitor_id, axes_of, replace(counts, segments=outside), hours(0, 1))
    coarse = {"country=DE": pane_counts(rng, hours(0, 1), 1800, axes_of, rate=9.0)}
    with pytest.raises(ValueError, match="panes of 1800 s"):
        record(store, monitor_id, axes_of, replace(counts, segments=coarse), hours(0, 1))
    assert dump(store, "pane")["pane"] == []


def test_pieces_are_the_sum_of_their_windows(store: Store) -> None:
    rng = np.random.default_rng(10)
    monitor_id, axes_of = monitor_with_axes(store)
    record(store, monitor_id, axes_of, split(rng, hours(0, 60), 900, axes_of), hours(0, 60))
    groups = [
        [hours(30, 31), hours(0, 24), hours(24, 26.5)],
        [],
        [hours(59, 61)],
        [hours(0, 48)],
    ]
    flat = [window for group in groups for window in group]
    for key in ("", "country=DE"):
        with store.read() as connection:
            found = ledger.sum_pieces(connection, monitor_id, axes_of, groups, segment=key)
        windows = iter(sums(store, monitor_id, axes_of, flat, key)[key])
        for group, piece in zip(groups, found, strict=True):
            parts = [next(windows) for _ in group]
            assert piece.rows == sum(part.rows for part in parts)
            assert piece.seconds == sum(window.seconds for window in group)
            assert piece.scanned_seconds == sum(part.scanned_seconds for part in parts)
            for name, axis in axes_of.items():
                cells = np.zeros(axis.axis.cells, np.int64)
                for part in parts:
                    cells += part.columns[name].cells[0]
                assert piece.columns[name].cells[0].tolist() == cells.tolist()
                assert piece.column_rows[name] == cells.sum()
    assert found[1].seconds == found[1].scanned_seconds == 0


def test_adjacent_pieces_are_read_as_roll_ups(store: Store) -> None:
    """Two days given as 48 hours cost two rows."""
    rng = np.random.default_rng(11)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = pane_counts(rng, hours(0, 72), 900, axes_of)
    record(store, monitor_id, axes_of, counts, hours(0, 72))
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM pane WHERE seconds < 86400")
        (found,) = ledger.sum_pieces(
            connection, monitor_id, axes_of, [[hours(n, n + 1) for n in reversed(range(48))]]
        )
    assert found.scanned_seconds == 48 * 3600
    assert found.rows == counts.rows[counts.starts < to_epoch(hours(48, 49).start)].sum()


def test_the_census_is_what_the_ledger_holds(store: Store) -> None:
    rng = np.random.default_rng(12)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 3), 900, axes_of, rate=0.8)
    record(store, monitor_id, axes_of, counts, hours(0, 3))
    alone = split(rng, hours(3, 4), 900, axes_of, rate=5.0)
    record(
        store, monitor_id, axes_of,
        replace(alone, columns={"c0": alone.columns["c0"]}, segments={}), hours(3, 4),
    )  # fmt: skip
    with store.read() as connection:
        found = ledger.census(connection, monitor_id, axes_of, hours(-1, 5), 900)
        part = ledger.census(
            connection, monitor_id, axes_of, hours(0, 3), 900, segment="country=DE"
        )
        hourly = ledger.census(connection, monitor_id, axes_of, hours(0, 2), 3600)
    every = np.arange(to_epoch(MONDAY), to_epoch(MONDAY) + 4 * 3600, 900)
    assert found.starts.tolist() == every.tolist()
    for at, start in enumerate(every.tolist()):
        of = counts if at < 12 else alone
        index = np.flatnonzero(of.starts == start)
        assert found.rows[at] == of.rows[index].sum()
        for name in axes_of:
            present = of.columns[name].cells[index, :-1].sum()
            missed = name == "c1" and at >= 12 and found.rows[at] > 0
            assert found.present[name][at] == (-1 if missed else present)
    german = counts.segments["country=DE"]
    assert part.starts.tolist() == every[:12].tolist()
    assert part.rows.sum() == german.rows.sum()
    assert part.present["c0"].sum() == german.columns["c0"].cells[:, :-1].sum()
    assert hourly.rows.sum() == counts.rows[counts.starts < every[8]].sum()


def test_the_extent_is_from_the_first_pane_to_the_end_of_the_last(store: Store) -> None:
    rng = np.random.default_rng(13)
    monitor_id, axes_of = monitor_with_axes(store)
    with store.read() as connection:
        assert ledger.extent(connection, monitor_id) is None
    for interval, seconds in ((hours(2, 5), 3600), (hours(5, 6.25), 900)):
        record(store, monitor_id, axes_of, pane_counts(rng, interval, seconds, axes_of), interval)
    with store.read() as connection:
        assert ledger.extent(connection, monitor_id) == hours(2, 6.25)


def test_many_segments_are_read_in_few_statements(store: Store) -> None:
    rng = np.random.default_rng(14)
    monitor_id, axes_of = monitor_with_axes(store)
    record(store, monitor_id, axes_of, split(rng, hours(0, 48), 900, axes_of), hours(0, 48))
    seen: list[str] = []

    def look(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(store._engine, "before_cursor_execute", look)
    sums(store, monitor_id, axes_of, [hours(0, 24), hours(22.25, 47)], "", *KEYS)
    sa.event.remove(store._engine, "before_cursor_execute", look)
    assert len(seen) <= 10


def test_now_is_when_a_pane_last_changed(store: Store) -> None:
    rng = np.random.default_rng(15)
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(rng, hours(0, 1), 900, axes_of, rate=9.0)
    record(store, monitor_id, axes_of, counts, hours(0, 1))
    with store.write() as connection:
        other = replace(counts, rows=counts.rows + 1)
        ledger.record(
            connection, monitor_id, axes_of, other, hours(0, 1), NOW + timedelta(minutes=5)
        )
    assert {row[6] for row in stored(store, "")} == {NOW + timedelta(minutes=5)}
    assert {row[6] for row in stored(store, "country=DE")} == {NOW}
