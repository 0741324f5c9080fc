"""The versions of a model that were seen, and which of them have a reference of their own."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import model_version as table


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version. first_seen: start of the first pane with rows of it, event time; predecessor:
    the version that ran before or beside it, None where there was none; handed_over_at: event time
    since which it is compared with its own reference, None before."""

    version: str
    first_seen: datetime
    predecessor: str | None
    handed_over_at: datetime | None = None

    @classmethod
    def unseen(cls, version: str) -> "VersionRow":
        """A version whose first rows are still looked for: after every other."""
        return cls(version, datetime.max.replace(tzinfo=UTC), None)


def note(
    connection: Connection,
    monitor_id: int,
    version: str,
    first_seen: datetime,
    predecessor: str | None,
    now: datetime,
) -> bool:
    """Note a version once; returns whether it was new. What was noted first stays."""
    insert = insert_into(connection, table).values(
        monitor_id=monitor_id,
        version=version,
        first_seen=first_seen,
        predecessor=predecessor,
        recorded_at=now,
    )
    statement = insert.on_conflict_do_nothing(index_elements=["monitor_id", "version"])
    return connection.scalar(statement.returning(table.c.version)) is not None


def hand_over(connection: Connection, monitor_id: int, version: str, at: datetime) -> bool:
    """Note since when (event time) a version has a reference of its own; returns whether that was
    new. False, too, for a version that was never noted."""
    noted = connection.execute(
        sa.update(table)
        .where(
            table.c.monitor_id == monitor_id,
            table.c.version == version,
            table.c.handed_over_at.is_(None),
        )
        .values(handed_over_at=at)
    )
    return noted.rowcount == 1


def load(connection: Connection, monitor_id: int) -> list[VersionRow]:
    """The versions of a monitor, the one that was seen first first."""
    rows = connection.execute(
        sa.select(
            table.c.version, table.c.first_seen, table.c.predecessor, table.c.handed_over_at
        ).where(table.c.monitor_id == monitor_id)
    )
    found = [VersionRow(*row) for row in rows]
    return sorted(found, key=lambda one: (one.first_seen, one.version))
