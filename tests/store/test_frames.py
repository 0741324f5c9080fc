"""Frames hold what is stored, with the types that pandas wants, also when they are empty."""

from collections.abc import Callable

import pandas as pd
import pytest

from driftwatch.store import alerts, annotations
from driftwatch.store.engine import Store
from driftwatch.store.frames import annotations_frame, bins_frame, events_frame, results_frame
from driftwatch.store.schema import AnnotationKind, annotation, result
from driftwatch.verdict.policy import Verdict
from tests.store.samples import MONDAY, NOW
from tests.store.test_alerts import EVENT
from tests.store.test_results import HOUR, bins, row, upsert

FRAMES: list[Callable[[Store], pd.DataFrame]] = [
    results_frame,
    events_frame,
    lambda store: bins_frame(store, monitor="m"),
]


def test_results_as_a_frame(store: Store) -> None:
    upsert(store, row(1, js=0.5, verdict=Verdict.WARNING), row(0), row(0, feature="other"))
    frame = results_frame(store, monitor="m", feature="delay", window_seconds=3600)
    assert list(frame.columns) == [column.name for column in result.columns]
    assert frame["js"].tolist() == [0.01, 0.5]
    assert frame["rows"].sum() == 200
    assert frame["verdict"].tolist() == ["ok", "warning"]
    assert frame["window_end"].tolist() == [
        pd.Timestamp(MONDAY + HOUR), pd.Timestamp(MONDAY + 2 * HOUR)
    ]  # fmt: skip
    assert frame["entropy"].isna().all()
    assert len(results_frame(store)) == 3
    assert len(results_frame(store, since=MONDAY + HOUR)) == 1


@pytest.mark.parametrize("frame_of", FRAMES)
def test_types_do_not_depend_on_the_rows(
    store: Store, frame_of: Callable[[Store], pd.DataFrame]
) -> None:
    empty = frame_of(store)
    upsert(store, row(0, verdict=Verdict.WARNING), pictures=bins())
    with store.write() as connection:
        alerts.record_event(connection, EVENT, NOW)
    full = frame_of(store)
    assert (len(empty), empty.dtypes.to_dict()) == (0, full.dtypes.to_dict())
    assert len(full) > 0
    assert str(full["window_end"].dtype) == "datetime64[us, UTC]"
    assert str(full["window_seconds"].dtype) == "Int64"


def test_bins_as_a_frame(store: Store) -> None:
    upsert(store, row(0), row(1), row(1, feature="other"), pictures=bins())
    frame = bins_frame(store, monitor="m", feature="delay")
    assert frame["label"].tolist() == ["(-inf, 0)", "missing"]
    assert frame["js_contribution"].isna().tolist() == [False, True]
    assert len(bins_frame(store, monitor="m")) == 4


def test_frames_are_of_all_rows_unless_segments_are_asked_for(store: Store) -> None:
    upsert(store, row(0), row(0, segment="carrier=UA", rows=7), pictures=bins())
    for frame_of in (results_frame, bins_frame):
        found = {
            segment: set(frame_of(store, monitor="m", segment=segment)["segment"])
            for segment in ("", "carrier=UA", None)
        }
        assert found == {"": {""}, "carrier=UA": {"carrier=UA"}, None: {"", "carrier=UA"}}
        assert set(frame_of(store, monitor="m")["segment"]) == {""}


def test_annotations_as_a_frame(store: Store) -> None:
    assert len(annotations_frame(store)) == 0
    upsert(store, row(0))
    with store.write() as connection:
        for start in (MONDAY + 2 * HOUR, MONDAY):
            annotations.note(
                connection, "m", "", AnnotationKind.NEW_VERSION, start, None, "v2", NOW
            )
    frame = annotations_frame(store, monitor="m")
    assert list(frame.columns) == [column.name for column in annotation.columns]
    assert frame["range_start"].tolist() == [pd.Timestamp(MONDAY), pd.Timestamp(MONDAY + 2 * HOUR)]
    assert frame["range_end"].tolist() == frame["range_start"].tolist()
    assert frame["kind"].tolist() == ["new_version"] * 2
    assert len(annotations_frame(store, since=MONDAY)) == 1
    assert len(annotations_frame(store, monitor="other")) == 0
