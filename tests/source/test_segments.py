"""Segments are counted by the same scan, each as if its rows alone were there."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import column, types

from driftwatch.config.settings import RelationSettings
from driftwatch.source import ColumnType, ScanColumn, ScanPlan, Source
from driftwatch.source.levels import SegmentNumber
from driftwatch.source.link import Parameters, Query
from driftwatch.source.postgres_link import PostgresLink
from driftwatch.source.sqlite_link import SqliteLink
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.counts import PaneCounts
from driftwatch.stats.segment import Grouping, other_key, segment_key
from driftwatch.window import Interval
from tests.source.logs import (
    between,
    create,
    is_sqlite,
    minutes,
    opened,
    planned,
    relation,
    run,
)
from tests.source.test_scan import AXES, TYPES, assert_equal, random_rows, stored

AXIS = NumericAxis((0.0, 1.0))
WORDS = [
    "a",
    "A",
    "",
    "(other)",
    "(null)",
    "it's %s :x",
    'q"\\',
    "ü",
    "e\u0301",
    "long " * 30,
    None,
]


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def grouped(
    source: Source,
    axes: Mapping[str, Axis],
    groupings: Sequence[Grouping],
    where: RelationSettings | None = None,
    *,
    pane_seconds: int = 300,
) -> ScanPlan:
    """The plan of these axes that also counts segments."""
    place = where or relation()
    columns = planned(source, axes, place, pane_seconds=pane_seconds).columns
    info = source.inspect(place)
    return source.plan(place, info, columns, pane_seconds, groupings=groupings)


def text(value: object, *, sqlite: bool) -> str | None:
    """A value as the store writes it as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value)) if sqlite else str(value).lower()
    return str(value)


def by_key(
    rows: Sequence[Sequence[Any]], grouping: Grouping, positions: Sequence[int], *, sqlite: bool
) -> dict[str, list[Sequence[Any]]]:
    """The rows of each segment, found in Python."""
    found: dict[str, list[Sequence[Any]]] = {}
    for row in rows:
        values = tuple(text(row[position], sqlite=sqlite) for position in positions)
        listed = values in grouping.levels
        key = segment_key(grouping.columns, values) if listed else other_key(grouping.columns)
        if key in grouping.keys:
            found.setdefault(key, []).append(row)
    return found


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize(("seed", "pane_seconds"), [(4, 300), (5, 3_600), (6, 21_600)])
def test_each_segment_is_counted_as_if_its_rows_alone_were_there(
    database_url: str, seed: int, pane_seconds: int, index: bool
) -> None:
    sqlite = is_sqlite(database_url)
    rows = random_rows(seed, 1_500, sqlite=sqlite)
    types_ = TYPES["sqlite" if sqlite else "postgresql"]
    create(database_url, types_, [stored(row, sqlite=sqlite) for row in rows], index=index)
    yes, no = ("1", "0") if sqlite else ("true", "false")
    groupings = [
        Grouping(("carrier",), (("UA",), ('it\'s %s :x \\ "q"',), ("never",), ("",), ("ü",))),
        Grouping(("code", "flag"), (("1", yes), ("1", None), (None, no), ("2", no)), rest=False),
        Grouping(("carrier", "code", "flag"), ((None, None, None), ("UA", "3", yes))),
        Grouping(("flag",), ()),
    ]
    positions = {name: index for index, name in enumerate(AXES, start=1)}
    with opened(database_url) as source:
        plan = grouped(source, AXES, groupings, pane_seconds=pane_seconds)
        counts = source.scan(plan, between(0, 6 * 60))
        assert counts.troubles == ()
        assert_equal(counts, rows, AXES)
        expected: dict[str, list[Sequence[Any]]] = {}
        for one in groupings:
            own = [positions[name] for name in one.columns]
            expected |= by_key(rows, one, own, sqlite=sqlite)
        assert set(counts.segments) == set(expected)
        for key, own_rows in expected.items():
            assert counts.segments[key].pane_seconds == pane_seconds
            assert_equal(counts.segments[key], own_rows, AXES)
        part = between(0, max(60, pane_seconds // 60))
        again = source.scan(plan, part)
        assert_equal(again, [row for row in rows if row[0] < part.end], AXES)
        assert again.segments["carrier=UA"].rows.sum() == sum(
            row[7] == "UA" for row in rows if row[0] < part.end
        )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), max_size=30),
    levels=st.lists(
        st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), unique=True, max_size=12
    ),
    rest=st.booleans(),
)
@example(rows=[(None, None), ("(other)", "(other)")], levels=[(None, "a")], rest=True)
def test_any_values_fall_into_the_segment_that_lists_them(
    sqlite_url: str,
    rows: list[tuple[str | None, str | None]],
    levels: list[tuple[str | None, str | None]],
    rest: bool,
) -> None:
    run(sqlite_url, "DROP TABLE IF EXISTS logs")
    created = [[minutes(index % 10), 0.5, *row] for index, row in enumerate(rows)]
    create(sqlite_url, {"x": "REAL", "a": "TEXT", "b": "TEXT COLLATE NOCASE"}, created)
    assert_told(sqlite_url, created, Grouping(("a", "b"), tuple(levels), rest))


