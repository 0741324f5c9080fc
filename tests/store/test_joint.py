"""Joint counts are sums of hours, by their axes; doing it twice changes nothing."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.config.settings import RetentionSettings
from driftwatch.stats.axis import CategoricalAxis, NumericAxis
from driftwatch.stats.counts import IntArray, JointCounts
from driftwatch.store import axes, joint, ledger, monitors, references
from driftwatch.store.engine import Store
from driftwatch.store.joint_rows import JointAxes
from driftwatch.store.references import NewReference
from driftwatch.window import Interval, to_epoch
from tests.store.samples import NOW, dump, hours, pane_counts
from tests.store.test_retention import NEVER, pruned

HOUR, DAY = 3_600, 86_400
NUMBERS = NumericAxis(tuple(float(edge) for edge in range(23)))
LEVELS = CategoricalAxis(tuple("abcdefghijkl"))


def joint_axes(store: Store, names: str = "xc") -> JointAxes:
    """A numeric feature x, a categorical one c, and a numeric prediction y."""
    with store.write() as connection:
        monitor_id = monitors.ensure(connection, "m", NOW).id
        found = {
            name: axes.save(connection, monitor_id, name, axis, "number", hours(0, 24), NOW)
            for name, axis in (("x", NUMBERS), ("c", LEVELS), ("y", NumericAxis((0.0, 1.0))))
        }
    return JointAxes(monitor_id, found["y"], {name: found[name] for name in names})


def random_counts(
    axes_of: JointAxes, interval: Interval, *, seed: int = 0, seconds: int = HOUR, rate: float = 5.0
) -> JointCounts:
    random = np.random.default_rng(seed)
    starts = np.arange(to_epoch(interval.start), to_epoch(interval.end), seconds)
    rows = random.poisson(rate, starts.size)
    starts, rows = starts[rows > 0], rows[rows > 0]
    features = {}
    for name in axes_of.features:
        wide, deep = axes_of.shape(name)
        flat = random.multinomial(rows, np.full(wide * deep, 1 / (wide * deep)))
        features[name] = flat.reshape(rows.size, wide, deep)
    return JointCounts(seconds, starts, rows, features)


def record(
    store: Store,
    axes_of: JointAxes,
    counts: JointCounts,
    interval: Interval,
    *,
    allow_shrink: bool = False,
) -> None:
    with store.write() as connection:
        joint.record(connection, axes_of, counts, interval, NOW, allow_shrink=allow_shrink)


def sums(
    store: Store, axes_of: JointAxes, *pieces: Interval
) -> dict[str, tuple[list[list[int]], float]]:
    """Cells and counted hours of each feature."""
    with store.read() as connection:
        found = joint.sum_pieces(connection, axes_of, pieces)
    return {name: (one.cells.tolist(), one.seconds / HOUR) for name, one in found.items()}


def within(counts: JointCounts, name: str, *pieces: Interval) -> list[list[int]]:
    chosen = np.zeros(counts.starts.size, np.bool_)
    for one in pieces:
        chosen |= (counts.starts >= to_epoch(one.start)) & (counts.starts < to_epoch(one.end))
    found: list[list[int]] = counts.features[name][chosen].sum(axis=0).tolist()
    return found


def test_sums_are_those_of_the_hours(store: Store) -> None:
    axes_of = joint_axes(store)
    counts = random_counts(axes_of, hours(0, 50), rate=1.0)
    record(store, axes_of, counts, hours(0, 50))
    assert counts.starts.size < 50, "some hours have no rows"
    for pieces in ([hours(0, 50)], [hours(3, 4)], [hours(1, 7), hours(20, 31)]):
        for name, (cells, counted) in sums(store, axes_of, *pieces).items():
            assert cells == within(counts, name, *pieces)
            assert counted == sum(one.seconds for one in pieces) / HOUR
    assert sums(store, axes_of)["x"][1] == 0
    assert sums(store, axes_of, hours(48, 60))["x"][1] == 2
    assert sums(store, axes_of, hours(0.5, 3.5))["x"] == (within(counts, "x", hours(1, 3)), 2)


def test_twice_changes_nothing(store: Store) -> None:
    axes_of = joint_axes(store)
    counts = random_counts(axes_of, hours(0, 30))
    record(store, axes_of, counts, hours(0, 30))
    before = dump(store, "joint_count")
    with store.write() as connection:
        joint.record(connection, axes_of, counts, hours(0, 30), NOW + timedelta(hours=1))
    assert dump(store, "joint_count") == before


def test_an_hour_grows_and_does_not_shrink(store: Store) -> None:
    axes_of = joint_axes(store)
    more = random_counts(axes_of, hours(0, 3), seed=1, rate=50.0)
    fewer = random_counts(axes_of, hours(0, 3), seed=2, rate=5.0)
    nothing = replace(fewer, starts=fewer.starts[:0], rows=fewer.rows[:0], features={})
    record(store, axes_of, fewer, hours(0, 3))
    record(store, axes_of, more, hours(0, 3))
    for late in (fewer, nothing):
        record(store, axes_of, late, hours(0, 3))
        assert sums(store, axes_of, hours(0, 3))["c"] == (within(more, "c", hours(0, 3)), 3)
    record(store, axes_of, fewer, hours(0, 3), allow_shrink=True)
    assert sums(store, axes_of, hours(0, 3))["c"] == (within(fewer, "c", hours(0, 3)), 3)


def test_a_feature_that_comes_later_is_put_beside_the_others(store: Store) -> None:
    """Of an hour without rows it is known that it was counted there, too."""
    both = joint_axes(store)
    only_x, only_c = (replace(both, features={name: both.features[name]}) for name in "xc")
    counts = random_counts(both, hours(0, 6), rate=2.0)
    x, c = ({name: counts.features[name]} for name in "xc")
    record(store, only_x, replace(counts, features=x), hours(0, 6))
    empty = 6 - counts.starts.size
    assert sums(store, both, hours(0, 6))["c"][1] == empty > 0
    with store.read() as connection:
        missing = joint.not_counted(connection, both, hours(0, 8), HOUR)
    assert missing == [*counts.starts.tolist(), *(to_epoch(hours(h, 9).start) for h in (6, 7))]
    record(store, only_c, replace(counts, features=c), hours(0, 6))
    for name in "xc":
        assert sums(store, both, hours(0, 6))[name] == (within(counts, name, hours(0, 6)), 6)


def test_counts_of_two_axes_are_not_added(store: Store) -> None:
    before = joint_axes(store)
    record(store, before, random_counts(before, hours(0, 4)), hours(0, 4))
    with store.write() as connection:
        x = axes.save(
            connection, before.monitor_id, "x", NumericAxis((5.0,)), "number", hours(0, 24), NOW
        )
        y = axes.save(
            connection, before.monitor_id, "y", NumericAxis((7.0,)), "number", hours(0, 24), NOW
        )
    refitted = replace(before, features={**before.features, "x": x})
    assert sums(store, refitted, hours(0, 4))["x"] == (np.zeros((3, 4), int).tolist(), 0)
    assert sums(store, refitted, hours(0, 4))["c"][1] == 4
    counts = random_counts(refitted, hours(0, 4), seed=3)
    record(store, refitted, counts, hours(0, 4))
    assert sums(store, refitted, hours(0, 4))["x"] == (within(counts, "x", hours(0, 4)), 4)
    assert sums(store, before, hours(0, 4))["x"][1] == 4, "the old counts are there for an activate"
    assert sums(store, replace(refitted, prediction=y), hours(0, 4))["c"][1] == 0


def test_counts_of_another_shape_are_refused(store: Store) -> None:
    axes_of = joint_axes(store)
    counts = random_counts(axes_of, hours(0, 2))
    broken = replace(counts, features={"x": counts.features["c"]})
    with pytest.raises(ValueError, match="joint counts of 'x' have shape"):
        record(store, axes_of, broken, hours(0, 2))


def filled(store: Store, axes_of: JointAxes, end: float) -> JointCounts:
    """So many hours, with panes that say how old they are."""
    counts = random_counts(axes_of, hours(0, end), rate=2.0)
    record(store, axes_of, counts, hours(0, end))
    with store.write() as connection:
        panes = pane_counts(np.random.default_rng(0), hours(0, end), HOUR, {})
        ledger.record(connection, axes_of.monitor_id, {}, panes, hours(0, end), NOW)
    return counts


def lengths(store: Store) -> dict[int, int]:
    found: dict[int, int] = {}
    for _, _, seconds, *_ in dump(store, "joint_count")["joint_count"]:
        found[seconds] = found.get(seconds, 0) + 1
    return found


def test_old_hours_become_days_and_sums_stay(store: Store) -> None:
    axes_of = joint_axes(store)
    counts = filled(store, axes_of, 76)
    gone = pruned(store, replace(NEVER, panes_seconds=HOUR, hours_seconds=20 * HOUR))
    assert gone["joint_count"] == 48
    assert lengths(store) == {HOUR: 28, DAY: 2}
    for pieces in ([hours(0, 76)], [hours(24, 50)], [hours(0, 24), hours(70, 71)]):
        for name, (cells, counted) in sums(store, axes_of, *pieces).items():
            assert cells == within(counts, name, *pieces)
            assert counted == sum(one.seconds for one in pieces) / HOUR
    assert sums(store, axes_of, hours(12, 60))["x"][1] == 36, "a part of a day is gone"
    pruned(store, RetentionSettings(HOUR, HOUR, 40 * HOUR))
    assert lengths(store) == {HOUR: 4, DAY: 2}, "the third day is whole, the first one is gone"
    assert sums(store, axes_of, hours(0, 76))["x"][1] == 52
    pruned(store, RetentionSettings(HOUR, HOUR, 27 * HOUR))
    assert sums(store, axes_of, hours(0, 76))["x"] == (within(counts, "x", hours(48, 76)), 28)


def test_hours_of_a_folded_day_are_not_counted_twice(store: Store) -> None:
    axes_of = joint_axes(store)
    counts = filled(store, axes_of, 60)
    pruned(store, replace(NEVER, panes_seconds=HOUR, hours_seconds=2 * HOUR))
    assert lengths(store) == {HOUR: 12, DAY: 2}
    again = random_counts(axes_of, hours(0, 60), seed=9, rate=20.0)
    record(store, axes_of, again, hours(20, 52))
    found = sums(store, axes_of, hours(0, 48))["x"]
    assert found[0] != within(counts, "x", hours(0, 48))
    whole = np.array(within(counts, "x", hours(0, 24))) + within(again, "x", hours(24, 48))
    assert found == (whole.tolist(), 48), "a day that was counted again as a whole is hours again"


def test_a_day_with_a_hole_stays_in_hours(store: Store) -> None:
    axes_of = joint_axes(store)
    counts = random_counts(axes_of, hours(0, 60), rate=9.0)
    with store.write() as connection:
        panes = pane_counts(np.random.default_rng(0), hours(0, 60), HOUR, {})
        ledger.record(connection, axes_of.monitor_id, {}, panes, hours(0, 60), NOW)
    for part in (hours(0, 10), hours(11, 60)):
        record(store, axes_of, _only(counts, part), part)
    pruned(store, replace(NEVER, panes_seconds=HOUR, hours_seconds=2 * HOUR))
    assert lengths(store) == {HOUR: 35, DAY: 1}


def _only(counts: JointCounts, part: Interval) -> JointCounts:
    chosen = (counts.starts >= to_epoch(part.start)) & (counts.starts < to_epoch(part.end))
    features = {name: table[chosen] for name, table in counts.features.items()}
    return JointCounts(counts.seconds, counts.starts[chosen], counts.rows[chosen], features)


def test_the_joint_counts_of_a_reference(store: Store) -> None:
    axes_of = joint_axes(store)
    panes = pane_counts(np.random.default_rng(0), hours(0, 1), HOUR, {"y": axes_of.prediction})
    tables = {name: np.ones(axes_of.shape(name), np.int64) for name in "xc"}
    with store.write() as connection:
        new = NewReference(
            column="y", axis=axes_of.prediction, interval=None, counts=panes.columns["y"], rows=7
        )
        known = references.capture(connection, axes_of.monitor_id, new, NOW)
        assert joint.of_reference(connection, axes_of, known.id) == {}
        joint.save_reference(connection, axes_of, known.id, {"x": tables["x"]}, 7, NOW)
        found = joint.of_reference(connection, axes_of, known.id)
        assert {name: table.tolist() for name, table in found.items()} == {
            "x": tables["x"].tolist()
        }
        joint.save_reference(connection, axes_of, known.id, {"c": 2 * tables["c"]}, 7, NOW)
        found = joint.of_reference(connection, axes_of, known.id)
    assert found["x"].tolist() == tables["x"].tolist()
    assert found["c"].tolist() == (2 * tables["c"]).tolist()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(0, 99)), max_size=6)
)
def test_any_order_of_recording_ends_with_the_largest_counts(
    store: Store, parts: list[tuple[int, int, int]]
) -> None:
    axes_of = joint_axes(store, "c")
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM joint_count")
    best: dict[int, IntArray] = {}
    for begin, length, seed in parts:
        interval = hours(begin, begin + length)
        counts = random_counts(axes_of, interval, seed=seed, rate=1.0)
        record(store, axes_of, counts, interval)
        for start in range(to_epoch(interval.start), to_epoch(interval.end), HOUR):
            held = counts.features["c"][counts.starts == start].sum(axis=0)
            if start not in best or best[start].sum() <= held.sum():
                best[start] = held
    whole = hours(0, 40)
    total = sum(best.values(), np.zeros(axes_of.shape("c"), np.int64))
    assert sums(store, axes_of, whole)["c"] == (total.tolist(), len(best))
