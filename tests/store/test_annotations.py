"""What happened is noted once, and read in the order of time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from driftwatch.store import annotations, monitors
from driftwatch.store.annotations import AnnotationRow
from driftwatch.store.engine import Store
from driftwatch.store.schema import AnnotationKind
from tests.store.samples import MONDAY, NOW, dump

HOUR = timedelta(hours=1)
RELEASE = AnnotationRow("", AnnotationKind.NEW_VERSION, MONDAY, None, "version v2 after v1")
ACCEPTED = AnnotationRow(
    "price", AnnotationKind.ACCEPTED, MONDAY + HOUR, MONDAY + 3 * HOUR, "it's the new tariff"
)


@pytest.fixture(autouse=True)
def _monitors(store: Store) -> None:
    with store.write() as connection:
        monitors.ensure(connection, "m", NOW)
        monitors.ensure(connection, "other", NOW)


def note(store: Store, row: AnnotationRow, monitor: str = "m") -> bool:
    with store.write() as connection:
        return annotations.note(
            connection, monitor, row.feature, row.kind, row.start, row.end, row.message, NOW
        )


def of(store: Store, since: datetime = MONDAY) -> list[AnnotationRow]:
    with store.read() as connection:
        return annotations.of(connection, "m", since)


def test_annotations_come_back_in_the_order_of_time(store: Store) -> None:
    assert note(store, ACCEPTED)
    assert note(store, RELEASE)
    assert note(store, RELEASE, "other")
    assert of(store) == [RELEASE, ACCEPTED]


def test_the_same_is_noted_once_a_moment_as_well_as_a_range(store: Store) -> None:
    for row in (RELEASE, ACCEPTED):
        assert note(store, row)
    before = dump(store)
    for row in (RELEASE, ACCEPTED):
        assert not note(store, row)
    assert dump(store) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"feature": ""},
        {"kind": AnnotationKind.REFERENCE},
        {"start": MONDAY},
        {"end": MONDAY + 2 * HOUR},
        {"end": None},
        {"message": "another"},
    ],
)
def test_what_differs_is_another_one(store: Store, changes: dict[str, Any]) -> None:
    note(store, ACCEPTED)
    assert note(store, replace(ACCEPTED, **changes))
    assert len(of(store)) == 2


def test_what_ended_before_is_left_out(store: Store) -> None:
    note(store, RELEASE)
    note(store, ACCEPTED)
    assert of(store, MONDAY + timedelta(microseconds=1)) == [ACCEPTED]
    assert of(store, MONDAY + 3 * HOUR) == [ACCEPTED]
    assert of(store, MONDAY + 4 * HOUR) == []


def test_an_end_before_the_start_is_refused(store: Store) -> None:
    wrong = AnnotationRow("", AnnotationKind.REVISED, MONDAY, MONDAY - HOUR, "backwards")
    with pytest.raises(ValueError, match="ends after it starts"):
        note(store, wrong)


def test_those_of_one_kind_are_replaced_and_the_others_stay(store: Store) -> None:
    def put(*wanted: AnnotationRow) -> None:
        with store.write() as connection:
            annotations.replace(connection, "m", AnnotationKind.EXCLUDED, wanted, NOW)

    first, second, third = (
        AnnotationRow("", AnnotationKind.EXCLUDED, MONDAY + n * HOUR, MONDAY + 9 * HOUR, "fair")
        for n in range(3)
    )
    note(store, RELEASE)
    note(store, first, "other")
    put(first, second)
    ids = [row[0] for row in dump(store, "annotation")["annotation"]]
    put(second, third)
    assert of(store) == [RELEASE, second, third]
    rows = dump(store, "annotation")["annotation"]
    assert len(rows) == 4
    assert rows[-2][0] == ids[-1], "what stays is not written again"
    put()
    assert of(store) == [RELEASE]
    assert len(dump(store, "annotation")["annotation"]) == 2
