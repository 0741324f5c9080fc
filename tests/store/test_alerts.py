"""An alert is moved by one process alone, and each change is noted once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.alert.policy import AlertKind, AlertPolicy, AlertState, Severity
from driftwatch.alert.state import AlertKey, AlertStatus, Mark, Phase, Settled, advance
from driftwatch.errors import ConflictError
from driftwatch.store import alerts, monitors
from driftwatch.store.alerts import AlertEvent, AlertRecord
from driftwatch.store.engine import Store
from driftwatch.store.schema import alert
from tests.alert.windows import moment, observe, policies
from tests.store.samples import MONDAY, NOW, dump

KEY = AlertKey("m", "delay", "", 3600, AlertKind.DRIFT)
FIRING = AlertStatus(
    state=AlertState.FIRING,
    severity=Severity.CRITICAL,
    since=MONDAY,
    fired_at=MONDAY,
    window_end=MONDAY + timedelta(hours=4),
    marks=tuple(
        Mark(MONDAY + timedelta(hours=hour), MONDAY + timedelta(hours=hour + 1), grade)
        for hour, grade in enumerate("-wc")
    ),
    settled=Settled(
        Phase(AlertState.RESOLVED, None, MONDAY, MONDAY - timedelta(hours=3)),
        (Mark(MONDAY - timedelta(hours=2), MONDAY, "."),),
        MONDAY,
    ),
)
EVENT = AlertEvent(
    KEY, MONDAY, AlertState.PENDING, AlertState.FIRING, None, Severity.WARNING, 0.31, "delay moved"
)


@pytest.fixture(autouse=True)
def _monitor(store: Store) -> None:
    with store.write() as connection:
        monitors.ensure(connection, "m", NOW)
        monitors.ensure(connection, "other", NOW)


def load(store: Store) -> dict[AlertKey, AlertRecord]:
    with store.read() as connection:
        return alerts.load(connection, "m")


def save(store: Store, status: AlertStatus, expected: int, key: AlertKey = KEY) -> int:
    with store.write() as connection:
        return alerts.save(
            connection,
            key,
            status,
            expected_version=expected,
            notified_state=AlertState.FIRING,
            notified_severity=Severity.WARNING,
        )


def test_an_alert_comes_back_as_it_was(store: Store) -> None:
    assert save(store, FIRING, 0) == 1
    assert save(store, AlertStatus(), 0, replace(KEY, kind=AlertKind.NO_DATA)) == 1
    assert save(store, FIRING, 0, replace(KEY, monitor="other")) == 1
    found = load(store)
    assert found[KEY] == AlertRecord(KEY, FIRING, AlertState.FIRING, Severity.WARNING, 1)
    assert len(found) == 2
    assert found[replace(KEY, kind=AlertKind.NO_DATA)].status == AlertStatus()


@given(st.text("cw-.?x", max_size=12), policies, st.booleans())
def test_what_is_remembered_comes_back_from_its_text(
    windows: str, policy: AlertPolicy, again: bool
) -> None:
    status = AlertStatus()
    for day, window in enumerate(windows):
        status = advance(status, observe(day, window, days=1 + day % 3), policy)
    if windows and again:
        status = advance(status, observe(len(windows) - 1, "c"), policy)
    text = alerts.encode_marks(status)
    found = alerts.decode_marks(text, status.phase, status.window_end)
    assert found == (status.marks, status.settled)


def test_the_text_by_hand() -> None:
    assert alerts.encode_marks(FIRING) == (
        '{"windows":[["-","2026-11-16T00:00:00Z","2026-11-16T01:00:00Z"],'
        '["w","2026-11-16T01:00:00Z","2026-11-16T02:00:00Z"],'
        '["c","2026-11-16T02:00:00Z","2026-11-16T03:00:00Z"]],'
        '"settled":{"until":"2026-11-16T00:00:00Z","state":"resolved",'
        '"since":"2026-11-16T00:00:00Z","fired_at":"2026-11-15T21:00:00Z",'
        '"windows":[[".","2026-11-15T22:00:00Z","2026-11-16T00:00:00Z"]]}}'
    )
    assert alerts.encode_marks(AlertStatus()) == '{"windows":[],"settled":{"state":"inactive"}}'


@pytest.mark.parametrize(
    ("old", "state", "window", "expected"),
    [
        ("w.", AlertState.PENDING, "w", AlertState.FIRING),
        ("ww.", AlertState.FIRING, ".", AlertState.RESOLVED),
        ("ww-", AlertState.FIRING, ".", AlertState.FIRING),
        ("..", AlertState.INACTIVE, "w", AlertState.PENDING),
    ],
)
def test_alerts_of_an_older_release_go_on(
    store: Store, old: str, state: AlertState, window: str, expected: AlertState
) -> None:
    save(store, replace(FIRING, state=state), 0)
    with store.write() as connection:
        connection.execute(sa.update(alert).values(marks=old, window_end=moment(3)))
    status = load(store)[KEY].status
    assert status.state is state
    policy = AlertPolicy(2, 3)
    for day in range(3):
        assert advance(status, observe(day, "c"), policy) is status
    after = advance(status, observe(3, window), policy)
    assert after.state is expected
    save(store, after, 1)
    assert load(store)[KEY].status == after


def test_an_alert_of_an_older_release_that_saw_nothing(store: Store) -> None:
    save(store, AlertStatus(), 0)
    with store.write() as connection:
        connection.execute(sa.update(alert).values(marks=""))
    assert load(store)[KEY].status == AlertStatus()


def test_only_what_was_loaded_can_be_moved(store: Store) -> None:
    assert save(store, AlertStatus(), 0) == 1
    assert save(store, FIRING, 1) == 2
    for expected in (0, 1, 3):
        with pytest.raises(ConflictError, match="'delay', window 3600 s was moved by another"):
            save(store, AlertStatus(), expected)
    assert load(store)[KEY].status == FIRING
    assert load(store)[KEY].version == 2


def test_many_are_moved_together_or_not_at_all(store: Store) -> None:
    keys = [replace(KEY, feature=f"f{number}") for number in range(300)]
    with store.write() as connection:
        alerts.save_all(connection, [AlertRecord(key, FIRING) for key in keys[:200]])
        alerts.save_all(connection, [])
    stored = load(store)
    assert {record.version for record in stored.values()} == {1}
    moved = [replace(record, status=AlertStatus()) for record in stored.values()]
    fresh = [AlertRecord(key, FIRING, AlertState.FIRING) for key in keys[200:]]
    with store.write() as connection:
        alerts.save_all(connection, [*fresh, *moved])
    found = load(store)
    assert found[keys[0]] == AlertRecord(keys[0], AlertStatus(), version=2)
    assert found[keys[299]] == AlertRecord(keys[299], FIRING, AlertState.FIRING, version=1)
    assert len(found) == 300

    moved_meanwhile = [replace(found[keys[0]], version=1), *(found[key] for key in keys[1:])]
    new_meanwhile = [AlertRecord(keys[7], FIRING), AlertRecord(replace(KEY, feature="new"), FIRING)]
    for records in (moved_meanwhile, new_meanwhile):
        conflict = pytest.raises(ConflictError, match="alerts of monitor 'm' was moved by another")
        with conflict, store.write() as connection:
            alerts.save_all(connection, records)
        assert load(store) == found


@pytest.mark.parametrize("stored", [0, 1])
def test_of_two_that_move_it_at_once_one_does(store: Store, stored: int) -> None:
    if stored:
        save(store, AlertStatus(), 0)
    barrier = Barrier(4)

    def move(number: int) -> int | None:
        barrier.wait()
        try:
            save(store, replace(FIRING, fired_at=MONDAY + timedelta(hours=number)), stored)
        except ConflictError:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        winners = [number for number in pool.map(move, range(4)) if number is not None]
    assert len(winners) == 1
    assert load(store)[KEY].status.fired_at == MONDAY + timedelta(hours=winners[0])


def test_what_was_told_is_noted() -> None:
    record = AlertRecord(KEY, FIRING, version=3)
    told = record.told(AlertState.RESOLVED, None)
    assert told == replace(record, notified_state=AlertState.RESOLVED)


def test_a_change_is_noted_once(store: Store) -> None:
    with store.write() as connection:
        assert alerts.record_event(connection, EVENT, NOW)
        assert not alerts.record_event(connection, replace(EVENT, message="again"), NOW)
        resolved = replace(EVENT, to_state=AlertState.RESOLVED, window_end=NOW, value=0.01)
        assert alerts.record_event(connection, resolved, NOW)
        other = replace(EVENT, key=replace(KEY, monitor="other"))
        assert alerts.record_event(connection, other, NOW)
    with store.read() as connection:
        assert alerts.events(connection, "m", since=MONDAY) == [resolved, EVENT]
        assert alerts.events(connection, "m", since=MONDAY, limit=1) == [resolved]
        assert alerts.events(connection, "m", since=NOW + timedelta(seconds=1)) == []
    assert len(dump(store, "alert_event")["alert_event"]) == 3
