"""Carrying a calibration to longer windows: the slope, its limits, and which feature takes it."""

import numpy as np
import pytest

from driftwatch.stats.calibration import Calibration, Shortcoming, calibrate, no_calibration
from driftwatch.stats.carry import MOST_CV2, carried
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.season import SeasonKey
from tests.stats import regimes

DAY = 24


def calibrated(counts: IntArray) -> Calibration:
    """Without a season."""
    windows, features, _ = counts.shape
    return calibrate(
        counts,
        ordered=np.ones(features, dtype=np.bool_),
        phases={SeasonKey.NONE: np.zeros(windows, dtype=np.int64)},
    )


def counts_of(means: FloatArray, seed: int) -> IntArray:
    random = np.random.default_rng(seed)
    return regimes.counts_of(means, regimes.edges_of(means, random), random)


def days(hours: IntArray) -> IntArray:
    return np.asarray(hours.reshape(-1, DAY, *hours.shape[1:]).sum(axis=1))


def test_a_wobble_that_lasts_a_day_is_carried_to_days() -> None:
    """Each day has a mean of its own: hours tell what 200 days themselves tell."""
    random = np.random.default_rng(1)
    means = np.repeat(random.normal(scale=0.05, size=(200, 8)), DAY, axis=0)
    hours = counts_of(means, 2)
    own, shorter = calibrated(days(hours)), calibrated(hours)
    told = carried(
        no_calibration(8),
        shorter,
        current_rows=600 * DAY,
        reference_rows=600 * DAY * 199,
    )
    assert told.null.phi.mean() == pytest.approx(own.null.phi.mean(), rel=0.1)
    assert told.null.location_rms.mean() == pytest.approx(own.null.location_rms.mean(), rel=0.1)
    assert told.null.cv2.mean() == pytest.approx(own.null.cv2.mean(), rel=0.3)
    assert told.shortcomings == (frozenset({Shortcoming.CARRIED}),) * 8
    assert told.null.windows.tolist() == shorter.null.windows.tolist()


def test_a_wobble_of_hours_is_overstated_for_days() -> None:
    random = np.random.default_rng(3)
    hours = counts_of(random.normal(scale=0.1, size=(40 * DAY, 4)), 4)
    own = calibrated(days(hours))
    told = carried(
        no_calibration(4),
        calibrated(hours),
        current_rows=600 * DAY,
        reference_rows=600 * DAY * 39,
    )
    assert (told.null.phi > own.null.phi).all()
    assert (told.null.location_rms > own.null.location_rms).all()
    assert (told.null.cv2 <= MOST_CV2).all()


def test_sampling_alone_stays_sampling_alone() -> None:
    hours = counts_of(np.zeros((30 * DAY, 4)), 5)
    told = carried(
        no_calibration(4), calibrated(hours), current_rows=600 * DAY, reference_rows=10**6
    )
    assert told.null.phi == pytest.approx(np.ones(4), abs=0.3)
    assert told.null.location_rms == pytest.approx(np.ones(4), abs=0.6)


def test_own_windows_are_kept_where_there_are_enough_or_no_more_of_the_shorter() -> None:
    means = np.zeros((40, 3))
    longer, shorter = counts_of(means, 6), counts_of(means, 7)
    longer[20:, 1:] = 0
    shorter[10:, 2] = 0
    own = calibrated(longer)
    told = carried(own, calibrated(shorter), current_rows=600, reference_rows=[9e4, 5e3, 9e4])
    assert told.null.windows.tolist() == [40, 40, 20]
    assert told.null.phi[[0, 2]].tolist() == own.null.phi[[0, 2]].tolist()
    assert told.shortcomings[0] == frozenset()
    assert told.shortcomings[1] == frozenset({Shortcoming.CARRIED, Shortcoming.SHORT_REFERENCE})
    assert told.shortcomings[2] == own.shortcomings[2] == frozenset({Shortcoming.FEW_WINDOWS})
    assert told.reference_rows[1] == 5_000


def test_worked_by_hand() -> None:
    """nt_s = 500, nt = 5000, g = 10: phi = 1 + 0.002 * 5000 = 11, rms = sqrt(1 + 3 * 10).

    cv2_s = 0.5, phi_s = 2, chance 0.1: s = 2 - 0.3 = 1.7, cv2 = (2.1 + 170)/121 = 1.422.
    """
    shorter = no_calibration(1)
    one = np.ones(1)
    null = type(shorter.null)(
        phi=2 * one,
        rho=0.002 * one,
        cv2=0.5 * one,
        location_rms=2 * one,
        spread_rms=one,
        cell_rms=one,
        edge_rms=3 * one,
        rest_rms=one,
        windows=np.array([100]),
    )
    known = Calibration(
        null=null,
        season=(SeasonKey.HOUR,),
        current_rows=1000 * one,
        reference_rows=1000 * one,
        effective_rows=500 * one,
        chance_cv2=0.1 * one,
        wobble=0.05 * one,
        shortcomings=(frozenset(),),
    )
    told = carried(shorter, known, current_rows=10_000, reference_rows=10_000)
    assert told.null.phi == pytest.approx(11.0)
    assert told.null.cv2 == pytest.approx(172.1 / 121)
    assert told.null.location_rms == pytest.approx(np.sqrt(31))
    assert told.null.edge_rms == pytest.approx(9.0)  # sqrt(1 + 8 * 10)
    assert told.null.spread_rms.tolist() == [1.0]
    assert told.effective_rows == pytest.approx(5000.0)
    assert (told.season, told.wobble.tolist()) == ((SeasonKey.HOUR,), [0.05])


def test_a_constant_feature_stays_finite() -> None:
    counts = np.zeros((40, 1, 3), dtype=np.int64)
    counts[:, :, 0] = 100
    told = carried(no_calibration(1), calibrated(counts), current_rows=900, reference_rows=100)
    assert told.null.phi.tolist() == told.null.location_rms.tolist() == [1.0]
    assert np.isfinite(told.null.cv2).all()
    assert Shortcoming.CONSTANT in told.shortcomings[0]
    none = carried(no_calibration(1), no_calibration(1), current_rows=900, reference_rows=100)
    assert none.shortcomings == (frozenset({Shortcoming.NO_WINDOWS}),)
