"""From the store's latest results to what `/metrics` shows of one monitor."""

import math
from collections.abc import Callable
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


class Publisher:
    """Makes one monitor's blocks of samples from what is stored and configured now.

    Values are shown until `fresh_for` after the last success was heard of, one's own or that of
    another process on the same store, or after the start of the daemon, so that a restart shows
    them before its first evaluation. An evaluation that found nothing to do is a success, too,
    though the store has no row of it.

    steady_now: process time that no setting of the wall clock moves.
    """

    def __init__(
        self,
        store: Store,
        monitor: MonitorSettings,
        *,
        fresh_for: timedelta,
        steady_now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._monitor = monitor
        self._fresh_for = fresh_for
        self._steady_now = steady_now
        self._heard = steady_now()
        self._stored: datetime | None = None

    def succeeded(self) -> None:
        """An evaluation of this monitor ended well just now."""
        self._heard = self._steady_now()

    def publish(self) -> MonitorBlocks:
        """The blocks as they are now. StoreError: the store cannot be read."""
        with self._store.read() as connection:
            found = snapshot.read(connection, self._monitor.name)
        if found.last_success != self._stored:
            self._stored = found.last_success
            self._heard = self._steady_now()
        return render(reading(found, self._monitor, expires_at=self._heard + self._fresh_for))


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
