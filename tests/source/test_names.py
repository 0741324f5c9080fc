"""Names and `where` of the user: quotes, spaces, percent signs, colons, unicode, SQL."""

import pytest

from driftwatch.config.settings import FeatureSettings, Kind
from driftwatch.errors import SourceError
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from tests.source.logs import between, create, is_sqlite, minutes, opened, planned, relation, run

AXIS = NumericAxis((0.0, 1.0))
NAMES = [
    "two words",
    'a "quoted" name',
    "it's",
    "100%",
    "%s and %(start)s",
    ":start",
    "a:b::c",
    "übermäßig 漢字 🙂",
    '"; DROP TABLE logs; --',
    "x); SELECT (1",
    "select",
    "FroM",
    "back`tick [bracket]",
    "back\\slash",
    "$1 ?",
    "new\nline",
    "row.column",
]


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def test_columns(database_url: str) -> None:
    kinds = {name: real(database_url) for name in NAMES}
    values = [float(index % 3) - 0.5 for index in range(len(NAMES))]
    create(database_url, kinds, [[minutes(1), *values]])
    with opened(database_url) as source:
        info = source.inspect(relation())
        assert [column.name for column in info.columns][1:] == NAMES
        plan = planned(source, dict.fromkeys(NAMES, AXIS))
        for interval in (between(0, 5), between(0, 60)):
            counts = source.scan(plan, interval)
            assert counts.troubles == ()
            for name, value in zip(NAMES, values, strict=True):
                cells = [value < 0, 0 <= value < 1, value >= 1, 0]
                assert counts.columns[name].cells.tolist() == [[int(cell) for cell in cells]], name
        fitted = source.fit(
            relation(), info, [FeatureSettings(name) for name in NAMES], between(0, 5)
        )
        assert all(isinstance(axis, NumericAxis) for axis in fitted.values()), fitted
        proposals = source.suggest_kinds(relation(), info, NAMES)
        assert [proposal.kind for proposal in proposals] == [Kind.NUMERIC] * len(NAMES)


def test_tables_and_timestamps(database_url: str) -> None:
    for name in NAMES:
        rows = [[minutes(1), 0.5]]
        create(database_url, {"x": real(database_url)}, rows, table=name, timestamp=f"at {name}")
    with opened(database_url) as source:
        for name in NAMES:
            place = relation(name, timestamp=f"at {name}")
            assert source.inspect(place).timestamp_served
            counts = source.scan(planned(source, {"x": AXIS}, place), between(0, 5))
            assert counts.columns["x"].cells.tolist() == [[0, 1, 0, 0]]
            with pytest.raises(SourceError, match="no table or view"):
                source.inspect(relation(name + " "))


def test_schemas(postgres_url: str) -> None:
    run(
        postgres_url,
        'CREATE SCHEMA "my %s: schema"',
        'CREATE TABLE "my %s: schema"."t" (scored_at timestamptz, x float8)',
        """INSERT INTO "my %s: schema"."t" VALUES ('2026-03-02 00:01Z', 0.5)""",
        "CREATE TABLE t (scored_at timestamptz, x float8)",
    )
    with opened(postgres_url) as source:
        place = relation("t", schema="my %s: schema")
        assert source.scan(planned(source, {"x": AXIS}, place), between(0, 5)).rows.tolist() == [1]
        assert (
            source.scan(planned(source, {"x": AXIS}, relation("t")), between(0, 5)).rows.size == 0
        )
        with pytest.raises(SourceError, match="in schema 'my'"):
            source.inspect(relation("t", schema="my"))


def test_schema_main_of_sqlite(sqlite_url: str) -> None:
    create(sqlite_url, {"x": "REAL"}, [[minutes(1), 0.5]])
    with opened(sqlite_url) as source:
        place = relation(schema="main")
        assert source.scan(planned(source, {"x": AXIS}, place), between(0, 5)).rows.tolist() == [1]


