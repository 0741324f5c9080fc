"""A query of the user in place of a table, and rows without a time."""

from typing import Any

import pytest

from driftwatch.config.settings import FeatureSettings, Kind, RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source import ColumnType, ScanColumn, Source
from driftwatch.source.written import one_statement
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.counts import ColumnTrouble
from tests.source.logs import between, create, is_sqlite, minutes, opened, planned, relation, run

AXES: dict[str, Axis] = {"x": NumericAxis((0.0, 1.0)), "c": CategoricalAxis(("100%", ":start"))}


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def filled(url: str) -> None:
    rows = [[minutes(m), m / 10, ["100%", ":start", "$1"][m % 3]] for m in range(20)]
    create(url, {"x": real(url), "c": "TEXT"}, rows)


def asked(query: str, **settings: Any) -> RelationSettings:
    return relation("the query", query=query, **settings)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM logs",
        "select * from logs;",
        "SELECT scored_at, x, c FROM logs -- all of it: 100% of :start, $1",
        "SELECT scored_at, x, c FROM logs; -- all; of it",
        "/* begin; */ SELECT * FROM logs ; ; /* end; */",
        "SELECT * FROM logs WHERE c <> ';' AND c <> '%s' AND c <> '?' AND c <> 'a\\:b'",
        "WITH l AS (SELECT * FROM logs) SELECT l.scored_at, l.x, l.c FROM l ORDER BY 1",
        "SELECT scored_at, x, c FROM logs UNION ALL SELECT scored_at, x, c FROM logs WHERE 1 = 0",
        'SELECT "scored_at", "x", "c" AS "c" FROM logs AS ";"',
    ],
)
def test_it_counts_as_its_table_does(database_url: str, query: str) -> None:
    filled(database_url)
    with opened(database_url) as source:
        expected = source.scan(planned(source, AXES), between(0, 60))
        for where, rows in ((None, [5, 5, 5, 5]), ("c = '100%'", [2, 2, 1, 2])):
            place = asked(query, where=where)
            info = source.inspect(place)
            assert [(one.name, one.column_type) for one in info.columns] == [
                (one.name, one.column_type) for one in source.inspect(relation()).columns
            ]
            plan = planned(source, AXES, place)
            counts = source.scan(plan, between(0, 60))
            assert counts.troubles == ()
            assert counts.rows.tolist() == rows
            if where is None:
                for name in AXES:
                    assert (counts.columns[name].cells == expected.columns[name].cells).all()
            fitted = source.fit(place, info, [FeatureSettings("x")], between(0, 60))
            assert isinstance(fitted["x"], NumericAxis)
            assert source.has_rows(place, info, between(0, 5))


def test_an_index_below_it_serves_the_timestamp(database_url: str) -> None:
    filled(database_url)
    run(database_url, "CREATE VIEW plain AS SELECT * FROM logs")
    with opened(database_url) as source:
        assert source.inspect(asked("SELECT * FROM plain WHERE x > 0")).timestamp_served
        changed = {
            "sqlite": "SELECT datetime(scored_at) AS scored_at, x FROM logs",
            "postgresql": "SELECT date_trunc('minute', scored_at) AS scored_at, x FROM logs",
        }["sqlite" if is_sqlite(database_url) else "postgresql"]
        assert not source.inspect(asked(changed)).timestamp_served


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * FROM logs; SELECT 1", "second statement"),
        ("SELECT * FROM logs; DROP TABLE logs; --", "second statement"),
        (" ; -- nothing", "no statement"),
        ("SELECT * FROM lags", "lags.*check `query`"),
        ("DELETE FROM logs", "check `query`"),
        ("SELECT scored_at, y FROM logs", "y.*check `query`"),
    ],
)
def test_what_is_refused(database_url: str, query: str, says: str) -> None:
    filled(database_url)
    with opened(database_url) as source:
        with pytest.raises(SourceError, match=says):
            source.inspect(asked(query))
        assert source.inspect(relation()).columns


def test_columns_of_one_name(postgres_url: str) -> None:
    filled(postgres_url)
    twice = asked("SELECT a.*, b.x FROM logs a JOIN logs b USING (scored_at)")
    with opened(postgres_url) as source:
        with pytest.raises(SourceError, match="several columns named 'x'; write AS"):
            source.inspect(twice)
        assert source.inspect(asked("SELECT a.*, b.x AS y FROM logs a JOIN logs b USING (x)"))


def test_types_in_postgresql(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE DOMAIN cents AS numeric(8, 2)",
        "CREATE TABLE logs (scored_at timestamptz, x cents, c varchar(5))",
    )
    query = "SELECT scored_at, x, c, x::int AS i, 'a' AS t, x > 1 AS b, array[1] AS o FROM logs"
    with opened(postgres_url) as source:
        columns = source.inspect(asked(query)).columns
        assert [(one.sql_type, str(one.column_type)) for one in columns] == [
            ("timestamp with time zone", "time"), ("numeric(8,2)", "number"),
            ("character varying(5)", "text"), ("integer", "number"), ("text", "text"),
            ("boolean", "boolean"), ("integer[]", "other"),
        ]  # fmt: skip


