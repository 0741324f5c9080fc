"""From results to alert states, events and notifications, inside the evaluation's transaction."""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.alert.policy import AlertKind, AlertPolicy, AlertState, Severity
from driftwatch.alert.state import (
    AlertKey,
    AlertStatus,
    Observation,
    Transition,
    advance,
    reset,
    transition,
)
from driftwatch.config.settings import Exclusion, MonitorSettings
from driftwatch.evaluate.groups import VERSION_PREFIX
from driftwatch.evaluate.judged import Judged, Place
from driftwatch.evaluate.notify import differs, tell
from driftwatch.stats.segment import ALL_ROWS, OTHER, other_key
from driftwatch.store import alerts
from driftwatch.store.alerts import AlertEvent, AlertRecord
from driftwatch.verdict.policy import VOLUME, Reason, Verdict
from driftwatch.window import Interval

_SEVERITY = {Verdict.WARNING: Severity.WARNING, Verdict.CRITICAL: Severity.CRITICAL}
_AT_ONCE = AlertPolicy(k=1, of=1)
OF_A_REFERENCE = (AlertKind.DRIFT, AlertKind.VOLUME)
"""Kinds that another reference, or a change that was accepted, puts an end to."""
_OF_NO_COLUMN = (Reason.NO_REFERENCE, Reason.NOT_SCANNED)
"""Reasons that do not say whether the column can be counted."""
_VALUE = r'(?:"(?:[^"\\]|\\.)*"|[^",]+)'
"""A value in the key of a segment."""


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that changed its state or severity, and why. value: the measured one, NaN where no
    window made the change."""

    key: AlertKey
    transition: Transition
    message: str
    value: float = math.nan


def keeps(monitor: MonitorSettings, key: AlertKey) -> bool:
    """Whether the monitor, as it is configured, has this alert.

    A column that is not counted is told over the shortest windows alone. Segments have alerts only
    where they page; versions always have, and where a model has versions, all its predictions
    together have none.
    """
    if not monitor.watches(key.feature, key.window_seconds):
        return False
    if key.feature in monitor.grouped_by and key.kind is not AlertKind.COLUMN:
        return False
    volume = key.feature == VOLUME
    match key.kind:
        case AlertKind.COLUMN:
            shortest = key.window_seconds == min(monitor.window_seconds)
            return not volume and shortest and key.segment == ALL_ROWS
        case AlertKind.DRIFT:
            return not volume and _pages(monitor, key)
        case AlertKind.VOLUME | AlertKind.NO_DATA:
            return volume and _pages(monitor, key)


def advance_alerts(
    connection: Connection,
    monitor: MonitorSettings,
    judged: Iterable[Judged],
    now: datetime,
    *,
    due: Collection[Place],
) -> list[Change]:
    """Move every alert of the monitor past these results; returns what changed, oldest first.

    due: the results that have just become due. Any other is of a window that is judged again, and
    only corrects what an alert has looked at before: see `correct_alerts`.
    Windows that an alert has seen before correct what they said: of them only what all of them
    together lead to is a change.
    ConflictError: another process moved one of the alerts meanwhile.
    """
    return _advance(
        connection,
        monitor,
        judged,
        now,
        lambda status, one: one.place in due or _has_seen(status, one),
    )


def correct_alerts(
    connection: Connection, monitor: MonitorSettings, judged: Iterable[Judged], now: datetime
) -> list[Change]:
    """The same by what each alert has looked at before. What would be its first window, or a newer
    one than all that it has seen, is left out: the past is nothing new."""
    return _advance(connection, monitor, judged, now, _has_seen)


def begin_alerts(
    connection: Connection, monitor: MonitorSettings, judged: Iterable[Judged], now: datetime
) -> list[Change]:
    """The same by what each alert has not looked at yet."""
    return _advance(connection, monitor, judged, now, lambda *one: not _has_seen(*one))


def _has_seen(status: AlertStatus, judged: Judged) -> bool:
    return status.window_end is not None and judged.row.window_end <= status.window_end


def _advance(
    connection: Connection,
    monitor: MonitorSettings,
    judged: Iterable[Judged],
    now: datetime,
    counts: Callable[[AlertStatus, Judged], bool],
) -> list[Change]:
    stored = alerts.load(connection, monitor.name)
    statuses = {key: record.status for key, record in stored.items()}
    moved, changes = moved_by(monitor, statuses, judged, counts)
    alerts.save_all(
        connection,
        [
            replace(stored.get(key, AlertRecord(key, AlertStatus())), status=status)
            for key, status in moved.items()
        ],
    )
    _note(connection, changes, now)
    return changes


def moved_by(
    monitor: MonitorSettings,
    statuses: Mapping[AlertKey, AlertStatus],
    judged: Iterable[Judged],
    counts: Callable[[AlertStatus, Judged], bool] = lambda *_: True,
    kinds: Collection[AlertKind] = tuple(AlertKind),
) -> tuple[dict[AlertKey, AlertStatus], list[Change]]:
    """The statuses that differ past these results, and what changed, oldest first. Pure.

    counts: whether an alert looks at a result; kinds: alerts of these alone.
    """
    changes: list[Change] = []
    moved = {}
    for key, results in _by_alert(judged).items():
        before = statuses.get(key, AlertStatus())
        seen = [one for one in results if counts(before, one)]
        if not seen or key.kind not in kinds or not keeps(monitor, key):
            continue
        status, found = _moved(key, before, seen, _policy(monitor, key))
        changes += found
        if status != before:
            moved[key] = status
    changes.sort(key=lambda change: change.transition.window_end)
    return moved, changes


def reset_alerts(
    connection: Connection,
    monitor: str,
    features: Collection[str] | None,
    at: datetime,
    message: str,
    now: datetime,
    notify: bool,
    *,
    segment: str | None = None,
) -> list[Change]:
    """Let alerts on what windows say (drift and volume) start anew, as after a change on purpose.

    What fires is resolved and what is pending is inactive at `at` (event time), and windows that
    ended by then do not count any more. features, segment: None for all. message: why, in half a
    sentence. notify: whether the webhook hears at once of those that it was told of. Returns what
    changed. ConflictError: another process moved one of the alerts meanwhile.
    """
    chosen = [
        record
        for key, record in alerts.load(connection, monitor).items()
        if key.kind in OF_A_REFERENCE
        and (features is None or key.feature in features)
        and (segment is None or key.segment == segment)
    ]
    ended = [(record, reset(record.status, at)) for record in chosen]
    return _end(connection, ended, message, now, notify=notify)


def exclude_windows(
    connection: Connection,
    monitor: MonitorSettings,
    excluded: Exclusion,
    now: datetime,
    *,
    notify: bool,
) -> list[Change]:
    """Let windows that touch a range count no more, for the alerts of its feature or of all.

    Of the windows that an alert remembers, and of the newest one that it looked at; what fires
    only because of them, or of what came before them, is resolved. notify: whether the webhook
    hears at once of those that it was told of. Returns what changed. ConflictError: another process
    moved one of the alerts meanwhile.
    """
    moved = []
    for key, record in alerts.load(connection, monitor.name).items():
        if excluded.feature not in ("", key.feature):
            continue
        status, policy = record.status, _policy(monitor, key)
        for span in _remembered(monitor, record):
            if excluded.interval.start < span.end and span.start < excluded.interval.end:
                status = advance(
                    status,
                    Observation(span.start, span.end, None, False, judged=False, excluded=True),
                    policy,
                )
        if status != record.status:
            moved.append((record, status))
    return _end(connection, moved, f"excluded: {excluded.reason}", now, notify=notify)


def retire(
    connection: Connection, monitor: MonitorSettings, now: datetime, *, notify: bool
) -> list[Change]:
    """End the alerts of what is not configured any more; nobody else would. Returns what changed.

    notify: whether the webhook hears of those that it was told of.
    """
    ended = [
        (record, reset(record.status, record.status.window_end))
        for key, record in alerts.load(connection, monitor.name).items()
        if record.status.window_end is not None
        and (_goes_on(record.status) or (notify and differs(record)))
        and not keeps(monitor, key)
    ]
    return _end(connection, ended, "it is no longer configured", now, notify=notify)


def _policy(monitor: MonitorSettings, key: AlertKey) -> AlertPolicy:
    return _AT_ONCE if key.kind is AlertKind.COLUMN else monitor.alert


def _remembered(monitor: MonitorSettings, record: AlertRecord) -> list[Interval]:
    """The windows that an alert remembers, and the newest that it looked at, oldest first."""
    found = [Interval(mark.window_start, mark.window_end) for mark in record.status.marks]
    newest = record.status.window_end
    if newest is not None and all(one.end != newest for one in found):
        found.append(monitor.calendar.before(newest, record.key.window_seconds).interval)
    return found


def _by_alert(judged: Iterable[Judged]) -> dict[AlertKey, list[Judged]]:
    """The results by the alerts that hear of them, in their order."""
    found: dict[AlertKey, list[Judged]] = {}
    for one in judged:
        row = one.row
        values, absence = (
            (AlertKind.VOLUME, AlertKind.NO_DATA)
            if row.feature == VOLUME
            else (AlertKind.DRIFT, AlertKind.COLUMN)
        )
        for kind in (values, absence):
            key = AlertKey(row.monitor, row.feature, row.segment, row.window_seconds, kind)
            found.setdefault(key, []).append(one)
    return found


def _moved(
    key: AlertKey, status: AlertStatus, seen: Sequence[Judged], policy: AlertPolicy
) -> tuple[AlertStatus, list[Change]]:
    """The status past these results, and its changes."""
    seen = sorted(seen, key=lambda one: one.row.window_end)
    known = status.window_end
    old = [one for one in seen if known is not None and one.row.window_end <= known]
    changes = []
    for together in (old, *([one] for one in seen[len(old) :])):
        before = status
        for one in together:
            status = advance(status, _observation(key.kind, one), policy)
        changed = transition(before, status)
        if changed is not None:
            row = together[-1].row
            again = "judged again: " if together is old else ""
            changes.append(Change(key, changed, again + row.message, row.value))
    return status, changes


def _observation(kind: AlertKind, judged: Judged) -> Observation:
    """What a result says to an alert of this kind."""
    row = judged.row
    severity, above_clear, says = _said(kind, judged)
    return Observation(
        window_start=row.window_start,
        window_end=row.window_end,
        severity=severity,
        above_clear=above_clear,
        judged=says,
        excluded=bool(row.excluded),
        cap=judged.cap,
        plain=judged.plain,
    )


def _said(kind: AlertKind, judged: Judged) -> tuple[Severity | None, bool, bool]:
    """Severity, "above clear" and "judged" of one result. An empty window is told once, by the
    volume; a column that cannot be counted, by itself."""
    row = judged.row
    if kind is AlertKind.COLUMN:
        severity = Severity.WARNING if row.verdict is Verdict.ERROR else None
        return severity, severity is not None, row.reason not in _OF_NO_COLUMN
    if kind is AlertKind.NO_DATA:
        empty = row.reason is Reason.EMPTY_WINDOW and judged.expected
        return (
            Severity.CRITICAL if empty else None,
            empty,
            row.reason is not Reason.NO_REFERENCE,
        )
    return _SEVERITY.get(row.verdict), judged.above_clear, row.verdict.judged


def _end(
    connection: Connection,
    ended: Sequence[tuple[AlertRecord, AlertStatus]],
    message: str,
    now: datetime,
    *,
    notify: bool,
) -> list[Change]:
    """Give alerts of one monitor these statuses; note and tell what came of it."""
    changes, moved = [], []
    for record, after in ended:
        changed = transition(record.status, after)
        if changed is not None:
            changes.append(Change(record.key, changed, message))
        moved.append(replace(record, status=after))
    if notify:
        told = tell(connection, [one for one in moved if differs(one)], now, note=message)
        known = {one.key: one for one in told}
        moved = [known.get(one.key, one) for one in moved]
    alerts.save_all(connection, moved)
    _note(connection, changes, now)
    return changes


def _note(connection: Connection, changes: Iterable[Change], now: datetime) -> None:
    for change in changes:
        moved = change.transition
        event = AlertEvent(
            key=change.key,
            window_end=moved.window_end,
            from_state=moved.from_state,
            to_state=moved.to_state,
            from_severity=moved.from_severity,
            to_severity=moved.to_severity,
            value=change.value,
            message=change.message,
        )
        alerts.record_event(connection, event, now)


def _goes_on(status: AlertStatus) -> bool:
    return status.state in (AlertState.PENDING, AlertState.FIRING)


def _pages(monitor: MonitorSettings, key: AlertKey) -> bool:
    """Whether anybody is to be told of this segment."""
    by_version = monitor.version is not None and any(
        feature.prediction for feature in monitor.features if feature.name == key.feature
    )
    if key.segment == ALL_ROWS:
        return not (by_version and key.kind is AlertKind.DRIFT)
    if by_version and key.segment.startswith(VERSION_PREFIX):
        return True
    segments = monitor.segments
    if segments is None or not segments.page or key.window_seconds not in segments.window_seconds:
        return False
    return any(_is_of(key.segment, group.columns) for group in segments.groups)


def _is_of(segment: str, columns: Sequence[str]) -> bool:
    """Whether the key is one of this group's.

    >>> _is_of('country="a, b", device=ios', ("country", "device")), _is_of("country=DE", ("d",))
    (True, False)
    """
    pattern = re.escape(other_key(columns)).replace(re.escape(OTHER), _VALUE)
    return re.fullmatch(pattern, segment) is not None
