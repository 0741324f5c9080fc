"""What a reference's own windows tell: of seasons, of wobble, and of sampling alone."""

import numpy as np
import pytest
from scipy import special

from driftwatch.stats.calibration import (
    MIN_WINDOWS,
    Calibration,
    Shortcoming,
    calibrate,
    no_calibration,
)
from driftwatch.stats.contrast import contrasts
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.leave_one_out import MIN_WINDOW_ROWS
from driftwatch.stats.null import Null
from driftwatch.stats.omnibus import omnibus
from driftwatch.stats.season import SeasonKey
from tests.stats import regimes

MONTH = 720
FEATURES = 12


def flat(hours: int, features: int) -> FloatArray:
    return np.zeros((hours, features))


def calibrated(counts: IntArray) -> Calibration:
    ordered = np.ones(counts.shape[1], dtype=np.bool_)
    return calibrate(counts, ordered=ordered, phases=regimes.phases(counts.shape[0]))


def finite(found: Calibration) -> bool:
    null = found.null
    values = (
        null.phi, null.rho, null.cv2, null.location_rms, null.rest_rms, null.spread_rms,
        null.cell_rms, null.edge_rms,
    )  # fmt: skip
    return all(np.isfinite(value).all() for value in values)


def p_of(
    found: Calibration, reference: IntArray, current: IntArray, start: int
) -> tuple[FloatArray, FloatArray]:
    """p of X² by its Gamma tail and of location by Student's t, of each current window (W, F)."""
    past, now = regimes.phases(len(reference)), regimes.phases(len(current), start=start)
    ordered = np.ones(reference.shape[1], dtype=np.bool_)
    of_x2, of_location = np.zeros(current.shape[:2]), np.zeros(current.shape[:2])
    for window, counts in enumerate(current):
        kept = np.stack(
            [
                reference[past[key] == now[key][window], feature].sum(axis=0)
                for feature, key in enumerate(found.season)
            ]
        )
        test = omnibus(counts, kept, ordered=ordered)
        cv2 = np.maximum(found.null.cv2, test.variance / np.square(test.expected))
        mean = test.expected * found.null.at(test.effective_rows)
        of_x2[window] = special.gammaincc(1 / cv2, test.statistic / (cv2 * mean))
        z = contrasts(counts, kept, ordered=ordered).location / found.null.location_rms
        of_location[window] = 2 * special.stdtr(found.null.windows - 1, -np.abs(z))
    return of_x2, of_location


@pytest.mark.parametrize(
    ("mean", "key"),
    [
        (flat, SeasonKey.NONE),
        (regimes.daily, SeasonKey.HOUR),
        (regimes.weekend, SeasonKey.HOUR_WEEKEND),
        (regimes.weekly, SeasonKey.HOUR_OF_WEEK),
    ],
)
def test_a_season_is_seen_judged_within_and_drift_is_found(
    mean: regimes.Mean, key: SeasonKey
) -> None:
    """At a p of 0.001 that tests share (X² has 0.4 of it, location 0.2): at most 0.2 % of hours are
    flagged, and 0.2 sigmas are found in 70 % of hours, 55 % where the season is a week."""
    random = np.random.default_rng(2026)
    means = mean(MONTH + 120, FEATURES)
    edges = regimes.edges_of(means[:MONTH], random)
    reference = regimes.counts_of(means[:MONTH], edges, random)
    found = calibrated(reference)
    assert set(found.season) == {key}
    assert found.null.phi == pytest.approx(np.ones(FEATURES), abs=0.05)
    assert found.wobble.max() < 0.03
    assert finite(found)

    same = regimes.counts_of(means[MONTH:], edges, random)
    of_x2, of_location = p_of(found, reference, same, MONTH)
    assert (of_x2 <= 0.0004).mean() <= 0.002
    assert (of_location <= 0.0002).mean() <= 0.002
    moved = regimes.counts_of(means[MONTH:] + 0.2, edges, random)
    _, of_location = p_of(found, reference, moved, MONTH)
    assert (of_location <= 0.0002).mean() >= (0.55 if key is SeasonKey.HOUR_OF_WEEK else 0.7)


@pytest.mark.parametrize(("sigma", "lasting", "seen"), [(0.1, 10.0, 0.075), (0.06, 72.0, 0.03)])
def test_a_wobble_without_season_is_not_drift(sigma: float, lasting: float, seen: float) -> None:
    """Autocorrelation over ten hours and over three days: at most 1 % at a shared 0.001."""
    random = np.random.default_rng(4)
    means = regimes.wobble(
        MONTH + 240, 24, sigma=sigma, lasting=lasting, random=np.random.default_rng(3)
    )
    edges = regimes.edges_of(means[:MONTH], random)
    reference = regimes.counts_of(means[:MONTH], edges, random)
    found = calibrated(reference)
    assert found.null.phi.mean() == pytest.approx(1 + 600 * sigma**2 / 23, abs=0.06)
    assert np.median(found.wobble) == pytest.approx(seen, abs=0.02)
    of_x2, of_location = p_of(
        found, reference, regimes.counts_of(means[MONTH:], edges, random), MONTH
    )
    assert (of_x2 <= 0.0004).mean() <= 0.01
    assert (of_location <= 0.0002).mean() <= 0.01


