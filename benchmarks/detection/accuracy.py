"""Part 5: is the effect the true one, and is what is too small to matter left alone?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.detection.page import Page, Target, rows_of
from benchmarks.detection.verdict import evidence, flagged
from benchmarks.detection.worlds import (
    MARGINALS,
    SHIFTS,
    Kept,
    World,
    cell_shares,
    located,
    reference,
)
from benchmarks.tables import table
from driftwatch.stats.counts import FloatArray
from driftwatch.stats.effect import sigmas_of_js
from driftwatch.stats.probability import js_of_probabilities

SMALL, WITHIN, BEYOND = 0.5, 0.02, 0.05
TINY = 0.01
MILLION = 1_000_000
_FAR = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """references, windows: of each shift and number of rows; million: windows of a million rows."""

    rows: tuple[int, ...]
    references: int
    windows: int
    million: int


FULL = Plan((1_000, 3_000, 10_000, 100_000), 5, 400, 1_000)
QUICK = Plan((1_000, 10_000), 2, 100, 100)


@dataclass(frozen=True, slots=True)
class Effect:
    """What was told of one shift: the truth, and the median, mean and middle 80 % of windows."""

    truth: float
    median: float
    mean: float
    low: float
    high: float

    @property
    def off(self) -> float:
        """How far the median is off, as a share of what is allowed: at most 1 is within it."""
        return abs(self.median - self.truth) / allowed(self.truth)


def allowed(truth: float) -> float:
    """By how much an effect may be off.

    >>> allowed(0.3), allowed(1.0)
    (0.02, 0.05)
    """
    return WITHIN if truth <= SMALL else BEYOND * truth


Key = tuple[str, str, int]
"""Marginal, change and number of rows."""


def true_effect(kept: Kept, still: World, moved: World) -> float:
    """Of the exact probabilities of the cells."""
    js = js_of_probabilities(cell_shares(kept.axis, moved), cell_shares(kept.axis, still))
    return float(sigmas_of_js(js))


def effects(plan: Plan, random: np.random.Generator) -> Mapping[Key, Effect]:
    """Of location shifts of a normal feature, and of the thirty shifts."""
    every: list[tuple[str, str, World]] = [
        ("normal", f"mean + {by:g} sigma", located(by)) for by in _FAR
    ]
    every += [(one.marginal, one.change, one.world) for one in SHIFTS]
    found = {}
    for marginal, change, moved in every:
        for rows in plan.rows:
            found[marginal, change, rows] = _effect(MARGINALS[marginal], moved, rows, plan, random)
    return found


def _effect(
    still: World, moved: World, rows: int, plan: Plan, random: np.random.Generator
) -> Effect:
    told: list[FloatArray] = []
    truths = []
    for _ in range(plan.references):
        kept = reference(still, max(100_000, 10 * rows), random)
        current = random.multinomial(rows, cell_shares(kept.axis, moved), size=plan.windows)
        told.append(evidence(current, kept.cells, ordered=still.ordered).effect)
        truths.append(true_effect(kept, still, moved))
    every = np.concatenate(told)
    low, median, high = np.quantile(every, [0.1, 0.5, 0.9])
    return Effect(
        float(np.mean(truths)), float(median), float(every.mean()), float(low), float(high)
    )


def tiny(plan: Plan, random: np.random.Generator) -> tuple[int, int]:
    """Windows of a million rows with a shift of 0.01 sigma: how many, and how many are flagged."""
    still, raised = MARGINALS["normal"], 0
    references = 4
    for _ in range(references):
        kept = reference(still, 10 * MILLION, random)
        shares = cell_shares(kept.axis, located(TINY))
        current = random.multinomial(MILLION, shares, size=plan.million // references)
        raised += int(flagged(evidence(current, kept.cells, ordered=True)).sum())
    return plan.million // references * references, raised


def measure(plan: Plan, *, seed: int) -> Page:
    random = np.random.default_rng(seed)
    found = effects(plan, random)
    windows, raised = tiny(plan, random)
    small = {key: one for key, one in found.items() if one.truth <= SMALL}
    large = {key: one for key, one in found.items() if one.truth > SMALL}
    targets = (
        _within(small, f"true effects up to {SMALL:g}: within {WITHIN:g} from n = 1,000 on"),
        _within(large, f"larger ones: within {BEYOND:.0%}"),
        Target(
            f"{TINY:g} sigma at a million rows raises nothing",
            f"{raised} of {windows:,} windows",
            raised == 0,
        ),
    )
    about = (
        "The effect that windows tell of a shift, beside the one of the exact probabilities of the "
        f"same cells: of each shift and number of rows {plan.references} references (100,000 rows, "
        f"or ten times those of a window) with {plan.windows} windows. The target is about the "
        "median window; single windows scatter, as the middle 80 % of them shows."
    )
    sections = (
        (
            "Location of a normal feature: truth, median (10 to 90 % of windows)",
            _table(found, plan, far=True),
        ),
        ("The thirty shifts", _table(found, plan, far=False)),
    )
    return Page("The effect", about, targets, sections)


def _within(found: Mapping[Key, Effect], promise: str) -> Target:
    (marginal, change, rows), worst = max(found.items(), key=lambda pair: pair[1].off)
    outside = sum(one.off > 1 for one in found.values())
    words = (
        f"{outside} of {len(found)} outside; worst {worst.median:.3f} for {worst.truth:.3f} "
        f"({marginal}, {change}, {rows_of(rows)})"
    )
    return Target(promise, words, outside == 0)


def _table(found: Mapping[Key, Effect], plan: Plan, *, far: bool) -> str:
    changes = dict.fromkeys((marginal, change) for marginal, change, _ in found)
    lines = []
    for marginal, change in list(changes)[: len(_FAR)] if far else list(changes)[len(_FAR) :]:
        every = [found[marginal, change, rows] for rows in plan.rows]
        cells = [f"{one.median:.3f} ({one.low:.2f}-{one.high:.2f})" for one in every]
        lines.append([marginal, change, f"{every[0].truth:.3f}", *cells])
    return table(["marginal", "shift", "truth", *map(rows_of, plan.rows)], lines)
