"""How often the kind of a change is named right, at 1,000 rows against a reference of 100,000.

    python -m benchmarks.kinds            # both sets of generators, 25 draws each: a minute

The rules of driftwatch.stats.kind were written, and committed, before the generators of the first
set; they were revised once by what it showed, and committed, before those of the second. So the
second set's figure is the honest one. Each cell of a table is the percentage of draws whose change
was named so.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.tables import table
from driftwatch.stats.affine import Summary
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.kind import Change, ChangeKind, change_kinds

ROWS = 1_000
REFERENCE_ROWS = 100_000
MISSING = 0.02

Random = np.random.Generator
Marginal = Callable[[Random, int], FloatArray]
Alter = Callable[[Random, FloatArray, FloatArray], FloatArray]
"""From current rows without a change, and the reference, to rows with one; NaN is missing."""


@dataclass(frozen=True, slots=True)
class Generators:
    """One set. unfit: pairs of marginal and change that would be another change than is said."""

    marginals: Mapping[str, Marginal]
    changes: Mapping[str, tuple[ChangeKind, Alter]]
    unfit: frozenset[tuple[str, str]]
    levels: Mapping[str, FloatArray]
    level_changes: Mapping[str, tuple[ChangeKind, Alter]]


@dataclass(frozen=True, slots=True)
class Outcome:
    marginal: str
    change: str
    kind: ChangeKind
    found: Change | None


def measure(generators: Generators, draws: int, seed: int) -> list[Outcome]:
    """Every change on every marginal, so many draws of each against one reference per marginal."""
    random = np.random.default_rng(seed)
    found = []
    for name, marginal in generators.marginals.items():
        reference = with_missing(random, marginal(random, REFERENCE_ROWS))
        axis = fitted(reference[~np.isnan(reference)])
        for change, (kind, alter) in generators.changes.items():
            for _ in range(0 if (name, change) in generators.unfit else draws):
                current = with_missing(random, marginal(random, ROWS))
                result = judged(alter(random, current, reference), reference, axis)
                found.append(Outcome(name, change, kind, result))
    for name, shares in generators.levels.items():
        reference = level_rows(random, shares, REFERENCE_ROWS)
        levels = CategoricalAxis(tuple(f"level {i}" for i in range(shares.size)))
        for change, (kind, alter) in generators.level_changes.items():
            for _ in range(draws):
                current = alter(random, level_rows(random, shares, ROWS), shares)
                result = judged(current, reference, levels)
                found.append(Outcome(name, change, kind, result))
    return found


def judged(current: FloatArray, reference: FloatArray, axis: Axis) -> Change | None:
    now, before = (counted(rows, axis)[np.newaxis] for rows in (current, reference))
    numeric = isinstance(axis, NumericAxis)
    pair = [(summary(current), summary(reference))] if numeric else None
    return change_kinds(now, before, [axis], pair)[0]


def counted(rows: FloatArray, axis: Axis) -> IntArray:
    """Rows per cell; of a categorical column a value is the number of its cell."""
    known = rows[~np.isnan(rows)]
    if isinstance(axis, NumericAxis):
        cells = np.searchsorted(np.asarray(axis.edges), known, side="right")
    else:
        cells = known.astype(np.int64)
    counts = np.bincount(cells, minlength=axis.cells)
    counts[axis.missing] += rows.size - known.size
    return np.asarray(counts, dtype=np.int64)


def summary(rows: FloatArray) -> Summary:
    known = rows[np.isfinite(rows)]
    if not known.size:
        return Summary(np.nan, np.nan, np.nan, np.nan)
    return Summary(float(known.mean()), float(known.std()), float(known.min()), float(known.max()))


def fitted(values: FloatArray) -> NumericAxis:
    """The axis that a source fits: 20 quantiles, tails, ends, a bin for each 5 % of one value."""
    shares = [0.001, 0.01, 0.99, 0.999, *(np.arange(1, 20) / 20)]
    ends = (values.min(), np.nextafter(values.max(), np.inf))
    edges = {float(x) for x in (*ends, *np.quantile(values, shares, method="inverted_cdf"))}
    distinct, rows = np.unique(values, return_counts=True)
    for atom in distinct[rows >= 0.05 * values.size]:
        edges |= {float(atom), float(np.nextafter(atom, np.inf))}
    return NumericAxis(tuple(sorted(edges)))


def with_missing(random: Random, rows: FloatArray) -> FloatArray:
    return some(random, rows, MISSING, np.nan)


def some(random: Random, rows: FloatArray, share: float, value: npt.ArrayLike) -> FloatArray:
    """The rows with about that share of them replaced, whatever they were."""
    return np.where(random.random(rows.size) < share, value, rows)


def level_rows(random: Random, shares: FloatArray, rows: int) -> FloatArray:
    """Cells: the levels, then other, unseen and missing, of which the last has MISSING rows."""
    return with_missing(random, random.choice(shares.size, rows, p=shares).astype(np.float64))


# --- The first set ------------------------------------------------------------------------------


def bimodal(random: Random, rows: int, upper: float = 0.5) -> FloatArray:
    return np.where(
        random.random(rows) < upper, random.normal(80, 6, rows), random.normal(30, 6, rows)
    )


def zero_inflated(random: Random, rows: int) -> FloatArray:
    return np.where(random.random(rows) < 0.4, 0.0, random.gamma(2.0, 15.0, rows))


def moved(by: float) -> Alter:
    return lambda _, rows, reference: rows + by * np.nanstd(reference)


def stretched(factor: float) -> Alter:
    def alter(_: Random, rows: FloatArray, reference: FloatArray) -> FloatArray:
        mean = float(np.nanmean(reference))
        return mean + factor * (rows - mean)

    return alter


def scaled(factor: float, offset: float = 0.0) -> Alter:
    return lambda _, rows, __: offset + factor * rows


def outliers(share: float, *, two_sided: bool) -> Alter:
    """Rows come from beyond the reference's 97.5 %, exponentially far out."""

    def alter(random: Random, rows: FloatArray, reference: FloatArray) -> FloatArray:
        low, middle, high = np.nanquantile(reference, [0.025, 0.5, 0.975])
        far = random.exponential(1.0, rows.size)
        above = high + (high - middle) * far
        below = low - (high - middle) * far
        side = random.random(rows.size) < 0.5
        return some(random, rows, share, np.where(side & two_sided, below, above))

    return alter


