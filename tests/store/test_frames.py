"""Frames hold what is stored, with the types that pandas wants, also when they are empty."""

from collections.abc import Callable

import pandas as pd
import pytest

from driftwatch.store import alerts
from driftwatch.store.engine import Store
from driftwatch.store.frames import bins_frame, events_frame, results_frame
from driftwatch.store.schema import result
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