def test_nasty_values_in_either_store(database_url: str) -> None:
    created = [[minutes(3), 0.5, a, b] for a in WORDS for b in WORDS]
    create(database_url, {"x": real(database_url), "a": "TEXT", "b": "TEXT"}, created)
    levels = tuple((a, b) for a in WORDS[::2] for b in WORDS[1::2])
    assert_told(database_url, created, Grouping(("a", "b"), levels))


def assert_told(url: str, rows: Sequence[Sequence[Any]], grouping: Grouping) -> None:
    axes: dict[str, Axis] = {"x": AXIS}
    with opened(url) as source:
        counts = source.scan(grouped(source, axes, [grouping]), between(0, 10))
    expected = by_key(rows, grouping, (2, 3), sqlite=is_sqlite(url))
    assert {key: int(one.rows.sum()) for key, one in counts.segments.items()} == {
        key: len(found) for key, found in expected.items()
    }
    assert_equal(counts, rows, axes)


def test_numbers_and_timestamps_are_told_by_their_text(database_url: str) -> None:
    sqlite = is_sqlite(database_url)
    kinds = {"x": real(database_url), "n": "DECIMAL(6, 2)", "d": "DATE"}
    values = [(1.5, "2026-03-02"), (2.0, None), (None, "2026-03-03")]
    create(database_url, kinds, [[minutes(1), *value[:1], *value] for value in values])
    two = "2" if sqlite else "2.00"
    half = "1.5" if sqlite else "1.50"
    groupings = [
        Grouping(("x", "n"), (("1.5", half), ("2.0" if sqlite else "2", two), (None, None))),
        Grouping(("d",), (("2026-03-02",),)),
        Grouping(("scored_at",), (("2026-03-02 00:01:00",),)),
    ]
    with opened(database_url) as source:
        counts = source.scan(grouped(source, {"x": AXIS}, groupings), between(0, 5))
    moment = 'scored_at="2026-03-02 00:01:00"' if sqlite else "scored_at=(other)"
    rows = {key: one.rows.tolist() for key, one in counts.segments.items()}
    assert rows == {
        f"x=1.5, n={half}": [1],
        f"x={'2.0' if sqlite else '2'}, n={two}": [1],
        "x=(null), n=(null)": [1],
        "d=2026-03-02": [1],
        "d=(other)": [2],
        moment: [3],
    }


def test_a_segment_has_only_the_panes_with_its_rows(database_url: str) -> None:
    rows = [[minutes(m), 0.5, word] for m, word in ((0, "a"), (1, "b"), (6, "b"), (12, "a"))]
    create(database_url, {"x": real(database_url), "c": "TEXT"}, rows)
    with opened(database_url) as source:
        plan = grouped(source, {"x": AXIS}, [Grouping(("c",), (("a",), ("b",), ("z",)))])
        counts = source.scan(plan, between(0, 15))
    starts = {key: (one.starts - counts.starts[0]).tolist() for key, one in counts.segments.items()}
    assert starts == {"c=a": [0, 600], "c=b": [0, 300]}
    assert counts.rows.tolist() == [2, 1, 1]


