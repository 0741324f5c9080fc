"""Joint counts equal numpy's on the same rows, in both stores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.source import ScanColumn, Source
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.counts import IntArray, JointCounts
from driftwatch.window import Interval, to_epoch
from tests.source.logs import between, create, is_sqlite, minutes, opened, planned, relation, run
from tests.source.test_scan import AXES, TYPES, number, random_rows, stored

HOUR = 3_600
X, Y = NumericAxis((0.0, 1.0)), CategoricalAxis(("a", "b"), ("c",))


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def cell(axis: Axis, value: object) -> int:
    """The cell of a value, by the words of the axes themselves."""
    if isinstance(axis, NumericAxis):
        x = number(value)
        return axis.missing if x is None else int(np.searchsorted(axis.edges, x, side="right"))
    if value is None:
        return axis.missing
    if str(value) in axis.levels:
        return axis.levels.index(str(value))
    return axis.other if str(value) in axis.known else axis.unseen


def expected(axes: Mapping[str, Axis], y: str, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Shape (Kx, Ky) of each feature over some rows, their moment first."""
    names = list(axes)
    of_y = [cell(axes[y], row[1 + names.index(y)]) for row in rows]
    made = {}
    for position, name in enumerate(names, start=1):
        if name != y:
            table = np.zeros((axes[name].cells, axes[y].cells), np.int64)
            np.add.at(table, ([cell(axes[name], row[position]) for row in rows], of_y), 1)
            made[name] = table.tolist()
    return made


