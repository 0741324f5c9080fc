"""A census counts rows and present values exactly as a scan of the same plan would."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source import Source
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.stats.counts import PaneCensus, PaneCounts
from driftwatch.window import Interval, to_epoch
from tests.source.logs import between, create, is_sqlite, minutes, opened, planned, relation, run
from tests.source.test_scan import AXES, TYPES, insert_between_statements, random_rows, stored

AXIS = NumericAxis((0.0, 1.0))
UGLY: list[Any] = [
    None, math.inf, -math.inf, 0, -0.0, 2**62, 1e308, 5e-324, "", "abc", "12", "1e3", b"\xff", b"",
]  # fmt: skip
UGLY_NUMBERS = [None, math.nan, math.inf, -math.inf, 0.0, -5.0, 1e308]


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def assert_same(found: PaneCensus, counts: PaneCounts, axes: Mapping[str, Axis]) -> None:
    """The census is what the scan says of rows and of the cells without the missing one."""
    assert found.pane_seconds == counts.pane_seconds
    assert found.starts.tolist() == counts.starts.tolist()
    assert found.rows.tolist() == counts.rows.tolist()
    assert set(found.present) == set(counts.columns)
    for name, panes in counts.columns.items():
        present = panes.cells.sum(axis=1) - panes.cells[:, axes[name].missing]
        assert found.present[name].tolist() == present.tolist(), name


def compare(
    source: Source,
    axes: Mapping[str, Axis],
    interval: Interval,
    where: RelationSettings | None = None,
    *,
    pane_seconds: int = 300,
) -> PaneCensus:
    plan = planned(source, axes, where, pane_seconds=pane_seconds)
    found = source.census(plan, [interval])[0]
    assert_same(found, source.scan(plan, interval), axes)
    return found


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize(("seed", "pane_seconds"), [(7, 300), (8, 3_600), (9, 21_600)])
def test_a_census_equals_a_scan(
    database_url: str, seed: int, pane_seconds: int, index: bool
) -> None:
    sqlite = is_sqlite(database_url)
    rows = random_rows(seed, 1_000, sqlite=sqlite)
    types = TYPES["sqlite" if sqlite else "postgresql"]
    create(database_url, types, [stored(row, sqlite=sqlite) for row in rows], index=index)
    with opened(database_url) as source:
        found = compare(source, AXES, between(0, 6 * 60), pane_seconds=pane_seconds)
        assert found.rows.sum() == len(rows)
        compare(source, AXES, between(0, max(60, pane_seconds // 60)), pane_seconds=pane_seconds)


SQLITE_KINDS = ["REAL", "INTEGER", "NUMERIC", "TEXT", "BLOB", "BOOLEAN", "DATE", "TIMESTAMP", ""]
SQLITE_SCALES = {"TEXT": None, "DATE": Scale.TIME, "TIMESTAMP": Scale.TIME}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 19), st.lists(st.sampled_from(UGLY), min_size=9, max_size=9)),
        max_size=12,
    ),
    index=st.booleans(),
)
@example(rows=[(3, ["2026-03-02"] * 9), (4, ["nonsense"] * 9), (5, [None] * 9)], index=True)
def test_whatever_stands_in_a_column_of_sqlite(
    sqlite_url: str, rows: list[tuple[int, list[Any]]], index: bool
) -> None:
    """Any value in any type of column, counted as numbers where it may be, and as levels."""
    run(sqlite_url, "DROP TABLE IF EXISTS logs")
    names = [f"c{place}" for place in range(9)]
    create(
        sqlite_url,
        dict(zip(names, SQLITE_KINDS, strict=True)),
        [[minutes(minute), *values] for minute, values in rows],
        index=index,
    )
    levels: dict[str, Axis] = dict.fromkeys(names, CategoricalAxis(("abc", "0"), ("12",)))
    numbers: dict[str, Axis] = {
        name: NumericAxis((0.0, 1e3), SQLITE_SCALES.get(kind) or Scale.NUMBER)
        for name, kind in zip(names, SQLITE_KINDS, strict=True)
        if kind != "TEXT"
    }
    with opened(sqlite_url) as source:
        for axes in (levels, numbers):
            compare(source, axes, between(0, 20))


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 19),
            st.sampled_from(UGLY_NUMBERS),
            st.sampled_from(["'NaN'", "'Infinity'", "'-Infinity'", "1e400", "-0.1", "NULL"]),
            st.sampled_from(["'infinity'", "'-infinity'", "'2026-03-02'", "NULL"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_stands_in_a_column_of_postgresql(
    postgres_url: str, rows: Sequence[tuple[int, float | None, str, str]]
) -> None:
    kinds = {"f": "float8", "r": "real", "n": "numeric", "d": "date", "t": "timestamp",
             "z": "timestamptz", "b": "boolean", "i": "bigint", "c": "text"}  # fmt: skip
    run(postgres_url, "DROP TABLE IF EXISTS logs")
    create(postgres_url, kinds, [])
    run(
        postgres_url,
        *(
            f"INSERT INTO logs VALUES ('{minutes(minute).isoformat()}', {literal(f)}, "
            f"{'NULL' if f == 1e308 else literal(f)}, {n}, {t}, {t}, {t}, NULL, "
            f"{'NULL' if f is None else 7}, {literal(f)}::text)"
            for minute, f, n, t in rows
        ),
    )
    scales = {"d": Scale.TIME, "t": Scale.TIME, "z": Scale.TIME}
    axes: dict[str, Axis] = {
        name: NumericAxis((0.0, 1e3), scales.get(name, Scale.NUMBER))
        for name in kinds
        if name != "c"
    }
    levels: dict[str, Axis] = dict.fromkeys(kinds, CategoricalAxis(("7", "NaN")))
    with opened(postgres_url) as source:
        compare(source, axes, between(0, 20))
        compare(source, levels, between(0, 20))


def literal(value: float | None) -> str:
    return "NULL" if value is None else f"'{value!r}'::float8"


def test_a_log_in_local_time_whose_clock_is_set_back(database_url: str) -> None:
    """A day of 25 hours: panes of the census are those of the scan."""
    kind = "TEXT" if is_sqlite(database_url) else "timestamp"
    create(database_url, {"x": real(database_url)}, timestamp="unused")
    run(
        database_url,
        f"CREATE TABLE berlin (at {kind}, x {real(database_url)})",
        *(
            f"INSERT INTO berlin VALUES ('2026-10-25 {hour:02}:{minute:02}:00', "
            f"{'NULL' if minute else hour})"
            for hour in range(24)
            for minute in (0, 10, 40)
        ),
    )
    place = RelationSettings("berlin", None, "at", timestamp_zone="Europe/Berlin")
    start = between(0, 5).start.replace(month=10, day=24, hour=22)
    with opened(database_url) as source:
        interval = Interval(start, start.replace(day=25, hour=23))
        found = compare(source, {"x": AXIS}, interval, place)
        assert (found.rows.sum(), found.present["x"].sum()) == (72, 24)


def test_panes_without_rows_are_left_out(database_url: str) -> None:
    create(database_url, {"x": real(database_url)}, [[minutes(m), None] for m in (0, 1, 12)])
    with opened(database_url) as source:
        found = source.census(planned(source, {"x": AXIS}), [between(0, 15)])[0]
        assert found.starts.tolist() == [to_epoch(minutes(0)), to_epoch(minutes(10))]
        assert (found.rows.tolist(), found.present["x"].tolist()) == ([2, 1], [0, 0])
        none = source.census(planned(source, {"x": AXIS}), [between(60, 120)])[0]
        assert (none.starts.tolist(), none.present["x"].tolist()) == ([], [])


def test_a_plan_without_columns_counts_rows(database_url: str) -> None:
    create(database_url, {"x": real(database_url)}, [[minutes(m), 1.0] for m in range(7)])
    with opened(database_url) as source:
        found = source.census(planned(source, {}), [between(0, 10)])[0]
        assert (found.rows.tolist(), dict(found.present)) == ([5, 2], {})


def test_more_columns_than_one_statement_takes(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them see one snapshot, whoever writes meanwhile."""
    names = [f"x{index}" for index in range(210)]
    create(
        database_url,
        dict.fromkeys(names, real(database_url)),
        [[minutes(1), *(None if index % 3 else 1.0 for index in range(210))]],
    )
    if is_sqlite(database_url):
        run(database_url, "PRAGMA journal_mode = WAL")
    with opened(database_url) as source:
        plan = planned(source, dict.fromkeys(names, AXIS))
        insert_between_statements(monkeypatch, database_url)
        found = source.census(plan, [between(0, 5)])[0]
        assert found.rows.tolist() == [1]
        assert {name: values.tolist() for name, values in found.present.items()} == {
            name: [0 if index % 3 else 1] for index, name in enumerate(names)
        }
        assert source.census(plan, [between(0, 5)])[0].rows[0] > 1


