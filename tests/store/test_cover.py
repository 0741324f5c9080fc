"""Windows are covered by the longest panes that fit, and nothing is covered twice."""

import numpy as np

from driftwatch.stats.counts import PaneCounts
from driftwatch.store import ledger, monitors
from driftwatch.store.cover import Cover, cover
from driftwatch.store.engine import Store
from driftwatch.window import Interval, to_epoch
from tests.store.samples import NOW, hours


def note(store: Store, interval: Interval, seconds: int, rows_per_hour: int = 3600) -> None:
    """Panes that hold one row per second, unless told otherwise."""
    starts = np.arange(to_epoch(interval.start), to_epoch(interval.end), seconds)
    rows = np.full(starts.size, seconds * rows_per_hour // 3600)
    with store.write() as connection:
        monitor_id = monitors.ensure(connection, "m", NOW).id
        counts = PaneCounts(seconds, starts, rows, {})
        ledger.record(connection, monitor_id, {}, counts, interval, NOW)


def covered(store: Store, *windows: Interval) -> Cover:
    with store.read() as connection:
        spans = [(to_epoch(window.start), to_epoch(window.end)) for window in windows]
        return cover(connection, 1, "", spans)


def taken(found: Cover) -> dict[int, int]:
    """How many panes of each length are used."""
    lengths = np.concatenate(
        [np.full(level.starts.size, level.level.seconds) for level in found.levels]
    )[found.index]
    return {int(length): int((lengths == length).sum()) for length in np.unique(lengths)}


def test_the_longest_panes_that_fit_are_taken(store: Store) -> None:
    note(store, hours(0, 72), 900)
    assert taken(covered(store, hours(0, 72))) == {86_400: 3}
    assert taken(covered(store, hours(23, 49.5))) == {900: 2, 3600: 2, 86_400: 1}
    assert taken(covered(store, hours(10.25, 10.75))) == {900: 2}
    assert taken(covered(store, hours(0, 24), hours(20, 24))) == {3600: 4, 86_400: 1}


def test_a_day_that_is_not_over_is_made_of_hours_and_panes(store: Store) -> None:
    note(store, hours(0, 30.5), 900)
    found = covered(store, hours(0, 48))
    assert taken(found) == {900: 2, 3600: 6, 86_400: 1}
    assert found.scanned_seconds(1).tolist() == [30.5 * 3600]


def test_a_pane_length_that_was_changed_counts_nothing_twice(store: Store) -> None:
    """Lengths that do not divide each other, and the same hours under several of them."""
    note(store, hours(0, 28), 420)
    note(store, hours(14, 28), 900)
    note(store, hours(20, 26), 1200)
    for window in (hours(0, 28), hours(7, 21), hours(14, 28), hours(20, 24)):
        found = covered(store, window)
        assert found.rows(1).tolist() == found.scanned_seconds(1).tolist()
        assert found.rows(1)[0] <= window.seconds
    whole = covered(store, hours(14, 28))
    assert whole.rows(1).tolist() == [14 * 3600]


def test_nothing_covers_nothing(store: Store) -> None:
    note(store, hours(0, 1), 900)
    found = covered(store, hours(5, 6), hours(0.1, 0.2))
    assert found.rows(2).tolist() == found.scanned_seconds(2).tolist() == [0, 0]
    assert covered(store).rows(0).size == 0
