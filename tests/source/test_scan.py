"""A scan equals numpy on the same rows, to the last count."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from driftwatch.errors import SourceError
from driftwatch.source import ColumnType, ScanColumn, Source
from driftwatch.source.postgres_link import PostgresLink
from driftwatch.source.sqlite_link import SqliteLink
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.stats.counts import ColumnPanes, PaneCounts
from driftwatch.window import to_epoch
from tests.source.logs import (
    DAY,
    between,
    create,
    is_sqlite,
    minutes,
    opened,
    planned,
    relation,
    run,
    writing,
)

EDGES = NumericAxis((-1.0, 0.0, math.nextafter(0.0, 1.0), 0.1, 2.5, 7.0))
TYPES = {
    "sqlite": {
        "ratio": "REAL", "count": "INTEGER", "price": "DECIMAL(10, 2)", "flag": "BOOLEAN",
        "day": "DATE", "at": "TIMESTAMP", "carrier": "TEXT", "code": "INTEGER",
    },
    "postgresql": {
        "ratio": "float8", "count": "bigint", "price": "numeric(10, 2)", "flag": "boolean",
        "day": "date", "at": "timestamptz", "carrier": "text", "code": "integer",
    },
}  # fmt: skip
AXES: dict[str, Axis] = {
    "ratio": EDGES,
    "count": NumericAxis((-3.5, 0.0, 2.0, 1e6)),
    "price": NumericAxis((0.1, 0.2, 5.0)),
    "flag": NumericAxis((0.5,)),
    "day": NumericAxis((0.0, 86_400.0, 1e9), Scale.TIME),
    "at": NumericAxis((0.0, 86_400.0, 1e9), Scale.TIME),
    "carrier": CategoricalAxis(("UA", 'it\'s %s :x \\ "q"', "ü"), ("AA",)),
    "code": CategoricalAxis(("1", "2"), ("3", "4")),
}


def random_rows(seed: int, size: int, *, sqlite: bool) -> list[list[Any]]:
    """Rows over six hours, in no order, with everything that may stand in such columns."""
    random = np.random.default_rng(seed)

    def pick(values: Sequence[Any]) -> Any:
        return values[int(random.integers(len(values)))]

    ratios: list[Any] = [None, math.inf, -math.inf, 0.0, -0.0, 0.1, 2.5, 1e-200, 5e-324, 1e100]
    ratios += ["n/a", "12abc"] if sqlite else [math.nan]
    days = [None, date(1969, 12, 31), date(1970, 1, 2), date(2001, 9, 9), date(2026, 3, 2)]
    levels = ["UA", 'it\'s %s :x \\ "q"', "ü", "AA", "B6", "", "ua", "Ü", None]
    rows = []
    for _ in range(size):
        at = pick([None, datetime.fromtimestamp(int(random.integers(-(10**9), 2 * 10**9)), UTC)])
        day = pick(days)
        rows.append(
            [
                minutes(float(random.integers(0, 6 * 60 * 60)) / 60),
                pick([float(random.normal(1, 3)), pick(ratios)]),
                pick([None, int(random.integers(-10, 10)), 2**53, -(2**40)]),
                pick([None, Decimal(int(random.integers(-100, 1000))) / 100]),
                pick([None, False, True]),
                day,
                at,
                pick(levels),
                pick([None, 1, 2, 3, 4, 5]),
            ]
        )
    return rows


def stored(row: Sequence[Any], *, sqlite: bool) -> list[Any]:
    """What the driver is given: SQLite knows no decimals, booleans or dates."""
    if not sqlite:
        return list(row)
    moment, ratio, count, price, flag, day, at, carrier, code = row
    return [
        moment, ratio, count, None if price is None else float(price), flag,
        None if day is None else day.isoformat(),
        None if at is None else at.strftime("%Y-%m-%d %H:%M:%S"), carrier, code,
    ]  # fmt: skip


def number(value: object) -> float | None:
    """The float64 that a value is, None where it is missing."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if value is None or isinstance(value, str):
        return None
    as_float = float(value)  # type: ignore[arg-type]  # a number by now
    return None if math.isnan(as_float) else as_float