def test_columns_in_trouble_are_left_out(database_url: str) -> None:
    kinds = {"a": real(database_url), "b": real(database_url)}
    create(database_url, kinds, [[minutes(1), 0.5, None]])
    with opened(database_url) as source:
        plan = planned(source, {"a": AXIS, "b": AXIS})
        assert source.census(plan, [between(0, 5)])[0].present["b"].tolist() == [0]
        run(database_url, "ALTER TABLE logs RENAME COLUMN b TO bb")
        for _ in range(2):
            found = source.census(plan, [between(0, 5)])[0]
            assert {name: values.tolist() for name, values in found.present.items()} == {"a": [1]}
        run(database_url, "ALTER TABLE logs RENAME COLUMN bb TO b")
        assert set(source.census(plan, [between(0, 5)])[0].present) == {"a", "b"}


def test_a_column_that_cannot_be_computed_is_left_out(postgres_url: str) -> None:
    create(postgres_url, {"a": "float8", "b": "float8", "c": "float8"}, [[minutes(1), 1, 2, 3]])
    run(
        postgres_url,
        "CREATE VIEW broken AS SELECT scored_at, a, b / (b - 2) AS b, c FROM logs",
    )
    with opened(postgres_url) as source:
        plan = planned(source, dict.fromkeys("abc", AXIS), relation("broken"))
        found = source.census(plan, [between(0, 10)])[0]
        assert {name: values.tolist() for name, values in found.present.items()} == {
            "a": [1], "c": [1],
        }  # fmt: skip


