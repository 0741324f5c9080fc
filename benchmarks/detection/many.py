"""Part 3: fifty features of one monitor, of which none, or a few, have drifted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np

from benchmarks.detection.draws import past, window
from benchmarks.detection.page import Page, Target, percent
from benchmarks.detection.peer_scores import ALIBI, ALIBI_ALPHA, PEERS, kolmogorov_limit
from benchmarks.detection.scored import OURS, judge
from benchmarks.detection.verdict import Measured, adjusted, evidence, flagged
from benchmarks.detection.worlds import (
    MARGINALS,
    SHIFTS,
    Kept,
    World,
    cell_shares,
    reference,
)
from benchmarks.tables import table
from driftwatch.stats.counts import FloatArray

FEATURES = 50
DRIFTED = 5
ROWS = 1_000
REFERENCE_ROWS = 100_000
AT_MOST = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """references, windows: monitors, and windows of each, once without drift and once with five
    features that have drifted; peer_windows: of one monitor, 0 without peers."""

    references: int
    windows: int
    peer_windows: int


FULL = Plan(20, 500, 200)
QUICK = Plan(5, 200, 20)


@dataclass(frozen=True, slots=True)
class Found:
    """windows: of each kind; alarmed: of those without drift, with any flag; discoveries: the sum
    over windows with drift of the share of false ones among what is flagged, 0 where nothing is;
    caught: flagged of the features that have drifted."""

    windows: int
    alarmed: int
    discoveries: float
    caught: int

    @property
    def false_share(self) -> float:
        return self.discoveries / self.windows

    @property
    def alarm_share(self) -> float:
        return self.alarmed / self.windows


def worlds() -> tuple[tuple[World, World], ...]:
    """Fifty features: each as it is, and as it becomes; only the first few become another."""
    still = list(islice(cycle(MARGINALS.items()), FEATURES))
    changed: dict[str, World] = {}
    for shift in SHIFTS:
        changed.setdefault(shift.marginal, shift.world)
    found = [(world, world) for _, world in still]
    for at in range(DRIFTED):
        found[at] = (still[at][1], changed[still[at][0]])
    return tuple(found)


def own(plan: Plan, random: np.random.Generator) -> Found:
    every = worlds()
    found = Found(0, 0, 0.0, 0)
    for _ in range(plan.references):
        kept = [reference(world, REFERENCE_ROWS, random) for world, _ in every]
        still = _flags(_drawn(kept, [world for world, _ in every], plan.windows, random))
        moved = _flags(_drawn(kept, [world for _, world in every], plan.windows, random))
        found = added(found, still, moved)
    return found


def _drawn(
    kept: Sequence[Kept], worlds: Sequence[World], windows: int, random: np.random.Generator
) -> Measured:
    """p and effect, shape (windows, features)."""
    parts = []
    for one, world in zip(kept, worlds, strict=True):
        current = random.multinomial(ROWS, cell_shares(one.axis, world), size=windows)
        parts.append(evidence(current, one.cells, ordered=world.ordered))
    return Measured(
        np.stack([one.p for one in parts], axis=1), np.stack([one.effect for one in parts], axis=1)
    )


def _flags(tests: Measured) -> FloatArray:
    found = flagged(
        Measured(tests.p.ravel(), tests.effect.ravel()), adjusted_p=adjusted(tests.p).ravel()
    )
    return found.reshape(tests.p.shape).astype(np.float64)


def added(found: Found, still: FloatArray, moved: FloatArray) -> Found:
    """With more windows, flags of shape (windows, features); the first five have drifted."""
    false = moved[:, DRIFTED:].sum(axis=1) / np.maximum(moved.sum(axis=1), 1)
    return replace(
        found,
        windows=found.windows + len(still),
        alarmed=found.alarmed + int(still.any(axis=1).sum()),
        discoveries=found.discoveries + float(false.sum()),
        caught=found.caught + int(moved[:, :DRIFTED].sum()),
    )


def of_peers(plan: Plan, random: np.random.Generator) -> Mapping[str, Found]:
    """At their defaults; alibi-detect shares its 0.05 over the features (Bonferroni), as it does by
    default, the others flag each feature by itself."""
    still: dict[str, list[FloatArray]] = {name: [] for name in PEERS}
    moved: dict[str, list[FloatArray]] = {name: [] for name in PEERS}
    for world, becomes in worlds():
        one = judge(past(world, REFERENCE_ROWS, ROWS, random))
        for drawn, flags in ((world, still), (becomes, moved)):
            windows = [window(drawn, ROWS, random) for _ in range(plan.peer_windows)]
            for name, peer in PEERS.items():
                limit = _shared(name, one.limits[name], ordered=world.ordered)
                scores = peer.scores([each.rows for each in windows], one.rows)
                flags[name].append((scores > limit).astype(np.float64))
    nothing = Found(0, 0, 0.0, 0)
    return {
        name: added(nothing, np.stack(still[name], axis=1), np.stack(moved[name], axis=1))
        for name in PEERS
    }


def _shared(name: str, limit: float, *, ordered: bool) -> float:
    """The limit of a score where alibi-detect's 0.05 is shared over all features."""
    if name != ALIBI:
        return limit
    if not ordered:
        return FEATURES * limit
    return kolmogorov_limit(ROWS, ALIBI_ALPHA / FEATURES) / kolmogorov_limit(ROWS)


def measure(plan: Plan, *, peers: bool, seed: int) -> Page:
    random = np.random.default_rng(seed)
    found = {OURS: own(plan, random)}
    if peers:
        found |= of_peers(plan, random)
    ours = found[OURS]
    targets = (
        Target(
            f"at most {percent(AT_MOST, 0)} % false among what is flagged, {DRIFTED} of "
            f"{FEATURES} features drifted",
            f"{percent(ours.false_share)} %",
            ours.false_share <= AT_MOST,
        ),
        Target(
            f"any false alarm in at most {percent(AT_MOST, 0)} % of windows without drift",
            f"{percent(ours.alarm_share)} %",
            ours.alarm_share <= AT_MOST,
        ),
    )
    return Page(
        "Many features", _about(plan, peers), targets, (("At the defaults", _table(found)),)
    )


def _about(plan: Plan, peers: bool) -> str:
    text = (
        f"Windows of {ROWS:,} rows of {FEATURES} features with the eight marginals in turn, "
        f"against references of {REFERENCE_ROWS:,} rows: {plan.references} monitors with "
        f"{plan.windows} windows without drift, and as many in which {DRIFTED} features have "
        "drifted, each by the first of its marginal's thirty shifts."
    )
    if peers:
        text += (
            f" Of the peers one monitor with {plan.peer_windows} windows of each kind; "
            "alibi-detect shares its 0.05 over the features."
        )
    return text


def _table(found: Mapping[str, Found]) -> str:
    lines = [
        [
            name,
            f"{one.windows:,}",
            percent(one.alarm_share, 1),
            percent(one.false_share, 1),
            percent(one.caught / (one.windows * DRIFTED), 1),
        ]
        for name, one in found.items()
    ]
    head = ["", "windows", "any flag without drift %", "false of what is flagged %", "caught %"]
    return table(head, lines)
