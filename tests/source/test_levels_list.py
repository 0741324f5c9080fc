"""The most frequent combinations of values, and how much is left out."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source import LevelList, Source
from tests.source.logs import between, create, is_sqlite, minutes, opened, relation, run

WORDS = ["a", "B", "b", "", "Ü", "ü", "é", "e\u0301", "\U0001f600", "it's", None]
Rows = Sequence[tuple[str | None, str | None]]


def levels(
    source: Source,
    *columns: str,
    limit: int = 100,
    min_rows: int = 1,
    where: RelationSettings | None = None,
) -> LevelList:
    place = where or relation()
    interval = None if place.timestamp is None else between(0, 60)
    info = source.inspect(place)
    return source.levels(place, info, columns, interval, limit=limit, min_rows=min_rows)


def expected(rows: Rows, limit: int, min_rows: int) -> LevelList:
    """Most frequent first, ties by the bytes of the text, NULL last."""
    counted = sorted(
        Counter(rows).items(),
        key=lambda item: (-item[1], [(v is None, (v or "").encode()) for v in item[0]]),
    )
    listed = [(level, count) for level, count in counted[:limit] if count >= min_rows]
    return LevelList(
        tuple(level for level, _ in listed),
        tuple(count for _, count in listed),
        len(counted) - len(listed),
        len(rows) - sum(count for _, count in listed),
    )


def fill(url: str, rows: Rows) -> None:
    collation = "COLLATE NOCASE" if is_sqlite(url) else 'COLLATE "en-x-icu"'
    create(
        url,
        {"a": f"TEXT {collation}", "b": "TEXT"},
        [[minutes(index % 60), *row] for index, row in enumerate(rows)],
    )


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), max_size=60),
    limit=st.integers(1, 12),
    min_rows=st.integers(0, 4),
)
def test_levels_are_what_python_counts(
    sqlite_url: str, rows: Rows, limit: int, min_rows: int
) -> None:
    run(sqlite_url, "DROP TABLE IF EXISTS logs")
    fill(sqlite_url, rows)
    with opened(sqlite_url) as source:
        assert levels(source, "a", "b", limit=limit, min_rows=min_rows) == expected(
            rows, limit, min_rows
        )


@pytest.mark.parametrize(("limit", "min_rows"), [(1, 1), (7, 1), (7, 2), (1_000, 1), (1_000, 99)])
def test_both_stores_list_them_in_the_same_order(
    database_url: str, limit: int, min_rows: int
) -> None:
    rows = [(a, b) for a in WORDS for b in WORDS] + [(a, a) for a in WORDS[::2]] * 3
    fill(database_url, rows)
    with opened(database_url) as source:
        found = levels(source, "a", "b", limit=limit, min_rows=min_rows)
        assert found == expected(rows, limit, min_rows)
        singles = [(a, None) for a, _ in rows]
        assert levels(source, "a", limit=limit, min_rows=min_rows).rows == (
            expected(singles, limit, min_rows).rows
        )


def test_rows_outside_of_the_interval_and_of_where_do_not_count(database_url: str) -> None:
    create(
        database_url,
        {"a": "TEXT", "b": "TEXT"},
        [[minutes(m), "in" if 0 <= m < 60 else "out", "b"] for m in (-1, 0, 30, 59, 60, 61, 62)],
    )
    with opened(database_url) as source:
        assert levels(source, "a") == LevelList((("in",),), (3,), 0, 0)
        none = levels(source, "a", where=relation(where="b <> 'b'"))
        assert none == LevelList((), (), 0, 0)


def test_all_rows_of_a_relation_without_a_time(database_url: str) -> None:
    fill(database_url, [("x", None), ("x", None), (None, "y")])
    untimed = RelationSettings(table="logs", schema=None, timestamp=None)
    with opened(database_url) as source:
        found = levels(source, "a", "b", where=untimed)
        assert found == LevelList((("x", None), (None, "y")), (2, 1), 0, 0)


def test_numbers_and_booleans_are_listed_by_their_text(database_url: str) -> None:
    sqlite = is_sqlite(database_url)
    create(database_url, {"n": "INTEGER", "f": "BOOLEAN"}, [[minutes(1), 12, True]] * 2)
    with opened(database_url) as source:
        assert levels(source, "n", "f").levels == (("12", "1" if sqlite else "true"),)


def test_texts_that_cannot_be_decoded_are_listed_once(sqlite_url: str) -> None:
    create(sqlite_url, {"a": "TEXT"})
    run(
        sqlite_url,
        *(
            f"INSERT INTO logs VALUES ('2026-03-02 00:01:00', CAST(X'{text}' AS TEXT))"
            for text in ("ff", "fe", "fe", "41")
        ),
    )
    with opened(sqlite_url) as source:
        found = levels(source, "a")
        assert found == LevelList((("\N{REPLACEMENT CHARACTER}",), ("A",)), (2, 1), 1, 1)


def test_millions_of_values_do_not_leave_the_store(sqlite_url: str) -> None:
    create(sqlite_url, {"a": "TEXT"})
    run(
        sqlite_url,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999) "
        "INSERT INTO logs SELECT '2026-03-02 00:01:00', 'user ' || i FROM n",
        "INSERT INTO logs VALUES ('2026-03-02 00:01:00', 'user 77')",
    )
    with opened(sqlite_url) as source:
        found = levels(source, "a", limit=2)
        assert found == LevelList((("user 77",), ("user 0",)), (2, 1), 199_998, 199_998)


def test_a_column_that_is_not_there(database_url: str) -> None:
    create(database_url, {"country": "TEXT"})
    with opened(database_url) as source:
        with pytest.raises(
            SourceError, match=r"no column 'contry' to tell segments by; did you mean 'country'"
        ):
            levels(source, "contry")
        for columns, limit in (((), 1), (("country",), 0)):
            with pytest.raises(ValueError, match="at least one column and a limit"):
                levels(source, *columns, limit=limit)
