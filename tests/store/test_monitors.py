"""Monitors are noted once, and their watermark is moved by one process alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from driftwatch.errors import ConflictError
from driftwatch.store import monitors
from driftwatch.store.engine import Store
from tests.store.samples import NOW, dump

HOUR = timedelta(hours=1)


def test_a_monitor_is_noted_once(store: Store) -> None:
    with store.write() as connection:
        first = monitors.ensure(connection, 'délai "x"; DROP TABLE monitor', NOW)
    with store.write() as connection:
        again = monitors.ensure(connection, first.name, NOW + HOUR)
        other = monitors.ensure(connection, "other", NOW)
        assert monitors.find(connection, "nobody") is None
    assert again == first
    assert (first.watermark, first.scanned_from) == (None, None)
    assert other.id != first.id
    assert dump(store, "monitor")["monitor"][0][2] == NOW


def test_the_watermark_moves_from_what_is_expected_alone(store: Store) -> None:
    with store.write() as connection:
        monitor = monitors.ensure(connection, "m", NOW)
        monitors.advance(
            connection, monitor.id, expected=None, watermark=NOW, scanned_from=NOW - HOUR
        )
        monitors.advance(connection, monitor.id, expected=NOW, watermark=NOW + HOUR)
    for expected in (None, NOW):
        with (
            pytest.raises(ConflictError, match="another process counts it"),
            store.write() as connection,
        ):
            monitors.advance(connection, monitor.id, expected=expected, watermark=NOW)
    with store.read() as connection:
        found = monitors.find(connection, "m")
    assert found is not None
    assert (found.watermark, found.scanned_from) == (NOW + HOUR, NOW - HOUR)


def test_of_many_that_move_it_at_once_one_does(store: Store) -> None:
    with store.write() as connection:
        monitor = monitors.ensure(connection, "m", NOW)
    barrier = Barrier(4)

    def move(number: int) -> bool:
        barrier.wait()
        try:
            with store.write() as connection:
                moment = NOW + number * HOUR
                monitors.advance(connection, monitor.id, expected=None, watermark=moment)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(move, range(4))) == [False, False, False, True]


def test_many_that_note_the_same_monitor_at_once_get_the_same(store: Store) -> None:
    barrier = Barrier(4)

    def note(_: int) -> int:
        barrier.wait()
        with store.write() as connection:
            return monitors.ensure(connection, "m", NOW).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(note, range(4)))) == 1


def test_which_rows_are_counted_is_noted_once(store: Store) -> None:
    with store.write() as connection:
        monitor, _ = (monitors.ensure(connection, name, NOW) for name in ("m", "other"))
        assert monitor.definition is None
        assert monitors.define(connection, monitor.id, "first") == "first"
    with store.write() as connection:
        assert monitors.define(connection, monitor.id, "second") == "first"
    with store.read() as connection:
        noted = [monitors.find(connection, name) for name in ("m", "other")]
    assert [one.definition for one in noted if one] == ["first", None]


def test_up_to_where_changes_were_read_is_noted(store: Store) -> None:
    with store.write() as connection:
        monitor, other = (monitors.ensure(connection, name, NOW) for name in ("m", "other"))
        assert monitor.updated_until is None
        monitors.set_updated_until(connection, monitor.id, NOW)
        monitors.set_updated_until(connection, monitor.id, NOW + HOUR)
    with store.read() as connection:
        noted = [monitors.find(connection, name) for name in ("m", "other")]
    assert [one.updated_until for one in noted if one] == [NOW + HOUR, None]
    assert noted[1] == other
