"""bucket(x, edges) is numpy.searchsorted(edges, x, side="right"), on both stores, all types."""

import itertools
import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import column, select, types
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg as dialect_of_psycopg

from driftwatch.source import bucket
from tests.servers.postgres import PostgresServer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Bins = list[int | None]
Ask = Callable[[str, types.TypeEngine[Any], Sequence[object], Sequence[float]], Bins]

finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.integers(-20, 20).map(lambda i: i / 4)
edges_of_numbers = st.lists(finite | plain, min_size=1, max_size=30, unique=True).map(sorted)


def near(edges: Sequence[float]) -> list[float]:
    """The edges, and the floats right below and above them."""
    around = [math.nextafter(e, to) for e in edges for to in (-math.inf, math.inf)]
    return [*edges, *around, 0.0, -0.0, math.inf, -math.inf]


def searched(edges: Sequence[float], values: Sequence[float | None]) -> Bins:
    """What numpy says; NaN and None stay out."""
    return [
        None if x is None or math.isnan(x) else int(np.searchsorted(edges, x, side="right"))
        for x in values
    ]


@pytest.fixture(scope="module")
def ask_sqlite() -> Iterator[Ask]:
    connection = sqlite3.connect(":memory:")

    def ask(
        declared: str,
        type_: types.TypeEngine[Any],
        values: Sequence[object],
        edges: Sequence[float],
    ) -> Bins:
        x = column("x", type_)
        text = str(select(bucket(x, edges)).compile(dialect=sqlite.dialect()))
        connection.execute(f"CREATE TABLE t (x {declared})")
        connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
        rows = connection.execute(f"{text} FROM t ORDER BY rowid").fetchall()
        connection.execute("DROP TABLE t")
        return [row[0] for row in rows]

    yield ask
    connection.close()


@pytest.fixture(scope="module")
def ask_postgres(postgres: PostgresServer) -> Iterator[Ask]:
    conninfo = f"host=127.0.0.1 port={postgres.port} user=driftwatch dbname=postgres"
    dialect = dialect_of_psycopg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
    with psycopg.connect(conninfo, autocommit=True) as connection:

        def ask(
            declared: str,
            type_: types.TypeEngine[Any],
            values: Sequence[object],
            edges: Sequence[float],
        ) -> Bins:
            text = str(select(bucket(column("x", type_), edges)).compile(dialect=dialect))
            rows = connection.execute(
                f"{text} FROM unnest(%s::{declared}[]) WITH ORDINALITY AS t (x, i) ORDER BY i",
                [list(values)],
            )
            return [row[0] for row in rows]

        yield ask


class TestFloats:
    @EXAMPLES
    @given(edges=edges_of_numbers, values=st.lists(st.floats() | plain | st.none()))
    @example(edges=[0.1, 0.3010401370540082], values=[0.1, 0.3010401370540082, None, math.nan])
    @example(edges=[-4.623931275907209e-303, 5e-324, 1.7976931348623157e308], values=[])
    def test_sqlite_is_numpy(
        self, ask_sqlite: Ask, edges: list[float], values: list[float | None]
    ) -> None:
        every = [*values, *near(edges)]
        assert ask_sqlite("REAL", types.Float(), every, edges) == searched(edges, every)
        assert ask_sqlite("", types.Float(), every, edges) == searched(edges, every)

    @EXAMPLES
    @given(edges=edges_of_numbers, values=st.lists(st.floats() | plain | st.none()))
    def test_postgresql_is_numpy(
        self, ask_postgres: Ask, edges: list[float], values: list[float | None]
    ) -> None:
        every = [*values, math.nan, *near(edges)]
        assert ask_postgres("float8", types.Float(), every, edges) == searched(edges, every)

    @EXAMPLES
    @given(edges=edges_of_numbers, values=st.lists(st.floats(width=32)))
    def test_postgresql_real_is_numpy_float32(
        self, ask_postgres: Ask, edges: list[float], values: list[float]
    ) -> None:
        assert ask_postgres("real", types.Float(), values, edges) == searched(edges, values)

    def test_no_edges_leave_one_bin(self, ask_sqlite: Ask, ask_postgres: Ask) -> None:
        for ask, kind in ((ask_sqlite, "REAL"), (ask_postgres, "float8")):
            assert ask(kind, types.Float(), [1.0, None, math.inf], []) == [0, None, 0]

    def test_what_is_no_number_is_missing_in_sqlite(self, ask_sqlite: Ask) -> None:
        values = ["", "n/a", "12abc", b"3", "5", 1, None]
        bins = [None, None, None, None, 1, 0, None]
        assert ask_sqlite("REAL", types.Float(), values, [2.0]) == bins
        # A column of text affinity keeps "5" as text, so it is no number there.
        assert ask_sqlite("TEXT", types.Float(), values, [2.0]) == [None] * 7


