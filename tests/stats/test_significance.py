"""The p of a feature: its parts, how a calibration widens them, and how often it errs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from driftwatch.stats.calibration import calibrate
from driftwatch.stats.combination import (
    CATEGORICAL,
    NUMERIC,
    SMALLEST_P,
    Parts,
    Weights,
    combined,
)
from driftwatch.stats.counts import IntArray
from driftwatch.stats.edgewise import edge_p
from driftwatch.stats.null import Null, uncalibrated
from driftwatch.stats.significance import significance
from driftwatch.stats.wobble import wobble_tail
from tests.stats.draws import count_pairs
from tests.stats.regimes import counts_of, edges_of, phases, wobble

ORDERED, APART = np.array([True]), np.array([False])
CURRENT, REFERENCE = np.array([[10, 20, 40, 30, 2]]), np.array([[250, 250, 250, 250, 10]])


def calibrated(windows: int = 30, **told: float) -> Null:
    found = replace(uncalibrated(1), windows=np.array([windows]))
    return replace(found, **{name: np.array([value]) for name, value in told.items()})


def together(*weighed: tuple[float, float]) -> float:
    """(weight, p) of the parts that have something to test."""
    h = sum(weight for weight, _ in weighed) / sum(weight / p for weight, p in weighed)
    return float(h * (1 - h * np.log(h)))


@pytest.mark.parametrize("weights", [NUMERIC, CATEGORICAL])
def test_the_weights_are_shares_of_alpha(weights: Weights) -> None:
    shares = [getattr(weights, name) for name in weights.__slots__]
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0


def test_the_parts_by_hand() -> None:
    found = significance(CURRENT, REFERENCE, ordered=ORDERED)
    whole, parts = found.omnibus, found.parts
    skewness = whole.third / whole.variance**1.5
    law = stats.pearson3(skewness, loc=whole.expected, scale=np.sqrt(whole.variance))
    gamma = stats.gamma(whole.expected**2 / whole.variance, scale=whole.variance / whole.expected)
    assert parts.omnibus == pytest.approx(law.sf(whole.statistic))
    assert parts.omnibus > gamma.sf(whole.statistic)
    assert parts.location == pytest.approx(2 * stats.norm.sf(abs(found.z_location)))
    assert parts.spread == pytest.approx(2 * stats.norm.sf(abs(found.z_spread)))
    edges = edge_p(CURRENT, REFERENCE, ordered=ORDERED)[0, :3]
    assert parts.edges == pytest.approx(1 / np.mean(1 / edges))
    both = (CURRENT + REFERENCE)[0]
    weights = 1 / 5 + both / both.sum()
    assert parts.cells == pytest.approx(2 / np.sum(weights / found.p_cells[0]))
    assert parts.missing == found.p_cells[:, 4]
    assert (parts.underflow, parts.overflow) == (found.p_cells[:, 0], found.p_cells[:, 3])
    assert np.isnan(parts.unseen)
    # Cells of more than a quarter of the rows: two fifths of location are the others' location.
    assert found.p[0] == pytest.approx(
        together(
            (0.04, parts.omnibus[0]),
            (0.3, parts.location[0]),
            (0.2, parts.rest[0]),
            (0.1, parts.spread[0]),
            (0.2, parts.edges[0]),
            (0.06, parts.cells[0]),
            (0.025, parts.underflow[0]),
            (0.025, parts.overflow[0]),
            (0.05, parts.missing[0]),
        )
    )


def test_levels_have_no_location_and_cells_of_their_own() -> None:
    found = significance(CURRENT, REFERENCE, ordered=APART)
    parts = found.parts
    assert np.isnan([parts.location[0], parts.edges[0], parts.overflow[0], found.z_spread[0]]).all()
    assert (parts.unseen, parts.missing) == (found.p_cells[:, 3], found.p_cells[:, 4])
    assert found.p[0] == pytest.approx(
        together(
            (0.35, parts.omnibus[0]),
            (0.2, parts.cells[0]),
            (0.4, parts.unseen[0]),
            (0.05, parts.missing[0]),
        )
    )


def test_what_has_no_row_leaves_its_share_to_the_others() -> None:
    """Neither side has a missing row or one in an outer bin; each inner one has a fifth."""
    current, reference = np.array([[0, 25, 15, 30, 8, 22, 0, 0]]), np.array([[0, *[300] * 5, 0, 0]])
    found = significance(current, reference, ordered=ORDERED)
    parts = found.parts
    assert np.isnan([parts.underflow, parts.overflow, parts.missing, parts.rest]).all()
    assert found.p[0] == pytest.approx(
        together(
            (0.04, parts.omnibus[0]),
            (0.5, parts.location[0]),
            (0.1, parts.spread[0]),
            (0.2, parts.edges[0]),
            (0.06, parts.cells[0]),
        )
    )


def test_a_few_rows_beyond_all_of_the_reference_are_found() -> None:
    current, reference = np.array([[0, 150, 148, 2, 0]]), np.array([[0, 50_000, 50_000, 0, 0]])
    found = significance(current, reference, ordered=ORDERED)
    assert found.parts.overflow == pytest.approx((300 / 100_300) ** 2, rel=0.01)
    assert found.p[0] < 0.001


def test_a_window_that_varies_as_the_references_own_is_not_significant() -> None:
    plain = significance(CURRENT, REFERENCE, ordered=ORDERED)
    null = calibrated(
        phi=4.0, cv2=0.8,
        location_rms=2.0, rest_rms=2.0, spread_rms=2.0, cell_rms=2.0, edge_rms=2.0,
    )  # fmt: skip
    found = significance(CURRENT, REFERENCE, ordered=ORDERED, null=null)
    whole = found.omnibus
    law = stats.gamma(1 / 0.8, scale=0.8 * 4.0 * whole.expected)
    # Its p is above 0.05, where the tail of a wobble is not asked for.
    assert found.parts.omnibus == pytest.approx(law.sf(whole.statistic))
    assert found.parts.location == pytest.approx(2 * stats.t(29).sf(abs(found.z_location) / 2))
    cell_z = stats.norm.isf(plain.p_cells[0, 0] / 2)
    assert found.p_cells[0, 0] == pytest.approx(2 * stats.t(29).sf(cell_z / 2))
    assert found.z_location == plain.z_location
    assert found.p[0] > 50 * plain.p[0]


def test_of_two_tails_of_x2_the_heavier_one_counts() -> None:
    for cv2, heavier in ((0.55, True), (3.0, False)):
        null = calibrated(phi=1.5, cv2=cv2)
        found = significance(CURRENT * 3, REFERENCE * 3, ordered=ORDERED, null=null)
        whole = found.omnibus
        mean = 1.5 * whole.expected
        gamma = stats.gamma(1 / cv2, scale=cv2 * mean).sf(whole.statistic)
        wobble = wobble_tail(
            statistic=whole.statistic,
            expected=whole.expected,
            variance=whole.variance,
            phi=1.5,
        )
        assert (wobble > gamma)[0] == heavier
        assert found.parts.omnibus == pytest.approx(np.maximum(gamma, wobble))
        assert found.parts.omnibus[0] < 0.05


def test_the_slope_counts_where_it_says_more_than_phi() -> None:
    by_slope = significance(CURRENT, REFERENCE, ordered=ORDERED, null=calibrated(rho=0.1))
    nt = float(by_slope.omnibus.effective_rows[0])
    by_phi = significance(CURRENT, REFERENCE, ordered=ORDERED, null=calibrated(phi=1 + 0.1 * nt))
    assert by_slope.parts.omnibus == pytest.approx(by_phi.parts.omnibus)


def test_no_calibration_is_that_of_sampling_alone() -> None:
    told = significance(CURRENT, REFERENCE, ordered=ORDERED, null=uncalibrated(1))
    assert told.p == significance(CURRENT, REFERENCE, ordered=ORDERED).p


def test_an_empty_side_is_unknown_and_a_constant_is_certain() -> None:
    current = np.array([[0, 0, 0], [5, 5, 5], [9, 0, 0], [9, 0, 0]])
    reference = np.array([[9, 9, 9], [0, 0, 0], [99, 0, 0], [99, 0, 0]])
    ordered = np.array([True, True, True, False])
    found = significance(current, reference, ordered=ordered)
    assert np.isnan(found.p[:2]).all()
    assert found.p[2:].tolist() == [1.0, 1.0]
    assert np.isnan(found.p_cells[:2]).all()


def test_a_window_of_missing_rows_alone_is_found() -> None:
    found = significance(np.array([[0, 0, 200]]), np.array([[500, 500, 10]]), ordered=ORDERED)
    assert found.parts.location == 1
    assert found.p[0] < 1e-100


def test_what_is_far_out_has_a_logarithm() -> None:
    found = significance(
        np.array([[0, 0, 90_000, 0]]), np.array([[500_000, 400_000, 10, 0]]), ordered=ORDERED
    )
    for p in (found.p, found.parts.omnibus, found.parts.location, found.p_cells):
        assert (p >= SMALLEST_P).all()
    assert np.isfinite(np.log10(found.p)).all()
    assert found.p[0] <= 100 * SMALLEST_P


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="ordered must hold 1"):
        significance(CURRENT, REFERENCE, ordered=np.array([True, True]))
    with pytest.raises(ValueError, match="not negative"):
        significance(-CURRENT, REFERENCE, ordered=ORDERED)


def test_the_mean_of_one_p_alone_is_itself() -> None:
    p = np.array([1e-5])
    parts = Parts(*[p] * 10)
    assert combined(parts, NUMERIC) == pytest.approx(1e-5 * (1 - 1e-5 * np.log(1e-5)))


@given(count_pairs())
def test_padding_is_not_seen_and_p_is_a_probability(pair: tuple[IntArray, IntArray]) -> None:
    current, reference = (side[np.newaxis] for side in pair)
    width = current.shape[1]
    for ordered in (ORDERED, APART):
        alone = significance(current, reference, ordered=ordered)
        wide = significance(
            np.pad(current, [(0, 0), (0, 3)]),
            np.pad(reference, [(0, 0), (0, 3)]),
            ordered=ordered,
            cells=np.array([width]),
        )
        assert wide.p[0] == pytest.approx(alone.p[0], rel=1e-9)
        assert SMALLEST_P <= alone.p[0] <= 1


def test_a_few_sparse_cells_do_not_make_x2_err() -> None:
    """One level has 97 % of 400 rows, ten expect 1.2 each: two moments err three times as often."""
    random = np.random.default_rng(4)
    shares, windows = np.array([0.97, *[0.003] * 10]), 100_000
    current = random.multinomial(400, shares, size=windows)
    reference = np.broadcast_to(np.round(shares * 1e5).astype(np.int64), current.shape)
    found = significance(current, reference, ordered=np.zeros(windows, np.bool_))
    whole = found.omnibus
    shape, scale = whole.expected**2 / whole.variance, whole.variance / whole.expected
    two_moments = stats.gamma.sf(whole.statistic, shape, scale=scale)
    for alpha in (0.01, 0.001):
        assert np.mean(found.parts.omnibus <= alpha) <= 1.3 * alpha
        assert np.mean(two_moments <= alpha) > 1.3 * alpha
    assert np.mean(two_moments <= 0.001) > 0.0025


def test_far_out_a_sparse_cell_does_not_make_x2_err() -> None:
    """Nine rows came to a level that expects one: exactly a hundred times likelier than X² says.
    Cells that expect five rows or more bear out none of it."""
    current, reference = (
        np.array([[46, 46, 9, 0, 0, 0]]),
        np.array([[49_500, 49_500, 1000, 0, 0, 0]]),
    )
    found = significance(current, reference, ordered=APART)
    whole = found.omnibus
    scale = whole.third / (2 * whole.variance)
    shape = whole.variance / scale**2
    gamma = stats.gamma.sf(whole.statistic - whole.expected + shape * scale, shape, scale=scale)
    assert float(np.asarray(gamma)[0]) < 1e-7
    assert found.p_cells[0, 2] > 30 * float(np.asarray(gamma)[0])
    assert np.asarray(found.parts.omnibus) == pytest.approx(1e-4)
    many = significance(10 * current, reference, ordered=APART)
    assert np.asarray(many.parts.omnibus).max() < 1e-30


@pytest.mark.parametrize("atom", [0.97, 0.997])
def test_a_few_rows_beside_an_atom_do_not_make_ranks_err(atom: float) -> None:
    """By the normal tail location or spread of 100 rows fall below 0.001 up to ten times as often:
    0.3 of them are expected to have another value."""
    random = np.random.default_rng(8)
    shares, windows = np.array([atom, *[(1 - atom) / 8] * 8, 0.0]), 30_000
    current = random.multinomial(100, shares, size=windows)
    reference = np.broadcast_to(random.multinomial(100_000, shares), current.shape)
    found = significance(current, reference, ordered=np.ones(windows, np.bool_))
    for p in (found.p, found.parts.location, found.parts.spread):
        assert np.mean(p <= 0.01) <= 0.013
        assert np.mean(p <= 0.001) <= 0.0015


@pytest.mark.parametrize("rows", [100, 300, 1000])
def test_it_errs_as_often_as_it_says(rows: int) -> None:
    random = np.random.default_rng(rows)
    limits = [0.0, 0.001, 0.01, *np.arange(1, 20) / 20, 0.99, 0.999, 1.0]
    shares = np.append(np.diff(limits) * 0.99, 0.01)
    windows = 20_000
    reference = random.multinomial(100_000, shares, size=windows)
    current = random.multinomial(rows, shares, size=windows)
    for ordered in (True, False):
        p = significance(current, reference, ordered=np.full(windows, ordered)).p
        # Three standard errors above: 0.013 and 0.003 are what is promised.
        assert np.mean(p <= 0.01) <= 0.013
        assert np.mean(p <= 0.001) <= 0.003
        assert np.mean(p <= 0.01) >= 0.006


def test_after_a_calibration_a_wobble_is_not_drift_and_more_is() -> None:
    random = np.random.default_rng(11)
    hours, later, features = 480, 200, 100
    means = wobble(hours + later, features, sigma=0.2, lasting=1.0001, random=random)
    edges = edges_of(means[:hours], random)
    reference = counts_of(means[:hours], edges, random)
    ordered = np.ones(features, np.bool_)
    only = {key: phase for key, phase in phases(hours).items() if not phase.any()}
    null = calibrate(reference, ordered=ordered, phases=only).null
    whole = reference.sum(axis=0)

    def share(shift: float, null: Null | None, alpha: float) -> float:
        current = counts_of(means[hours:] + shift, edges, random)
        p = [significance(one, whole, ordered=ordered, null=null).p for one in current]
        return float(np.mean(np.array(p) <= alpha))

    assert share(0.0, None, 0.001) > 0.4
    assert share(0.0, null, 0.01) <= 0.013
    assert share(0.0, null, 0.001) <= 0.003
    assert share(1.0, null, 0.001) > 0.8
