"""docs/reference/tables.md documents every table and column, and its examples run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from driftwatch.store import annotations, monitors
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import migrate
from driftwatch.store.schema import VERSION_TABLE, AnnotationKind, metadata
from driftwatch.store.types import UtcDateTime, Word
from tests.docs.markdown import DOCS, fences, in_code, tables

PAGE = DOCS / "reference" / "tables.md"
TYPES: list[tuple[type[Any], str]] = [
    (UtcDateTime, "moment"),
    (Word, "text"),
    (sa.Text, "text"),
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.LargeBinary, "bytes"),
]
"""The page's words for types; what is none of these is a double."""

DAY = datetime(2013, 2, 8, tzinfo=UTC)

MACROS = {
    "$__timeFilter(window_end)": "window_end > now() - interval '1 day'",
    "$__timeFrom()": "timestamptz '2012-12-31T18:40:00Z'",
    "$__timeTo()": "timestamptz '2014-01-01T00:00:00Z'",
    "$__from": "1356998400000",
    "$__to": "1388534400000",
}
"""What Grafana puts in place of its macros, near enough for a database to parse."""


def type_of(column: sa.Column[object]) -> str:
    found = next((word for kind, word in TYPES if isinstance(column.type, kind)), "double")
    return f"{found} or NULL" if column.nullable else found


def sections() -> dict[str, list[list[str]]]:
    found = tables(PAGE)
    about = ("Types", "What changes and what does not")
    return {heading: rows for heading, rows in found.items() if heading not in about}


def test_every_table_is_documented_and_no_other() -> None:
    assert set(sections()) == set(metadata.tables)
    assert f"`{VERSION_TABLE}`" in PAGE.read_text("utf-8")


@pytest.mark.parametrize("table", metadata.tables)
def test_every_column_is_documented_with_its_type_and_a_meaning(table: str) -> None:
    rows = sections()[table]
    found = [(in_code(name)[0], kind) for name, kind, _ in rows]
    assert found == [(column.name, type_of(column)) for column in metadata.tables[table].columns]
    assert all(meaning for _, _, meaning in rows)


def test_of_every_table_it_is_said_how_it_is_written() -> None:
    said = [
        name for row in tables(PAGE)["What changes and what does not"] for name in in_code(row[0])
    ]
    assert sorted(said) == sorted(metadata.tables)


def statements_of(dialect: str) -> list[str]:
    """The examples for one database, as Grafana sends them."""
    found = [*fences(PAGE, f"sql {dialect}"), *fences(PAGE, "sql")]
    for macro, value in MACROS.items():
        found = [statement.replace(macro, value) for statement in found]
    return [one.replace("%", "%%") for one in found] if dialect == "postgresql" else found


def test_the_queries_run(database_url: str) -> None:
    statements = statements_of(sa.make_url(database_url).get_backend_name())
    assert len(statements) == 3
    store = open_store(database_url)
    try:
        migrate(store)
        with store.read() as connection:
            for statement in statements:
                assert connection.exec_driver_sql(statement).all() == []
    finally:
        store.close()


def test_annotations_are_found_with_their_times(database_url: str) -> None:
    dialect = sa.make_url(database_url).get_backend_name()
    (statement,) = (one for one in statements_of(dialect) if "FROM annotation" in one)
    store = open_store(database_url)
    try:
        migrate(store)
        with store.write() as connection:
            monitors.ensure(connection, "delay-model", DAY)
            for start, end, text in (
                (DAY, None, "version v2"),
                (DAY, DAY + timedelta(1), "outage"),
                (DAY - timedelta(900), DAY - timedelta(800), "long ago"),
            ):
                annotations.note(
                    connection, "delay-model", "", AnnotationKind.ACCEPTED, start, end, text, DAY
                )
        with store.read() as connection:
            rows = connection.exec_driver_sql(statement).mappings().all()
    finally:
        store.close()
    assert {row["text"]: (moment(row["time"]), moment(row["timeEnd"])) for row in rows} == {
        "version v2": (DAY, DAY),
        "outage": (DAY, DAY + timedelta(1)),
    }


def moment(value: datetime | int) -> datetime:
    """What Grafana makes of a time: one of SQL's, or milliseconds since 1970."""
    if isinstance(value, datetime):
        return value
    return datetime.fromtimestamp(value / 1000, UTC)


def test_the_frames_are_read(sqlite_url: str) -> None:
    (example,) = fences(PAGE, "python")
    store = open_store(sqlite_url)
    migrate(store)
    store.close()
    found: dict[str, object] = {}
    exec(example.replace("sqlite:///driftwatch.db", sqlite_url), found)
    found["store"].close()  # type: ignore[attr-defined]  # a Store
    frames = [found[name] for name in ("daily", "events", "bins", "notes", "germany")]
    assert [len(frame) for frame in frames] == [0] * 5  # type: ignore[arg-type]  # frames
