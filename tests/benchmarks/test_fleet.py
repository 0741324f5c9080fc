"""The simulated fleet: its rows, what is left out of its judging, and that it can be alerted."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from benchmarks import watch
from benchmarks.fleet import TARGET, Fleet, page, simulated
from benchmarks.readiness import BEGIN, LENGTHS
from benchmarks.traffic import HOURS_OF_WEEK, PREDICTION, Column, columns, hours
from benchmarks.watch import Flagged, Watched
from driftwatch.alert.policy import Severity
from driftwatch.stats.counts import FloatArray, IntArray

SMALL = Fleet(monitors=2, features=8, weeks=1, seed=3)


def alerts(found: Sequence[Watched]) -> list[Flagged]:
    return [one for monitor in found for one in monitor.alerts]


def test_a_small_fleet_without_drift_raises_no_critical_alert() -> None:
    found = list(simulated(SMALL))
    judged = sum((one.judged for one in found), start=Counter[tuple[str, int]]())
    assert sum(n for (_, seconds), n in judged.items() if seconds == LENGTHS[0]) > 2000
    assert [one for one in alerts(found) if one.severity is Severity.CRITICAL] == []
    assert "**False critical alerts: 0, 0.00 a week" in page(SMALL, found)


def test_a_prediction_that_moves_by_a_sigma_is_a_critical_alert_over_every_length() -> None:
    moved = Fleet(SMALL.monitors, SMALL.features, SMALL.weeks, SMALL.seed, shift=1.0)
    for monitor in simulated(moved):
        told = {one.seconds: one for one in monitor.alerts if one.feature == PREDICTION}
        # A single week is no second of three, so that it fires only where it is plain.
        assert told.keys() == set(LENGTHS)
        assert {one.severity for one in told.values()} == {Severity.CRITICAL}
        # An hour is the first that can tell.
        assert told[LENGTHS[0]].start < BEGIN.replace(month=3, day=3)


def test_windows_that_are_left_out_would_change_no_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    def fleet() -> list[Watched]:
        # So small a shift gives windows that are flagged, that are above clear, and that are clear.
        return list(simulated(Fleet(monitors=1, features=8, weeks=1, seed=3, shift=0.15)))

    some = fleet()
    monkeypatch.setattr(watch, "_deciding", lambda p: np.flatnonzero(~np.isnan(p).all(axis=1)))
    every = fleet()
    assert some == every
    assert alerts(some)


def made(seed: int, count: int = 40) -> tuple[IntArray, list[Column]]:
    random = np.random.default_rng(seed)
    when = hours(random, reference=4 * HOURS_OF_WEEK, live=HOURS_OF_WEEK)
    return when.rows, list(columns(random, when, count))


def test_every_column_counts_every_row_once_by_its_shares() -> None:
    rows, found = made(1)
    for one in found:
        np.testing.assert_array_equal(one.cells.sum(axis=1), rows)
        expected = rows[:, np.newaxis] * one.shares
        told = expected > 5
        square = np.square(one.cells - expected)[told] / expected[told]
        # Pearson's terms have a mean of 1 - share: rows vary by sampling alone.
        aimed = float(np.mean(1 - one.shares[told]))
        assert np.mean(square) == pytest.approx(aimed, abs=6 * np.sqrt(2.5 / told.sum())), one.name


def test_a_copy_has_the_shares_of_the_other_and_goes_with_it() -> None:
    _, found = made(1)
    pairs = [(a, b) for a, b in pairwise(found) if a.shares is b.shares]
    assert pairs

    def luck(one: Column) -> FloatArray:
        rows = one.cells.sum(axis=1, keepdims=True)
        return np.asarray((one.cells - rows * one.shares)[:, :5].ravel())

    for one, copy in pairs:
        assert 0.4 < np.corrcoef(luck(one), luck(copy))[0, 1] < 0.95
    assert abs(np.corrcoef(luck(found[1]), luck(found[3]))[0, 1]) < 0.2


def test_the_page_says_what_the_bounds_allow() -> None:
    alert = Flagged(
        "prediction", "normal", LENGTHS[0], BEGIN, Severity.CRITICAL,
        500, 1e-9, 0.3, "location", True,
    )  # fmt: skip
    fleet = Fleet(weeks=8)

    def of(count: int) -> str:
        judged = Counter({("normal", seconds): 1000 for seconds in LENGTHS})
        return page(fleet, [Watched(judged, [alert] * count, [alert] * count)])

    assert TARGET == 1
    # Garwood's bounds of 2 and of 30 events: 0.2422, 7.2247 and 20.24, 42.83.
    assert "alerts: 2, 0.25 a week (0.03 to 0.90) for 40 monitors x 80 columns" in of(2)
    assert "the target: met" in of(2)
    assert "30, 3.75 a week (2.53 to 5.35)" in of(30)
    assert "the target: missed" in of(30)
    assert "within what chance allows" in of(8)
    assert "| hours | 2 | 0.25 (0.03 to 0.90) | 2 | 0 |" in of(2)
