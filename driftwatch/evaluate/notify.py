"""What is put in the webhook's outbox: the final state, once the monitor has caught up."""

import math
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.alert.change import AlertChange, payload
from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.alert.state import AlertKey
from driftwatch.store import alerts, notifications, results
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.results import ResultRow
from driftwatch.verdict.policy import VOLUME


def enqueue_changes(connection: Connection, monitor: str, now: datetime) -> int:
    """Put every alert in the outbox whose firing differs from what was told last; returns how many.

    Told is: firing (with its severity), or no longer firing. What fired and ended during a
    catch-up is not told.
    """
    records = alerts.load(connection, monitor)
    untold = {key: record for key, record in records.items() if _differs(record)}
    if not untold:
        return 0
    latest = results.latest(connection, monitor)
    rows = {(one.row.feature, one.row.window_seconds): one.row for one in latest}
    for key, record in untold.items():
        change = _change(key, record, rows)
        notifications.enqueue(
            connection, key, change.window_end, change.state, payload(change), now
        )
        alerts.save(
            connection,
            key,
            record.status,
            expected_version=record.version,
            notified_state=change.state,
            notified_severity=change.severity,
        )
    return len(untold)


def _told(state: AlertState | None, severity: Severity | None) -> tuple[bool, Severity | None]:
    firing = state is AlertState.FIRING
    return firing, severity if firing else None


def _differs(record: AlertRecord) -> bool:
    now = _told(record.status.state, record.status.severity)
    return now != _told(record.notified_state, record.notified_severity)


def _change(
    key: AlertKey, record: AlertRecord, rows: Mapping[tuple[str, int], ResultRow]
) -> AlertChange:
    status = record.status
    firing = status.state is AlertState.FIRING
    row = rows.get((key.feature, key.window_seconds))
    assert status.window_end is not None, "an alert changes at a window"
    return AlertChange(
        monitor=key.monitor,
        feature=key.feature,
        segment=key.segment,
        window_seconds=key.window_seconds,
        kind=key.kind,
        # A resolved alert may be inactive again by the time the monitor has caught up.
        state=AlertState.FIRING if firing else AlertState.RESOLVED,
        severity=status.severity if firing else None,
        since=(status.fired_at if firing else status.since) or status.window_end,
        window_end=status.window_end,
        measure=_measure(key, row),
        value=math.nan if row is None else row.value,
        threshold=_threshold(row, status.severity),
        rows=0 if row is None else row.rows,
    )


def _measure(key: AlertKey, row: ResultRow | None) -> str:
    if key.kind is AlertKind.NO_DATA:
        return "rows"
    if key.feature == VOLUME or row is None or row.measure is None:
        return "volume"
    return row.measure.value


def _threshold(row: ResultRow | None, severity: Severity | None) -> float | None:
    if row is None or severity is None:
        return None
    limit = row.threshold_critical if severity is Severity.CRITICAL else row.threshold_warning
    return None if math.isnan(limit) else limit
