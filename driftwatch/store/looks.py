"""When the panes of all rows were counted, and that they were looked at again."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.stats.counts import IntArray
from driftwatch.store.panes import PORTION, portions
from driftwatch.store.schema import pane
from driftwatch.window import Interval, to_epoch


def counted_at(
    connection: Connection, monitor_id: int, seconds: int, interval: Interval
) -> list[tuple[int, datetime]]:
    """The start of each pane of this length that starts inside the interval, and when (process
    time) it was counted last; ascending."""
    statement = (
        sa.select(pane.c.start, pane.c.scanned_at)
        .where(
            pane.c.monitor_id == monitor_id,
            pane.c.segment == "",
            pane.c.seconds == seconds,
            pane.c.start >= to_epoch(interval.start),
            pane.c.start < to_epoch(interval.end),
        )
        .order_by(pane.c.start)
    )
    return [(row.start, row.scanned_at) for row in connection.execute(statement)]


def look_again(
    connection: Connection, monitor_id: int, seconds: int, starts: IntArray, now: datetime
) -> None:
    """Note that these panes were looked at now, changed or not: their revision stays."""
    for portion in portions(starts, PORTION):
        connection.execute(
            sa.update(pane)
            .where(
                pane.c.monitor_id == monitor_id,
                pane.c.segment == "",
                pane.c.seconds == seconds,
                pane.c.start.in_(portion.tolist()),
            )
            .values(scanned_at=now)
        )