def assert_equal(
    found: JointCounts, rows: Sequence[Sequence[Any]], axes: Mapping[str, Axis], y: str
) -> None:
    by_pane: dict[int, list[Sequence[Any]]] = {}
    for row in rows:
        by_pane.setdefault(to_epoch(row[0]) // found.seconds * found.seconds, []).append(row)
    assert found.troubles == ()
    assert found.starts.tolist() == sorted(by_pane)
    assert found.rows.tolist() == [len(by_pane[start]) for start in sorted(by_pane)]
    assert set(found.features) == axes.keys() - {y}
    for index, start in enumerate(sorted(by_pane)):
        table = expected(axes, y, by_pane[start])
        for name, counts in found.features.items():
            assert counts[index].tolist() == table[name], (name, start)


@pytest.mark.parametrize("y", ["ratio", "carrier", "flag"])
@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize("seconds", [HOUR, 6 * HOUR])
def test_random_rows_fall_together_as_numpy_says(
    database_url: str, y: str, index: bool, seconds: int
) -> None:
    sqlite = is_sqlite(database_url)
    rows = random_rows(11, 1_500, sqlite=sqlite)
    types = TYPES["sqlite" if sqlite else "postgresql"]
    create(database_url, types, [stored(row, sqlite=sqlite) for row in rows], index=index)
    with opened(database_url) as source:
        plan = planned(source, AXES, pane_seconds=seconds)
        assert_equal(source.joint(plan, y, between(0, 6 * 60)), rows, AXES, y)
        part = between(0, seconds // 60)
        some = [row for row in rows if row[0] < part.end]
        assert_equal(source.joint(plan, y, part), some, AXES, y)


UGLY = st.sampled_from([None, math.inf, -math.inf, math.nan, 0.0, -0.0, 0.5, 1.0, 5e-324, 1e308])
LEVELS = st.sampled_from(["a", "b", "c", "new", "", "A", None])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.lists(st.tuples(st.integers(0, 179), UGLY, LEVELS, UGLY), max_size=30),
    y=st.sampled_from(["x", "c"]),
)
def test_whatever_values_are_counted(
    database_url: str, values: list[tuple[Any, ...]], y: str
) -> None:
    rows = [[minutes(minute), *rest] for minute, *rest in values]
    axes: dict[str, Axis] = {"x": X, "c": Y, "z": NumericAxis((0.5,))}
    kinds = {"x": real(database_url), "c": "text", "z": real(database_url)}
    run(database_url, "DROP TABLE IF EXISTS logs")
    create(database_url, kinds, rows)
    with opened(database_url) as source:
        plan = planned(source, axes, pane_seconds=HOUR)
        assert_equal(source.joint(plan, y, between(0, 180)), rows, axes, y)


def test_rows_without_a_time_are_one_pane(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite reads them a part at a time."""
    monkeypatch.setattr("driftwatch.source.scan._CHARACTERS", 100)
    rows = [[minutes(i), i / 100, "abcn"[i % 4]] for i in range(201)]
    create(database_url, {"x": real(database_url), "c": "text"}, rows)
    axes: dict[str, Axis] = {"x": X, "c": Y}
    with opened(database_url) as source:
        plan = planned(source, axes, relation(timestamp=None), pane_seconds=86_400)
        found = source.joint(plan, "c", None)
    assert (found.starts.tolist(), found.rows.tolist()) == ([0], [201])
    assert found.features["x"][0].tolist() == expected(axes, "c", rows)["x"]


def totals(source: Source, axes: Mapping[str, Axis], interval: Interval) -> dict[str, IntArray]:
    found = source.joint(planned(source, axes, pane_seconds=HOUR), "y", interval)
    return {name: counts.sum(axis=(0, 2)) for name, counts in found.features.items()}


def test_more_features_than_one_statement_takes(database_url: str) -> None:
    names = [f"x{index}" for index in range(230)]
    rows = [[minutes(m), m / 2, *(float(m + n) for n in range(230))] for m in range(7)]
    create(database_url, dict.fromkeys(["y", *names], real(database_url)), rows)
    axes: dict[str, Axis] = {"y": X, **{name: NumericAxis((100.0,)) for name in names}}
    with opened(database_url) as source:
        found = totals(source, axes, between(0, 60))
    assert len(found) == 230
    assert (found["x0"].tolist(), found["x97"].tolist()) == ([7, 0, 0], [3, 4, 0])


def test_no_rows(database_url: str) -> None:
    create(database_url, {"x": real(database_url), "y": real(database_url)})
    with opened(database_url) as source:
        plan = planned(source, {"x": X, "y": X}, pane_seconds=HOUR)
        for interval in (between(0, 60), between(0, 600)):
            found = source.joint(plan, "y", interval)
            assert found.rows.tolist() == []
            assert found.features["x"].shape == (0, 4, 4)


def test_a_feature_that_is_gone_leaves_the_others(database_url: str) -> None:
    kind = real(database_url)
    create(database_url, {"x": kind, "z": kind, "y": kind}, [[minutes(1), 0.5, 0.5, 0.5]])
    with opened(database_url) as source:
        plan = planned(source, {"x": X, "z": X, "y": X}, pane_seconds=HOUR)
        run(database_url, "ALTER TABLE logs DROP COLUMN z")
        found = source.joint(plan, "y", between(0, 60))
        assert set(found.features) == {"x"}
        assert [one.reason for one in found.troubles] == ["column_missing"]
        run(database_url, "ALTER TABLE logs DROP COLUMN y")
        found = source.joint(plan, "y", between(0, 60))
        assert (found.features, found.rows.tolist()) == ({}, [])
        assert [one.column for one in found.troubles] == ["z", "y"]


def test_a_feature_that_cannot_be_read_leaves_the_others(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE raw (scored_at timestamptz, x float8, t text)",
        "INSERT INTO raw VALUES ('2026-03-02 00:01Z', 0.5, 'broken')",
        "CREATE VIEW logs AS SELECT scored_at, x, x AS y, t::float8 AS z FROM raw",
    )
    with opened(postgres_url) as source:
        plan = planned(source, {"x": X, "z": X, "y": X}, pane_seconds=HOUR)
        found = source.joint(plan, "y", between(0, 60))
        assert found.features["x"].tolist() == [[[0] * 4, [0, 1, 0, 0], [0] * 4, [0] * 4]]
        assert [(one.column, one.reason) for one in found.troubles] == [("z", "unreadable")]
        found = source.joint(plan, "z", between(0, 60))
        assert (found.features, found.rows.size) == ({}, 0)
        assert [(one.column, one.reason) for one in found.troubles] == [("z", "unreadable")]


def test_the_plan_of_a_column_of_another_type_says_so(postgres_url: str) -> None:
    create(postgres_url, {"x": "float8", "y": "float8"}, [[minutes(1), 0.5, 0.5]])
    with opened(postgres_url) as source:
        info = source.inspect(relation())
        kinds = {one.name: one.column_type for one in info.columns}
        columns = [ScanColumn(name, X, kinds[name]) for name in ("x", "y")]
        plan = source.plan(relation(), info, columns, HOUR)
        run(postgres_url, "ALTER TABLE logs ALTER x TYPE text")
        found = source.joint(plan, "y", between(0, 60))
    assert [one.reason for one in found.troubles] == ["type_changed"]
