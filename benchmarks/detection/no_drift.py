"""Part 1: without drift, how many feature-windows are flagged?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.detection.draws import past, window
from benchmarks.detection.page import Page, Target, percent, rows_of
from benchmarks.detection.scored import NAMES, OURS, flags, judge
from benchmarks.detection.verdict import evidence, flagged
from benchmarks.detection.worlds import MARGINALS, cell_shares, reference
from benchmarks.tables import table

ROWS = (100, 300, 1_000, 10_000, 100_000, 1_000_000)
AT_DEFAULT, AT_HUNDREDTH = 0.003, 0.013
LEAST_REFERENCE = 100_000


@dataclass(frozen=True, slots=True)
class Plan:
    """references, windows: so many of each marginal and number of rows, and windows of each
    reference; peer_rows: how many rows all windows of a peer's reference may have together."""

    rows: tuple[int, ...]
    references: int
    windows: int
    peer_references: int
    peer_windows: int
    peer_rows: int


FULL = Plan(ROWS, 20, 500, 2, 60, 2_000_000)
QUICK = Plan(ROWS[:5], 5, 400, 1, 20, 1_000_000)


@dataclass(frozen=True, slots=True)
class Flags:
    """Of one cell of the table: so many windows, flagged at the default alpha and at 0.01."""

    windows: int
    at_default: int
    at_hundredth: int


def reference_rows(rows: int) -> int:
    return max(LEAST_REFERENCE, 10 * rows)


def own_flags(plan: Plan, random: np.random.Generator) -> Mapping[tuple[str, int], Flags]:
    """driftwatch's, by marginal and number of rows."""
    found = {}
    for name, world in MARGINALS.items():
        for rows in plan.rows:
            default = hundredth = 0
            for _ in range(plan.references):
                kept = reference(world, reference_rows(rows), random)
                current = random.multinomial(rows, cell_shares(kept.axis, world), size=plan.windows)
                tests = evidence(current, kept.cells, ordered=world.ordered)
                default += int(flagged(tests).sum())
                hundredth += int(flagged(tests, alpha=0.01).sum())
            found[name, rows] = Flags(plan.references * plan.windows, default, hundredth)
    return found


def peer_flags(
    plan: Plan, random: np.random.Generator
) -> Mapping[tuple[str, str, int], tuple[int, int]]:
    """Windows flagged and all windows, by name, marginal and number of rows, at the defaults."""
    found: dict[tuple[str, str, int], tuple[int, int]] = {}
    for marginal, world in MARGINALS.items():
        for rows in plan.rows:
            windows = min(plan.peer_windows, max(5, plan.peer_rows // rows))
            for _ in range(plan.peer_references):
                one = judge(past(world, reference_rows(rows), rows, random))
                drawn = [window(world, rows, random) for _ in range(windows)]
                for name, flag in flags(one, drawn, ordered=world.ordered).items():
                    before = found.get((name, marginal, rows), (0, 0))
                    found[name, marginal, rows] = (
                        before[0] + int(flag.sum()),
                        before[1] + windows,
                    )
    return found


def measure(plan: Plan, *, peers: bool, seed: int) -> Page:
    random = np.random.default_rng(seed)
    own = own_flags(plan, random)
    sections = [
        ("driftwatch: per cent flagged at the default alpha / at p <= 0.01", _own(own, plan))
    ]
    if peers:
        heading = "Per cent flagged at the defaults of each: mean (largest) of the marginals"
        sections.append((heading, _beside(peer_flags(plan, random), plan)))
    return Page("Without drift", _about(plan, peers), targets(own), tuple(sections))


def _about(plan: Plan, peers: bool) -> str:
    text = (
        "Windows of eight marginals without drift, against references of 100,000 rows or of ten "
        "times those of a window, whichever is more, without a calibration. Flagged: a warning or "
        "worse, p <= alpha and an effect of at least 0.05. Of each marginal and number of rows "
        f"{plan.references} references with {plan.windows} windows each."
    )
    if peers:
        text += (
            f" With the peers: {plan.peer_references} references with up to {plan.peer_windows} "
            f"windows each (fewer above {plan.peer_rows // plan.peer_windows:,} rows). NannyML's "
            "limit is learned from the reference in windows of the same size."
        )
    return text


def targets(own: Mapping[tuple[str, int], Flags]) -> tuple[Target, ...]:
    at_default = {cell: one.at_default / one.windows for cell, one in own.items()}
    at_hundredth = {cell: one.at_hundredth / one.windows for cell, one in own.items()}
    return (
        _at_most(AT_DEFAULT, at_default, "at the default alpha"),
        _at_most(AT_HUNDREDTH, at_hundredth, "at p <= 0.01"),
    )


def _at_most(limit: float, shares: Mapping[tuple[str, int], float], words: str) -> Target:
    (name, rows), worst = max(shares.items(), key=lambda pair: pair[1])
    return Target(
        f"at most {percent(limit, 1)} % flagged in every cell {words}",
        f"at most {percent(worst)} % ({name}, {rows_of(rows)})",
        worst <= limit,
    )


def _own(own: Mapping[tuple[str, int], Flags], plan: Plan) -> str:
    lines = [
        [
            name,
            *(
                f"{percent(one.at_default / one.windows)} / "
                f"{percent(one.at_hundredth / one.windows)}"
                for one in (own[name, rows] for rows in plan.rows)
            ),
        ]
        for name in MARGINALS
    ]
    return table(["", *map(rows_of, plan.rows)], lines)


def _beside(found: Mapping[tuple[str, str, int], tuple[int, int]], plan: Plan) -> str:
    lines = []
    for name in NAMES:
        line = [f"**{name}**" if name == OURS else name]
        for rows in plan.rows:
            shares = [found[name, marginal, rows] for marginal in MARGINALS]
            of = [flagged / windows for flagged, windows in shares]
            line.append(f"{percent(float(np.mean(of)), 1)} ({percent(max(of), 1)})")
        lines.append(line)
    return table(["", *map(rows_of, plan.rows)], lines)
