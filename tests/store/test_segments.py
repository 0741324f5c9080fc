"""Lists of segments are frozen grouping by grouping, and come back exactly."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

from driftwatch.store import monitors, segments
from driftwatch.store.engine import Store
from driftwatch.store.segments import SegmentRow
from tests.store.samples import NOW, dump

COUNTRIES = [
    SegmentRow("country=DE", ("country",), ("DE",), 0),
    SegmentRow("country=AT", ("country",), ("AT",), 1),
    SegmentRow("country=(null)", ("country",), (None,), 2),
    SegmentRow("country=(other)", ("country",), None, 3),
]
PAIRS = [
    SegmentRow('country="Côte d\'Ivoire", a "b"=x', ("country", 'a "b"'), ("Côte d'Ivoire", "x"), 0)
]


def freeze(store: Store, *rows: SegmentRow, monitor: str = "m") -> list[SegmentRow]:
    with store.write() as connection:
        monitor_id = monitors.ensure(connection, monitor, NOW).id
        return segments.freeze(connection, monitor_id, rows, NOW)


def load(store: Store, monitor: str = "m") -> list[SegmentRow]:
    with store.read() as connection:
        found = monitors.find(connection, monitor)
        return segments.load(connection, found.id) if found else []


def test_segments_come_back_as_they_were_each_list_in_its_order(store: Store) -> None:
    assert freeze(store, *COUNTRIES[::-1], *PAIRS) == [*COUNTRIES, *PAIRS]
    freeze(store, replace(COUNTRIES[0]), monitor="other")
    assert load(store) == [*COUNTRIES, *PAIRS]
    assert load(store, "other") == COUNTRIES[:1]


def test_a_list_that_is_there_stays_and_another_is_added(store: Store) -> None:
    freeze(store, *COUNTRIES)
    late = SegmentRow("country=FR", ("country",), ("FR",), 0)
    assert freeze(store, late, *PAIRS) == [*COUNTRIES, *PAIRS]
    before = dump(store)
    assert freeze(store, *COUNTRIES[:2], late, *PAIRS) == [*COUNTRIES, *PAIRS]
    assert freeze(store) == [*COUNTRIES, *PAIRS]
    assert dump(store) == before


def test_of_two_that_freeze_at_once_one_decides(store: Store) -> None:
    freeze(store)
    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            monitor_id = monitors.ensure(connection, "m", NOW).id
            segments.freeze(connection, monitor_id, COUNTRIES[:1], NOW)
            other = pool.submit(freeze, store, *COUNTRIES[1:])
            assert not wait([other], timeout=0.3).done
        assert other.result(timeout=30) == COUNTRIES[:1]