class TestIntegers:
    whole = st.integers(-(2**63), 2**63 - 1)
    near_2_53 = st.integers(2**53 - 40, 2**53 + 40) | st.integers(2**62, 2**62 + 4000)

    @EXAMPLES
    @given(
        edges=st.lists(
            finite | plain | near_2_53.map(float), min_size=1, max_size=30, unique=True
        ).map(sorted),
        values=st.lists(whole | near_2_53 | st.integers(-20, 20) | st.none()),
    )
    @example(edges=[2.0**63], values=[2**63 - 1, 2**63 - 513, 2**63 - 512])
    @example(edges=[-(2.0**63)], values=[-(2**63), 0])
    @example(edges=[1e300], values=[2**63 - 1])
    @example(edges=[-1e300], values=[-(2**63)])
    @example(edges=[2.0**53 + 4], values=[2**53 + 2, 2**53 + 3, 2**53 + 4])
    def test_they_fall_where_their_float_falls(
        self,
        ask_sqlite: Ask,
        ask_postgres: Ask,
        edges: list[float],
        values: list[int | None],
    ) -> None:
        expected = searched(edges, [None if x is None else float(x) for x in values])
        assert ask_sqlite("INTEGER", types.Float(), values, edges) == expected
        assert ask_postgres("bigint", types.BigInteger(), values, edges) == expected

    def test_small_integers_of_postgresql(self, ask_postgres: Ask) -> None:
        values = [-32768, -1, 0, 1, 32767, None]
        for kind in ("smallint", "integer"):
            bins = ask_postgres(kind, types.Integer(), values, [-0.5, 0.5, 1e5, 1e10])
            assert bins == [0, 0, 1, 2, 2, None]


class TestDecimals:
    @EXAMPLES
    @given(
        edges=edges_of_numbers,
        values=st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=20) | st.none()),
    )
    @example(edges=[0.1], values=[Decimal("0.1"), Decimal("0.09999999999999999999999")])
    @example(edges=[0.1], values=[Decimal("0.0999999999999999"), Decimal("0.1000000000000001")])
    def test_they_fall_where_their_float_falls(
        self, ask_postgres: Ask, edges: list[float], values: list[Decimal | None]
    ) -> None:
        exact = [Decimal(edge) for edge in edges if 1e-200 < abs(edge) < 1e200]
        middles = [(low + high) / 2 for low, high in itertools.pairwise(exact)]
        every = [*values, *exact, *middles]
        expected = searched(edges, [None if x is None else float(x) for x in every])
        assert ask_postgres("numeric", types.Numeric(), every, edges) == expected

    def test_ties_go_where_rounding_goes(self, ask_postgres: Ask) -> None:
        for edge in (0.1, 0.3, 1.0, 1.0000000000000002, 5e-324, 2.0**60):
            before = math.nextafter(edge, -math.inf)
            with localcontext(prec=1_100):
                tie = (Decimal(before) + Decimal(edge)) / 2
                values = [tie, *(tie + Decimal(sign) * tie.scaleb(-900) for sign in (-1, 1))]
            expected = searched([edge], [float(value) for value in values])
            assert ask_postgres("numeric", types.Numeric(), values, [edge]) == expected

    def test_special_values(self, ask_postgres: Ask) -> None:
        values = [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("1e400")]
        for edges in ([0.0], [-1.7976931348623157e308, 1.7976931348623157e308]):
            last = len(edges)
            bins = ask_postgres("numeric", types.Numeric(), values, edges)
            assert bins == [None, last, 0, last]


