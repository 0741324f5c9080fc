"""Axes are versioned per column, and come back exactly."""

import math
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.errors import StoreError
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.store import axes, monitors
from driftwatch.store.axes import AxisRecord, from_json, to_json
from driftwatch.store.engine import Store
from tests.store.samples import NOW, dump, hours

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMERIC = st.builds(
    NumericAxis,
    st.lists(FINITE, min_size=1, max_size=30, unique=True).map(lambda edges: tuple(sorted(edges))),
    st.sampled_from(Scale),
)
LEVELS = st.lists(st.text(max_size=8), max_size=12, unique=True)
CATEGORICAL = st.tuples(LEVELS, st.integers(0, 12)).map(
    lambda found: CategoricalAxis(tuple(found[0][: found[1]]), tuple(found[0][found[1] :]))
)


@given(st.one_of(NUMERIC, CATEGORICAL))
def test_text_round_trip(axis: Axis) -> None:
    assert from_json(to_json(axis)) == axis


def save(store: Store, axis: Axis, *, column: str = "c", kind: str = "number") -> AxisRecord:
    with store.write() as connection:
        monitor_id = monitors.ensure(connection, "m", NOW).id
        return axes.save(connection, monitor_id, column, axis, kind, hours(0, 24), NOW)


def activate(store: Store, version: int, *, column: str = "c") -> AxisRecord:
    with store.write() as connection:
        return axes.activate(connection, 1, column, version)


def active(store: Store) -> dict[str, AxisRecord]:
    with store.read() as connection:
        monitor = monitors.find(connection, "m")
        assert monitor is not None
        return axes.active(connection, monitor.id)


def test_levels_and_edges_come_back_exactly(store: Store) -> None:
    numeric = NumericAxis((0.1, math.nextafter(0.1, 1), 1e300), Scale.TIME)
    levels = CategoricalAxis(
        ("'; DROP TABLE axis; --", "Zürich", "", "\u2603", "日本"),
        tuple(str(n) for n in range(10_000)),
    )
    saved = [save(store, numeric, column='a "b"'), save(store, levels, column="c")]
    assert list(active(store).values()) == saved
    assert [record.axis for record in saved] == [numeric, levels]


def test_the_same_axis_is_the_same_version(store: Store) -> None:
    axis = NumericAxis((1.0, 2.0))
    first = save(store, axis)
    assert save(store, NumericAxis((1.0, 2.0))) == first
    assert first.version == 1
    assert len(dump(store, "axis")["axis"]) == 1


def test_another_axis_or_type_is_a_new_version_of_its_column_alone(store: Store) -> None:
    save(store, NumericAxis((1.0,)))
    other = save(store, NumericAxis((1.0,)), column="other")
    second = save(store, NumericAxis((1.0, 2.0)))
    third = save(store, NumericAxis((1.0, 2.0)), kind="boolean")
    assert (other.version, second.version, third.version) == (1, 2, 3)
    assert active(store) == {"other": other, "c": third}


def test_an_older_version_is_made_active_again(store: Store) -> None:
    first = save(store, NumericAxis((1.0,)))
    second = save(store, NumericAxis((2.0,)))
    other = save(store, NumericAxis((3.0,)), column="other")
    assert activate(store, 1) == first
    assert active(store) == {"c": first, "other": other}
    assert activate(store, 1) == first
    assert activate(store, 2) == second
    assert active(store) == {"c": second, "other": other}


def test_a_new_version_is_above_the_highest_not_above_the_active_one(store: Store) -> None:
    save(store, NumericAxis((1.0,)))
    save(store, NumericAxis((2.0,)))
    activate(store, 1)
    assert save(store, NumericAxis((9.0,))).version == 3


def test_a_version_that_is_not_there_is_refused_with_those_that_are(store: Store) -> None:
    save(store, NumericAxis((1.0,)))
    save(store, NumericAxis((2.0,)))
    before = dump(store, "axis")
    with pytest.raises(StoreError, match=r"column 'c' has no axis of version 7; there are: 1, 2$"):
        activate(store, 7)
    with pytest.raises(StoreError, match=r"column 'd' has no axis of version 1; there are: none$"):
        activate(store, 1, column="d")
    assert dump(store, "axis") == before


def test_axes_are_found_by_their_ids_also_when_they_are_not_active(store: Store) -> None:
    saved = [save(store, NumericAxis((float(n),))) for n in range(3)]
    with store.read() as connection:
        found = axes.by_id(connection, {saved[0].id, saved[2].id, 999})
        assert axes.by_id(connection, []) == {}
    assert found == {saved[0].id: saved[0], saved[2].id: saved[2]}


def test_an_axis_may_be_fitted_to_rows_without_a_time(store: Store) -> None:
    with store.write() as connection:
        monitor_id = monitors.ensure(connection, "m", NOW).id
        saved = axes.save(connection, monitor_id, "c", NumericAxis((1.0,)), "number", None, NOW)
    assert saved.fitted is None
    assert active(store) == {"c": saved}


def test_two_that_save_the_same_at_once_make_one_version(store: Store) -> None:
    save(store, NumericAxis((0.0,)))
    new = NumericAxis((5.0,))
    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            first = axes.save(connection, 1, "c", new, "number", hours(0, 24), NOW)
            other = pool.submit(save, store, new)
            assert not wait([other], timeout=0.3).done
        assert other.result(timeout=30) == first
    assert first.version == 2


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StoreError, match="axis of kind 'polar', which this release does not know"):
        from_json('{"kind": "polar"}')
