"""docs/reference/tables.md documents every table and column, and its examples run."""

from typing import Any

import pytest
import sqlalchemy as sa

from driftwatch.store.engine import open_store
from driftwatch.store.migrate import migrate
from driftwatch.store.schema import VERSION_TABLE, metadata
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

MACROS = {
    "$__timeFilter(window_end)": "window_end > now() - interval '1 day'",
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


def test_the_queries_run(database_url: str) -> None:
    dialect = sa.make_url(database_url).get_backend_name()
    statements = [*fences(PAGE, f"sql {dialect}"), *fences(PAGE, "sql")]
    assert len(statements) == 2
    store = open_store(database_url)
    try:
        migrate(store)
        with store.read() as connection:
            for statement in statements:
                for macro, value in MACROS.items():
                    statement = statement.replace(macro, value)  # noqa: PLW2901 - built up
                assert (
                    connection.exec_driver_sql(
                        statement.replace("%", "%%") if dialect == "postgresql" else statement
                    ).all()
                    == []
                )
    finally:
        store.close()


def test_the_frames_are_read(sqlite_url: str) -> None:
    (example,) = fences(PAGE, "python")
    store = open_store(sqlite_url)
    migrate(store)
    store.close()
    found: dict[str, object] = {}
    exec(example.replace("sqlite:///driftwatch.db", sqlite_url), found)
    found["store"].close()  # type: ignore[attr-defined]  # a Store
    assert len(found["events"]) == len(found["bins"]) == 0  # type: ignore[arg-type]  # frames
