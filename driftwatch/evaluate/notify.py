"""What is put in the webhook's outbox: the final state, once the monitor has caught up."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.alert.change import AlertChange, payload
from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.alert.state import AlertKey
from driftwatch.evaluate import sentence
from driftwatch.store import alerts, notifications, results
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.results import ResultRow
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval

Rows = Mapping[tuple[str, str, int], ResultRow]
"""The newest results by feature, segment and length of the windows."""


def enqueue_changes(connection: Connection, monitor: str, now: datetime) -> int:
    """Put every alert in the outbox whose firing differs from what was told last; returns how many.

    Told is: firing (with its severity), or no longer firing. What fired and ended during a
    catch-up is not told. A change that was told of the same window before is told with the next
    one: its keys would say that it was sent twice.
    """
    records = alerts.load(connection, monitor).values()
    untold = [record for record in records if differs(record)]
    told = tell(connection, untold, now)
    alerts.save_all(connection, told)
    return len(told)


def differs(record: AlertRecord) -> bool:
    """Whether what was told last of an alert is no longer so."""
    now = _told(record.status.state, record.status.severity)
    return now != _told(record.notified_state, record.notified_severity)


def tell(
    connection: Connection, records: Sequence[AlertRecord], now: datetime, *, note: str = ""
) -> list[AlertRecord]:
    """Put these alerts of one monitor in the outbox as they are. note: why they ended, if no window
    ended them.

    Returns those that were new there, with what was told of them; they are still to be saved.
    """
    if not records:
        return []
    latest = results.latest(connection, records[0].key.monitor)
    rows = {(one.row.feature, one.row.segment, one.row.window_seconds): one.row for one in latest}
    told = []
    for record in records:
        change = _change(record, rows, note)
        if notifications.enqueue(
            connection, record.key, change.window_end, change.state, payload(change), now
        ):
            told.append(record.told(change.state, change.severity))
    return told


def _told(state: AlertState | None, severity: Severity | None) -> tuple[bool, Severity | None]:
    firing = state is AlertState.FIRING
    return firing, severity if firing else None


def _change(record: AlertRecord, rows: Rows, note: str) -> AlertChange:
    key, status = record.key, record.status
    firing = status.state is AlertState.FIRING
    row = rows.get((key.feature, key.segment, key.window_seconds))
    assert status.window_end is not None, "an alert changes at a window"
    of_values = key.kind in (AlertKind.DRIFT, AlertKind.VOLUME)
    why = row if firing and of_values else None
    return AlertChange(
        monitor=key.monitor,
        feature=key.feature,
        segment=key.segment,
        window_seconds=key.window_seconds,
        kind=key.kind,
        # A resolved alert may be inactive again by the time the monitor has caught up.
        state=AlertState.FIRING if firing else AlertState.RESOLVED,
        severity=status.severity if firing else None,
        since=status.since or status.window_end,
        window_end=status.window_end,
        measure=_measure(key, row),
        value=row.value if row is not None and row.verdict.judged else math.nan,
        threshold=_threshold(row, status.severity),
        rows=0 if row is None else row.rows,
        reason="" if row is None else row.reason.value,
        widened=_widened(row),
        note=note or _excluded(row, firing=firing),
        change=why.change.value if why and why.change else "",
        next_step=why.next_step.value if why and why.next_step else "",
        explanation=why.explanation if why else "",
    )


def _measure(key: AlertKey, row: ResultRow | None) -> str:
    if key.kind in (AlertKind.NO_DATA, AlertKind.COLUMN):
        return "rows"
    if key.feature == VOLUME or row is None or row.measure is None:
        return "volume"
    return row.measure.value


def _threshold(row: ResultRow | None, severity: Severity | None) -> float | None:
    if row is None or severity is None:
        return None
    limit = row.threshold_critical if severity is Severity.CRITICAL else row.threshold_warning
    return None if math.isnan(limit) else limit


def _widened(row: ResultRow | None) -> str:
    """A window is widened by whole windows; a change of the clock makes it longer by less."""
    if row is None:
        return ""
    span = Interval(row.window_start, row.window_end)
    return sentence.widened(span) if 2 * span.seconds > 3 * row.window_seconds else ""


def _excluded(row: ResultRow | None, *, firing: bool) -> str:
    return f"excluded: {row.excluded}" if row is not None and row.excluded and not firing else ""
