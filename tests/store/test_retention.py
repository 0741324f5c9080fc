"""Old rows go by age and in portions; what is left adds up to the same sums."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.alert.state import AlertKey
from driftwatch.config.settings import RetentionSettings
from driftwatch.errors import FoldedError
from driftwatch.stats.counts import PaneCounts
from driftwatch.store import annotations, evaluations, ledger, monitors, notifications
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.evaluations import EvaluationRow
from driftwatch.store.retention import prune
from driftwatch.store.schema import AnnotationKind, alert_event, notification, result, result_bin
from driftwatch.window import Calendar, Interval, to_epoch
from tests.store.samples import MONDAY, NOW, dump, hours, monitor_with_axes, pane_counts
from tests.store.test_results import bins, row, upsert
from tests.store.test_segments_of_panes import KEYS, nothing, split, sums

HOUR, DAY = 3_600, 86_400
NEVER = RetentionSettings(None, None, None, None, None, None, None)
UTC = Calendar()
Axes = dict[str, AxisRecord]


def pruned(
    store: Store,
    retention: RetentionSettings,
    *,
    calendar: Calendar = UTC,
    now: datetime = NOW,
    portion: int = 40,
) -> dict[str, int]:
    """Everything that is deleted, in portions."""
    total: dict[str, int] = {}
    while True:
        with store.write() as connection:
            found = prune(connection, retention, monitors={"m": calendar}, now=now, portion=portion)
        if not found:
            return total
        for name, rows in found.items():
            assert 0 < rows <= max(portion, 400)
            total[name] = total.get(name, 0) + rows


def record(
    store: Store, monitor_id: int, axes_of: Axes, counts: PaneCounts, interval: Interval
) -> None:
    with store.write() as connection:
        ledger.record(connection, monitor_id, axes_of, counts, interval, NOW)


def levels(store: Store, segment: str = "") -> dict[int, list[int]]:
    """Hours since Monday at which panes start, by their length."""
    found: dict[int, list[int]] = {}
    for one in dump(store, "pane")["pane"]:
        if one[1] == segment:
            found.setdefault(one[2], []).append((one[3] - to_epoch(MONDAY)) // HOUR)
    return {seconds: sorted(set(starts)) for seconds, starts in found.items()}


@pytest.fixture
def filled(store: Store) -> tuple[int, Axes, PaneCounts]:
    """Three days and a half hour in quarters of an hour, with segments."""
    monitor_id, axes_of = monitor_with_axes(store)
    counts = split(np.random.default_rng(1), hours(0, 72.5), 900, axes_of)
    record(store, monitor_id, axes_of, counts, hours(0, 72.5))
    return monitor_id, axes_of, counts


def test_fine_panes_go_where_hours_are_and_sums_stay(
    store: Store, filled: tuple[int, Axes, PaneCounts]
) -> None:
    monitor_id, axes_of, _ = filled
    windows = [hours(0, 72), hours(1, 30), hours(70, 72.5), hours(71.25, 72.25)]
    before = sums(store, monitor_id, axes_of, windows, "", *KEYS)
    gone = pruned(store, replace(NEVER, panes_seconds=2 * HOUR))
    assert gone["pane"] > 70 * 4
    assert levels(store)[900] == [70, 71, 72]
    assert levels(store, "country=DE")[900] == [70, 71, 72]
    assert levels(store)[HOUR] == list(range(72))
    after = sums(store, monitor_id, axes_of, windows, "", *KEYS)
    for key, of_key in before.items():
        for old, new in zip(of_key, after[key], strict=True):
            assert (new.rows, new.scanned_seconds) == (old.rows, old.scanned_seconds)
            assert new.column_rows == old.column_rows
            for name, panes in old.columns.items():
                assert new.columns[name].cells.tolist() == panes.cells.tolist()
                np.testing.assert_array_equal(new.columns[name].total, panes.total)
                np.testing.assert_array_equal(new.columns[name].minimum, panes.minimum)
    (cut,) = sums(store, monitor_id, axes_of, [hours(5.5, 8)], "")[""]
    assert (cut.scanned_seconds, cut.is_whole) == (2 * HOUR, False)


def test_hours_go_where_days_are_and_days_at_last(
    store: Store, filled: tuple[int, Axes, PaneCounts]
) -> None:
    monitor_id, axes_of, counts = filled
    retention = replace(NEVER, panes_seconds=HOUR, hours_seconds=30 * HOUR)
    pruned(store, retention)
    assert levels(store)[HOUR] == list(range(24, 72)), "whole days go"
    assert levels(store)[DAY] == [0, 24, 48]
    (all_days,) = sums(store, monitor_id, axes_of, [hours(0, 72)], "")[""]
    assert all_days.rows == counts.rows[counts.starts < to_epoch(hours(72, 73).start)].sum()
    pruned(store, replace(retention, days_seconds=40 * HOUR))
    assert levels(store)[DAY] == [24, 48]
    (late,) = sums(store, monitor_id, axes_of, [hours(0, 48)], "")[""]
    assert late.scanned_seconds == DAY


def test_nothing_goes_without_what_replaces_it(store: Store) -> None:
    """Hours with a gap, and lengths that are rolled up into nothing, keep their panes."""
    monitor_id, axes_of = monitor_with_axes(store)
    rng = np.random.default_rng(2)
    for interval, seconds in (
        (hours(0, 1.5), 900), (hours(1.75, 40), 900), (hours(7, 14), 420),
    ):  # fmt: skip
        counts = pane_counts(rng, interval, seconds, axes_of)
        record(store, monitor_id, axes_of, counts, interval)
    pruned(store, replace(NEVER, panes_seconds=10 * HOUR, hours_seconds=10 * HOUR))
    found = levels(store)
    assert found[900] == [1, *range(30, 40)]
    assert found[HOUR] == [0, *range(2, 40)], "the first day is not whole"
    assert len(found[420]) == 7
    pruned(store, replace(NEVER, days_seconds=20 * HOUR))
    assert 420 not in levels(store)


@pytest.mark.parametrize(
    ("zone", "kept"), [("Asia/Kathmandu", True), ("Europe/Berlin", False), ("UTC", False)]
)
def test_zones_within_an_hour_keep_their_panes(
    store: Store, filled: tuple[int, Axes, PaneCounts], zone: str, kept: bool
) -> None:
    retention = replace(NEVER, panes_seconds=2 * HOUR, hours_seconds=30 * HOUR)
    pruned(store, retention, calendar=Calendar(zone))
    assert levels(store)[900] == (list(range(42, 73)) if kept else [70, 71, 72])
    assert levels(store)[HOUR] == list(range(24, 72))


def test_what_was_never_to_be_forgotten_stays(
    store: Store, filled: tuple[int, Axes, PaneCounts]
) -> None:
    before = dump(store)
    assert pruned(store, NEVER) == {}
    with store.write() as connection:
        every = replace(NEVER, panes_seconds=1, hours_seconds=1, days_seconds=1)
        assert prune(connection, every, monitors={"other": UTC}, now=NOW) == {}
    assert dump(store) == before


def test_a_portion_is_kept_to(store: Store, filled: tuple[int, Axes, PaneCounts]) -> None:
    with store.write() as connection:
        first = prune(
            connection, replace(NEVER, panes_seconds=HOUR), monitors={"m": UTC}, now=NOW, portion=32
        )
    assert 0 < first["pane"] <= 32
    assert levels(store)[900][0] == 2, "two hours of four segments' panes, the oldest ones"


def test_a_part_of_a_folded_hour_is_refused(
    store: Store, filled: tuple[int, Axes, PaneCounts]
) -> None:
    monitor_id, axes_of, _ = filled
    pruned(store, replace(NEVER, panes_seconds=2 * HOUR, hours_seconds=30 * HOUR))
    before = dump(store)
    for interval in (hours(30.25, 30.5), hours(30.5, 32)):
        late = split(np.random.default_rng(3), interval, 900, axes_of)
        with pytest.raises(FoldedError, match=r"kept as one hour by now.*Count all of it at once"):
            record(store, monitor_id, axes_of, late, interval)
    some = split(np.random.default_rng(3), hours(5, 7), 900, axes_of)
    with pytest.raises(FoldedError, match=r"\[2026-11-16T0.*kept as one day by now"):
        record(store, monitor_id, axes_of, some, hours(5, 7))
    assert dump(store) == before
    new = split(np.random.default_rng(3), hours(72.5, 73), 900, axes_of)
    record(store, monitor_id, axes_of, new, hours(72.5, 73))


@pytest.mark.parametrize("interval", [hours(30, 32), hours(0, 24), hours(0, 72)])
def test_whole_hours_and_days_are_made_anew(
    store: Store, filled: tuple[int, Axes, PaneCounts], interval: Interval
) -> None:
    monitor_id, axes_of, old = filled
    retention = replace(NEVER, panes_seconds=2 * HOUR, hours_seconds=30 * HOUR)
    pruned(store, retention)
    new = split(np.random.default_rng(4), interval, 900, axes_of, rate=5.0)
    record(store, monitor_id, axes_of, new, interval)
    low, high = to_epoch(interval.start), to_epoch(interval.end)
    for _ in range(2):
        found = sums(store, monitor_id, axes_of, [hours(0, 72), interval], "", *KEYS)
        for key, (whole, part) in found.items():
            of_old, of_new = (old.segments[key], new.segments[key]) if key else (old, new)
            end = to_epoch(hours(72, 73).start)
            outside = (of_old.starts < low) | ((of_old.starts >= high) & (of_old.starts < end))
            assert part.rows == of_new.rows.sum()
            assert whole.rows == of_new.rows.sum() + of_old.rows[outside].sum()
            assert whole.column_rows["c1"] == whole.rows
        pruned(store, retention)  # and folded again
    late = split(np.random.default_rng(5), hours(30, 30.5), 900, axes_of)
    with pytest.raises(FoldedError):
        record(store, monitor_id, axes_of, late, hours(30, 30.5))


def test_hours_counted_directly_are_not_folded(store: Store) -> None:
    """A reference by the hour: live panes come one by one and replace it when all are there."""
    monitor_id, axes_of = monitor_with_axes(store)
    rng = np.random.default_rng(6)
    record(store, monitor_id, axes_of, pane_counts(rng, hours(0, 48), HOUR, axes_of), hours(0, 48))
    live = pane_counts(rng, hours(47, 48), 900, axes_of, rate=50.0)
    for quarter in range(4):
        one = hours(47 + quarter / 4, 47.25 + quarter / 4)
        at = live.starts == to_epoch(one.start)
        counts = replace(
            live,
            starts=live.starts[at],
            rows=live.rows[at],
            columns={name: panes.at(at) for name, panes in live.columns.items()},
        )
        record(store, monitor_id, axes_of, counts, one)
    (found,) = sums(store, monitor_id, axes_of, [hours(47, 48)], "")[""]
    assert found.rows == live.rows.sum()


def test_a_census_knows_no_folded_panes(store: Store, filled: tuple[int, Axes, PaneCounts]) -> None:
    monitor_id, axes_of, _ = filled
    pruned(store, replace(NEVER, panes_seconds=2 * HOUR))
    with store.read() as connection:
        found = ledger.census(connection, monitor_id, axes_of, hours(0, 80), 900)
    assert found.starts.min() == to_epoch(hours(70, 71).start)


def test_a_cohort_folds_by_its_own_hours(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    rng = np.random.default_rng(7)
    counts = split(rng, hours(0, 48), 900, axes_of)
    record(store, monitor_id, axes_of, counts, hours(0, 48))
    part = pane_counts(rng, hours(3.5, 48), 900, axes_of)
    with store.write() as connection:
        ledger.record(connection, monitor_id, axes_of, part, hours(3.5, 48), NOW, segment="@cohort")
    pruned(store, replace(NEVER, panes_seconds=10 * HOUR))
    assert levels(store, "@cohort")[900] == [3, *range(38, 48)]
    assert levels(store)[900] == list(range(38, 48))
    (found,) = sums(store, monitor_id, axes_of, [hours(0, 48)], "@cohort")["@cohort"]
    assert found.rows == part.rows.sum()
    gone = nothing(split(rng, hours(4, 5), 900, axes_of))
    with pytest.raises(FoldedError), store.write() as connection:
        ledger.record(connection, monitor_id, axes_of, gone, hours(4.5, 5), NOW, segment="@cohort")


def test_results_go_but_the_latest_of_each_series(store: Store) -> None:
    monitor_id, axes_of = monitor_with_axes(store)
    counts = pane_counts(np.random.default_rng(8), hours(0, 240), HOUR, axes_of)
    record(store, monitor_id, axes_of, counts, hours(0, 240))
    for number in (0, 1, 100, 200, 230):
        upsert(store, row(number), pictures=bins())
    upsert(store, row(3, feature="quiet"), row(2, feature="quiet", segment="country=DE"))
    gone = pruned(store, replace(NEVER, results_seconds=100 * HOUR), portion=2)
    assert gone == {"result": 3}
    with store.read() as connection:
        left = connection.execute(sa.select(result.c.feature, result.c.window_end)).all()
    ends = sorted((feature, (end - MONDAY) // timedelta(hours=1)) for feature, end in left)
    assert ends == [("delay", 201), ("delay", 231), ("quiet", 3), ("quiet", 4)]
    with store.read() as connection:
        held = set(connection.scalars(sa.select(result_bin.c.result_id)))
        kept = set(connection.scalars(sa.select(result.c.id)))
    assert held <= kept, "pictures go with their results"


def test_what_ages_in_process_time(store: Store) -> None:
    key = AlertKey("m", "delay", "", 3600, AlertKind.DRIFT)
    days = [NOW - timedelta(days=age) for age in (50, 40, 20, 1)]
    with store.write() as connection:
        monitors.ensure(connection, "m", NOW)
        for number, moment in enumerate(days):
            for outcome in ("success", "timeout") if number < 2 else ("success",):
                evaluations.record(
                    connection,
                    EvaluationRow(
                        monitor="m", started_at=moment, finished_at=moment, now=moment,
                        outcome=outcome,
                    ),
                )  # fmt: skip
            annotations.note(
                connection, "m", "", AnnotationKind.EXCLUDED, moment, None, "why", moment
            )
            connection.execute(sa.insert(alert_event).values(event(key, moment)))
            notifications.enqueue(connection, key, moment, AlertState.FIRING, {}, moment)
            told = sa.update(notification).where(notification.c.window_end == moment)
            if number != 1:
                connection.execute(told.values(delivered_at=moment))
    month = replace(
        NEVER,
        evaluations_seconds=30 * DAY,
        events_seconds=30 * DAY,
        notifications_seconds=30 * DAY,
    )
    gone = pruned(store, month, portion=1)
    assert gone == {"evaluation": 3, "alert_event": 2, "annotation": 2, "notification": 1}
    left = dump(store)
    assert sorted(one[5] for one in left["evaluation"]) == ["success", "success", "timeout"]
    with store.read() as connection:
        sent = connection.scalars(
            sa.select(notification.c.delivered_at).order_by(notification.c.id)
        )
        assert list(sent) == [None, days[2], days[3]]


def event(key: AlertKey, moment: datetime) -> dict[str, Any]:
    return {
        "monitor": key.monitor,
        "feature": key.feature,
        "segment": key.segment,
        "window_seconds": key.window_seconds,
        "kind": key.kind,
        "window_end": moment,
        "from_state": AlertState.INACTIVE,
        "to_state": AlertState.FIRING,
        "message": "drifted",
        "recorded_at": moment,
    }
