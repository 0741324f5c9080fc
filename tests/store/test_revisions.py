"""What panes were when they were looked at, compared with what they are."""

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from driftwatch.errors import MovedError
from driftwatch.stats.counts import IntArray
from driftwatch.store import ledger, revisions
from driftwatch.store.engine import Store
from driftwatch.store.revisions import Revisions
from driftwatch.store.schema import pane
from tests.store.samples import NOW, hours, monitor_with_axes, pane_counts

SEGMENT = "country=DE"


def test_what_is_written_changes_what_is_seen_and_nothing_else_does(store: Store) -> None:
    monitor_id, axes = monitor_with_axes(store)
    counts = pane_counts(np.random.default_rng(5), hours(0, 12), 900, axes)
    half = counts.rows // 2

    def look(start: float, end: float) -> Revisions:
        with store.read() as connection:
            return revisions.look(connection, monitor_id, hours(start, end), 900)

    def write(of_segment: IntArray) -> None:
        made = replace(counts, segments={SEGMENT: replace(counts, rows=of_segment, columns={})})
        with store.write() as connection:
            ledger.record(connection, monitor_id, axes, made, hours(0, 12), NOW)

    assert look(0, 12).by_segment == frozenset()
    write(half)
    seen = look(0, 12), look(0, 6)
    assert {name for name, *_ in seen[0].by_segment} == {"", SEGMENT}
    write(half)
    assert (look(0, 12), look(0, 6)) == seen, "the same was written again"
    write(np.where(counts.starts == counts.starts[-1], 99, half))
    assert look(0, 6) == seen[1], "the pane that changed is not among these"
    with store.write() as connection:
        revisions.require_same(connection, monitor_id, seen[1:])
        with pytest.raises(MovedError, match="counted again by another process"):
            revisions.require_same(connection, monitor_id, seen)
    write(counts.rows)
    assert look(0, 6) != seen[1], "only a segment has changed"
    now = look(0, 6)
    with store.write() as connection:
        first = sa.select(sa.func.min(pane.c.start)).scalar_subquery()
        connection.execute(sa.delete(pane).where(pane.c.start == first))
    assert look(0, 6) != now, "a pane was deleted"