def default(share: float, value: float | None) -> Alter:
    """Rows become one value; None: the reference's upper quartile."""

    def alter(random: Random, rows: FloatArray, reference: FloatArray) -> FloatArray:
        chosen = float(np.nanquantile(reference, 0.75)) if value is None else value
        return some(random, rows, share, chosen)

    return alter


def lost(share: float) -> Alter:
    return lambda random, rows, _: some(random, rows, share, np.nan)


def exchanged(upper: float) -> Alter:
    return lambda random, rows, _: bimodal(random, rows.size, upper)


def new_levels(share: float) -> Alter:
    return lambda random, rows, shares: some(random, rows, share, shares.size + 1.0)


def one_level(share: float, level: int) -> Alter:
    return lambda random, rows, _: some(random, rows, share, float(level))


def tilted(strength: float) -> Alter:
    """Every level's share is multiplied by a lognormal factor."""

    def alter(random: Random, rows: FloatArray, shares: FloatArray) -> FloatArray:
        changed = shares * np.exp(random.normal(0, strength, shares.size))
        return level_rows(random, changed / changed.sum(), rows.size)

    return alter


def swapped(share: float) -> Alter:
    """One large level loses to the next one what it had."""

    def alter(random: Random, rows: FloatArray, _: FloatArray) -> FloatArray:
        return np.where((rows == 0) & (random.random(rows.size) < share), 1.0, rows)

    return alter


def zipf(levels: int) -> FloatArray:
    weights = 1 / np.arange(1, levels + 1)
    return np.asarray(weights / weights.sum())


