"""A backfill goes on from where it was, and starts anew once it was finished."""

from datetime import timedelta

import pytest

from driftwatch.errors import ConflictError
from driftwatch.store import backfills, monitors
from driftwatch.store.backfills import BackfillRow
from driftwatch.store.engine import Store
from tests.store.samples import MONDAY, NOW, dump, hours

DAY = hours(0, 24)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _monitors(store: Store) -> None:
    with store.write() as connection:
        monitors.ensure(connection, "m", NOW)
        monitors.ensure(connection, "other", NOW)


def begin(store: Store, *, at: int = 0, monitor_id: int = 1, restart: bool = False) -> BackfillRow:
    with store.write() as connection:
        return backfills.begin(connection, monitor_id, DAY, NOW + at * HOUR, restart=restart)


def advance(store: Store, hour: int, rows: int, panes: int, *, at: int) -> BackfillRow:
    with store.write() as connection:
        return backfills.advance(
            connection, 1, DAY, MONDAY + hour * HOUR, rows, panes, NOW + at * HOUR
        )


def finish(store: Store, *, at: int) -> BackfillRow:
    with store.write() as connection:
        return backfills.finish(connection, 1, DAY, NOW + at * HOUR)


def test_a_new_one_begins_at_its_start(store: Store) -> None:
    assert begin(store) == BackfillRow(DAY, DAY.start, 0, 0, NOW, NOW, None)


def test_one_that_was_stopped_goes_on_from_where_it_was(store: Store) -> None:
    begin(store)
    begin(store, monitor_id=2)
    advance(store, 6, 100, 7, at=1)
    moved = advance(store, 12, 50, 0, at=2)
    assert moved == BackfillRow(DAY, MONDAY + 12 * HOUR, 150, 7, NOW, NOW + 2 * HOUR, None)
    before = dump(store)
    assert begin(store, at=9) == moved
    assert dump(store) == before
    assert begin(store, monitor_id=2).done_until == DAY.start


def test_one_that_was_stopped_begins_anew_if_it_is_meant(store: Store) -> None:
    begin(store)
    advance(store, 6, 100, 7, at=1)
    later = NOW + 9 * HOUR
    again = BackfillRow(DAY, DAY.start, 0, 0, later, later, None)
    assert begin(store, at=9, restart=True) == again


def test_a_step_that_another_process_made_first_is_a_conflict(store: Store) -> None:
    begin(store)
    moved = advance(store, 6, 100, 7, at=1)
    for hour in (6, 3):
        with pytest.raises(ConflictError, match="another process does it, too; nothing was"):
            advance(store, hour, 100, 7, at=2)
    assert begin(store) == moved


def test_one_that_was_finished_starts_anew(store: Store) -> None:
    begin(store)
    advance(store, 24, 100, 7, at=1)
    assert finish(store, at=2).finished_at == NOW + 2 * HOUR
    assert finish(store, at=3).finished_at == NOW + 2 * HOUR
    assert begin(store, at=4) == BackfillRow(
        DAY, DAY.start, 0, 0, NOW + 4 * HOUR, NOW + 4 * HOUR, None
    )


def test_another_interval_is_another_backfill(store: Store) -> None:
    begin(store)
    with store.write() as connection:
        other = backfills.begin(connection, 1, hours(0, 12), NOW)
    advance(store, 6, 1, 1, at=1)
    with store.write() as connection:
        assert backfills.begin(connection, 1, hours(0, 12), NOW) == other
