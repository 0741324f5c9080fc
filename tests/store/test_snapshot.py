"""All of one monitor, and nothing of another."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from driftwatch.store import alerts, evaluations, monitors, references, results, snapshot
from driftwatch.store.engine import Store
from driftwatch.store.snapshot import MonitorSnapshot
from tests.store.samples import NOW, column_panes, hours, monitor_with_axes
from tests.store.test_alerts import FIRING, KEY
from tests.store.test_evaluations import evaluation
from tests.store.test_results import row


def read(store: Store, monitor: str) -> MonitorSnapshot:
    with store.read() as connection:
        return snapshot.read(connection, monitor)


def test_a_monitor_is_shown_with_all_that_is_known(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    counts = column_panes(np.random.default_rng(0), np.array([9]), 4)
    with store.write() as connection:
        monitors.ensure(connection, "other", NOW)
        monitors.advance(
            connection, monitor_id, expected=None, watermark=NOW, scanned_from=NOW - timedelta(1)
        )
        axis = axes_of["c0"]
        references.capture(connection, monitor_id, "c0", axis, hours(0, 24), counts, 9, NOW)
        results.upsert(connection, [row(0), row(1), row(1, monitor="other", feature="theirs")])
        alerts.save(connection, KEY, FIRING, expected_version=0)
        alerts.save(connection, replace(KEY, monitor="other"), FIRING, expected_version=0)
        evaluations.record(connection, evaluation(0))
        evaluations.record(connection, evaluation(5, outcome="timeout"))
    found = read(store, "m")
    assert (found.watermark, found.scanned_from) == (NOW, NOW - timedelta(1))
    assert [one.row.window_end for one in found.results] == [row(1).window_end]
    assert [(one.key, one.status) for one in found.alerts] == [(KEY, FIRING)]
    assert set(found.references) == {"c0"}
    assert found.last_evaluation == evaluation(5, outcome="timeout")
    assert found.last_success == evaluation(0).finished_at
    assert [one.row.feature for one in read(store, "other").results] == ["theirs"]


def test_a_monitor_that_was_never_evaluated_is_empty(store: Store) -> None:
    assert read(store, "m") == MonitorSnapshot("m", None, None, (), (), {}, None, None)


def test_a_monitor_that_always_failed_shows_how(store: Store) -> None:
    failed = evaluation(0, outcome="source_error", message="unreachable")
    with store.write() as connection:
        evaluations.record(connection, failed)
    found = read(store, "m")
    assert (found.last_evaluation, found.last_success) == (failed, None)
