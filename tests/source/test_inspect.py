"""What a relation is, whether an index serves its timestamp, and what kinds its columns seem."""

from datetime import UTC, datetime, timedelta

import pytest

from driftwatch.config.settings import Kind
from driftwatch.errors import SourceError
from driftwatch.source import ColumnType
from driftwatch.stats.axis import CategoricalAxis, NumericAxis
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
)

POSTGRESQL_TYPES = {
    "smallint": ColumnType.NUMBER,
    "bigint": ColumnType.NUMBER,
    "real": ColumnType.NUMBER,
    "double precision": ColumnType.NUMBER,
    "numeric(10,2)": ColumnType.NUMBER,
    "boolean": ColumnType.BOOLEAN,
    "date": ColumnType.TIME,
    "timestamp(3) with time zone": ColumnType.TIME,
    "timestamp without time zone": ColumnType.TIME,
    "text": ColumnType.TEXT,
    "character varying(10)": ColumnType.TEXT,
    "character(3)": ColumnType.TEXT,
    "interval": ColumnType.OTHER,
    "jsonb": ColumnType.OTHER,
    "money": ColumnType.OTHER,
    "integer[]": ColumnType.OTHER,
    "uuid": ColumnType.OTHER,
}
SQLITE_TYPES = {
    "INTEGER": ColumnType.NUMBER,
    "unsigned big int": ColumnType.NUMBER,
    "REAL": ColumnType.NUMBER,
    "DOUBLE PRECISION": ColumnType.NUMBER,
    "DECIMAL(10,5)": ColumnType.NUMBER,
    "NUMERIC": ColumnType.NUMBER,
    "BOOLEAN": ColumnType.BOOLEAN,
    "DATE": ColumnType.TIME,
    "DATETIME": ColumnType.TIME,
    "TIMESTAMP": ColumnType.TIME,
    "VARCHAR(10)": ColumnType.TEXT,
    "CLOB": ColumnType.TEXT,
    "BLOB": ColumnType.OTHER,
    "": ColumnType.OTHER,
    "JSON": ColumnType.OTHER,
}


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def test_types(database_url: str) -> None:
    types = SQLITE_TYPES if is_sqlite(database_url) else POSTGRESQL_TYPES
    create(database_url, {f"c{index}": kind for index, kind in enumerate(types)})
    with opened(database_url) as source:
        info = source.inspect(relation())
    assert [column.sql_type for column in info.columns][1:] == list(types)
    assert [column.column_type for column in info.columns][1:] == list(types.values())


def test_domains_and_enums_are_what_they_are_made_of(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('ok')",
        "CREATE DOMAIN cents AS numeric(8, 2)",
        "CREATE DOMAIN few AS cents CHECK (VALUE < 5)",
    )
    create(postgres_url, {"m": "mood", "f": "few NOT NULL"})
    with opened(postgres_url) as source:
        _, mood, few = source.inspect(relation()).columns
    assert (mood.column_type, mood.nullable) == (ColumnType.TEXT, True)
    assert (few.sql_type, few.column_type, few.nullable) == (
        "numeric(8,2)", ColumnType.NUMBER, False,
    )  # fmt: skip


def test_generated_and_dropped_columns(sqlite_url: str, postgres_url: str) -> None:
    for url in (sqlite_url, postgres_url):
        create(url, {"a": "INTEGER", "b": "INTEGER"}, [[minutes(1), 3, 4]])
        generated = "ALTER TABLE logs ADD COLUMN g INTEGER GENERATED ALWAYS AS (a * 2) "
        run(url, "ALTER TABLE logs DROP COLUMN b", generated + (
            "VIRTUAL" if is_sqlite(url) else "STORED"
        ))  # fmt: skip
        with opened(url) as source:
            info = source.inspect(relation())
            assert [column.name for column in info.columns] == ["scored_at", "a", "g"]
            counts = source.scan(planned(source, {"g": NumericAxis((6.0,))}), between(0, 5))
            assert counts.columns["g"].cells.tolist() == [[0, 1, 0]]


def test_a_missing_table_names_its_neighbours(database_url: str) -> None:
    create(database_url, {"x": real(database_url)}, table="predictions")
    with opened(database_url) as source:
        with pytest.raises(SourceError, match=r"source 'logs': .*'prediction'.*'predictions'\?"):
            source.inspect(relation("prediction"))
        with pytest.raises(SourceError, match=r"'zzz' .*there are 'predictions'"):
            source.inspect(relation("zzz"))