def expected_numeric(axis: NumericAxis, values: Sequence[object]) -> dict[str, Any]:
    numbers = [number(value) for value in values]
    present = np.array([x for x in numbers if x is not None])
    cells = np.bincount(np.searchsorted(axis.edges, present, side="right"), minlength=axis.cells)
    cells[axis.missing] = numbers.count(None)
    finite = present[np.isfinite(present)]
    return {
        "cells": cells,
        "infinite": len(present) - len(finite),
        "total": finite.sum(),
        "total_squares": (finite**2).sum(),
        "minimum": finite.min() if len(finite) else math.nan,
        "maximum": finite.max() if len(finite) else math.nan,
    }


def expected_levels(axis: CategoricalAxis, values: Sequence[object]) -> np.ndarray:
    cells = np.zeros(axis.cells, np.int64)
    for value in values:
        text = None if value is None else str(value)
        if text is None:
            cells[axis.missing] += 1
        elif text in axis.levels:
            cells[axis.levels.index(text)] += 1
        else:
            cells[axis.other if text in axis.known else axis.unseen] += 1
    return cells


def assert_equal(
    counts: PaneCounts, rows: Sequence[Sequence[Any]], axes: Mapping[str, Axis]
) -> None:
    """Every pane, column, cell and moment of the scan is what numpy makes of the rows."""
    seconds = counts.pane_seconds
    by_pane: dict[int, list[Sequence[Any]]] = {}
    for row in rows:
        by_pane.setdefault(to_epoch(row[0]) // seconds * seconds, []).append(row)
    assert counts.starts.tolist() == sorted(by_pane)
    assert counts.rows.tolist() == [len(by_pane[start]) for start in sorted(by_pane)]
    for position, (name, axis) in enumerate(axes.items(), start=1):
        panes = counts.columns[name]
        for index, start in enumerate(sorted(by_pane)):
            values = [row[position] for row in by_pane[start]]
            if isinstance(axis, CategoricalAxis):
                assert panes.cells[index].tolist() == expected_levels(axis, values).tolist(), name
                assert moments(panes, index)[:3] == (0, 0.0, 0.0)
                continue
            expected = expected_numeric(axis, values)
            assert panes.cells[index].tolist() == expected.pop("cells").tolist(), name
            assert panes.infinite[index] == expected.pop("infinite"), name
            for moment, value in expected.items():
                found = getattr(panes, moment)[index]
                np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-6, err_msg=name)