def test_the_slope_is_the_wobble_per_row() -> None:
    """Means that differ by 0.1 sigmas add nt * 0.01 to X², hence rho = 0.01/(k - 1)."""
    random = np.random.default_rng(12)
    means = random.normal(scale=0.1, size=(MONTH, FEATURES))
    reference = regimes.counts_of(means, regimes.edges_of(means, random), random)
    found = calibrated(reference)
    assert found.null.rho.mean() == pytest.approx(0.01 / 23, rel=0.1)
    assert found.null.phi.mean() == pytest.approx(1 + 600 * 0.01 / 23, rel=0.03)
    assert found.null.location_rms.mean() == pytest.approx(
        np.sqrt(1 + 600 * 0.01 * 3 / np.pi), rel=0.05
    )


def test_a_wobble_is_no_drift_in_the_busiest_hours_either() -> None:
    """From 200 to 2,000 rows an hour: z of a shift grows with the rows, and so does what is usual.
    By the rms of all hours alone the busiest ones cry wolf ten times as often as they should."""
    random = np.random.default_rng(6)
    means = random.normal(scale=0.1, size=(4 * MONTH, FEATURES))
    edges = regimes.edges_of(means, random)
    rows = np.repeat([200, 400, 1000, 2000], MONTH)[:, np.newaxis]
    found = calibrated(regimes.counts_of(means, edges, random, rows))
    usual = (0.2 + 0.4 + 1 + 2) / 4 * 1000
    assert found.effective_rows == pytest.approx(np.full(FEATURES, usual), rel=0.01)

    busy = random.normal(scale=0.1, size=(2 * MONTH, FEATURES))
    current = regimes.counts_of(busy, edges, random, 2000).reshape(-1, 25)
    reference = regimes.counts_of(means, edges, random).sum(axis=0)
    ordered = np.ones(len(current), dtype=np.bool_)
    z = contrasts(current, np.tile(reference, (2 * MONTH, 1)), ordered=ordered).location

    def share(null: Null) -> float:
        scaled = np.abs(z.reshape(-1, FEATURES)) / null.location_rms
        return float((2 * special.ndtr(-scaled) <= 0.001).mean())

    assert share(found.null) > 0.01
    assert share(found.null.grown(2000 / found.effective_rows)) < 0.002
    assert found.null.grown(200 / found.effective_rows).location_rms.tolist() == (
        found.null.location_rms.tolist()
    )


def test_worked_by_hand() -> None:
    """Three windows of (60, 40), (40, 60), (50, 50), each against the other two.

    N = 300, n = 100, E = 300/299. The first against (90, 110): c = (150, 150),
    X² = 300²/(100*200) * 2 * 10²/150 = 6; the second alike; the third 0: mean r = 4 * 299/300.
    nt = 200/3, so rho = (mean r - 1)/nt.
    """
    counts = np.array([[[60, 40, 0]], [[40, 60, 0]], [[50, 50, 0]]])
    found = calibrate(
        counts, ordered=np.array([True]), phases={SeasonKey.NONE: np.zeros(3, np.int64)}
    )
    mean = 4 * 299 / 300
    assert found.null.phi == pytest.approx(mean)
    assert found.null.rho == pytest.approx((mean - 1) / (200 / 3))
    # r = 1.5, 1.5, 0 times the mean: variance 3/4 of its square, times 1 + 2/3; chance has 2
    assert found.null.cv2 == pytest.approx(found.chance_cv2)
    assert found.chance_cv2 == pytest.approx(2.0, abs=0.03)
    assert found.null.windows.tolist() == [3]
    assert (found.current_rows.tolist(), found.reference_rows.tolist()) == ([100.0], [200.0])
    assert found.shortcomings == (
        frozenset({Shortcoming.FEW_WINDOWS, Shortcoming.SHORT_REFERENCE}),
    )


def test_empty_and_small_windows_spoil_nothing() -> None:
    random = np.random.default_rng(6)
    means = flat(200, 3)
    edges = regimes.edges_of(means, random)
    counts = regimes.counts_of(means, edges, random)
    clean = calibrated(counts)
    counts[::4, 1] = 0
    counts[1::4, 1] = 0
    counts[1::4, 1, 0] = MIN_WINDOW_ROWS - 1
    found = calibrated(counts)
    assert found.null.windows.tolist() == [200, 100, 200]
    assert found.null.cv2[0] == clean.null.cv2[0]
    assert found.current_rows.tolist() == [600.0] * 3
    assert finite(found)


def test_a_constant_feature_falls_back_to_sampling_alone() -> None:
    counts = np.zeros((40, 2, 4), dtype=np.int64)
    counts[:, :, 1] = 500
    found = calibrate(counts, ordered=np.array([True, False]), phases=regimes.phases(40))
    assert finite(found)
    assert found.null.phi.tolist() == found.null.cell_rms.tolist() == [1.0, 1.0]
    assert found.null.rho.tolist() == found.null.cv2.tolist() == [0.0, 0.0]
    assert found.wobble.tolist() == [0.0, 0.0]
    assert all(Shortcoming.CONSTANT in one for one in found.shortcomings)


