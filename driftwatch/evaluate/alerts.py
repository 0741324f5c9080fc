"""From results to alert states, events and notifications, inside the evaluation's transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.alert.policy import AlertKind, Severity
from driftwatch.alert.state import (
    AlertKey,
    AlertStatus,
    Observation,
    Transition,
    advance,
    transition,
)
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.judge import Judged
from driftwatch.store import alerts
from driftwatch.store.alerts import AlertEvent, AlertRecord
from driftwatch.store.results import ResultRow
from driftwatch.verdict.policy import VOLUME, Reason, Verdict

_SEVERITY = {Verdict.WARNING: Severity.WARNING, Verdict.CRITICAL: Severity.CRITICAL}


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that changed its state or severity, and the result that made it."""

    key: AlertKey
    transition: Transition
    row: ResultRow


def observations(judged: Judged) -> Iterator[tuple[AlertKey, Observation]]:
    """What one result says to its two alerts: the one on its values, the one on its absence."""
    row = judged.row
    kind = AlertKind.VOLUME if row.feature == VOLUME else AlertKind.DRIFT
    yield (
        _key(row, kind),
        Observation(
            window_end=row.window_end,
            severity=_SEVERITY.get(row.verdict),
            above_clear=judged.above_clear,
            judged=row.verdict.judged,
        ),
    )
    absent = _absence(judged)
    yield (
        _key(row, AlertKind.NO_DATA),
        Observation(
            window_end=row.window_end,
            severity=absent,
            above_clear=absent is not None,
            judged=row.reason is not Reason.NO_REFERENCE,
        ),
    )


def _absence(judged: Judged) -> Severity | None:
    """An empty window is told once, by the volume; a column that cannot be read, by itself."""
    row = judged.row
    if row.feature == VOLUME and row.reason is Reason.EMPTY_WINDOW and judged.expected:
        return Severity.CRITICAL
    return Severity.WARNING if row.verdict is Verdict.ERROR else None


def _key(row: ResultRow, kind: AlertKind) -> AlertKey:
    return AlertKey(row.monitor, row.feature, row.segment, row.window_seconds, kind)


def advance_alerts(
    connection: Connection, monitor: MonitorSettings, judged: Iterable[Judged], now: datetime
) -> list[Change]:
    """Move every alert of the monitor past these results (oldest first); returns what changed.

    ConflictError: another process moved one of them meanwhile.
    """
    stored = alerts.load(connection, monitor.name)
    status = {key: record.status for key, record in stored.items()}
    changes = []
    for one in judged:
        for key, observation in observations(one):
            was = status.get(key, AlertStatus())
            status[key] = advance(was, observation, monitor.alert)
            changed = transition(was, status[key])
            if changed is not None:
                changes.append(Change(key, changed, one.row))
    moved = []
    for key, after in status.items():
        record = stored.get(key, AlertRecord(key, AlertStatus()))
        if after != record.status:
            moved.append(replace(record, status=after))
    alerts.save_all(connection, moved)
    for change in changes:
        alerts.record_event(connection, _event(change), now)
    return changes


def _event(change: Change) -> AlertEvent:
    moved = change.transition
    return AlertEvent(
        key=change.key,
        window_end=moved.window_end,
        from_state=moved.from_state,
        to_state=moved.to_state,
        from_severity=moved.from_severity,
        to_severity=moved.to_severity,
        value=change.row.value,
        message=change.row.message,
    )
