"""What panes were when they were looked at: whoever writes them learns whether they still are that.

An evaluation's watermark tells of others that count new panes. Panes that were counted before are
written by an evaluation that looks at them again and by a backfill, and neither moves the other's
mark: the revisions of the panes themselves tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.errors import MovedError
from driftwatch.store.panes import segments_of
from driftwatch.store.schema import pane
from driftwatch.window import Interval, to_epoch


@dataclass(frozen=True, slots=True)
class Revisions:
    """The panes of one monitor and one length that start inside `interval`.

    by_segment: of each segment its name, how many panes it has, the sum of their revisions and when
    the newest of them was scanned. Revisions only grow: it is equal where no pane came, changed or
    went.
    """

    interval: Interval
    pane_seconds: int
    by_segment: frozenset[tuple[str, int, int, datetime]]


def look(
    connection: Connection, monitor_id: int, interval: Interval, pane_seconds: int
) -> Revisions:
    """What the panes are now."""
    statement = (
        sa.select(
            pane.c.segment,
            sa.func.count(),
            sa.func.sum(pane.c.revision),
            sa.func.max(pane.c.scanned_at, type_=pane.c.scanned_at.type),
        )
        .where(
            pane.c.monitor_id == monitor_id,
            pane.c.segment.in_(list(segments_of(connection, monitor_id))),
            pane.c.seconds == pane_seconds,
            pane.c.start >= to_epoch(interval.start),
            pane.c.start < to_epoch(interval.end),
        )
        .group_by(pane.c.segment)
    )
    rows = connection.execute(statement).all()
    return Revisions(
        interval, pane_seconds, frozenset((name, n, int(total), at) for name, n, total, at in rows)
    )


def require_same(connection: Connection, monitor_id: int, seen: Iterable[Revisions]) -> None:
    """MovedError: panes are not what they were when they were looked at.

    The transaction holds the monitor already (`monitors.lock`, or its watermark was moved), so
    that nobody else writes them until it ends.
    """
    for one in seen:
        if look(connection, monitor_id, one.interval, one.pane_seconds) != one:
            raise MovedError(
                f"panes of {one.interval} were counted again by another process while this one "
                "read their rows; nothing was written, and reading again helps"
            )
