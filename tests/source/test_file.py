"""Training data in CSV and Parquet: counted as the same rows in a table of either store."""

import csv
import gzip
import io
import math
import tracemalloc
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from driftwatch.config.settings import Binning, FeatureSettings, Kind, RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source import ColumnType, ScanColumn, Source
from driftwatch.source.file import FileSource, open_file
from driftwatch.stats.axis import Axis, CategoricalAxis
from driftwatch.stats.counts import ColumnTrouble, PaneCounts
from tests.source.logs import create, is_sqlite, minutes, opened, relation, run

KINDS = {
    "sqlite": {"f": "REAL", "i": "INTEGER", "t": "TEXT", "b": "BOOLEAN", "at": "TIMESTAMP"},
    "postgresql": {"f": "float8", "i": "bigint", "t": "text", "b": "boolean", "at": "timestamptz"},
}
FEATURES = [
    FeatureSettings("f", binning=Binning(count=5)),
    FeatureSettings("i", binning=Binning(count=5)),
    FeatureSettings("t", kind=Kind.CATEGORICAL, levels=3),
    FeatureSettings("b"),
    FeatureSettings("at", binning=Binning(count=5)),
]
Row = tuple[Any, ...]


def dialect(url: str) -> str:
    return "sqlite" if is_sqlite(url) else "postgresql"


def counted(
    source: Source, place: RelationSettings, features: Sequence[FeatureSettings] = FEATURES
) -> tuple[Mapping[str, Axis | ColumnTrouble], PaneCounts]:
    info = source.inspect(place)
    axes = source.fit(place, info, features, None)
    columns = []
    for name, axis in axes.items():
        found = info.column(name)
        if found is not None and not isinstance(axis, ColumnTrouble):
            columns.append(ScanColumn(name, axis, found.column_type))
    return axes, source.scan_all(source.plan(place, info, columns, 86_400))