def test_an_expression_in_sqlite_has_no_type_but_what_is_declared(sqlite_url: str) -> None:
    """Its values may tell another type tomorrow, so they only tell what `check` proposes."""
    filled(sqlite_url)
    query = "SELECT scored_at, x, x * 10 AS y, upper(c) AS u, x || c AS z FROM logs"
    with opened(sqlite_url) as source:
        info = source.inspect(asked(query))
        assert [one.column_type for one in info.columns[2:]] == [ColumnType.OTHER] * 3
        features = [FeatureSettings("y"), FeatureSettings("y2"), FeatureSettings("u")]
        undeclared = source.fit(asked(query), info, features, between(0, 60))
        troubles = [one for one in undeclared.values() if isinstance(one, ColumnTrouble)]
        assert len(troubles) == 3
        assert "declare kind: numeric or kind: categorical" in troubles[0].message
        declared = [
            FeatureSettings("y", kind=Kind.NUMERIC),
            FeatureSettings("u", kind=Kind.CATEGORICAL),
        ]
        fitted = source.fit(asked(query), info, declared, between(0, 60))
        assert isinstance(fitted["y"], NumericAxis)
        assert fitted["u"] == CategoricalAxis(("100%", ":START", "$1"))
        proposals = source.suggest_kinds(asked(query), info, ["y", "u", "z"])
        assert [one.kind for one in proposals] == [Kind.NUMERIC, Kind.CATEGORICAL, Kind.CATEGORICAL]


def test_a_query_whose_columns_change(database_url: str) -> None:
    filled(database_url)
    with opened(database_url) as source:
        plan = planned(source, AXES, asked("SELECT * FROM logs"))
        run(database_url, "ALTER TABLE logs RENAME COLUMN c TO d")
        counts = source.scan(plan, between(0, 60))
        assert [(one.column, one.reason) for one in counts.troubles] == [("c", "column_missing")]
        assert counts.columns["x"].cells.sum() == 20


class TestOneStatement:
    @pytest.mark.parametrize(
        ("dialect", "written"),
        [
            ("postgresql", "select $$;$$"),
            ("postgresql", "select $a$ ; $b$ ; $a$"),
            ("postgresql", r"select E'\';'"),
            ("sqlite", "select [;] from `;`"),
            ("sqlite", "select 'it''s;'"),
            ("sqlite", 'select "a"";"'),
            ("sqlite", "select /* ; */ 1 -- ;"),
        ],
    )
    def test_semicolons_that_end_nothing(self, dialect: str, written: str) -> None:
        assert one_statement(written, dialect) == written
        assert one_statement(written + "\n;", dialect).strip() == written
        with pytest.raises(SourceError, match="second"):
            one_statement(written + "\n; select 1", dialect)


def test_a_name_may_hold_dollar_signs() -> None:
    with pytest.raises(SourceError, match="second"):
        one_statement("select a$1$;$1$", "postgresql")


def untimed(table: str = "logs", **settings: Any) -> RelationSettings:
    return relation(table, timestamp=None, **settings)


class TestWithoutATime:
    """Training data: all rows are fitted and counted, as one pane."""

    @pytest.fixture
    def rows(self) -> list[list[object]]:
        return [[minutes(m), (m * 37 % 101) / 10, f"c{m % 7}"] for m in range(1_000)]

    def counted(self, source: Source, place: RelationSettings) -> tuple[object, ...]:
        info = source.inspect(place)
        assert info.timestamp_type == "none" or place.timestamp
        features = [FeatureSettings("x"), FeatureSettings("c", kind=Kind.CATEGORICAL)]
        interval = between(0, 1_440) if place.timestamp else None
        axes = source.fit(place, info, features, interval)
        columns = []
        for name, axis in axes.items():
            found = info.column(name)
            assert found is not None
            assert not isinstance(axis, ColumnTrouble)
            columns.append(ScanColumn(name, axis, found.column_type))
        plan = source.plan(place, info, columns, 86_400)
        counts = source.scan(plan, interval) if interval else source.scan_all(plan)
        if not interval:
            assert (counts.pane_seconds, counts.starts.tolist()) == (86_400, [0])
        cells = [counts.columns[name].cells.tolist() for name in axes]
        return axes, counts.rows.tolist(), cells

    def test_it_is_counted_as_the_same_rows_with_a_time(
        self, database_url: str, rows: list[list[object]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create(database_url, {"x": real(database_url), "c": "TEXT"}, rows)
        with opened(database_url) as source:
            expected = self.counted(source, relation())
            assert self.counted(source, untimed()) == expected
            assert self.counted(source, untimed(query="SELECT c, x FROM logs")) == expected
            some = self.counted(source, relation(where="x > 3"))
            assert self.counted(source, untimed(where="x > 3")) == some
            for characters in (1, 200, 2_000, 1_998):  # so many rows at a time in SQLite
                monkeypatch.setattr("driftwatch.source.scan._CHARACTERS", characters)
                if characters > 1:
                    assert self.counted(source, untimed()) == expected

    def test_no_rows(self, database_url: str) -> None:
        create(database_url, {"x": real(database_url)})
        with opened(database_url) as source:
            info = source.inspect(untimed())
            fitted = source.fit(untimed(), info, [FeatureSettings("x")], None)["x"]
            assert isinstance(fitted, ColumnTrouble)
            assert fitted.reason == "no_reference"
            plan = source.plan(
                untimed(), info, [ScanColumn("x", AXES["x"], ColumnType.NUMBER)], 300
            )
            assert source.scan_all(plan).rows.tolist() == []

    def test_a_column_that_cannot_be_read(self, postgres_url: str) -> None:
        create(postgres_url, {"x": "float8"}, [[minutes(1), 1.0], [minutes(2), 0.0]])
        query = "SELECT x, 1 / x AS y FROM logs"
        with opened(postgres_url) as source:
            plan = planned(source, {"x": AXES["x"], "y": AXES["x"]}, untimed(query=query))
            counts = source.scan_all(plan)
            assert [(one.column, one.reason) for one in counts.troubles] == [("y", "unreadable")]
            assert counts.columns["x"].cells.tolist() == [[0, 1, 1, 0]]