K = ChangeKind
FIRST = Generators(
    marginals={
        "normal": lambda random, rows: random.normal(20, 8, rows),
        "lognormal": lambda random, rows: random.lognormal(3, 1, rows),
        "exponential": lambda random, rows: random.exponential(12, rows),
        "uniform": lambda random, rows: random.uniform(0, 10, rows),
        "t3": lambda random, rows: 50 + 5 * random.standard_t(3, rows),
        "zero-inflated": zero_inflated,
        "poisson": lambda random, rows: random.poisson(4, rows).astype(np.float64),
        "bimodal": bimodal,
    },
    changes={
        "10 % missing": (K.MISSING_DATA, lost(0.1)),
        "50 % missing": (K.MISSING_DATA, lost(0.5)),
        "x 1000": (K.UNIT_OR_SCALE, scaled(1000)),
        "x 1/60": (K.UNIT_OR_SCALE, scaled(1 / 60)),
        "x 3.6": (K.UNIT_OR_SCALE, scaled(3.6)),
        "x 1/2.54": (K.UNIT_OR_SCALE, scaled(1 / 2.54)),
        "Fahrenheit": (K.UNIT_OR_SCALE, scaled(1.8, 32)),
        "+0.3 sd": (K.LOCATION, moved(0.3)),
        "-0.5 sd": (K.LOCATION, moved(-0.5)),
        "+1 sd": (K.LOCATION, moved(1.0)),
        "spread x 1.4": (K.SPREAD, stretched(1.4)),
        "spread x 2": (K.SPREAD, stretched(2.0)),
        "spread x 0.6": (K.SPREAD, stretched(0.6)),
        "5 % outliers above": (K.TAIL, outliers(0.05, two_sided=False)),
        "10 % outliers, both": (K.TAIL, outliers(0.10, two_sided=True)),
        "10 % become -1": (K.SPIKE, default(0.1, -1.0)),
        "10 % become 0": (K.SPIKE, default(0.1, 0.0)),
        "20 % become a quartile": (K.SPIKE, default(0.2, None)),
        "5 % become 9999": (K.SPIKE, default(0.05, 9999.0)),
        "mode 50 -> 65 %": (K.MIX_SHIFT, exchanged(0.65)),
        "mode 50 -> 30 %": (K.MIX_SHIFT, exchanged(0.3)),
    },
    unfit=frozenset(
        (name, change)
        for change in ("mode 50 -> 65 %", "mode 50 -> 30 %")
        for name in (
            "normal", "lognormal", "exponential", "uniform", "t3", "zero-inflated", "poisson",
        )
    ),
    levels={"3 levels": np.array([0.5, 0.3, 0.2]), "8 levels": zipf(8), "40 levels": zipf(40)},
    level_changes={
        "10 % missing": (K.MISSING_DATA, lost(0.1)),
        "5 % unseen": (K.UNSEEN_CATEGORY, new_levels(0.05)),
        "30 % unseen": (K.UNSEEN_CATEGORY, new_levels(0.3)),
        "tilted": (K.MIX_SHIFT, tilted(0.5)),
        "swapped": (K.MIX_SHIFT, swapped(0.4)),
        "15 % become a level": (K.SPIKE, one_level(0.15, 2)),
    },
)  # fmt: skip
"""A level cannot be told from a mix where there are three of them; it is counted as wrong."""


# --- The second set -----------------------------------------------------------------------------


def skewed_mixture(random: Random, rows: int, upper: float = 0.3) -> FloatArray:
    """Two groups, of which the larger one is narrow."""
    return np.where(
        random.random(rows) < upper, random.gamma(30, 4.0, rows), random.normal(40, 4, rows)
    )


def remixed(upper: float) -> Alter:
    return lambda random, rows, _: skewed_mixture(random, rows.size, upper)


def contaminated(share: float, factor: float) -> Alter:
    """Rows keep their median, but lie so many times as far from it."""

    def alter(random: Random, rows: FloatArray, reference: FloatArray) -> FloatArray:
        middle = float(np.nanmedian(reference))
        return some(random, rows, share, middle + factor * (rows - middle))

    return alter


def below(share: float) -> Alter:
    """Rows come from beyond the reference's 1 %, evenly as far again as that is from the median."""

    def alter(random: Random, rows: FloatArray, reference: FloatArray) -> FloatArray:
        low, middle = np.nanquantile(reference, [0.01, 0.5])
        return some(random, rows, share, low - (middle - low) * random.random(rows.size))

    return alter


def drained(share: float) -> Alter:
    """The first level loses rows to all others, in equal parts."""

    def alter(random: Random, rows: FloatArray, shares: FloatArray) -> FloatArray:
        other = 1.0 + random.integers(0, shares.size - 1, rows.size)
        return np.where((rows == 0) & (random.random(rows.size) < share), other, rows)

    return alter