def same(file: FileSource, source: Source, place: RelationSettings, names: str) -> None:
    """The same axes, fitted in the file and in the store, and the same counts."""
    features = [feature for feature in FEATURES if feature.name in names.split()]
    in_file, in_store = (
        counted(file.source, file.relation, features),
        counted(source, place, features),
    )
    assert in_file[1].rows.tolist() == in_store[1].rows.tolist()
    for name, axis in in_store[0].items():
        if isinstance(axis, ColumnTrouble):
            trouble = in_file[0][name]
            assert isinstance(trouble, ColumnTrouble)
            assert trouble.reason == axis.reason
            continue
        assert in_file[0][name] == axis
        one, other = in_file[1].columns[name], in_store[1].columns[name]
        assert one.cells.tolist() == other.cells.tolist(), name
        assert one.infinite.tolist() == other.infinite.tolist()
        assert one.minimum.tolist() == pytest.approx(other.minimum.tolist(), nan_ok=True)


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    f, i, t, b, at = zip(*rows, strict=True) if rows else ([],) * 5
    columns = {
        "f": pa.array(f, pa.float64()),
        "i": pa.array(i, pa.int64()),
        "t": pa.array(t, pa.string()),
        "b": pa.array(b, pa.bool_()),
        "at": pa.array(at, pa.timestamp("us", "UTC")),
    }
    pq.write_table(pa.table(columns), path)
    return path


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    """f, i and t; what is missing is empty or NA."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["f", "i", "t"])
    for index, (f, i, t, *_) in enumerate(rows):
        missing = ["", "NA"][index % 2]
        writer.writerow([missing if value is None else value for value in (f, i, t)])
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def in_store(url: str, rows: Sequence[Row]) -> None:
    sqlite = is_sqlite(url)
    run(url, "DROP TABLE IF EXISTS logs")
    stored = [
        [minutes(1), *row[:4], row[4] and (row[4].timestamp() if sqlite else row[4])]
        for row in rows
    ]
    create(url, KINDS[dialect(url)], stored, index=False)


FLOATS = st.none() | st.floats() | st.sampled_from([0.1, -0.0, 5e-324, 1.7976931348623157e308])
INTEGERS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)
SOME_TEXTS = ["a", "ü", "漢字 🙂", "null", "'", '"', "a,b", "%s", "\\"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=3)
TEXTS = st.none() | st.sampled_from(SOME_TEXTS) | ANY_TEXT
MOMENTS = st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
ROWS = st.lists(st.tuples(FLOATS, INTEGERS, TEXTS, st.none() | st.booleans(), MOMENTS), max_size=30)
RELAXED = settings(
    phases=[Phase.generate],
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@RELAXED
@given(rows=ROWS)
def test_parquet_is_counted_as_a_table_of_either_store(
    database_url: str, tmp_path: Path, rows: list[Row]
) -> None:
    in_store(database_url, rows)
    path = write_parquet(tmp_path / "train.parquet", rows)
    with (
        opened(database_url) as source,
        open_file(path, dialect=dialect(database_url)) as file,
    ):
        same(file, source, relation(timestamp=None), "f i t b at")


@RELAXED
@given(rows=ROWS)
def test_csv_is_counted_as_a_table_of_either_store(
    database_url: str, tmp_path: Path, rows: list[Row]
) -> None:
    """Where texts leave no doubt that they are texts, and empty ones are missing."""
    rows = [(f, i, t or None, b, at) for f, i, t, b, at in rows]
    rows = [(None, None, "text", None, None), *(row for row in rows if row[2] != "NA")]
    in_store(database_url, rows)
    for name in ("train.csv", "train.csv.gz"):
        path = write_csv(tmp_path / name, rows)
        with opened(database_url) as source, open_file(path) as file:
            same(file, source, relation(timestamp=None), "f i t")


def test_both_files_hold_the_same(database_url: str, tmp_path: Path) -> None:
    moment = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    values: list[Row] = [
        (math.nan, 2**63 - 1, "ü", True, moment),
        (math.inf, -(2**63), "a", False, None),
        (-math.inf, None, "a", None, moment),
        (None, 0, None, True, moment),
        (0.5, 0, "ü", True, None),
    ]
    in_store(database_url, values)
    with opened(database_url) as source:
        for path in (
            write_csv(tmp_path / "a.csv", values), write_csv(tmp_path / "a.csv.gz", values),
            write_parquet(tmp_path / "a.parquet", values),
        ):  # fmt: skip
            with open_file(path, dialect=dialect(database_url)) as file:
                same(file, source, relation(timestamp=None), "f i t")


def test_an_axis_of_a_file_counts_the_log(database_url: str, tmp_path: Path) -> None:
    """Training data in a file, the log in the store: its booleans have the same levels."""
    rows: list[Row] = [(float(m), m, f"c{m % 3}", m % 3 == 0, minutes(m)) for m in range(60)]
    in_store(database_url, rows)
    path = write_parquet(tmp_path / "train.parquet", rows)
    with opened(database_url) as source, open_file(path, dialect=source.dialect) as file:
        axes, counts = counted(file.source, file.relation)
        place = relation(timestamp=None)
        info = source.inspect(place)
        columns = []
        for name, axis in axes.items():
            found = info.column(name)
            assert found is not None
            assert not isinstance(axis, ColumnTrouble)
            columns.append(ScanColumn(name, axis, found.column_type))
        again = source.scan_all(source.plan(place, info, columns, 86_400))
        assert again.troubles == ()
        for name in axes:
            assert again.columns[name].cells.tolist() == counts.columns[name].cells.tolist(), name


class TestColumns:
    def types(self, path: Path, **how: str) -> dict[str, tuple[ColumnType, list[object]]]:
        """Column types and values of a file."""
        with open_file(path, **how) as file:
            info = file.source.inspect(file.relation)
            with file.source._connections.snapshot() as link:
                query = f'SELECT * FROM "{file.relation.table}"'
                from driftwatch.source.link import sqlite_query  # noqa: PLC0415

                rows = list(link.run(sqlite_query(query), {}))
            return {
                column.name: (column.column_type, [row[index] for row in rows])
                for index, column in enumerate(info.columns)
            }

    def test_of_csv(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(
            '\ufeffint,float,text,code,big,"a ""b"", c",empty\n'
            "1,1.5,a,01,9223372036854775807,x,\n-2,inf,,2,-3,nan,NA\n+0,1e5,NA,3,NA,1,\n"
            " 7 ,.5,1,4,99999999999999999999,2,\nNA,-Infinity,x,5,,3,\n",
            encoding="utf-8",
        )
        number, text = ColumnType.NUMBER, ColumnType.TEXT
        assert self.types(path) == {
            "int": (number, [1, -2, 0, 7, None]),
            "float": (number, [1.5, math.inf, 100_000.0, 0.5, -math.inf]),
            "text": (text, ["a", None, None, "1", "x"]),
            "code": (text, ["01", "2", "3", "4", "5"]),
            "big": (number, [2**63 - 1, -3, None, 1e20, None]),
            'a "b", c': (text, ["x", "nan", "1", "2", "3"]),
            "empty": (number, [None] * 5),
        }

    def test_a_kind_is_decided_by_all_rows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("driftwatch.source.file._CELLS", 10)
        path = tmp_path / "a.csv"
        path.write_text("a,b,c\n" + "1,1,1\n" * 50 + "1.5,x,1\n", encoding="utf-8")
        found = self.types(path)
        assert [kind for kind, _ in found.values()] == [
            ColumnType.NUMBER, ColumnType.TEXT, ColumnType.NUMBER,
        ]  # fmt: skip
        assert found["b"][1] == ["1"] * 50 + ["x"]

    def test_of_parquet(self, tmp_path: Path) -> None:
        day = date(2026, 1, 1)
        path = tmp_path / "a.parquet"
        table = pa.table(
            {
                "unsigned": pa.array([1, 2**63, None], pa.uint64()),
                "half": pa.array([1.5, math.nan, None], pa.float16()),
                "decimal": pa.array([Decimal("1.25"), None, Decimal(3)]),
                "local": pa.array([datetime(1969, 12, 31, 23, 59, 59, 500_000), None, None]),  # noqa: DTZ001
                "ns": pa.array([10**18 + 1, None, 0], pa.timestamp("ns", "Europe/Berlin")),
                "date": pa.array([day, None, day]),
                "date64": pa.array([day, None, day], pa.date64()),
                "text": pa.array(["", "ü", None]),
                "large": pa.array(["", "ü", None], pa.large_string()),
                "coded": pa.array(["x", None, "x"]).dictionary_encode(),
                "numbers": pa.array([7, None, 7]).dictionary_encode(),
                "list": pa.array([[1], [2], None]),
                "bytes": pa.array([b"x", None, b""]),
                "null": pa.nulls(3),
                "flag": pa.array([True, None, False]),
            }
        )
        pq.write_table(table, path)
        number, text, time = ColumnType.NUMBER, ColumnType.TEXT, ColumnType.TIME
        midnight = 1_767_225_600
        expected: dict[str, Any] = {
            "unsigned": (number, [1, float(2**63), None]),
            "half": (number, [1.5, None, None]),
            "decimal": (number, [1.25, None, 3.0]),
            "local": (time, [-0.5, None, None]),
            "ns": (time, [1e9, None, 0]),
            "date": (time, [midnight, None, midnight]),
            "date64": (time, [midnight, None, midnight]),
            "text": (text, ["", "ü", None]),
            "large": (text, ["", "ü", None]),
            "coded": (text, ["x", None, "x"]),
            "numbers": (number, [7, None, 7]),
            "null": (number, [None] * 3),
        }
        assert self.types(path) == {**expected, "flag": (ColumnType.BOOLEAN, [1, None, 0])}
        assert self.types(path, dialect="postgresql") == {
            **expected, "flag": (ColumnType.BOOLEAN, ["true", None, "false"]),
        }  # fmt: skip


def test_the_copy_is_private_and_deleted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [(1.0, 1, "a")])
    file = open_file(path)
    with closing(file):
        database = Path(file.source._connections._url.database or "")
        assert database.stat().st_mode & 0o777 == 0o600
        assert database.parent.stat().st_mode & 0o777 == 0o700
        assert counted(file.source, file.relation)[1].rows.tolist() == [1]
    assert not database.parent.exists()


def test_memory_does_not_grow_with_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftwatch.source.file._CELLS", 3_000)
    peaks = []
    for rows in (6_000, 18_000):  # both larger than what is read of a file at a time
        path = write_csv(tmp_path / "a.csv", [(m / 7, m, f"{m % 9:100}") for m in range(rows)])
        tracemalloc.start()
        try:
            open_file(path).close()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


class TestFilesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("a.json", b"{}", r"it takes \.csv, \.csv\.gz, \.parquet"),
            ("a.csv", b"", "cannot be read"),
            ("a.csv", b"a,b\n\xff,1\n", "cannot be read: .*utf-8"),
            ("a.csv", b"a,b\n1,2,3\n", "more fields than its header"),
            ("a.csv", b"a,b,a\n1,2,3\n", "its header names 'a' twice; rename or remove one"),
            ("a.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read: .*line 3"),
            ("a.csv", b"a,A\n1,2\n", "duplicate column name: A; check its column names"),
            ("a.csv.gz", b"a,b\n1,2\n", "cannot be read: .*gzip"),
            ("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 99, mtime=0)[:-9], "cannot be read"),
            ("a.parquet", b"a,b\n1,2\n,,,,,", "cannot be read: .*parquet"),
        ],
    )
    def test_say_why(self, tmp_path: Path, name: str, content: bytes, says: str) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SourceError, match=says) as caught:
            open_file(path)
        assert name in str(caught.value)

    def test_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"there is no file '.*train\.csv'; check its path"):
            open_file(tmp_path / "train.csv")

    def test_without_pyarrow(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write_parquet(tmp_path / "a.parquet", [])
        monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
        with pytest.raises(SourceError, match=r"needs pyarrow; get it with pip .*\[parquet\]"):
            open_file(path)

    def test_parquet_of_lists_only(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table({"l": [[1]]}), path)
        with pytest.raises(SourceError, match="no column of booleans, numbers, times or texts"):
            open_file(path)


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [])
    with open_file(path) as file:
        axes, counts = counted(file.source, file.relation, FEATURES[:2])
        assert [getattr(axis, "reason", "") for axis in axes.values()] == ["no_reference"] * 2
        assert counts.rows.tolist() == []


def test_levels_of_a_file(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [(0.0, 1, "b"), (0.0, 1, "b"), (0.0, 1, "a")])
    with open_file(path) as file:
        axes, _ = counted(file.source, file.relation, FEATURES[2:3])
        assert axes["t"] == CategoricalAxis(("b",))
