"""What the driver says becomes one line with a remedy."""

import pytest
import sqlalchemy as sa

from driftwatch.errors import ConflictError, StoreError
from driftwatch.store.engine import Store
from driftwatch.store.failure import translate


def run(store: Store, *statements: str) -> None:
    with store.write() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def test_what_is_not_expected_is_said_to_be_a_defect(store: Store) -> None:
    with pytest.raises(StoreError, match=r"refused a statement \(.*\)\. .*please report it\."):
        run(store, "SELEKT 1")
    with pytest.raises(StoreError, match="refused a statement"):
        run(store, "INSERT INTO axis (monitor_id) VALUES (77)")


def test_a_column_that_is_missing_asks_for_migrate(store: Store) -> None:
    with pytest.raises(StoreError, match=r"lacks a .*column .*Run `driftwatch migrate`\."):
        run(store, "SELECT no_such_column FROM monitor")


def test_the_same_key_twice_is_a_conflict(store: Store) -> None:
    insert = "INSERT INTO monitor (name, created_at) VALUES ('m', '2026-11-23T00:00:00Z')"
    with pytest.raises(ConflictError, match="another process wrote the same rows first"):
        run(store, insert, insert)


def test_transactions_that_block_each_other_are_a_conflict(postgres_url: str) -> None:
    """The server raises what it raises for a deadlock."""
    engine = sa.create_engine(postgres_url)
    raised = "DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE='40P01'; END $$"
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as caught:
        connection.execute(sa.text(raised))
    engine.dispose()
    found = translate(caught.value, store="store x", secrets=())
    assert isinstance(found, ConflictError)
    assert str(found).startswith("store x: another process wrote")


def test_too_many_users_of_one_store_are_named() -> None:
    found = translate(sa.exc.TimeoutError("QueuePool"), store="store x", secrets=())
    assert str(found) == ("store x: all connections are in use. Let fewer evaluations run at once.")


def test_a_secret_is_cut_out_of_what_the_driver_says() -> None:
    error = sa.exc.OperationalError(None, None, Exception("bad dsn pass=abc\nrow: private"))
    found = str(translate(error, store="store x", secrets=["abc"]))
    assert "pass=***" in found
    assert "private" not in found
