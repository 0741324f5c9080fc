"""Results are upserted: what did not change is not touched; bins are kept where they are shown."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf, isnan, nan
from typing import Any

import pytest
import sqlalchemy as sa

from driftwatch.store import monitors, results
from driftwatch.store.engine import Store
from driftwatch.store.results import ResultBin, ResultRow
from driftwatch.verdict.policy import VOLUME, Measure, Reason, Verdict
from tests.store.samples import MONDAY, NOW, dump

HOUR = timedelta(hours=1)


def row(number: int = 0, **changes: Any) -> ResultRow:
    """The result of the window that ends `number` hours after Monday's first."""
    one = ResultRow(
        monitor="m",
        feature="delay",
        window_seconds=3600,
        window_start=MONDAY + number * HOUR,
        window_end=MONDAY + (number + 1) * HOUR,
        reference_version=1,
        axis_version=1,
        rows=100,
        js=0.01,
        kl=0.02,
        measure=Measure.JS_DISTANCE,
        value=0.12,
        threshold_warning=0.1,
        threshold_critical=0.2,
        convention="KL(current||reference), nats, reference +0.5",
        verdict=Verdict.OK,
        reason=Reason.WITHIN_THRESHOLD,
        message="delay: fine",
        evaluated_at=NOW,
    )
    return replace(one, **changes)


def bins(rows: int = 100) -> list[ResultBin]:
    return [ResultBin(0, "(-inf, 0)", rows, 40, 0.001), ResultBin(1, "missing", 0, 60)]


def upsert(store: Store, *rows: ResultRow, pictures: Sequence[ResultBin] = ()) -> int:
    with store.write() as connection:
        monitors.ensure(connection, "m", NOW)
        return results.upsert(connection, rows, {found.key: pictures for found in rows})


def latest(store: Store) -> list[results.ResultRecord]:
    with store.read() as connection:
        return results.latest(connection, "m")


def history(store: Store, **changes: Any) -> list[results.ResultRecord]:
    values: dict[str, Any] = {"feature": "delay", "window_seconds": 3600, "since": MONDAY}
    values |= changes
    with store.read() as connection:
        return results.history(connection, "m", **values)


