"""From the store's latest results to what `/metrics` shows of one monitor."""

import math
from datetime import datetime, timedelta

from driftwatch.alert.policy import Severity
from driftwatch.config.settings import MonitorSettings
from driftwatch.exposition.reading import (
    AlertReading,
    FeatureReading,
    MonitorReading,
    ReferenceReading,
)
from driftwatch.exposition.render import MonitorBlocks, render
from driftwatch.store import evaluations, snapshot
from driftwatch.store.engine import Store
from driftwatch.store.results import ResultRow
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.verdict.policy import VOLUME


def publish(
    store: Store, monitor: MonitorSettings, started_at: datetime, fresh_for: timedelta
) -> MonitorBlocks:
    """The monitor's blocks of samples, from what is stored and configured now.

    Values are shown until `fresh_for` after the last success, or after the start of the daemon, so
    that a restart shows them before its first evaluation.
    """
    with store.read() as connection:
        found = snapshot.read(connection, monitor.name)
    success = max(found.last_success or started_at, started_at)
    return render(reading(found, monitor, expires_at=success + fresh_for))


def last_times(store: Store, monitor: str) -> tuple[datetime | None, datetime | None]:
    """When an evaluation of this monitor last succeeded, and when one last ended."""
    with store.read() as connection:
        success = evaluations.last_success(connection, monitor)
        last = evaluations.last(connection, monitor)
    return (
        None if success is None else success.finished_at,
        None if last is None else last.finished_at,
    )


def reading(
    found: MonitorSnapshot, monitor: MonitorSettings, *, expires_at: datetime | None
) -> MonitorReading:
    """What is exposed of a snapshot: only features and windows that are configured now."""
    return MonitorReading(
        monitor=monitor.name,
        source=monitor.source,
        features=tuple(
            _feature(one.row, monitor)
            for one in found.results
            if monitor.watches(one.row.feature, one.row.window_seconds)
        ),
        alerts=tuple(
            AlertReading(
                feature=one.key.feature,
                window_seconds=one.key.window_seconds,
                kind=one.key.kind,
                state=one.status.state,
                severity=one.status.severity,
            )
            for one in found.alerts
            if monitor.watches(one.key.feature, one.key.window_seconds)
        ),
        references=tuple(
            ReferenceReading(feature=name, created_at=one.created_at, rows=one.rows)
            for name, one in found.references.items()
            if name == VOLUME or monitor.watches(name, monitor.window_seconds[0])
        ),
        watermark=found.watermark,
        expires_at=expires_at,
    )


def _feature(row: ResultRow, monitor: MonitorSettings) -> FeatureReading:
    volume = row.feature == VOLUME
    return FeatureReading(
        feature=row.feature,
        window_seconds=row.window_seconds,
        window_start=row.window_start,
        window_end=row.window_end,
        verdict=row.verdict,
        reason=row.reason,
        rows=row.rows,
        measure="volume" if volume or row.measure is None else row.measure.value,
        value=row.value,
        thresholds=_limits(row, monitor),
        js=row.js,
        js_distance=row.js_distance,
        js_noise=row.js_noise,
        kl=row.kl,
        missing_ratio=_share(row.missing_rows, row.rows, counted=row.axis_version is not None),
        unseen_ratio=_share(row.unseen_rows, row.rows, counted=row.axis_version is not None),
    )


def _limits(row: ResultRow, monitor: MonitorSettings) -> dict[Severity, float]:
    """The limits that hold now: of the volume from the configuration, of a feature its result's."""
    if row.feature == VOLUME:
        found = {
            Severity.WARNING: monitor.volume.warning,
            Severity.CRITICAL: monitor.volume.critical,
        }
        return {severity: limit for severity, limit in found.items() if limit is not None}
    stored = {Severity.WARNING: row.threshold_warning, Severity.CRITICAL: row.threshold_critical}
    return {severity: limit for severity, limit in stored.items() if not math.isnan(limit)}


def _share(part: int, rows: int, *, counted: bool) -> float:
    return part / rows if rows and counted else math.nan
