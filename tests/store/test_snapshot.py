"""All of one monitor, and nothing of another."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from driftwatch.config.settings import Exclusion
from driftwatch.store import (
    alerts,
    evaluations,
    exclusions,
    monitors,
    references,
    results,
    segments,
    snapshot,
    versions,
)
from driftwatch.store.engine import Store
from driftwatch.store.references import NewReference
from driftwatch.store.segments import SegmentRow
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.store.versions import VersionRow
from tests.store.samples import NOW, column_panes, hours, monitor_with_axes
from tests.store.test_alerts import FIRING, KEY
from tests.store.test_evaluations import evaluation
from tests.store.test_results import row

GERMANY = SegmentRow("country=DE", ("country",), ("DE",), 0)
OUTAGE = Exclusion(hours(0, 1), "outage")


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
        new = NewReference(column="c0", axis=axis, interval=hours(0, 24), counts=counts, rows=9)
        references.capture(connection, monitor_id, new, NOW)
        references.capture(connection, monitor_id, replace(new, segment="country=DE"), NOW)
        results.upsert(
            connection,
            [
                row(0),
                row(1),
                row(0, segment="country=DE"),
                row(1, monitor="other", feature="theirs"),
            ],
        )
        versions.note(connection, monitor_id, "v1", NOW, None, NOW)
        segments.freeze(connection, monitor_id, [GERMANY], NOW)
        exclusions.add(connection, "m", OUTAGE, NOW)
        passed = Exclusion(hours(2, 3), "over", "c0")
        exclusions.add(connection, "m", passed, NOW)
        exclusions.remove(connection, "m", exclusions.listed(connection, "m")[1].id, NOW)
        alerts.save(connection, KEY, FIRING, expected_version=0)
        alerts.save(connection, replace(KEY, monitor="other"), FIRING, expected_version=0)
        evaluations.record(connection, evaluation(0))
        evaluations.record(connection, evaluation(5, outcome="timeout"))
    found = read(store, "m")
    assert (found.watermark, found.scanned_from) == (NOW, NOW - timedelta(1))
    assert [(one.row.segment, one.row.window_end) for one in found.results] == [
        ("", row(1).window_end),
        ("country=DE", row(0).window_end),
    ]
    assert [(one.key, one.status) for one in found.alerts] == [(KEY, FIRING)]
    assert [(name, one.segment) for name, one in found.references.items()] == [("c0", "")]
    assert found.versions == (VersionRow("v1", NOW, None),)
    assert (found.segments, found.exclusions) == ((GERMANY,), (OUTAGE,))
    assert found.last_evaluation == evaluation(5, outcome="timeout")
    assert found.last_success == evaluation(0).finished_at
    other = read(store, "other")
    assert [one.row.feature for one in other.results] == ["theirs"]
    assert (other.versions, other.segments, other.exclusions) == ((), (), ())


def test_a_monitor_that_was_never_evaluated_is_empty(store: Store) -> None:
    assert read(store, "m") == MonitorSnapshot("m", None, None, (), (), {}, None, None)


def test_a_monitor_that_always_failed_shows_how(store: Store) -> None:
    failed = evaluation(0, outcome="source_error", message="unreachable")
    with store.write() as connection:
        evaluations.record(connection, failed)
    found = read(store, "m")
    assert (found.last_evaluation, found.last_success) == (failed, None)
