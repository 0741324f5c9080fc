"""One column's trouble is one column's trouble; a relation's trouble says what to do."""

import pytest

from driftwatch.errors import SourceError
from driftwatch.source import ColumnType, ScanColumn
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
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

AXIS = NumericAxis((0.0, 1.0))


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def create_three(url: str) -> None:
    kinds = {"a": real(url), "b": real(url), "c": "TEXT"}
    create(url, kinds, [[minutes(m), 0.5, 2.0, "x"] for m in range(6)])


def axes_of_three() -> dict[str, Axis]:
    return {"a": AXIS, "b": AXIS, "c": CategoricalAxis(("x",))}


def test_a_vanished_column_is_named_and_the_others_are_scanned(database_url: str) -> None:
    create_three(database_url)
    with opened(database_url) as source:
        plan = planned(source, axes_of_three())
        assert source.scan(plan, between(0, 5)).troubles == ()
        run(database_url, "ALTER TABLE logs RENAME COLUMN b TO bb")
        for _ in range(2):
            counts = source.scan(plan, between(0, 10))
            (trouble,) = counts.troubles
            assert (trouble.column, trouble.reason) == ("b", "column_missing")
            assert "'logs', column 'b'" in trouble.message
            assert "did you mean 'bb'?" in trouble.message
            assert counts.columns["a"].sum().cells.tolist() == [[0, 6, 0, 0]]
            assert counts.columns["c"].sum().cells.tolist() == [[6, 0, 0, 0]]
        run(database_url, "ALTER TABLE logs RENAME COLUMN bb TO b")
        counts = source.scan(plan, between(0, 10))
        assert counts.troubles == ()
        assert counts.columns["b"].sum().cells.tolist() == [[0, 0, 6, 0]]


def test_a_relation_that_changed_is_planned_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_three(database_url)
    with opened(database_url) as source:
        plan = planned(source, axes_of_three())
        run(database_url, "ALTER TABLE logs RENAME COLUMN b TO bb")
        source.scan(plan, between(0, 5))
        monkeypatch.setattr("sqlalchemy.sql.elements.ClauseElement.compile", None)
        assert len(source.scan(plan, between(5, 10)).troubles) == 1


def test_a_column_that_is_missing_from_the_start(database_url: str) -> None:
    create_three(database_url)
    with opened(database_url) as source:
        info = source.inspect(relation())
        columns = [ScanColumn("a", AXIS, ColumnType.NUMBER), ScanColumn("A a", AXIS, "number")]  # type: ignore[arg-type]  # as stored
        counts = source.scan(source.plan(relation(), info, columns, 300), between(0, 5))
        assert [trouble.reason for trouble in counts.troubles] == ["column_missing"]
        assert list(counts.columns) == ["a"]


def test_a_changed_type(postgres_url: str) -> None:
    create_three(postgres_url)
    with opened(postgres_url) as source:
        plan = planned(source, axes_of_three())
        run(postgres_url, "ALTER TABLE logs ALTER b TYPE text USING b::text")
        counts = source.scan(plan, between(0, 5))
        (trouble,) = counts.troubles
        assert (trouble.column, trouble.reason) == ("b", "type_changed")
        assert "is 'text' now" in trouble.message
        assert set(counts.columns) == {"a", "c"}


def test_a_type_changed_by_making_the_table_anew(sqlite_url: str) -> None:
    create_three(sqlite_url)
    with opened(sqlite_url) as source:
        plan = planned(source, axes_of_three())
        run(sqlite_url, "DROP TABLE logs")
        create(sqlite_url, {"a": "REAL", "b": "TEXT", "c": "TEXT"}, [[minutes(1), 0.5, "x", "x"]])
        counts = source.scan(plan, between(0, 5))
        assert [(t.column, t.reason) for t in counts.troubles] == [("b", "type_changed")]
        assert counts.columns["a"].cells.tolist() == [[0, 1, 0, 0]]


def test_integers_that_become_floats_are_compared_as_floats(postgres_url: str) -> None:
    """5.7 is not below 5.5, though every integer below 6 is: literals follow the type."""
    create(postgres_url, {"x": "integer"}, [[minutes(1), 5]])
    with opened(postgres_url) as source:
        plan = planned(source, {"x": NumericAxis((5.5,))})
        assert source.scan(plan, between(0, 5)).columns["x"].cells.tolist() == [[1, 0, 0]]
        run(
            postgres_url,
            "ALTER TABLE logs ALTER x TYPE float8",
            "UPDATE logs SET x = 5.7",
        )
        counts = source.scan(plan, between(0, 5))
        assert counts.troubles == ()
        assert counts.columns["x"].cells.tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("position", range(5))
