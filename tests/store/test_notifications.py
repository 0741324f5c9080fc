"""The outbox: put in once, due until delivered, sent by one process at a time."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.alert.state import AlertKey
from driftwatch.store import monitors, notifications
from driftwatch.store.engine import Store
from driftwatch.store.notifications import Notification
from tests.store.samples import MONDAY, NOW

KEY = AlertKey("m", "delay", "", 3600, AlertKind.DRIFT)
MINUTE = timedelta(minutes=1)
PAYLOAD = {"monitor": "m", "value": 0.31, "text": "Zürich"}


@pytest.fixture(autouse=True)
def _monitor(store: Store) -> None:
    with store.write() as connection:
        monitors.ensure(connection, "m", NOW)


def enqueue(store: Store, state: AlertState = AlertState.FIRING, hours: int = 0) -> bool:
    with store.write() as connection:
        end = MONDAY + timedelta(hours=hours)
        return notifications.enqueue(connection, KEY, end, state, PAYLOAD, NOW)


def due(store: Store, *, minutes: int = 0, limit: int = 100) -> list[Notification]:
    with store.read() as connection:
        return notifications.due(connection, NOW + minutes * MINUTE, limit=limit)


def test_a_change_is_put_in_once(store: Store) -> None:
    assert enqueue(store)
    assert not enqueue(store)
    (first,) = due(store)
    assert json.loads(first.payload) == PAYLOAD
    assert (first.key, first.window_end, first.state) == (KEY, MONDAY, AlertState.FIRING)
    assert (first.attempts, first.last_error) == (0, None)
    assert due(store, minutes=-1) == []


def test_an_end_waits_until_its_beginning_was_delivered(store: Store) -> None:
    enqueue(store)
    enqueue(store, AlertState.RESOLVED, 3)
    other = replace(KEY, window_seconds=86_400)
    with store.write() as connection:
        notifications.enqueue(connection, other, MONDAY, AlertState.FIRING, PAYLOAD, NOW)
    first, of_other = due(store)
    assert (first.state, of_other.key) == (AlertState.FIRING, other)
    assert due(store, limit=1) == [first]
    with store.write() as connection:
        notifications.failed(connection, first.id, error="503", next_attempt_at=NOW + MINUTE)
    assert due(store) == [of_other]
    with store.write() as connection:
        notifications.delivered(connection, first.id, NOW)
    second, _ = due(store)
    assert (second.key, second.state) == (KEY, AlertState.RESOLVED)


def test_what_was_delivered_is_not_due_again_and_cannot_be_put_in_again(store: Store) -> None:
    enqueue(store)
    (found,) = due(store)
    with store.write() as connection:
        assert notifications.waiting(connection) == 1
        assert notifications.claim(connection, found, NOW + MINUTE)
        notifications.delivered(connection, found.id, NOW)
        assert notifications.waiting(connection) == 0
    assert due(store, minutes=600) == []
    assert not enqueue(store)


def test_what_failed_is_due_later(store: Store) -> None:
    enqueue(store)
    (found,) = due(store)
    with store.write() as connection:
        assert notifications.claim(connection, found, NOW + MINUTE)
        notifications.failed(
            connection, found.id, error="503 " + "x" * 999, next_attempt_at=NOW + 4 * MINUTE
        )
    assert due(store, minutes=3) == []
    (again,) = due(store, minutes=4)
    assert (again.id, again.attempts) == (found.id, 1)
    assert again.last_error == "503 " + "x" * 496


def test_who_dies_while_sending_leaves_it_to_be_sent(store: Store) -> None:
    enqueue(store)
    (found,) = due(store)
    with store.write() as connection:
        notifications.claim(connection, found, NOW + MINUTE)
    assert due(store) == []
    assert [again.id for again in due(store, minutes=1)] == [found.id]


def test_of_many_that_send_at_once_one_does(store: Store) -> None:
    enqueue(store)
    (found,) = due(store)
    barrier = Barrier(4)

    def claim(_: int) -> bool:
        barrier.wait()
        with store.write() as connection:
            return notifications.claim(connection, found, NOW + MINUTE)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(4))) == [False, False, False, True]


def test_a_payload_that_is_no_json_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"), store.write() as connection:
        notifications.enqueue(
            connection, KEY, MONDAY, AlertState.FIRING, {"value": float("nan")}, NOW
        )