def test_a_missing_timestamp_names_its_neighbours(database_url: str) -> None:
    create(database_url, {"x": real(database_url)})
    with opened(database_url) as source, pytest.raises(SourceError, match="'scored_at'"):
        source.inspect(relation(timestamp="scored"))


CAST = "no `format` serves these: cast it in a view or a `query`"


class TestTimestampServed:
    def test_by_an_index(self, database_url: str) -> None:
        create(database_url, {"x": real(database_url)}, [[minutes(1), 1.0]])
        run(database_url, "CREATE VIEW v AS SELECT scored_at AS at, x FROM logs WHERE x > 0")
        with opened(database_url) as source:
            assert source.inspect(relation()).timestamp_served
            assert source.inspect(relation("v", timestamp="at")).timestamp_served
            assert source.inspect(relation(where="x = 1")).timestamp_served

    def test_not_without_one(self, database_url: str) -> None:
        create(database_url, {"x": real(database_url)}, [[minutes(1), 1.0]], index=False)
        run(database_url, "CREATE INDEX other ON logs (x, scored_at)")
        with opened(database_url) as source:
            assert not source.inspect(relation()).timestamp_served

    def test_the_rowid_of_sqlite(self, sqlite_url: str) -> None:
        run(sqlite_url, "CREATE TABLE logs (scored_at INTEGER PRIMARY KEY, x REAL)")
        with opened(sqlite_url) as source:
            assert source.inspect(relation(timestamp_format="epoch_s")).timestamp_served

    def test_brin_and_partitions_of_postgresql(self, postgres_url: str) -> None:
        create(postgres_url, {"x": "float8"}, index=False)
        run(
            postgres_url,
            "CREATE INDEX ON logs USING brin (scored_at)",
            "CREATE TABLE parts (scored_at timestamptz, x float8) PARTITION BY RANGE (scored_at)",
            "CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "CREATE TABLE lists (scored_at timestamptz, x float8) PARTITION BY LIST (x)",
        )
        with opened(postgres_url) as source:
            assert source.inspect(relation()).timestamp_served
            assert source.inspect(relation("parts")).timestamp_served
            assert not source.inspect(relation("lists")).timestamp_served