def test_no_rows_at_all(database_url: str) -> None:
    create(database_url, {"x": real(database_url), "c": "TEXT"})
    with opened(database_url) as source:
        plan = grouped(source, {"x": AXIS}, [Grouping(("c",), (("a",),))])
        for end in (5, 60):
            counts = source.scan(plan, between(0, end))
            assert (counts.rows.tolist(), dict(counts.segments)) == ([], {})
            assert counts.columns["x"].cells.shape == (0, AXIS.cells)


def test_segments_without_columns(database_url: str) -> None:
    create(database_url, {"c": "TEXT"}, [[minutes(m), c] for m, c in ((0, "a"), (7, "b"))])
    with opened(database_url) as source:
        counts = source.scan(grouped(source, {}, [Grouping(("c",), (("a",),))]), between(0, 10))
    assert counts.rows.tolist() == [1, 1]
    assert {key: one.rows.tolist() for key, one in counts.segments.items()} == {
        "c=a": [1], "c=(other)": [1],
    }  # fmt: skip


def test_rows_without_a_time_have_segments(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[minutes(index), float(index), "abc"[index % 3]] for index in range(30)]
    create(database_url, {"x": real(database_url), "c": "TEXT"}, rows)
    monkeypatch.setattr("driftwatch.source.scan._CHARACTERS", 7)  # many looks at the table
    untimed = RelationSettings(table="logs", schema=None, timestamp=None)
    with opened(database_url) as source:
        counts = source.scan_all(
            grouped(source, {"x": AXIS}, [Grouping(("c",), (("a",),))], untimed)
        )
    assert counts.rows.tolist() == [30]
    assert {key: one.rows.tolist() for key, one in counts.segments.items()} == {
        "c=a": [10], "c=(other)": [20],
    }  # fmt: skip
    assert counts.segments["c=a"].columns["x"].total.tolist() == [sum(range(0, 30, 3))]


def test_two_hundred_columns_by_twenty_segments(database_url: str) -> None:
    """More than one statement, each with all groupings; a grouping is written once in each."""
    names = [f"x{index}" for index in range(210)]
    levels = [f"level {index}" for index in range(20)]
    rows = [
        [minutes(m), f"level {m}", *(float(m + index) for index in range(210))] for m in range(25)
    ]
    create(database_url, {"c": "TEXT", **dict.fromkeys(names, real(database_url))}, rows)
    axes: dict[str, Axis] = {name: NumericAxis((3.0, 200.0)) for name in names}
    with opened(database_url) as source:
        groupings = [
            Grouping(("c",), tuple((level,) for level in levels)),
            Grouping(("c", "x0"), ()),
        ]
        plan, plain = grouped(source, axes, groupings), planned(source, axes)
        assert len(plan.statements) == 2
        for one, other in zip(plan.statements, plain.statements, strict=True):
            assert len(one.queries.grouped.text) - len(other.queries.grouped.text) < 4_000
        counts = source.scan(plan, between(0, 25))
        bare = [[row[0], *row[2:]] for row in rows]
        assert_equal(counts, bare, axes)
        assert len(counts.segments) == 22
        for index, level in enumerate(levels):
            assert_equal(counts.segments[segment_key(["c"], [level])], [bare[index]], axes)
        assert_equal(counts.segments["c=(other)"], bare[20:], axes)


