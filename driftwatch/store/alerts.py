"""Alert states, moved by compare-and-set: two processes never both move one. And their events."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import nan
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.alert.policy import AlertState, Severity
from driftwatch.alert.state import AlertKey, AlertStatus, Mark, Phase, Settled
from driftwatch.errors import ConflictError
from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import ALERT_KEY, alert, alert_event


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert as it is stored. notified_...: what was last handed to the outbox.

    version: to be given back to `save` as `expected_version`; 0 for an alert that is not stored.
    """

    key: AlertKey
    status: AlertStatus
    notified_state: AlertState | None = None
    notified_severity: Severity | None = None
    version: int = 0

    def told(self, state: AlertState, severity: Severity | None) -> "AlertRecord":
        """The same alert after this was handed to the outbox."""
        return replace(self, notified_state=state, notified_severity=severity)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A change of an alert, when its newest window ended at `window_end`. value: the measured one,
    NaN where no window made the change; message: what did."""

    key: AlertKey
    window_end: datetime
    from_state: AlertState
    to_state: AlertState
    from_severity: Severity | None
    to_severity: Severity | None
    value: float = nan
    message: str = ""


def load(connection: Connection, monitor: str) -> dict[AlertKey, AlertRecord]:
    """Every stored alert of a monitor."""
    rows = connection.execute(sa.select(alert).where(alert.c.monitor == monitor))
    records = [_record(row) for row in rows]
    return {record.key: record for record in records}


def save(
    connection: Connection,
    key: AlertKey,
    status: AlertStatus,
    *,
    expected_version: int,
    notified_state: AlertState | None = None,
    notified_severity: Severity | None = None,
) -> int:
    """Store an alert's status if it is still at `expected_version` (0: not stored yet).

    Returns the new version.

    ConflictError: another process moved the alert first.
    """
    record = AlertRecord(key, status, notified_state, notified_severity, expected_version)
    save_all(connection, [record])
    return expected_version + 1


def save_all(connection: Connection, records: Sequence[AlertRecord]) -> None:
    """Store alerts, each if it is still at its record's `version` (0: not stored yet).

    Two statements, however many there are: a monitor of 20 features and 4 windows has 176.

    ConflictError: another process moved one of them first.
    """
    new = [record for record in records if record.version == 0]
    insert = insert_into(connection, alert)
    _all_or_none(
        connection, insert.on_conflict_do_nothing(index_elements=list(ALERT_KEY)), new, _row
    )
    moved = [record for record in records if record.version > 0]
    at_it = [alert.c[name] == sa.bindparam(f"is_{name}") for name in (*ALERT_KEY, "version")]
    _all_or_none(connection, sa.update(alert).where(*at_it), moved, _row_and_place)


def _all_or_none(
    connection: Connection,
    statement: sa.UpdateBase,
    records: Sequence[AlertRecord],
    values: Callable[[AlertRecord], dict[str, Any]],
) -> None:
    if not records:
        return
    counted = statement.execution_options(preserve_rowcount=True)
    written = connection.execute(counted, [values(record) for record in records])
    if written.rowcount != len(records):
        raise ConflictError(
            f"{_name(records)} was moved by another process first; nothing was written"
        )


def _name(records: Sequence[AlertRecord]) -> str:
    key = records[0].key
    if len(records) > 1:
        return f"one of {len(records)} alerts of monitor {key.monitor!r}"
    return (
        f"the {key.kind.value} alert of monitor {key.monitor!r}, feature {key.feature!r}, "
        f"window {key.window_seconds} s"
    )


def record_event(connection: Connection, event: AlertEvent, now: datetime) -> bool:
    """Note a change once; returns whether it was new."""
    insert = insert_into(connection, alert_event).values(
        **_values(event.key),
        window_end=event.window_end,
        from_state=event.from_state,
        to_state=event.to_state,
        from_severity=event.from_severity,
        to_severity=event.to_severity,
        value=event.value,
        message=event.message,
        recorded_at=now,
    )
    statement = insert.on_conflict_do_nothing(index_elements=[*ALERT_KEY, "window_end", "to_state"])
    return connection.scalar(statement.returning(alert_event.c.id)) is not None


def events(
    connection: Connection, monitor: str, *, since: datetime, limit: int = 1000
) -> list[AlertEvent]:
    """Changes whose window ended at or after `since`, newest first, at most `limit`."""
    rows = connection.execute(
        sa.select(alert_event)
        .where(alert_event.c.monitor == monitor, alert_event.c.window_end >= since)
        .order_by(alert_event.c.window_end.desc(), alert_event.c.id.desc())
        .limit(limit)
    )
    return [
        AlertEvent(
            key_of(row),
            row.window_end,
            row.from_state,
            row.to_state,
            row.from_severity,
            row.to_severity,
            row.value,
            row.message,
        )
        for row in rows
    ]


def key_of(row: Any) -> AlertKey:
    """The key in a row of alert, alert_event or notification."""
    return AlertKey(row.monitor, row.feature, row.segment, row.window_seconds, row.kind)


def encode_marks(status: AlertStatus) -> str:
    """The windows that an alert remembers, as JSON. windows: those that may be judged again, each
    as grade, start and end, newest last; settled: what was before them, in the words of `Settled`
    and `Phase`."""
    settled = status.settled
    before = {
        "until": _text(settled.until),
        "state": settled.phase.state.value,
        "severity": settled.phase.severity and settled.phase.severity.value,
        "since": _text(settled.phase.since),
        "fired_at": _text(settled.phase.fired_at),
        "windows": _plain(settled.marks),
    }
    kept = {name: value for name, value in before.items() if value}
    text = {"windows": _plain(status.marks), "settled": kept}
    return json.dumps(text, separators=(",", ":"))


def decode_marks(
    text: str, phase: Phase, window_end: datetime | None
) -> tuple[tuple[Mark, ...], Settled]:
    """The remembered windows and what is settled before them.

    phase, window_end: as they are stored beside the text. A text of an older release is one
    character per window, without their times: they count on, but cannot be judged again.
    """
    if text.startswith("{"):
        found = json.loads(text)
        before = found["settled"]
        settled = Settled(
            phase=Phase(
                state=AlertState(before["state"]),
                severity=Severity(before["severity"]) if "severity" in before else None,
                since=_moment(before.get("since")),
                fired_at=_moment(before.get("fired_at")),
            ),
            marks=_marks(before.get("windows", ())),
            until=_moment(before.get("until")),
        )
        return _marks(found["windows"]), settled
    if window_end is None:
        return (), Settled()
    marks = tuple(Mark(window_end, window_end, grade) for grade in text)
    return (), Settled(phase, marks, until=window_end)


def _plain(marks: Sequence[Mark]) -> list[list[str | None]]:
    return [[mark.grade, _text(mark.window_start), _text(mark.window_end)] for mark in marks]


def _marks(plain: Sequence[Sequence[str]]) -> tuple[Mark, ...]:
    return tuple(
        Mark(datetime.fromisoformat(start), datetime.fromisoformat(end), grade)
        for grade, start, end in plain
    )


def _text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _record(row: Any) -> AlertRecord:
    phase = Phase(row.state, row.severity, row.since, row.fired_at)
    marks, settled = decode_marks(row.marks, phase, row.window_end)
    return AlertRecord(
        key=key_of(row),
        status=AlertStatus(
            state=phase.state,
            severity=phase.severity,
            since=phase.since,
            fired_at=phase.fired_at,
            window_end=row.window_end,
            marks=marks,
            settled=settled,
        ),
        notified_state=row.notified_state,
        notified_severity=row.notified_severity,
        version=row.version,
    )


def _values(key: AlertKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in ALERT_KEY}


def _row(record: AlertRecord) -> dict[str, Any]:
    """What is stored of an alert once it has been moved from its record's version."""
    status = record.status
    return {
        **_values(record.key),
        "state": status.state,
        "severity": status.severity,
        "since": status.since,
        "fired_at": status.fired_at,
        "window_end": status.window_end,
        "marks": encode_marks(status),
        "notified_state": record.notified_state,
        "notified_severity": record.notified_severity,
        "version": record.version + 1,
    }


def _row_and_place(record: AlertRecord) -> dict[str, Any]:
    place = {**_values(record.key), "version": record.version}
    return _row(record) | {f"is_{name}": value for name, value in place.items()}