SECOND = Generators(
    marginals={
        "gamma": lambda random, rows: random.gamma(4, 30, rows),
        "beta": lambda random, rows: random.beta(2, 5, rows),
        "wide lognormal": lambda random, rows: random.lognormal(1, 1.5, rows),
        "logistic": lambda random, rows: random.logistic(1000, 80, rows),
        "weibull": lambda random, rows: 5 * random.weibull(1.5, rows),
        "geometric": lambda random, rows: random.geometric(0.25, rows).astype(np.float64),
        "minutes": lambda random, rows: np.round(random.gumbel(10, 18, rows)),
        "skewed mixture": skewed_mixture,
    },
    changes={
        "15 % missing": (K.MISSING_DATA, lost(0.15)),
        "80 % missing": (K.MISSING_DATA, lost(0.8)),
        "x 100": (K.UNIT_OR_SCALE, scaled(100)),
        "x 24": (K.UNIT_OR_SCALE, scaled(24)),
        "x 1/1000": (K.UNIT_OR_SCALE, scaled(1 / 1000)),
        "x 2.20462": (K.UNIT_OR_SCALE, scaled(2.20462)),
        "x 1/3.6": (K.UNIT_OR_SCALE, scaled(1 / 3.6)),
        "Celsius": (K.UNIT_OR_SCALE, scaled(1 / 1.8, -32 / 1.8)),
        "-0.3 sd": (K.LOCATION, moved(-0.3)),
        "+0.6 sd": (K.LOCATION, moved(0.6)),
        "+2 sd": (K.LOCATION, moved(2.0)),
        "spread x 1.5": (K.SPREAD, stretched(1.5)),
        "spread x 2.8": (K.SPREAD, stretched(2.8)),
        "spread x 0.5": (K.SPREAD, stretched(0.5)),
        "10 % five times as far": (K.TAIL, contaminated(0.10, 5.0)),
        "8 % below": (K.TAIL, below(0.08)),
        "12 % become -99": (K.SPIKE, default(0.12, -99.0)),
        "30 % become 0": (K.SPIKE, default(0.3, 0.0)),
        "15 % become a quartile": (K.SPIKE, default(0.15, None)),
        "8 % become 100,000": (K.SPIKE, default(0.08, 100_000.0)),
        "mode 30 -> 50 %": (K.MIX_SHIFT, remixed(0.5)),
        "mode 30 -> 15 %": (K.MIX_SHIFT, remixed(0.15)),
    },
    unfit=frozenset(
        (name, change)
        for change in ("mode 30 -> 50 %", "mode 30 -> 15 %")
        for name in (
            "gamma", "beta", "wide lognormal", "logistic", "weibull", "geometric", "minutes",
        )
    ),
    levels={
        "5 equal levels": np.full(5, 0.2),
        "7 levels": np.array([0.55, 0.2, 0.1, 0.06, 0.04, 0.03, 0.02]),
        "25 levels": 0.85 ** np.arange(25) / np.sum(0.85 ** np.arange(25)),
    },
    level_changes={
        "8 % missing": (K.MISSING_DATA, lost(0.08)),
        "3 % unseen": (K.UNSEEN_CATEGORY, new_levels(0.03)),
        "60 % unseen": (K.UNSEEN_CATEGORY, new_levels(0.6)),
        "tilted": (K.MIX_SHIFT, tilted(0.7)),
        "drained": (K.MIX_SHIFT, drained(0.5)),
        "25 % become a level": (K.SPIKE, one_level(0.25, 1)),
    },
)  # fmt: skip
"""Written after the rules were revised once. Other marginals and sizes than the first one's."""

SETS = {"first": FIRST, "second": SECOND}


# --- The tables ---------------------------------------------------------------------------------


def accuracy(found: list[Outcome]) -> float:
    return sum(one.found is not None and one.found.kind is one.kind for one in found) / len(found)


def confusion(found: list[Outcome]) -> str:
    """One line per kind that was made, with what it was named."""
    named = [kind for kind in ChangeKind if any(o.found and o.found.kind is kind for o in found)]
    lines = []
    for kind in ChangeKind:
        of_kind = [one for one in found if one.kind is kind]
        if of_kind:
            counts = Counter(one.found.kind for one in of_kind if one.found)
            lines.append(
                [
                    kind.value,
                    f"{len(of_kind):,}",
                    *(_percent(counts[other] / len(of_kind)) for other in named),
                ]
            )
    return table(["made", "draws", *(kind.value for kind in named)], lines)


def by_marginal(found: list[Outcome]) -> str:
    """One line per change, one column per marginal: how often it was named right."""
    marginals = list(dict.fromkeys(one.marginal for one in found))
    lines = []
    for change in dict.fromkeys((one.change, one.kind) for one in found):
        cells = []
        for marginal in marginals:
            there = [o for o in found if (o.change, o.kind, o.marginal) == (*change, marginal)]
            cells.append(_percent(accuracy(there)) if there else "")
        lines.append([change[0], *cells])
    return table(["change", *marginals], lines)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share else "."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kinds", description=__doc__)
    parser.add_argument("--draws", type=int, default=25, metavar="N", help="of each pair (25)")
    options = parser.parse_args()
    for name, generators in SETS.items():
        found = measure(generators, options.draws, seed=20_131)
        print(f"The {name} set: {accuracy(found):.1%} of {len(found):,} draws named right\n")
        print(confusion(found), by_marginal(found), sep="\n\n", end="\n\n")


if __name__ == "__main__":
    main()