def test_hundreds_of_levels_in_many_columns(database_url: str) -> None:
    """The trees of CASE stay within what SQLite's parser takes."""
    names = [f"c{index}" for index in range(4)]
    levels = tuple(
        tuple(f"{(index // 4 ** (3 - place)) % (4 if place else 8)}" for place in range(4))
        for index in range(512)
    )
    rows = [[minutes(1), 0.5, *level] for level in levels[::7]] + [[minutes(1), 0.5, *"9999"]]
    create(database_url, {"x": real(database_url), **dict.fromkeys(names, "TEXT")}, rows)
    groupings = [
        Grouping(tuple(names), levels),
        Grouping(("c0",), tuple((f"{index}",) for index in range(1_000))),
    ]
    with opened(database_url) as source:
        counts = source.scan(grouped(source, {"x": AXIS}, groupings), between(0, 5))
    assert counts.segments[other_key(names)].rows.tolist() == [1]
    found = {key for key in counts.segments if key.count("=") == 4}
    assert found == {segment_key(names, level) for level in levels[::7]} | {other_key(names)}


@pytest.mark.parametrize("known", [1, 300])
def test_levels_that_only_another_store_can_hold(database_url: str, known: int) -> None:
    """A text with NUL, from a reference in SQLite or from the configuration."""
    create(database_url, {"c": "TEXT"}, [[minutes(1), "a"]])
    others = tuple(f"\0{index}" for index in range(known))
    axes: dict[str, Axis] = {"c": CategoricalAxis(("a", "\0"), others)}
    with opened(database_url) as source:
        plan = grouped(source, axes, [Grouping(("c",), (("\0",), ("a\0",), ("a",)))])
        counts = source.scan(plan, between(0, 5))
        assert (counts.troubles, set(counts.segments)) == ((), {"c=a"})
        assert counts.columns["c"].cells[0, 0] == 1
        if is_sqlite(database_url):
            run(database_url, "UPDATE logs SET c = CAST(X'6100' AS TEXT)")
            assert set(source.scan(plan, between(0, 5)).segments) == {segment_key(["c"], ["a\0"])}