def test_a_column_that_cannot_be_computed(postgres_url: str, position: int) -> None:
    """A view divides by zero in one of its columns, whichever it is."""
    names = [f"x{index}" for index in range(5)]
    create(postgres_url, dict.fromkeys(names, "float8"), [[minutes(1), *[1.0] * 5]])
    body = ", ".join(
        f"{name} / ({name} - 1) AS {name}" if index == position else name
        for index, name in enumerate(names)
    )
    run(postgres_url, f"CREATE VIEW broken AS SELECT scored_at, {body} FROM logs")
    with opened(postgres_url) as source:
        plan = planned(source, dict.fromkeys(names, AXIS), relation("broken"))
        for _ in range(2):
            counts = source.scan(plan, between(0, 10))
            (trouble,) = counts.troubles
            assert (trouble.column, trouble.reason) == (names[position], "unreadable")
            assert "division by zero" in trouble.message
            assert set(counts.columns) == set(names) - {names[position]}
            assert all(panes.cells.sum() == 1 for panes in counts.columns.values())
        run(postgres_url, "UPDATE logs SET scored_at = scored_at + interval '1 hour'")
        assert source.scan(plan, between(0, 10)).troubles == ()


@pytest.mark.parametrize("state", ["40001", "53200", "XX000"])
def test_a_failure_of_the_server_is_no_column_s_trouble(postgres_url: str, state: str) -> None:
    """Such as a replica's conflict with recovery, or memory that ran out."""
    create_three(postgres_url)
    run(
        postgres_url,
        "CREATE FUNCTION fail(float8) RETURNS float8 STABLE LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION 'too bad' USING ERRCODE = '{state}'; END$$",
        "CREATE VIEW failing AS SELECT scored_at, a, fail(b) AS b FROM logs",
    )
    with opened(postgres_url) as source:
        plan = planned(source, {"a": AXIS, "b": AXIS}, relation("failing"))
        with pytest.raises(SourceError, match="too bad; the next evaluation tries again"):
            source.scan(plan, between(0, 5))
        assert source.scan(planned(source, {"a": AXIS}), between(0, 5)).rows.tolist() == [5]


def test_a_column_of_a_view_whose_own_column_is_gone(sqlite_url: str) -> None:
    create_three(sqlite_url)
    run(
        sqlite_url,
        "CREATE VIEW v AS SELECT scored_at, a, abs(json_extract(c, '$')) AS j FROM logs",
    )
    with opened(sqlite_url) as source:
        counts = source.scan(planned(source, {"a": AXIS, "j": AXIS}, relation("v")), between(0, 10))
        assert [(t.column, t.reason) for t in counts.troubles] == [("j", "unreadable")]
        assert "malformed JSON" in counts.troubles[0].message
        assert counts.columns["a"].sum().cells.tolist() == [[0, 6, 0, 0]]


def test_where_that_fails_is_no_column_s_trouble(database_url: str) -> None:
    create_three(database_url)
    with opened(database_url) as source:
        plan = planned(source, {"a": AXIS}, relation(where="nonsense = 1"))
        with pytest.raises(SourceError, match=r"source 'logs': .*nonsense"):
            source.scan(plan, between(0, 5))
        assert source.scan(planned(source, {"a": AXIS}), between(0, 5)).rows.tolist() == [5]


def test_a_table_that_vanished_and_came_back(database_url: str) -> None:
    create_three(database_url)
    create(database_url, {"x": real(database_url)}, table="logz")
    with opened(database_url) as source:
        plan = planned(source, axes_of_three())
        run(database_url, "ALTER TABLE logs RENAME TO gone")
        with pytest.raises(SourceError, match=r"no table or view 'logs'.*did you mean 'logz'\?"):
            source.scan(plan, between(0, 5))
        run(database_url, "ALTER TABLE gone RENAME TO logs")
        assert source.scan(plan, between(0, 5)).rows.tolist() == [5]


def test_a_timestamp_that_vanished(database_url: str) -> None:
    create_three(database_url)
    with opened(database_url) as source:
        plan = planned(source, axes_of_three())
        run(database_url, "ALTER TABLE logs RENAME COLUMN scored_at TO score_at")
        with pytest.raises(SourceError, match=r"no column 'scored_at'.*did you mean 'score_at'"):
            source.scan(plan, between(0, 5))


def test_a_numeric_axis_over_a_column_that_has_no_numbers(database_url: str) -> None:
    create_three(database_url)
    with opened(database_url) as source:
        info = source.inspect(relation())
        columns = [ScanColumn("c", AXIS, ColumnType.TEXT)]
        plan = source.plan(relation(), info, columns, 300)
        assert [trouble.reason for trouble in plan.troubles] == ["type_changed"]
