"""A version of a model is noted once, and handed over once."""

from datetime import timedelta

from driftwatch.store import monitors, versions
from driftwatch.store.engine import Store
from driftwatch.store.versions import VersionRow
from tests.store.samples import MONDAY, NOW, dump

DAY = timedelta(days=1)


def note(
    store: Store,
    version: str,
    day: int,
    predecessor: str | None = None,
    *,
    monitor: str = "m",
) -> bool:
    with store.write() as connection:
        monitor_id = monitors.ensure(connection, monitor, NOW).id
        return versions.note(connection, monitor_id, version, MONDAY + day * DAY, predecessor, NOW)


def hand_over(store: Store, version: str, day: int) -> bool:
    with store.write() as connection:
        return versions.hand_over(connection, 1, version, MONDAY + day * DAY)


def load(store: Store) -> list[VersionRow]:
    with store.read() as connection:
        return versions.load(connection, 1)


def test_versions_are_in_the_order_in_which_they_were_seen(store: Store) -> None:
    assert note(store, "v2", 5, "v10")
    assert note(store, "v10", 0)
    assert note(store, "b", 5, "v10")
    assert note(store, "v2", 1, monitor="other")
    assert load(store) == [
        VersionRow("v10", MONDAY, None),
        VersionRow("b", MONDAY + 5 * DAY, "v10"),
        VersionRow("v2", MONDAY + 5 * DAY, "v10"),
    ]


def test_what_was_noted_first_stays(store: Store) -> None:
    note(store, "v1", 3)
    before = dump(store)
    assert not note(store, "v1", 0, "v0")
    assert dump(store) == before


def test_a_version_is_handed_over_once(store: Store) -> None:
    note(store, "v1", 0)
    note(store, "v2", 0, "v1")
    assert hand_over(store, "v2", 7)
    assert not hand_over(store, "v2", 8)
    assert not hand_over(store, "v3", 8)
    assert [one.handed_over_at for one in load(store)] == [None, MONDAY + 7 * DAY]


def test_a_version_that_is_still_looked_for_comes_after_every_other() -> None:
    last = VersionRow("v9", NOW, None)
    assert VersionRow.unseen("v10").first_seen > last.first_seen