def test_one_pass_over_the_rows(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many statements as without segments, and nothing is compiled by a tick."""
    rows = [[minutes(m), 0.5, "a", "b"] for m in range(20)]
    create(database_url, {"x": real(database_url), "c": "TEXT", "d": "TEXT"}, rows)
    groupings = [
        Grouping(("c",), (("a",),)),
        Grouping(("d",), (("a",),)),
        Grouping(("c", "d"), (("a", "b"),)),
    ]
    with opened(database_url) as source:
        plain, plan = planned(source, {"x": AXIS}), grouped(source, {"x": AXIS}, groupings)
        monkeypatch.setattr("sqlalchemy.sql.elements.ClauseElement.compile", None)
        reads = counted_reads(monkeypatch, database_url)
        source.scan(plain, between(0, 20))
        first = reads()
        counts = source.scan(plan, between(0, 20))
        assert reads() == first
    assert counts.segments["d=(other)"].rows.tolist() == [5, 5, 5, 5]
    assert counts.segments["c=a, d=b"].rows.tolist() == [5, 5, 5, 5]


def counted_reads(monkeypatch: pytest.MonkeyPatch, url: str) -> Any:
    """How many statements have read the logs since the last look."""
    owner: Any = SqliteLink if is_sqlite(url) else PostgresLink
    original, seen = owner.run, [0]

    def run_counted(self: object, query: Query, parameters: Parameters) -> Any:
        seen[0] += "binned" in query.text
        return original(self, query, parameters)

    def reads() -> int:
        found, seen[0] = seen[0], 0
        return found

    monkeypatch.setattr(owner, "run", run_counted)
    return reads


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_long_interval_is_read_piece_by_piece(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, zone: str, index: bool
) -> None:
    """By an index, and as if it were read at once: also over the hour that Berlin skips."""
    night = minutes(0).replace(month=3, day=28, hour=23)
    rows: list[list[Any]] = [
        [night + timedelta(minutes=m), float(m), "abc"[m % 3]] for m in range(0, 360, 7)
    ]
    create(postgres_url, {"x": "float8", "c": "text"}, rows, index=False)
    run(
        postgres_url,
        f"CREATE TABLE local AS SELECT scored_at AT TIME ZONE '{zone}' AS at, x, c FROM logs",
        *(["CREATE INDEX ON local (at)"] if index else []),
    )
    groupings = [Grouping(("c",), (("a",), ("b",)))]
    place = RelationSettings("local", None, "at", timestamp_zone=zone)
    interval = Interval(night, night + timedelta(hours=6))
    with opened(postgres_url) as source:
        plan = grouped(source, {"x": AXIS}, groupings, place)
        whole = source.scan(plan, interval)
        monkeypatch.setattr("driftwatch.source.scan._CELLS", 3 * 6 * 5)  # five slices
        reads = counted_reads(monkeypatch, postgres_url)
        pieces = source.scan(plan, interval)
        assert (reads() > 10) == index
    for counts in (whole, pieces):
        assert_equal(counts, rows, {"x": AXIS})
        assert_equal(counts.segments["c=a"], rows[::3], {"x": AXIS})


def test_a_vanished_segment_column_takes_only_its_own_groupings_along(database_url: str) -> None:
    kinds = {"x": real(database_url), "c": "TEXT", "d": "TEXT"}
    create(database_url, kinds, [[minutes(m), 0.5, "a", "b"] for m in range(10)])
    groupings = [
        Grouping(("c",), (("a",),)),
        Grouping(("d",), (("b",),)),
        Grouping(("c", "d"), (("a", "b"),)),
    ]
    with opened(database_url) as source:
        plan = grouped(source, {"x": AXIS}, groupings)
        assert len(source.scan(plan, between(0, 10)).segments) == 3
        run(database_url, "ALTER TABLE logs RENAME COLUMN d TO dd")
        for _ in range(2):
            counts = source.scan(plan, between(0, 10))
            (trouble,) = counts.troubles
            assert (trouble.column, trouble.reason) == ("d", "column_missing")
            assert "did you mean 'dd'?" in trouble.message
            assert set(counts.segments) == {"c=a"}
            assert_all_and_segment(counts, [5, 5], "c=a")
        run(database_url, "ALTER TABLE logs RENAME COLUMN dd TO d")
        counts = source.scan(plan, between(0, 10))
        assert (counts.troubles, len(counts.segments)) == ((), 3)


def assert_all_and_segment(counts: PaneCounts, rows: list[int], key: str) -> None:
    assert counts.rows.tolist() == rows
    assert counts.segments[key].rows.tolist() == rows
    for one in (counts, counts.segments[key]):
        first = next(iter(one.columns.values()))
        assert first.cells[:, 1].tolist() == rows


def test_a_vanished_column_that_is_counted_and_told_by_is_one_trouble(database_url: str) -> None:
    kinds = {"x": real(database_url), "c": "TEXT"}
    create(database_url, kinds, [[minutes(1), 0.5, "a"]])
    axes: dict[str, Axis] = {"x": AXIS, "c": CategoricalAxis(("a",))}
    with opened(database_url) as source:
        plan = grouped(source, axes, [Grouping(("c",), (("a",),))])
        run(database_url, "ALTER TABLE logs RENAME COLUMN c TO cc")
        counts = source.scan(plan, between(0, 5))
    assert [(trouble.column, trouble.reason) for trouble in counts.troubles] == [
        ("c", "column_missing")
    ]
    assert (set(counts.columns), dict(counts.segments)) == ({"x"}, {})


def test_a_segment_column_of_another_type_is_told_by_its_new_text(postgres_url: str) -> None:
    create(postgres_url, {"x": "float8", "c": "text"}, [[minutes(1), 0.5, "7"]])
    with opened(postgres_url) as source:
        plan = grouped(source, {"x": AXIS}, [Grouping(("c",), (("7",),))])
        run(postgres_url, "ALTER TABLE logs ALTER c TYPE integer USING c::integer")
        counts = source.scan(plan, between(0, 5))
    assert (counts.troubles, set(counts.segments)) == ((), {"c=7"})


@pytest.mark.parametrize("broken", ["c", "d", "x1", "x1, c"])
def test_columns_that_cannot_be_computed(postgres_url: str, broken: str) -> None:
    """A view divides by zero in a column that segments are told by, or that is counted, or both."""
    names = ["x0", "x1", "x2", "c", "d"]
    create(postgres_url, dict.fromkeys(names, "float8"), [[minutes(1), *[0.5] * 5]])
    body = ", ".join(f"{name} / ({name} - 0.5) AS {name}" if name in broken else name
                     for name in names)  # fmt: skip
    run(postgres_url, f"CREATE VIEW broken AS SELECT scored_at, {body} FROM logs")
    axes: dict[str, Axis] = {"x0": AXIS, "x1": AXIS, "x2": AXIS, "c": AXIS}
    groupings = [
        Grouping(("c",), (("0.5",),)),
        Grouping(("d",), (("0.5",),)),
        Grouping(("d", "c"), (("0.5", "0.5"),)),
    ]
    with opened(postgres_url) as source:
        plan = grouped(source, axes, groupings, relation("broken"))
        for _ in range(2):
            counts = source.scan(plan, between(0, 5))
            bad = {name.strip() for name in broken.split(",")}
            assert {(one.column, one.reason) for one in counts.troubles} == {
                (name, "unreadable") for name in bad
            }
            assert len(counts.troubles) == len(bad)
            assert all("division by zero" in one.message for one in counts.troubles)
            assert set(counts.columns) == set(axes) - bad
            assert counts.rows.tolist() == [1]
            good = [one for one in groupings if not bad & set(one.columns)]
            assert set(counts.segments) == {one.keys[0] for one in good}
            for key in counts.segments:
                assert set(counts.segments[key].columns) == set(axes) - bad
                assert_all_and_segment(counts, [1], key)


def test_groupings_with_the_same_columns_are_refused(sqlite_url: str) -> None:
    create(sqlite_url, {"x": "REAL", "c": "TEXT"})
    with opened(sqlite_url) as source, pytest.raises(ValueError, match="have the same columns"):
        grouped(source, {"x": AXIS}, [Grouping(("c",), ()), Grouping(("c",), (("a",),))])


def test_a_grouping_from_the_start_without_its_column(database_url: str) -> None:
    create(database_url, {"x": real(database_url), "c": "TEXT"}, [[minutes(1), 0.5, "a"]])
    with opened(database_url) as source:
        columns = [ScanColumn("x", AXIS, ColumnType.NUMBER)]
        groupings = [Grouping(("cc",), ()), Grouping(("c",), ())]
        info = source.inspect(relation())
        plan = source.plan(relation(), info, columns, 300, groupings=groupings)
        assert [trouble.column for trouble in plan.troubles] == ["cc"]
        assert set(source.scan(plan, between(0, 5)).segments) == {"c=(other)"}


def test_the_moments_of_a_segment_are_those_of_its_rows(database_url: str) -> None:
    rows = [[minutes(m % 10), value, word] for m, (value, word) in enumerate(
        (v, w) for w in ("a", "b", "c") for v in (1.0, 2.5, None, -7.0))]  # fmt: skip
    rows += [[minutes(1), None, "none"]]
    create(database_url, {"x": real(database_url), "c": "TEXT"}, rows)
    with opened(database_url) as source:
        plan = grouped(source, {"x": AXIS}, [Grouping(("c",), (("a",), ("none",)))])
        counts = source.scan(plan, between(0, 10))
    total = counts.segments["c=a"].columns["x"].sum()
    assert (total.total[0], total.total_squares[0]) == (-3.5, 1 + 6.25 + 49)
    assert (total.minimum[0], total.maximum[0]) == (-7.0, 2.5)
    none = counts.segments["c=none"].columns["x"].sum()
    assert none.total.tolist() == [0.0]
    assert np.isnan(none.minimum).all()


def test_a_level_needs_one_value_for_each_column() -> None:
    with pytest.raises(ValueError, match="one value for each of 2 columns"):
        SegmentNumber([column("a", types.Text()), column("b", types.Text())], [("x",)])