class TestTimestampFormats:
    """In SQLite a moment is a text or a number; bounds are bound in the declared format."""

    @pytest.mark.parametrize(
        ("declared", "write"),
        [
            (None, "%Y-%m-%d %H:%M:%S"),
            ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f"),
            ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.123"),
            ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.000"),
            ("%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S"),
            ("%Y-%m-%d %H:%M:%S,%f", "%Y-%m-%d %H:%M:%S,123"),
            ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S,123Z"),
            ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S UTC"),
            (None, "%Y-%m-%d %H:%M:%S.5"),
            ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S"),
            ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ"),
            ("%Y-%m-%dT%H:%M:%S.%f+00:00", "%Y-%m-%dT%H:%M:%S.%f+00:00"),
            ("%Y%m%d%H%M%S", "%Y%m%d%H%M%S"),
            ("%Y/%m/%d %H.%M", "%Y/%m/%d %H.%M"),
            ("%Y-%m-%d %H", "%Y-%m-%d %H"),
            ("at %Y-%m-%d, %H:%M:%S 100%%", "at %Y-%m-%d, %H:%M:%S 100%%"),
            ("epoch_s", "epoch_s"),
            ("epoch_ms", "epoch_ms"),
        ],
    )
    @pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
    def test_midnight_and_the_hours_are_found(
        self, sqlite_url: str, declared: str | None, write: str, index: bool
    ) -> None:
        hours = [DAY + timedelta(hours=hour) for hour in range(-1, 27)]
        scale = {"epoch_s": 1, "epoch_ms": 1000}.get(write)
        values = [m.strftime(write) if scale is None else to_epoch(m) * scale for m in hours]
        kind = "TEXT" if scale is None else "INTEGER"
        run(sqlite_url, f"CREATE TABLE logs (scored_at {kind}, x REAL)")
        if index:
            run(sqlite_url, "CREATE INDEX i ON logs (scored_at)")
        run(sqlite_url, *(f"INSERT INTO logs VALUES ('{value}', 1)" for value in values))
        place = relation(timestamp_format=declared)
        axes = {"x": NumericAxis((0.0,))}
        with opened(sqlite_url) as source:
            for seconds in (3_600, 86_400):
                plan = planned(source, axes, place, pane_seconds=seconds)
                counts = source.scan(plan, between(0, 24 * 60))
                starts = [to_epoch(DAY) + seconds * i for i in range(86_400 // seconds)]
                assert counts.starts.tolist() == starts
                assert counts.rows.tolist() == [seconds // 3_600] * len(starts)

    def test_days(self, sqlite_url: str) -> None:
        run(
            sqlite_url,
            "CREATE TABLE logs (scored_at TEXT, x REAL)",
            *(f"INSERT INTO logs VALUES ('2026-03-0{day}', 1)" for day in range(1, 6)),
        )
        place = relation(timestamp_format="%Y-%m-%d")
        with opened(sqlite_url) as source:
            plan = planned(source, {"x": NumericAxis((0.0,))}, place, pane_seconds=3_600)
            counts = source.scan(plan, between(6 * 60, 48 * 60))
            assert counts.starts.tolist() == [to_epoch(DAY + timedelta(days=1))]

    @pytest.mark.parametrize(
        ("value", "remedy"),
        [
            ("2026-03-02T00:01:00", "to '%Y-%m-%dT%H:%M:%S'"),
            ("2026-03-02T00:01:00Z", "to '%Y-%m-%dT%H:%M:%SZ'"),
            ("2026-03-02T00:01:00.123Z", "to '%Y-%m-%dT%H:%M:%S.%fZ'"),
            ("20260302", "to '%Y%m%d'"),
            (1772409660, "to epoch_s"),
            (1772409660000, "to epoch_ms"),
            ("2026-03-02T00:01:00,123", "to '%Y-%m-%dT%H:%M:%S,%f'"),
            ("2026-03-02T00:01:00.123 UTC", "to '%Y-%m-%dT%H:%M:%S.%f UTC'"),
            ("2026-03-02T00:01:00+00:00", "to '%Y-%m-%dT%H:%M:%S+00:00'"),
            ("2026-03-02 00:01", "to '%Y-%m-%d %H:%M'"),
            ("2/3/2026", CAST),
            ("2026-03-02 00:01:00+02:00", CAST),
            ("2026-03-02 00:01:00 Europe/Rome", CAST),
            ("2026-03-02T00:01:00+05:45", CAST),
            ("2026-03-02T00:01:00.123+05:45", CAST),
            ("2026-03-02.5", CAST),
            ("1772409660", CAST),
            ("1772409660000", CAST),
            ("17724096", CAST),
            (1772409660000000, CAST),
        ],
    )
    def test_values_that_do_not_look_as_declared(
        self, sqlite_url: str, value: object, remedy: str
    ) -> None:
        run(
            sqlite_url,
            "CREATE TABLE logs (scored_at, x REAL)",
            f"INSERT INTO logs VALUES ({value!r}, 1)",
        )
        with opened(sqlite_url) as source:
            with pytest.raises(SourceError) as caught:
                source.inspect(relation())
            assert remedy in str(caught.value)
            assert repr(value) in str(caught.value)
            declared = str(caught.value).rpartition(" to ")[2].strip("'")
            if remedy.startswith("to "):
                assert source.inspect(relation(timestamp_format=declared)).columns

    @pytest.mark.parametrize("declared", ["%d.%m.%Y", "%H:%M:%S", "%Y-%d-%m", "%y-%m-%d", "now"])
    def test_formats_that_do_not_sort(self, sqlite_url: str, declared: str) -> None:
        create(sqlite_url, {"x": "REAL"})
        with opened(sqlite_url) as source, pytest.raises(SourceError, match="does not sort"):
            source.inspect(relation(timestamp_format=declared))

    def test_rows_whose_timestamp_is_garbage_are_left_out(self, sqlite_url: str) -> None:
        create(sqlite_url, {"x": "REAL"}, [[minutes(1), 1.0]], index=False)
        run(sqlite_url, "INSERT INTO logs VALUES ('2026-03-02 00:0x', 1), ('zzz', 1), (NULL, 1)")
        with opened(sqlite_url) as source:
            plan = planned(source, {"x": NumericAxis((0.0,))})
            assert source.scan(plan, between(0, 60)).rows.tolist() == [1]

    def test_epochs_in_postgresql(self, postgres_url: str) -> None:
        run(
            postgres_url,
            "CREATE TABLE logs (scored_at bigint, x float8)",
            f"INSERT INTO logs SELECT ({to_epoch(DAY)}::bigint + i * 60) * 1000, i "
            "FROM generate_series(0, 9) i",
        )
        place = relation(timestamp_format="epoch_ms")
        with opened(postgres_url) as source:
            plan = planned(source, {"x": NumericAxis((3.0,))}, place)
            counts = source.scan(plan, between(0, 60))
            assert counts.rows.tolist() == [5, 5]
            assert counts.starts.tolist() == [to_epoch(minutes(0)), to_epoch(minutes(5))]

    def test_a_text_in_postgresql_needs_a_view(self, postgres_url: str) -> None:
        run(postgres_url, "CREATE TABLE logs (scored_at text, x float8)")
        says = r"'scored_at' is 'text'.*a view that casts it"
        with opened(postgres_url) as source, pytest.raises(SourceError, match=says):
            source.inspect(relation())


class TestKinds:
    def propose(
        self, url: str, kinds: dict[str, str], rows: list[list[object]]
    ) -> dict[str, object]:
        create(url, kinds, rows)
        with opened(url) as source:
            info = source.inspect(relation())
            proposals = source.suggest_kinds(relation(), info, [*kinds, "absent"])
        assert "there is no column 'absent'" in proposals[-1].reason
        return {proposal.column: proposal for proposal in proposals}

    def test_by_type_and_by_the_number_of_values(self, database_url: str) -> None:
        sqlite = is_sqlite(database_url)
        kinds = {
            "ratio": real(database_url), "code": "INTEGER", "carrier": "TEXT", "id": "TEXT",
            "flag": "BOOLEAN", "at": "TIMESTAMP", "blob": "BLOB" if sqlite else "bytea",
        }  # fmt: skip
        moment = "2026-01-01 00:00:00" if sqlite else datetime(2026, 1, 1, tzinfo=UTC)
        rows: list[list[object]] = [
            [minutes(1), i / 7, i % 5, f"c{i % 9}", f"id {i}", i % 2 == 0, moment, b"x"]
            for i in range(1_500)
        ]
        found = self.propose(database_url, kinds, rows)
        assert {name: getattr(proposal, "kind", 0) for name, proposal in found.items()} == {
            "ratio": Kind.NUMERIC, "code": Kind.CATEGORICAL, "carrier": Kind.CATEGORICAL,
            "id": None, "flag": Kind.CATEGORICAL, "at": Kind.NUMERIC, "blob": None, "absent": None,
        }  # fmt: skip
        assert "5 distinct of 1500 values" in getattr(found["code"], "reason", "")
        assert "identifier" in getattr(found["id"], "reason", "")

    def test_few_rows_say_little(self, sqlite_url: str) -> None:
        kinds = {"n": "INTEGER", "t": "TEXT"}
        found = self.propose(sqlite_url, kinds, [[minutes(1), i, f"t{i}"] for i in range(9)])
        assert getattr(found["n"], "kind", 0) is Kind.NUMERIC
        assert getattr(found["t"], "kind", 0) is Kind.CATEGORICAL


def test_the_store_explains_how_it_would_scan(database_url: str) -> None:
    create(database_url, {"x": real(database_url), "c": "TEXT"})
    with opened(database_url) as source:
        plan = planned(source, {"x": NumericAxis((0.0,)), "c": CategoricalAxis(("a",))})
        for interval in (between(0, 5), between(0, 60)):
            lines = source.explain(plan, interval)
            assert any("index of logs" in line for line in lines), lines


def test_has_rows(database_url: str) -> None:
    create(database_url, {"x": real(database_url)}, [[minutes(7), 1.0]])
    with opened(database_url) as source:
        info = source.inspect(relation())
        assert source.has_rows(relation(), info, between(5, 10))
        assert not source.has_rows(relation(), info, between(0, 5))
        assert not source.has_rows(relation(where="x > 1"), info, between(5, 10))
