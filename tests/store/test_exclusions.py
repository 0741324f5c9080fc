"""Exclusions follow the configuration and commands, and annotations follow the exclusions."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.config.settings import Exclusion
from driftwatch.errors import StoreError
from driftwatch.store import annotations, exclusions, monitors
from driftwatch.store.engine import Store
from driftwatch.store.exclusions import ExclusionRow
from driftwatch.store.schema import AnnotationKind, ExclusionOrigin, annotation, exclusion
from tests.store.samples import MONDAY, NOW, dump, hours

LATER = NOW + timedelta(hours=1)
FRIDAY = Exclusion(hours(0, 5), "black friday")
FAIR = Exclusion(hours(3, 9), "trade fair", "price")


def sync(store: Store, *configured: Exclusion, at: object = NOW, monitor: str = "m") -> bool:
    with store.write() as connection:
        return exclusions.sync_config(connection, monitor, configured, at)  # type: ignore[arg-type]  # a moment


def add(store: Store, new: Exclusion, monitor: str = "m") -> bool:
    with store.write() as connection:
        return exclusions.add(connection, monitor, new, NOW)


def remove(store: Store, exclusion_id: int, monitor: str = "m") -> bool:
    with store.write() as connection:
        return exclusions.remove(connection, monitor, exclusion_id, LATER)


def active(store: Store, monitor: str = "m") -> tuple[Exclusion, ...]:
    with store.read() as connection:
        return exclusions.active(connection, monitor)


def listed(store: Store) -> list[ExclusionRow]:
    with store.read() as connection:
        return exclusions.listed(connection, "m")


def drawn(store: Store) -> list[tuple[str, str]]:
    """Feature and message of the annotations of the monitor's exclusions."""
    with store.read() as connection:
        found = annotations.of(connection, "m", MONDAY)
    return [(one.feature, one.message) for one in found if one.kind is AnnotationKind.EXCLUDED]


def test_the_configured_ones_are_in_force_and_drawn(store: Store) -> None:
    assert sync(store, FAIR, FRIDAY)
    assert active(store) == (FRIDAY, FAIR)
    assert [(one.origin, one.created_at, one.removed_at) for one in listed(store)] == [
        (ExclusionOrigin.CONFIG, NOW, None)
    ] * 2
    with store.read() as connection:
        found = annotations.of(connection, "m", MONDAY)
    assert [(one.start, one.end) for one in found] == [
        (FRIDAY.interval.start, FRIDAY.interval.end),
        (FAIR.interval.start, FAIR.interval.end),
    ]
    assert drawn(store) == [("", "black friday"), ("price", "trade fair")]


