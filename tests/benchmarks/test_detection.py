"""The short form of `make bench-detection`: driftwatch alone, with fixed seeds.

A test fails where what was counted would be seen less often than once in a million runs, were the
promise kept to the letter. Bounds are exact, of the binomial distribution, or (of shares that are
not counts) Chernoff's and Hoeffding's.
"""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.detection import accuracy, many, no_drift, power, seasons
from benchmarks.detection.regimes import REGIMES
from benchmarks.detection.scored import OURS
from benchmarks.detection.verdict import evidence
from benchmarks.detection.worlds import MARGINALS, SHIFTS, World, cell_shares, located, reference

INCREDIBLE = 1e-6


def credible_at_most(seen: int, of: int, promised: float) -> bool:
    """Whether so many are seen at least once in a million times, if no more are promised."""
    return bool(stats.binom.sf(seen - 1, of, promised) >= INCREDIBLE)


def credible_at_least(seen: int, of: int, promised: float) -> bool:
    return bool(stats.binom.cdf(seen, of, promised) >= INCREDIBLE)


def credible_mean_at_most(mean: float, of: int, promised: float) -> bool:
    """Of numbers in 0..1: P(mean >= a) <= exp(-n KL(a || promised)). Source: Hoeffding, Probability
    Inequalities for Sums of Bounded Random Variables, J. Am. Stat. Assoc. 58 (1963), theorem 1."""
    if mean <= promised:
        return True
    divergence = mean * math.log(mean / promised) + (1 - mean) * math.log(
        (1 - mean) / (1 - promised)
    )
    return math.exp(-of * divergence) >= INCREDIBLE


def test_the_bounds_can_fail() -> None:
    """Of a promise of 1 % in 1,000 windows 28 are a bad day, 29 are a broken promise."""
    assert credible_at_most(28, 1000, 0.01)
    assert not credible_at_most(29, 1000, 0.01)
    assert credible_at_least(425, 1000, 0.5)
    assert not credible_at_least(424, 1000, 0.5)
    assert credible_mean_at_most(0.025, 1000, 0.01)
    assert not credible_mean_at_most(0.035, 1000, 0.01)


def test_without_drift_hardly_anything_is_flagged() -> None:
    """Part 1, in every cell of eight marginals and six numbers of rows."""
    plan = no_drift.Plan(no_drift.ROWS, 4, 400, 0, 0, 0)
    found = no_drift.own_flags(plan, np.random.default_rng(41))
    assert len(found) == 48
    for one in found.values():
        assert credible_at_most(one.at_default, one.windows, no_drift.AT_DEFAULT)
        assert credible_at_most(one.at_hundredth, one.windows, no_drift.AT_HUNDREDTH)


@pytest.mark.parametrize("regime", REGIMES)
def test_seasons_are_not_drift_and_drift_is_found_in_them(regime: str) -> None:
    """Part 2: 168 hours of six features after eight weeks."""
    plan = seasons.Plan(8 * 168, 168, 6, 0, 0)
    found = seasons.own(REGIMES[regime], plan, np.random.default_rng(42))
    assert credible_at_most(found.alarmed, found.hours, seasons.AT_MOST)
    assert credible_at_least(found.found, found.hours, seasons.FOUND.get(regime, 0.0))


def test_of_fifty_features_few_are_flagged_by_mistake() -> None:
    """Part 3."""
    found = many.own(many.Plan(3, 200, 0), np.random.default_rng(43))
    assert credible_at_most(found.alarmed, found.windows, many.AT_MOST)
    assert credible_mean_at_most(found.false_share, found.windows, many.AT_MOST)
    assert found.caught > 0


def test_shifts_are_found() -> None:
    """Part 4: the mean over thirty shifts, where 1 % of windows without drift are found."""
    plan = power.Plan(tuple(power.TARGETS), 4, 250, 25)
    found = power.own_powers(plan, np.random.default_rng(44))
    windows = len(SHIFTS) * plan.references * plan.shifted
    for rows, promised in power.TARGETS.items():
        caught = round(windows * power.mean_power(found, OURS, rows))
        assert credible_at_least(caught, windows, promised), rows


WORLDS = {
    **{f"mean + {by:g} sigma": ("normal", located(by)) for by in (0.05, 0.3, 0.75, 2.0)},
    **{f"{one.marginal}, {one.change}": (one.marginal, one.world) for one in SHIFTS},
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_effect_is_the_true_one(name: str) -> None:
    """Part 5: no more than half of the windows tell less than is allowed, nor more than that."""
    marginal, moved = WORLDS[name]
    random = np.random.default_rng(45)
    for rows in (1_000, 10_000):
        below, above = off_by_more(MARGINALS[marginal], moved, rows, random)
        assert credible_at_most(below, WINDOWS, 0.5), f"too low at {rows}"
        assert credible_at_most(above, WINDOWS, 0.5), f"too high at {rows}"


WINDOWS = 200


def off_by_more(
    still: World, moved: World, rows: int, random: np.random.Generator
) -> tuple[int, int]:
    """Windows whose effect is lower, and higher, than is allowed."""
    kept = reference(still, 100_000, random)
    truth = accuracy.true_effect(kept, still, moved)
    current = random.multinomial(rows, cell_shares(kept.axis, moved), size=WINDOWS)
    told = evidence(current, kept.cells, ordered=still.ordered).effect
    allowed = accuracy.allowed(truth)
    return int((told < truth - allowed).sum()), int((told > truth + allowed).sum())


def test_what_is_too_small_to_matter_raises_nothing() -> None:
    """Part 5: 0.01 sigma at a million rows."""
    plan = accuracy.Plan((), 0, 0, 100)
    assert accuracy.tiny(plan, np.random.default_rng(46)) == (100, 0)