def test_where_is_kept_and_where_that_fails_is_told(database_url: str) -> None:
    create(database_url, {"a": real(database_url)}, [[minutes(m), float(m)] for m in range(5)])
    with opened(database_url) as source:
        plan = planned(source, {"a": AXIS}, relation(where="a < 3 -- so"))
        assert source.census(plan, [between(0, 5)])[0].rows.tolist() == [3]
        plan = planned(source, {"a": AXIS}, relation(where="nonsense = 1"))
        with pytest.raises(SourceError, match=r"source 'logs': .*nonsense"):
            source.census(plan, [between(0, 5)])[0]


def test_an_interval_that_is_not_made_of_panes_is_refused(sqlite_url: str) -> None:
    create(sqlite_url, {"x": "REAL"})
    with opened(sqlite_url) as source, pytest.raises(ValueError, match="not made of panes"):
        source.census(planned(source, {"x": AXIS}), [between(0, 6)])[0]


def test_a_query_is_compiled_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create(database_url, {"x": real(database_url)}, [[minutes(m), 1.0] for m in range(60)])
    with opened(database_url) as source:
        plan = planned(source, {"x": AXIS})
        source.census(plan, [between(0, 5)])[0]
        monkeypatch.setattr("sqlalchemy.sql.elements.ClauseElement.compile", None)
        assert source.census(plan, [between(0, 60)])[0].rows.sum() == 60