def test_the_same_configuration_writes_nothing(store: Store) -> None:
    sync(store, FRIDAY, FAIR)
    before = dump(store)
    statements: list[str] = []

    def note(*execution: object) -> None:
        statements.append(str(execution[2]))

    sa.event.listen(store._engine, "before_cursor_execute", note)
    try:
        assert not sync(store, FAIR, FRIDAY, FRIDAY, at=LATER)
        assert not sync(store, monitor="never seen")
    finally:
        sa.event.remove(store._engine, "before_cursor_execute", note)
    written = [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert len(statements) >= 2
    assert written == []
    assert dump(store) == before


def test_what_is_not_configured_any_more_is_taken_back_and_leaves_a_trace(store: Store) -> None:
    sync(store, FRIDAY, FAIR)
    assert sync(store, FAIR, at=LATER)
    assert active(store) == (FAIR,)
    assert [(one.exclusion, one.removed_at) for one in listed(store)] == [
        (FRIDAY, LATER),
        (FAIR, None),
    ]
    assert drawn(store) == [("price", "trade fair")]


def test_what_is_configured_again_is_in_force_again(store: Store) -> None:
    sync(store, FRIDAY)
    sync(store, at=LATER)
    assert active(store) == ()
    assert sync(store, FRIDAY, at=LATER)
    (only,) = listed(store)
    assert (only.created_at, only.removed_at) == (NOW, None)
    assert drawn(store) == [("", "black friday")]


def test_another_reason_is_the_same_exclusion(store: Store) -> None:
    sync(store, FRIDAY)
    renamed = Exclusion(FRIDAY.interval, "black week")
    assert sync(store, renamed, at=LATER)
    assert active(store) == (renamed,)
    assert len(dump(store, "exclusion")["exclusion"]) == 1
    assert drawn(store) == [("", "black week")]


def test_commands_add_and_take_back_by_id(store: Store) -> None:
    assert add(store, FRIDAY)
    assert not add(store, FRIDAY)
    assert add(store, FAIR)
    assert active(store) == (FRIDAY, FAIR)
    number = listed(store)[0].id
    assert remove(store, number)
    assert not remove(store, number)
    assert active(store) == (FAIR,)
    assert listed(store)[0].removed_at == LATER
    assert drawn(store) == [("price", "trade fair")]
    assert add(store, FRIDAY)
    assert listed(store)[0].id == number
    assert active(store) == (FRIDAY, FAIR)


def test_a_command_may_give_another_reason(store: Store) -> None:
    add(store, FRIDAY)
    assert add(store, Exclusion(FRIDAY.interval, "black week"))
    assert drawn(store) == [("", "black week")]
    assert len(listed(store)) == 1


def test_the_configuration_leaves_those_of_commands_alone(store: Store) -> None:
    add(store, FRIDAY)
    sync(store, FAIR)
    sync(store)
    assert active(store) == (FRIDAY,)


def test_what_both_excluded_is_drawn_until_both_took_it_back(store: Store) -> None:
    sync(store, FRIDAY)
    add(store, FRIDAY)
    assert active(store) == (FRIDAY, FRIDAY)
    assert drawn(store) == [("", "black friday")]
    sync(store)
    assert drawn(store) == [("", "black friday")]
    (by_command,) = (one for one in listed(store) if one.origin is ExclusionOrigin.COMMAND)
    remove(store, by_command.id)
    assert drawn(store) == []


def test_exclusions_of_another_monitor_are_its_own(store: Store) -> None:
    sync(store, FRIDAY)
    sync(store, FAIR, monitor="other")
    sync(store, monitor="other")
    add(store, FAIR, "other")
    assert active(store) == (FRIDAY,)
    assert active(store, "other") == (FAIR,)
    assert active(store, "nobody") == ()


def test_what_cannot_be_taken_back_is_refused(store: Store) -> None:
    sync(store, FRIDAY)
    add(store, FAIR)
    configured, by_command = (one.id for one in listed(store))
    before = dump(store)
    with pytest.raises(StoreError, match=r"exclusion \d+ of monitor 'm' is configured; take it"):
        remove(store, configured)
    with pytest.raises(StoreError, match=rf"has no exclusion 999; there are: {by_command}$"):
        remove(store, 999)
    with pytest.raises(StoreError, match=r"'other' has no exclusion .*there are: none"):
        remove(store, by_command, "other")
    assert dump(store) == before


def test_two_that_sync_at_once_do_it_once(store: Store) -> None:
    sync(store, FRIDAY)
    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            exclusions.sync_config(connection, "m", [FAIR], LATER)
            other = pool.submit(sync, store, FAIR, at=LATER + timedelta(hours=1))
            assert not wait([other], timeout=0.3).done
        other.result(timeout=30)
    assert [one.removed_at for one in listed(store)] == [LATER, None]
    assert drawn(store) == [("price", "trade fair")]


MANY = st.lists(
    st.builds(
        lambda start, length, reason, feature: Exclusion(
            hours(start, start + length), reason, feature
        ),
        st.integers(0, 2),
        st.integers(1, 2),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "price"]),
    ),
    max_size=4,
    unique_by=lambda one: (one.interval, one.feature),
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(MANY, min_size=1, max_size=4))
def test_whatever_was_configured_before_the_newest_is_in_force(
    store: Store, configurations: Sequence[Sequence[Exclusion]]
) -> None:
    """And its annotations are those of what is in force."""
    with store.write() as connection:
        connection.execute(sa.delete(annotation))
        connection.execute(sa.delete(exclusion))
        monitors.ensure(connection, "m", NOW)
    for configured in configurations:
        sync(store, *configured)
        assert not sync(store, *configured)
    newest = configurations[-1]
    assert set(active(store)) == set(newest)
    assert sorted(drawn(store)) == sorted((one.feature, one.reason) for one in newest)