def pictures(store: Store) -> dict[int, list[ResultBin]]:
    """Per hour of the window's end after Monday: its bins, if there are any."""
    found = {}
    with store.read() as connection:
        for record in results.history(connection, "m", "delay", 3600, MONDAY):
            stored = results.bins_of(connection, record.id)
            if stored:
                found[(record.row.window_start - MONDAY) // HOUR] = stored
    return found


def test_a_result_comes_back_as_it_was(store: Store) -> None:
    full = row(kl=inf, missing_rows=3, mean=-1.5, ks=0.25, psi=1e-300)
    volume = row(
        feature=VOLUME,
        reference_version=0,
        axis_version=None,
        measure=None,
        verdict=Verdict.LEARNING,
        reason=Reason.NO_REFERENCE,
    )
    assert upsert(store, full, volume) == 2
    second, first = latest(store)
    assert str(first.row) == str(full)
    assert str(second.row) == str(volume)
    assert (first.revision, second.revision) == (1, 1)
    assert isnan(first.row.entropy)


def test_what_is_not_known_is_null(store: Store) -> None:
    upsert(store, row(value=nan))
    with store.read() as connection:
        found = connection.execute(
            sa.text("SELECT count(*), count(value), count(entropy), count(js) FROM result")
        ).one()
    assert tuple(found) == (1, 0, 0, 1)


def test_the_same_result_twice_changes_nothing(store: Store) -> None:
    upsert(store, row(), row(1, verdict=Verdict.CRITICAL), pictures=bins())
    before = dump(store)
    assert (
        upsert(
            store,
            row(evaluated_at=NOW + HOUR),
            row(1, verdict=Verdict.CRITICAL, evaluated_at=NOW + HOUR),
            pictures=bins(),
        )
        == 0
    )
    assert dump(store) == before


@pytest.mark.parametrize(
    ("changes", "revision"),
    [
        ({"rows": 101}, 2),
        ({"js": 0.011}, 2),
        ({"js": nan}, 2),
        ({"missing_rows": 1}, 2),
        ({"verdict": Verdict.WARNING}, 1),
        ({"threshold_warning": 0.05}, 1),
        ({"message": "delay: not so fine"}, 1),
        ({"compared_with": "the 28 days before"}, 1),
        ({"excluded": "black friday"}, 1),
    ],
)
def test_the_revision_grows_with_counts_alone(
    store: Store, changes: dict[str, Any], revision: int
) -> None:
    upsert(store, row())
    later = row(evaluated_at=NOW + HOUR, **changes)
    assert upsert(store, later) == 1
    (found,) = latest(store)
    assert found.revision == revision
    assert str(found.row) == str(later)


def test_an_old_window_that_is_judged_again_leaves_the_latest_alone(store: Store) -> None:
    upsert(store, row(0), row(1, verdict=Verdict.WARNING), row(2), pictures=bins())
    again = row(0, rows=120, verdict=Verdict.CRITICAL, evaluated_at=NOW + HOUR)
    cleared = row(1, rows=120, evaluated_at=NOW + HOUR)
    assert upsert(store, again, cleared, pictures=bins(120)) == 2
    (newest,) = latest(store)
    assert (newest.row.window_end, newest.revision) == (row(2).window_end, 1)
    assert [(one.revision, one.row.rows) for one in history(store)] == [
        (2, 120),
        (2, 120),
        (1, 100),
    ]
    assert str(pictures(store)) == str({0: bins(120), 2: bins()})


def test_history_is_in_order_and_of_one_series(store: Store) -> None:
    others = [row(feature="other"), row(window_seconds=86_400), row(segment="carrier=UA")]
    upsert(store, row(2), row(0), row(1), row(1, reference_version=2), *others)
    found = [(record.row.window_end, record.row.reference_version) for record in history(store)]
    assert found == [
        (MONDAY + HOUR, 1), (MONDAY + 2 * HOUR, 1), (MONDAY + 2 * HOUR, 2), (MONDAY + 3 * HOUR, 1)
    ]  # fmt: skip
    assert len(history(store, since=MONDAY + 2 * HOUR)) == 1
    assert len(history(store, segment="carrier=UA")) == 1


def test_the_latest_of_each_series_is_found_in_any_order_of_arrival(store: Store) -> None:
    upsert(store, row(5), row(3, window_seconds=86_400), row(2, feature="a"))
    upsert(store, row(4), row(4, feature="a"))
    upsert(store, row(3), row(5, reference_version=2))
    upsert(store, row(5, rows=7))
    found = [
        (one.row.feature, one.row.window_seconds, one.row.window_start, one.row.reference_version)
        for one in latest(store)
    ]
    assert found == [
        ("a", 3600, MONDAY + 4 * HOUR, 1),
        ("delay", 3600, MONDAY + 5 * HOUR, 2),
        ("delay", 86_400, MONDAY + 3 * HOUR, 1),
    ]


def test_bins_are_kept_for_the_latest_and_the_flagged(store: Store) -> None:
    upsert(store, row(0), row(1, verdict=Verdict.WARNING), row(2), pictures=bins())
    assert str(pictures(store)) == str({1: bins(), 2: bins()})
    upsert(store, row(3), pictures=bins())
    assert set(pictures(store)) == {1, 3}
    upsert(store, row(4, verdict=Verdict.CRITICAL), pictures=bins())
    upsert(store, row(5), pictures=bins())
    assert set(pictures(store)) == {1, 4, 5}


def test_bins_follow_a_result_that_changed(store: Store) -> None:
    upsert(store, row(0, verdict=Verdict.WARNING), row(1), pictures=bins())
    upsert(store, row(0, verdict=Verdict.WARNING, rows=50), pictures=bins(50))
    assert pictures(store)[0][0].current_rows == 50
    upsert(store, row(0, rows=51), pictures=bins(51))
    assert set(pictures(store)) == {1}
    upsert(store, row(1, rows=52), pictures=bins(52))
    assert pictures(store)[1][0].current_rows == 52


def test_bins_of_a_late_result_that_is_not_flagged_are_not_kept(store: Store) -> None:
    upsert(store, row(5), pictures=bins())
    upsert(store, row(4), pictures=bins())
    assert set(pictures(store)) == {5}


def test_a_year_of_windows_at_once(store: Store) -> None:
    """More values than one statement takes parameters."""
    features = [f"f{n}" for n in range(4)]
    many = [row(number, feature=feature) for feature in features for number in range(365)]
    assert upsert(store, *many, pictures=bins()) == len(many)
    assert upsert(store, *many, pictures=bins()) == 0
    assert [one.row.window_start for one in latest(store)] == [MONDAY + 364 * HOUR] * 4
    assert len(dump(store, "result_bin")["result_bin"]) == 4 * 2


def test_no_results_are_nothing_to_do(store: Store) -> None:
    assert upsert(store) == 0
    assert latest(store) == []


def flagged(
    store: Store, since: int = 0, until: int = 99, *, seconds: int = 3600
) -> dict[str, list[tuple[int, int]]]:
    """Hours after Monday of what was flagged, by feature."""
    with store.read() as connection:
        found = results.flagged_intervals(
            connection, "m", seconds, MONDAY + since * HOUR, MONDAY + until * HOUR
        )
    return {
        feature: [((one.start - MONDAY) // HOUR, (one.end - MONDAY) // HOUR) for one in intervals]
        for feature, intervals in found.items()
    }


WARNING, CRITICAL = Verdict.WARNING, Verdict.CRITICAL


def test_flagged_windows_are_merged_by_feature(store: Store) -> None:
    upsert(
        store,
        *(row(n, verdict=verdict) for n, verdict in enumerate([WARNING, CRITICAL, Verdict.OK])),
        row(4, verdict=CRITICAL),
        row(4, verdict=WARNING, feature=VOLUME),
        row(5, verdict=Verdict.LEARNING),
        row(6, verdict=Verdict.NO_DATA),
        row(7, verdict=Verdict.ERROR, reason=Reason.COLUMN_MISSING),
    )
    assert flagged(store) == {"delay": [(0, 2), (4, 5)], VOLUME: [(4, 5)]}


def test_flagged_windows_that_were_widened_are_merged_as_they_were_judged(store: Store) -> None:
    upsert(
        store,
        row(5, verdict=WARNING, window_start=MONDAY + 2 * HOUR),
        row(3, verdict=WARNING),
        row(8, verdict=WARNING, window_start=MONDAY + 6 * HOUR),
    )
    assert flagged(store) == {"delay": [(2, 9)]}
    assert flagged(store, 0, 2) == {}
    assert flagged(store, 0, 3) == {"delay": [(2, 6)]}


def test_flagged_are_windows_that_hold_a_part_of_the_time(store: Store) -> None:
    upsert(store, row(2, verdict=WARNING))
    assert flagged(store, 0, 2) == flagged(store, 3, 9) == {}
    assert flagged(store, 2, 3) == flagged(store, 0, 3) == {"delay": [(2, 3)]}


def test_what_is_excluded_or_of_a_segment_or_another_length_is_not_flagged(store: Store) -> None:
    upsert(
        store,
        row(0, verdict=WARNING, excluded="black friday"),
        row(1, verdict=WARNING, segment="country=DE"),
        row(2, verdict=WARNING, window_seconds=86_400),
    )
    assert flagged(store) == {}
    assert flagged(store, seconds=86_400) == {"delay": [(2, 3)]}


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ({"verdict": WARNING}, {}, {}),
        ({}, {"verdict": WARNING}, {"delay": [(0, 1)]}),
        ({"verdict": WARNING}, {"verdict": CRITICAL, "excluded": "fair"}, {}),
        ({"verdict": WARNING, "excluded": "fair"}, {"verdict": WARNING}, {"delay": [(0, 1)]}),
    ],
)
def test_the_newest_reference_decides_what_is_flagged(
    store: Store, first: dict[str, Any], second: dict[str, Any], wanted: object
) -> None:
    upsert(store, row(0, **first), row(0, reference_version=2, **second))
    upsert(store, row(0, reference_version=9, segment="country=DE"))
    assert flagged(store) == wanted


def test_segments_that_carry_a_drift_come_strongest_first(store: Store) -> None:
    upsert(
        store,
        row(0, verdict=CRITICAL, js_distance=0.9),
        row(0, segment="a", js_distance=0.5),
        row(0, segment="b", verdict=WARNING, js_distance=0.3),
        row(0, segment="c", verdict=CRITICAL, js_distance=0.4),
        row(0, segment="d", verdict=Verdict.LEARNING, js_distance=nan),
        row(0, segment="e", js_distance=0.0),
        row(1, segment="f", verdict=CRITICAL, js_distance=0.9),
        row(0, segment="g", feature="other", js_distance=0.9),
        row(0, segment="h", window_seconds=86_400, js_distance=0.9),
    )
    upsert(store, row(0, segment="b", reference_version=2, verdict=WARNING, js_distance=0.6))
    with store.read() as connection:
        found = results.carrying(connection, "m", "delay", 3600, MONDAY + HOUR)
    assert [(one.row.segment, one.row.reference_version) for one in found] == [
        ("b", 2), ("c", 1), ("a", 1), ("e", 1), ("d", 1)
    ]  # fmt: skip