def moments(panes: ColumnPanes, index: int) -> tuple[float, ...]:
    return (
        panes.infinite[index], panes.total[index], panes.total_squares[index],
        panes.minimum[index], panes.maximum[index],
    )  # fmt: skip


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize(("seed", "pane_seconds"), [(1, 300), (2, 3_600), (3, 21_600)])
def test_random_rows_are_counted_as_numpy_counts_them(
    database_url: str, seed: int, pane_seconds: int, index: bool
) -> None:
    sqlite = is_sqlite(database_url)
    rows = random_rows(seed, 1_500, sqlite=sqlite)
    types = TYPES["sqlite" if sqlite else "postgresql"]
    create(database_url, types, [stored(row, sqlite=sqlite) for row in rows], index=index)
    with opened(database_url) as source:
        plan = planned(source, AXES, pane_seconds=pane_seconds)
        counts = source.scan(plan, between(0, 6 * 60))
        assert counts.troubles == ()
        assert_equal(counts, rows, AXES)
        part = between(0, max(60, pane_seconds // 60))
        assert_equal(source.scan(plan, part), [r for r in rows if r[0] < part.end], AXES)


def test_a_pane_longer_than_an_hour_is_counted_in_slices(sqlite_url: str) -> None:
    rows = [[minutes(60 * hour + 30), float(hour) if hour % 3 else None] for hour in range(48)]
    create(sqlite_url, {"x": "REAL"}, rows)
    axes: dict[str, Axis] = {"x": NumericAxis((12.0,))}
    with opened(sqlite_url) as source:
        plan = planned(source, axes, pane_seconds=86_400)
        assert plan.slice_seconds == 3_600
        assert_equal(source.scan(plan, between(0, 2 * 24 * 60)), rows, axes)


def test_bounds_are_half_open_and_panes_without_rows_are_left_out(database_url: str) -> None:
    kind = "REAL" if is_sqlite(database_url) else "float8"
    create(database_url, {"x": kind}, [[minutes(m), 1.0] for m in (-0.1, 0, 4.9, 5, 15, 20)])
    with opened(database_url) as source:
        plan = planned(source, {"x": EDGES})
        counts = source.scan(plan, between(0, 20))
        assert counts.starts.tolist() == [to_epoch(minutes(m)) for m in (0, 5, 15)]
        assert counts.rows.tolist() == [2, 1, 1]


def test_no_rows_at_all(database_url: str) -> None:
    kind = "REAL" if is_sqlite(database_url) else "float8"
    create(database_url, {"x": kind, "c": "TEXT"})
    axes: dict[str, Axis] = {"x": EDGES, "c": CategoricalAxis(("a",))}
    with opened(database_url) as source:
        plan = planned(source, axes)
        for interval in (between(0, 5), between(0, 600)):
            counts = source.scan(plan, interval)
            assert counts.rows.tolist() == []
            assert counts.columns["x"].cells.shape == (0, EDGES.cells)
            assert counts.columns["c"].cells.shape == (0, 4)
            assert counts.columns["x"].sum().cells.tolist() == [[0] * EDGES.cells]


def test_all_values_missing(database_url: str) -> None:
    kind = "REAL" if is_sqlite(database_url) else "float8"
    create(database_url, {"x": kind, "c": "TEXT"}, [[minutes(1), None, None]] * 3)
    with opened(database_url) as source:
        counts = source.scan(
            planned(source, {"x": EDGES, "c": CategoricalAxis(("a",))}), between(0, 5)
        )
        assert counts.columns["x"].cells.tolist() == [[0, 0, 0, 0, 0, 0, 0, 3]]
        assert counts.columns["c"].cells.tolist() == [[0, 0, 0, 3]]
        assert moments(counts.columns["x"], 0)[:3] == (0, 0.0, 0.0)
        assert np.isnan(counts.columns["x"].minimum).all()


def test_values_whose_squares_overflow_or_underflow(database_url: str) -> None:
    """PostgreSQL makes errors of both: they must not cost the column."""
    kind = "REAL" if is_sqlite(database_url) else "float8"
    values = [1.7e308, 1.7e308, -1.7e308, 1e-200, 5e-324, 1e160, None]
    create(database_url, {"x": kind}, [[minutes(1), value] for value in values])
    with opened(database_url) as source:
        counts = source.scan(planned(source, {"x": NumericAxis((0.0, 1.0))}), between(0, 5))
        panes = counts.columns["x"]
        assert counts.troubles == ()
        assert panes.cells.tolist() == [[1, 2, 3, 1]]
        assert panes.infinite.tolist() == [0]
        assert panes.total_squares.tolist() == [math.inf]
        assert (panes.minimum[0], panes.maximum[0]) == (-1.7e308, 1.7e308)


def test_integers_and_booleans_sum_exactly(database_url: str) -> None:
    kinds = ("INTEGER", "BOOLEAN") if is_sqlite(database_url) else ("bigint", "boolean")
    rows = [[minutes(1), 2**62, index % 2 == 0] for index in range(9)]
    create(database_url, dict(zip(("n", "b"), kinds, strict=True)), rows)
    axes: dict[str, Axis] = {"n": NumericAxis((0.0,)), "b": NumericAxis((0.5,))}
    with opened(database_url) as source:
        panes = source.scan(planned(source, axes), between(0, 5)).columns
        assert panes["n"].total.tolist() == [9 * 2.0**62]
        assert panes["n"].total_squares.tolist() == [9 * 2.0**124]
        assert panes["b"].total.tolist() == [5.0]
        assert panes["b"].cells.tolist() == [[4, 5, 0]]


def test_timestamps_without_zone_and_dates_of_postgresql(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE bare (scored_at timestamp, x int)",
        "INSERT INTO bare SELECT '2026-03-02'::timestamp + i * interval '1 hour', i "
        "FROM generate_series(0, 47) i",
        "CREATE TABLE days (scored_at date, x int)",
        "INSERT INTO days SELECT '2026-03-02'::date + i, i FROM generate_series(0, 3) i",
        "ALTER ROLE driftwatch IN DATABASE " + postgres_url.rsplit("/", 1)[1]
        + " SET timezone = 'Asia/Kathmandu'",
    )  # fmt: skip
    axes: dict[str, Axis] = {"x": NumericAxis((24.0,))}
    with opened(postgres_url) as source:
        plan = planned(source, axes, relation("bare"), pane_seconds=86_400)
        counts = source.scan(plan, between(0, 2 * 24 * 60))
        assert counts.starts.tolist() == [to_epoch(DAY), to_epoch(DAY + timedelta(days=1))]
        assert counts.columns["x"].cells.tolist() == [[24, 0, 0], [0, 24, 0]]
        plan = planned(source, axes, relation("days"), pane_seconds=86_400)
        assert source.scan(plan, between(0, 3 * 24 * 60)).rows.tolist() == [1, 1, 1]
        hours = planned(source, axes, relation("days"), pane_seconds=3_600)
        assert source.scan(hours, between(60, 24 * 60 + 60)).starts.tolist() == [
            to_epoch(DAY + timedelta(days=1))
        ]


def test_more_columns_than_one_statement_takes(database_url: str) -> None:
    kind = "REAL" if is_sqlite(database_url) else "float8"
    names = [f"x{index}" for index in range(430)]
    rows = [[minutes(m), *(float(m + index) for index in range(430))] for m in range(7)]
    create(database_url, dict.fromkeys(names, kind), rows)
    axes: dict[str, Axis] = {name: NumericAxis((3.0, 200.0)) for name in names}
    with opened(database_url) as source:
        plan = planned(source, axes)
        assert len(plan.statements) == 3
        assert_equal(source.scan(plan, between(0, 10)), rows, axes)


def test_an_axis_with_more_cells_than_latin_letters(database_url: str) -> None:
    levels = tuple(f"level {index}" for index in range(1_000))
    rows = [[minutes(1), level] for level in (*levels, "known", "new", None)]
    create(database_url, {"c": "TEXT"}, rows)
    axes: dict[str, Axis] = {"c": CategoricalAxis(levels, ("known",))}
    with opened(database_url) as source:
        assert_equal(source.scan(planned(source, axes), between(0, 5)), rows, axes)


def test_levels_are_compared_byte_by_byte(database_url: str) -> None:
    """A column's own collation, such as one that ignores case, does not matter."""
    sqlite = is_sqlite(database_url)
    kinds = {
        "c": "TEXT COLLATE NOCASE" if sqlite else 'text COLLATE "en-x-icu"',
        "d": "COLLATE NOCASE" if sqlite else "varchar(9)",
    }
    words = ["a", "A", "ä", "Z", "z", "ab", "", " a", "é", "e\u0301", "\U0001f600"]
    rows = [[minutes(1), word, word] for word in [*words, "B"]]
    create(database_url, kinds, rows)
    for axis in (CategoricalAxis(tuple(words)), CategoricalAxis((), tuple(words[::2]))):
        with opened(database_url) as source:
            axes: dict[str, Axis] = {"c": axis, "d": axis}
            assert_equal(source.scan(planned(source, axes), between(0, 5)), rows, axes)


def test_a_dictionary_of_ten_thousand_levels(database_url: str) -> None:
    levels = [f"l{index} 'q' \"d\" \\ %" for index in range(10_050)]
    rows = [[minutes(1), level] for level in [*levels[::50], "new", "l0", None]]
    create(database_url, {"c": "TEXT"}, rows)
    axes: dict[str, Axis] = {"c": CategoricalAxis(tuple(levels[:50]), tuple(levels[50:]))}
    with opened(database_url) as source:
        assert_equal(source.scan(planned(source, axes), between(0, 5)), rows, axes)


def test_an_interval_that_is_not_made_of_panes_is_refused(sqlite_url: str) -> None:
    create(sqlite_url, {"x": "REAL"})
    with opened(sqlite_url) as source:
        plan = planned(source, {"x": EDGES})
        for start, end in ((1, 5), (0, 6)):
            with pytest.raises(ValueError, match="not made of panes of 300 s"):
                source.scan(plan, between(start, end))


def test_all_statements_of_a_scan_see_one_snapshot(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that arrive between two statements are in neither."""
    kind = "REAL" if is_sqlite(database_url) else "float8"
    names = [f"x{index}" for index in range(201)]
    row = [minutes(1), *(1.0 for _ in names)]
    create(database_url, dict.fromkeys(names, kind), [row])
    if is_sqlite(database_url):
        run(database_url, "PRAGMA journal_mode = WAL")
    with opened(database_url) as source:
        plan = planned(source, dict.fromkeys(names, EDGES))
        assert len(plan.statements) == 2
        insert_between_statements(monkeypatch, database_url)
        counts = source.scan(plan, between(0, 5))
        assert counts.rows.tolist() == [1]
        assert all(panes.cells.sum() == 1 for panes in counts.columns.values())
        assert source.scan(plan, between(0, 5)).rows[0] > 1


def insert_between_statements(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Another writer commits a row after each statement that a scan has run."""
    owner: Any = SqliteLink if is_sqlite(url) else PostgresLink
    original = owner.run

    def run_then_insert(self: object, *arguments: object) -> Any:
        rows = list(original(self, *arguments))
        with writing(url) as connection:
            connection.exec_driver_sql("INSERT INTO logs SELECT * FROM logs LIMIT 1")
        return iter(rows)

    monkeypatch.setattr(owner, "run", run_then_insert)


def test_nothing_is_compiled_by_a_tick(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = "REAL" if is_sqlite(database_url) else "float8"
    create(database_url, {"x": kind}, [[minutes(1), 1.0]])
    with opened(database_url) as source:
        plan = planned(source, {"x": EDGES})
        monkeypatch.setattr("sqlalchemy.sql.elements.ClauseElement.compile", None)
        assert source.scan(plan, between(0, 5)).rows.tolist() == [1]
        assert source.scan(plan, between(0, 60)).rows.tolist() == [1]


def test_a_plan_for_no_columns_counts_rows(database_url: str) -> None:
    create(database_url, {"x": "INTEGER"}, [[minutes(m), 1] for m in (0, 1, 7)])
    with opened(database_url) as source:
        counts = source.scan(planned(source, {}), between(0, 10))
        assert (counts.rows.tolist(), dict(counts.columns)) == ([2, 1], {})


def test_the_scan_column_says_how_many_outcomes_it_has() -> None:
    assert ScanColumn("x", EDGES, ColumnType.NUMBER).outcomes == EDGES.cells + 2
    assert ScanColumn("c", CategoricalAxis(("a",)), ColumnType.TEXT).outcomes == 4


def test_a_source_says_its_name(tmp_path: object) -> None:
    with opened(f"sqlite:///{tmp_path}/none.db") as source:
        assert isinstance(source, Source)
        with pytest.raises(SourceError, match=r"source 'logs': there is no SQLite file"):
            source.inspect(relation())