class TestBooleans:
    @pytest.mark.parametrize("edges", [[0.5], [0.0, 1.0], [-1.0], [1.5], [0.0, 5e-324, 1.0]])
    def test_they_are_0_and_1(self, ask_sqlite: Ask, ask_postgres: Ask, edges: list[float]) -> None:
        values = [False, True, None]
        expected = searched(edges, [0.0, 1.0, None])
        assert ask_sqlite("BOOLEAN", types.Boolean(), values, edges) == expected
        assert ask_postgres("boolean", types.Boolean(), values, edges) == expected


class TestTimes:
    moments = st.integers(-62_135_510_400, 253_402_128_000).flatmap(
        lambda seconds: st.integers(0, 999_999).map(
            lambda micros: EPOCH + timedelta(seconds=seconds, microseconds=micros)
        )
    )

    @EXAMPLES
    @given(
        edges=st.lists(
            finite | moments.map(lambda m: (m - EPOCH).total_seconds()), min_size=1, unique=True
        ).map(sorted),
        moments=st.lists(moments | st.none()),
    )
    def test_timestamps_are_seconds(
        self, ask_postgres: Ask, edges: list[float], moments: list[datetime | None]
    ) -> None:
        inner = [e for e in edges if -6e10 < e < 2e11]
        at = [EPOCH + timedelta(microseconds=round(e * 1e6)) for e in inner]
        ticks = [moment + timedelta(microseconds=i) for moment in at for i in (-1, 0, 1)]
        every = [*moments, *ticks]
        expected = searched(
            edges, [None if m is None else (m - EPOCH).total_seconds() for m in every]
        )
        assert ask_postgres("timestamptz", types.DateTime(True), every, edges) == expected
        bare = [None if m is None else m.replace(tzinfo=None) for m in every]
        assert ask_postgres("timestamp", types.DateTime(False), bare, edges) == expected

    @EXAMPLES
    @given(
        edges=st.lists(
            st.floats(-6e10, 2e11) | st.integers(-10, 20_000).map(lambda d: d * 86_400.0),
            min_size=1,
            unique=True,
        ).map(sorted),
        days=st.lists(st.dates(date(1, 1, 2)) | st.none()),
    )
    def test_dates_are_their_midnight(
        self, ask_postgres: Ask, edges: list[float], days: list[date | None]
    ) -> None:
        first = date(1970, 1, 1)
        every = [*days, *(first + timedelta(days=i) for i in (-1, 0, 1))]
        expected = searched(
            edges, [None if d is None else (d - first).days * 86_400.0 for d in every]
        )
        assert ask_postgres("date", types.Date(), every, edges) == expected

    def test_infinite_times_are_in_the_outer_bins(self, ask_postgres: Ask) -> None:
        for kind, type_ in (
            ("timestamptz", types.DateTime(True)),
            ("timestamp", types.DateTime(False)),
            ("date", types.Date()),
        ):
            values = ["infinity", "-infinity", "2026-01-01", None]
            assert ask_postgres(kind, type_, values, [0.0, 1e300]) == [2, 0, 1, None]


def test_other_dialects_get_a_plain_case() -> None:
    text = str(bucket(column("x", types.Float()), [0.5, 1.5]).compile())
    assert text == (
        "CASE WHEN x < 1.5 THEN CASE WHEN x < 0.5 THEN 0 ELSE 1 END "
        "ELSE CASE WHEN x IS NULL THEN NULL ELSE 2 END END"
    )


def test_a_bound_value_may_be_bucketed(sqlite_url: str) -> None:
    engine = sqlalchemy.create_engine(sqlite_url, poolclass=sqlalchemy.NullPool)
    x = sqlalchemy.bindparam("x", type_=types.Float())
    with engine.connect() as connection:
        for value, expected in ((0.0, 0), (1.0, 1), (2.5, 2), (None, None)):
            assert connection.scalar(select(bucket(x, [1.0, 2.0])), {"x": value}) == expected
        assert connection.scalar(select(bucket(x, [9.0])), {"x": 2.5}) == 0, "edges were cached"


def test_the_tree_is_balanced(ask_sqlite: Ask) -> None:
    edges = [float(i) for i in range(1000)]
    assert ask_sqlite("REAL", types.Float(), [-1.0, 499.5, 2000.0], edges) == [0, 500, 1000]
