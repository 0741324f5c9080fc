"""The webhook's outbox: written in the transaction that moved the alert, delivered afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.alert.policy import AlertState
from driftwatch.alert.state import AlertKey
from driftwatch.store.alerts import key_of
from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import ALERT_KEY, notification

_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Notification:
    """One POST that is due. attempts: how often it was tried; payload: JSON text."""

    id: int
    key: AlertKey
    window_end: datetime
    state: AlertState
    payload: str
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    last_error: str | None


def enqueue(
    connection: Connection,
    key: AlertKey,
    window_end: datetime,
    state: AlertState,
    payload: Mapping[str, object],
    now: datetime,
) -> bool:
    """Put a change into the outbox once; returns whether it was new."""
    insert = insert_into(connection, notification).values(
        **{name: getattr(key, name) for name in ALERT_KEY},
        window_end=window_end,
        state=state,
        payload=json.dumps(payload, ensure_ascii=False, allow_nan=False),
        created_at=now,
        attempts=0,
        next_attempt_at=now,
    )
    statement = insert.on_conflict_do_nothing(index_elements=[*ALERT_KEY, "window_end", "state"])
    return connection.scalar(statement.returning(notification.c.id)) is not None


def due(
    connection: Connection,
    now: datetime,
    *,
    limit: int = 100,
    longest_wait: timedelta = timedelta.max,
) -> list[Notification]:
    """What is to be sent at `now`, oldest first, at most `limit`.

    Of each alert the oldest one alone: a receiver must not hear of an end before its beginning.
    longest_wait: whoever puts a notification off puts it off by no more than this; one that is
    later was written before the wall clock was set back, and is due.
    """
    table, older = notification, notification.alias("older")
    first = ~sa.exists().where(
        *(older.c[name] == table.c[name] for name in ALERT_KEY),
        older.c.id < table.c.id,
        older.c.delivered_at.is_(None),
    )
    late = table.c.next_attempt_at <= now
    if longest_wait < timedelta.max:
        late |= table.c.next_attempt_at > now + longest_wait
    rows = connection.execute(
        sa.select(table)
        .where(table.c.delivered_at.is_(None), late, first)
        .order_by(table.c.id)
        .limit(limit)
    )
    return [_record(row) for row in rows]


def claim(connection: Connection, found: Notification, until: datetime) -> bool:
    """Take a due notification before it is sent; False if another process took it.

    Nobody else sends it before `until`; whoever dies meanwhile leaves it to be sent then.
    """
    table = notification
    claimed = connection.execute(
        sa.update(table)
        .where(
            table.c.id == found.id,
            table.c.attempts == found.attempts,
            table.c.delivered_at.is_(None),
        )
        .values(attempts=found.attempts + 1, next_attempt_at=until)
    )
    return claimed.rowcount == 1


def delivered(connection: Connection, notification_id: int, now: datetime) -> None:
    """It was sent and accepted."""
    connection.execute(
        sa.update(notification)
        .where(notification.c.id == notification_id)
        .values(delivered_at=now, last_error=None)
    )


def failed(
    connection: Connection, notification_id: int, *, error: str, next_attempt_at: datetime
) -> None:
    """It was not accepted; try again at `next_attempt_at`. error must hold no secret."""
    connection.execute(
        sa.update(notification)
        .where(notification.c.id == notification_id)
        .values(last_error=error[:_LONGEST_ERROR], next_attempt_at=next_attempt_at)
    )


def waiting(connection: Connection) -> int:
    """How many are not delivered yet."""
    statement = sa.select(sa.func.count()).where(notification.c.delivered_at.is_(None))
    return connection.scalar(statement) or 0


def _record(row: Any) -> Notification:
    return Notification(
        id=row.id,
        key=key_of(row),
        window_end=row.window_end,
        state=row.state,
        payload=row.payload,
        created_at=row.created_at,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        last_error=row.last_error,
    )