def test_levels(database_url: str) -> None:
    levels = [*NAMES, "", " ", "null", "NULL", "{}", '"', "'", "\\", "a,b", "\t", "0", "%", "''"]
    rows = [[minutes(1), level] for level in levels for _ in range(2)]
    create(database_url, {"c": "TEXT"}, rows)
    with opened(database_url) as source:
        info = source.inspect(relation())
        for count in (50, 3):
            feature = FeatureSettings("c", kind=Kind.CATEGORICAL, levels=count)
            axis = source.fit(relation(), info, [feature], between(0, 5))["c"]
            assert isinstance(axis, CategoricalAxis)
            assert sorted(axis.levels + axis.known) == sorted(levels)
            cells = source.scan(planned(source, {"c": axis}), between(0, 5)).columns["c"].cells[0]
            own = min(count, len(levels))
            assert cells.tolist() == [2] * own + [2 * (len(levels) - own), 0, 0]


def test_a_level_with_a_zero_byte_in_sqlite(sqlite_url: str) -> None:
    create(sqlite_url, {"c": "TEXT"}, [[minutes(1), "a\0b"], [minutes(1), "a"]])
    with opened(sqlite_url) as source:
        axes: dict[str, Axis] = {"c": CategoricalAxis(("a\0b", "a"))}
        counts = source.scan(planned(source, axes), between(0, 5))
        assert counts.columns["c"].cells.tolist() == [[1, 1, 0, 0, 0]]


@pytest.mark.parametrize(
    "where",
    [
        "c LIKE '100%'",
        "c = '100%' OR c = ':start' AND 1 = 0",
        "c IN ('100%', '%(start)s', '%s', '$1', '?x') AND c NOT LIKE '\\%%'",
        "c <> ':start' AND c <> '?' -- a comment: 100%",
        "c = '100%' /* :start %s */",
        "CAST(x AS INTEGER) = 1 AND c || ':' = '100%:'",
    ],
)
def test_where(database_url: str, where: str) -> None:
    rows = [[minutes(1), 1.0, "100%"], [minutes(2), 2.0, ":start"], [minutes(2), 2.0, "?"]]
    create(database_url, {"x": real(database_url), "c": "TEXT"}, rows)
    with opened(database_url) as source:
        plan = planned(source, {"x": AXIS}, relation(where=where))
        for interval in (between(0, 5), between(0, 60)):
            assert source.scan(plan, interval).rows.tolist() == [1]
        info = source.inspect(relation(where=where))
        fitted = source.fit(relation(where=where), info, [FeatureSettings("x")], between(0, 5))
        assert isinstance(fitted["x"], NumericAxis)
        assert fitted["x"].edges[0] == 1.0


def test_where_keeps_its_own_or_apart(database_url: str) -> None:
    rows = [[minutes(m), float(m)] for m in range(10)]
    create(database_url, {"x": real(database_url)}, rows)
    with opened(database_url) as source:
        plan = planned(source, {"x": AXIS}, relation(where="x = 1 OR x = 9"))
        assert source.scan(plan, between(0, 5)).rows.tolist() == [1]


def test_a_cast_in_where(postgres_url: str) -> None:
    create(postgres_url, {"x": "float8"}, [[minutes(1), 1.0]])
    with opened(postgres_url) as source:
        plan = planned(source, {"x": AXIS}, relation(where="x::int % 2 = 1"))
        assert source.scan(plan, between(0, 5)).rows.tolist() == [1]


def test_a_vanished_column_is_not_read_as_a_text(sqlite_url: str) -> None:
    """SQLite reads a quoted name that it does not know as a string."""
    create(sqlite_url, {"x": "REAL", "c": "TEXT"}, [[minutes(1), 1.0, "a"]])
    with opened(sqlite_url) as source:
        plan = planned(source, {"x": AXIS, "c": CategoricalAxis(("c", "a"))})
        run(sqlite_url, "ALTER TABLE logs RENAME COLUMN c TO d")
        counts = source.scan(plan, between(0, 5))
        assert [trouble.column for trouble in counts.troubles] == ["c"]
        assert set(counts.columns) == {"x"}
