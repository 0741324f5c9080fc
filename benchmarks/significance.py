"""The p of a feature: how often it errs without drift, what it finds, and what it costs.

Eight marginals, each with references of 100,000 rows and axes of their own (`marginals`). Ways to
make one p of the same tests stand beside each other, and X² and the rank contrast alone.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.marginals import LEVELS, NUMERIC, REFERENCE_ROWS, Feature, features
from benchmarks.tables import table
from driftwatch.stats.combination import CATEGORICAL, Parts, Weights, combined
from driftwatch.stats.combination import NUMERIC as WEIGHTS
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.null import Null
from driftwatch.stats.significance import significance

RESULT = Path(__file__).parent / "results" / "significance.md"
ROWS = (100, 300, 1000, 3000, 10_000)
SHIFTS = ("location", "spread", "tail", "spike", "mix", "unseen", "missing")
NONE = ("none", 0.0)
LITTLE = replace(WEIGHTS, omnibus=0.14, location=0.2, edges=0.35, cells=0.15)
MOST = replace(WEIGHTS, omnibus=0.03, location=0.6, edges=0.12, cells=0.05)
WITHOUT_EDGES = replace(WEIGHTS, omnibus=0.14, edges=0.0, cells=0.16)
OURS = "driftwatch"
PLAIN = ("omnibus", "location", "spread", "edges", "cells", "unseen", "missing")

HEAD = """# The significance of a window