def test_a_season_that_does_not_come_twice_is_not_tried_and_said_so() -> None:
    random = np.random.default_rng(9)
    means = regimes.weekly(192, 2)
    counts = regimes.counts_of(means, regimes.edges_of(means, random), random)
    found = calibrated(counts)
    assert SeasonKey.HOUR_OF_WEEK not in found.season
    assert all(Shortcoming.SHORTER_THAN_SEASON in one for one in found.shortcomings)
    assert (found.null.phi > 2).all()


def test_spread_has_seasons_too_and_categories_go_by_the_omnibus() -> None:
    random = np.random.default_rng(10)
    night = np.arange(MONTH) % 24 < 8
    of_day, of_night = np.array([0.25, 0.25, 0.25, 0.25, 0]), np.array([0.35, 0.15, 0.15, 0.35, 0])
    shares = np.where(night[:, np.newaxis], of_night, of_day)
    counts = random.multinomial(600, shares[:, np.newaxis], size=(MONTH, 2))
    found = calibrate(counts, ordered=np.array([True, False]), phases=regimes.phases(MONTH))
    assert found.season == (SeasonKey.HOUR, SeasonKey.HOUR)
    assert found.null.phi.max() < 1.15


def test_many_features_are_told_as_one_is() -> None:
    """Blocks of features, padding, and a reference without rows change nothing of the others."""
    random = np.random.default_rng(13)
    means = regimes.daily(MONTH, 150)
    counts = regimes.counts_of(means, regimes.edges_of(means, random), random)
    counts[:, 7] = 0
    many = calibrated(counts)
    alone = calibrate(
        np.pad(counts[:, 149:], [(0, 0), (0, 0), (0, 3)]),
        ordered=np.array([True]),
        cells=np.array([25]),
        phases=regimes.phases(MONTH),
    )
    assert many.null.phi[149] == pytest.approx(alone.null.phi[0])
    assert many.null.location_rms[149] == pytest.approx(alone.null.location_rms[0])
    assert many.null.cell_rms[149] == pytest.approx(alone.null.cell_rms[0])
    assert many.wobble[149] == pytest.approx(alone.wobble[0])
    assert many.shortcomings[7] == frozenset({Shortcoming.NO_WINDOWS})
    assert many.season[7] is SeasonKey.NONE
    assert finite(many)
    assert np.isnan(many.wobble[7])


@pytest.mark.parametrize("windows", [0, 1])
def test_without_two_windows_sampling_alone_is_the_null(windows: int) -> None:
    found = calibrated(np.full((windows, 2, 3), 100, dtype=np.int64))
    bare = no_calibration(2)
    assert found.null.phi.tolist() == bare.null.phi.tolist() == [1.0, 1.0]
    assert found.null.windows.tolist() == bare.null.windows.tolist() == [0, 0]
    assert all(Shortcoming.NO_WINDOWS in one for one in found.shortcomings)
    assert bare.shortcomings == (frozenset({Shortcoming.NO_WINDOWS}),) * 2
    assert finite(found)


def test_no_features_have_no_calibration() -> None:
    assert calibrated(np.zeros((MIN_WINDOWS, 0, 5), dtype=np.int64)).season == ()
    assert no_calibration(0).shortcomings == ()


def test_shapes_that_do_not_fit_are_refused() -> None:
    counts, ordered = np.ones((4, 2, 3), dtype=np.int64), np.ones(2, dtype=np.bool_)
    phase = np.zeros(4, dtype=np.int64)
    with pytest.raises(ValueError, match="2 values"):
        calibrate(counts, ordered=ordered[:1], phases={SeasonKey.NONE: phase})
    with pytest.raises(ValueError, match="2 values"):
        calibrate(counts, ordered=ordered, phases={SeasonKey.NONE: phase}, cells=phase)
    with pytest.raises(ValueError, match="4 phases"):
        calibrate(counts, ordered=ordered, phases={SeasonKey.NONE: phase[:3]})
    with pytest.raises(ValueError, match="4 phases"):
        calibrate(counts, ordered=ordered, phases={})


@pytest.mark.parametrize("windows", [20, 60])
@pytest.mark.parametrize(("rise", "told"), [(0.0, False), (1.0, True)])
def test_what_moves_slowly_through_the_reference_is_told(
    windows: int, rise: float, told: bool
) -> None:
    """A third of a season of a year, or a trend: later windows may lie where none of these did."""
    random = np.random.default_rng(3)
    means = np.repeat(np.linspace(0, rise, windows)[:, np.newaxis], 100, axis=1)
    means += random.normal(scale=0.1, size=means.shape)
    counts = regimes.counts_of(means, regimes.edges_of(means, random), random)
    found = calibrate(
        counts,
        ordered=np.ones(100, dtype=np.bool_),
        phases={SeasonKey.NONE: np.zeros(windows, dtype=np.int64)},
    )
    share = np.mean([Shortcoming.SHORTER_THAN_SEASON in one for one in found.shortcomings])
    assert share >= 0.95 if told else share <= 0.1