Windows are drawn from eight marginals (normal, lognormal, t with 3 degrees of freedom, 60 % zeros,
uniform, Poisson, 8 levels, 1,000 levels) and compared with references of 100,000 rows, without a
calibration. "driftwatch" is the harmonic mean with a weight of .5 for location.
Ways differ in how the p of X², location, spread, edges, cells and single cells become one: by their
least, Bonferroni's, or by their harmonic mean, with the weight of location in brackets. "no edges"
gives the weight of edges to X² and cells."""


@dataclass(frozen=True, slots=True)
class Windows:
    """p of one marginal, number of rows and shift, each of shape (windows,)."""

    parts: Parts
    ordered: bool

    def by(self, way: str) -> FloatArray:
        return WAYS[way](self)


def _least(weights: Weights) -> Callable[[Windows], FloatArray]:
    def p_of(windows: Windows) -> FloatArray:
        parts, given = windows.parts, weights if windows.ordered else CATEGORICAL
        every = [
            np.nan_to_num(getattr(parts, name), nan=1.0) / getattr(given, name)
            for name in PLAIN
            if getattr(given, name) > 0
        ]
        return np.asarray(np.minimum(np.min(every, axis=0), 1.0))

    return p_of


def _harmonic(weights: Weights) -> Callable[[Windows], FloatArray]:
    return lambda windows: combined(windows.parts, weights if windows.ordered else CATEGORICAL)


WAYS: Mapping[str, Callable[[Windows], FloatArray]] = {
    "least (.5)": _least(WEIGHTS),
    "no edges": _harmonic(WITHOUT_EDGES),
    "harmonic (.2)": _harmonic(LITTLE),
    OURS: _harmonic(WEIGHTS),
    "harmonic (.6)": _harmonic(MOST),
    "X² alone": lambda windows: windows.parts.omnibus,
}
Key = tuple[str, int, tuple[str, float]]


def simulated(references: int, still: int, shifted: int, seed: int) -> dict[Key, Windows]:
    """Windows of every marginal, number of rows and shift: so many of each reference."""
    random = np.random.default_rng(seed)
    found: dict[Key, list[Windows]] = {}
    for name in (*NUMERIC, *LEVELS):
        for place, feature in enumerate(features(name, references, random)):
            # Power needs fewer windows than a share of one in a thousand.
            shifts = feature.shares if place % 5 == 0 else [NONE]
            for rows in ROWS:
                for shift in shifts:
                    windows = still if shift == NONE else shifted
                    current = random.multinomial(rows, feature.shares[shift], size=windows)
                    found.setdefault((name, rows, shift), []).append(_tested(feature, current))
    return {key: _joined(parts) for key, parts in found.items()}


def _tested(feature: Feature, current: IntArray) -> Windows:
    reference = np.broadcast_to(feature.reference, current.shape)
    ordered = np.full(len(current), feature.ordered)
    return Windows(significance(current, reference, ordered=ordered).parts, feature.ordered)


def _joined(windows: list[Windows]) -> Windows:
    names = [field.name for field in fields(Parts)]
    parts = {n: np.concatenate([getattr(one.parts, n) for one in windows]) for n in names}
    return Windows(Parts(**parts), windows[0].ordered)


def false_alarms(found: Mapping[Key, Windows], alpha: float) -> str:
    """Per cent of windows without drift with p <= alpha: the mean of the marginals, the largest."""
    lines = []
    for way in WAYS:
        line = [way]
        for rows in ROWS:
            shares = [
                100 * float(np.mean(one.by(way) <= alpha))
                for (_, n, shift), one in found.items()
                if n == rows and shift == NONE
            ]
            line.append(f"{np.mean(shares):.2f} ({max(shares):.2f})")
        lines.append(line)
    return table([f"p <= {alpha:g}", *(f"n = {rows:,}" for rows in ROWS)], lines)


def by_marginal(found: Mapping[Key, Windows]) -> str:
    """The same of driftwatch, marginal by marginal, at 0.01 and 0.001."""
    lines = []
    for name in (*NUMERIC, *LEVELS):
        p = [found[name, rows, NONE].by(OURS) for rows in ROWS]
        cells = [
            f"{100 * np.mean(one <= 0.01):.2f} / {100 * np.mean(one <= 0.001):.3f}" for one in p
        ]
        lines.append([name, *cells])
    return table(["p <= .01 / .001", *(f"n = {rows:,}" for rows in ROWS)], lines)


def power(found: Mapping[Key, Windows], rows: int, alpha: float | None) -> str:
    """Per cent of windows found, the mean over degrees and marginals, by shift.

    alpha: the p that counts as found; None: the one that 1 % of the same marginal's windows
    without drift fall below, so that no way gains by erring more.
    """
    lines = []
    for way in WAYS:
        by_shift: dict[str, list[float]] = {shift: [] for shift in SHIFTS}
        normal = 0.0
        for (name, n, (shift, degree)), one in found.items():
            if n != rows or shift == "none":
                continue
            limit = alpha or float(np.quantile(found[name, n, NONE].by(way), 0.01))
            share = 100 * float(np.mean(one.by(way) <= limit))
            by_shift[shift].append(share)
            if (name, shift, degree) == ("normal", "location", 0.2):
                normal = share
        every = np.concatenate([*by_shift.values()])
        means = [f"{np.mean(shares):.0f}" for shares in by_shift.values()]
        lines.append([way, f"{np.mean(every):.1f}", *means, f"{normal:.0f}"])
    head = f"n = {rows:,}, " + (f"p <= {alpha:g}" if alpha else "1 % without drift")
    return table([head, "all", *SHIFTS, "normal + 0.2 sigma"], lines)


def raw_peers(windows: int, seed: int, rows: int = 300) -> str:
    """+ 0.2 sigma of a normal feature by tests that need the values, 1 % found without drift."""
    random = np.random.default_rng(seed)
    reference = np.sort(random.normal(size=REFERENCE_ROWS))
    at = np.arange(rows)
    middle = reference[((at + 0.5) / rows * REFERENCE_ROWS).astype(np.int64)]

    def kolmogorov(values: FloatArray) -> FloatArray:
        share = np.searchsorted(reference, values) / REFERENCE_ROWS
        return np.asarray(np.maximum((at + 1) / rows - share, share - at / rows).max(axis=1))

    tests: Mapping[str, Callable[[FloatArray], FloatArray]] = {
        # Of as many sorted values on both sides; the reference is stood for by its quantiles.
        "Wasserstein": lambda values: np.abs(values - middle).mean(axis=1),
        "Kolmogorov-Smirnov": kolmogorov,
        "difference of means": lambda values: np.abs(values.mean(axis=1) - reference.mean()),
    }
    still, moved = (np.sort(random.normal(by, size=(windows, rows))) for by in (0.0, 0.2))
    lines = []
    for name, test in tests.items():
        limit = np.quantile(test(still), 0.99)
        lines.append([name, f"{100 * np.mean(test(moved) >= limit):.0f}"])
    return table([f"n = {rows}, 1 % without drift", "normal + 0.2 sigma"], lines)


def cost(count: int = 5000) -> str:
    """Microseconds of the process per feature of 25 cells, the least of three: without drift, and
    with all of it, where every tail is summed and every integral of a calibration is taken."""
    random = np.random.default_rng(1)
    still = np.append(np.full(24, 1 / 24), 0.0)
    slope = np.append(np.arange(1, 25) / 300, 0.0)
    ordered = np.ones(count, np.bool_)
    reference = random.multinomial(REFERENCE_ROWS, still, size=count)
    one = np.full(count, 1.3)
    calibrated = Null(one, 0 * one, one / 10, one, one, one, one, one, np.full(count, 100))
    lines = []
    for name, shares, null in (
        ("no feature drifted", still, None),
        ("all drifted", slope, None),
        ("no feature drifted, calibrated", still, calibrated),
        ("all drifted, calibrated", slope, calibrated),
    ):
        line = [name]
        for rows in (300, 10_000, 1_000_000):
            current = random.multinomial(rows, shares, size=count)
            best = np.inf
            for _ in range(3):
                begun = time.process_time()
                significance(current, reference, ordered=ordered, null=null)
                best = min(best, time.process_time() - begun)
            line.append(f"{best / count * 1e6:.1f}")
        lines.append(line)
    head = f"us per feature, {count:,} features of 25 cells"
    return table([head, "n = 300", "n = 10,000", "n = 1,000,000"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.significance", description=__doc__)
    parser.add_argument("--references", type=int, default=100, help="of each marginal (100)")
    parser.add_argument("--windows", type=int, default=800, help="of each without drift (800)")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--save", action="store_true", help=f"write {RESULT.name} to results/")
    options = parser.parse_args()
    before = machine.load()
    found = simulated(
        options.references, options.windows, max(options.windows // 16, 1), options.seed
    )
    pages = [
        "## Per cent of windows without drift: mean (largest) of the marginals",
        *(false_alarms(found, alpha) for alpha in (0.01, 0.001, 0.0001)),
        by_marginal(found),
        "## Per cent of shifted windows that are found: mean of four degrees and the marginals",
        *(power(found, rows, alpha) for alpha in (None, 0.001) for rows in (300, 1000)),
        raw_peers(20_000, options.seed),
        "## Cost",
        cost(),
    ]
    print("\n\n".join(pages))
    if options.save:
        about = machine.describe()
        about["load average"] = f"{before} before, {machine.load()} after"
        versions = table(["measured on", ""], ([*pair] for pair in about.items()))
        RESULT.write_text("\n\n".join([HEAD, *pages, versions]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
