"""Are our fast equivalents what the tools themselves give? Each runs in its pinned environment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import peers
from benchmarks.detection.draws import Past, Rows, Window, past, window
from benchmarks.detection.page import Page, Target
from benchmarks.detection.peer_scores import (
    ALIBI,
    ALIBI_ALPHA,
    PEERS,
    Prepared,
    kolmogorov,
    reference_of,
)
from benchmarks.detection.worlds import MARGINALS, SHIFTS, Levels
from benchmarks.peers.environment import ALIBI_DETECT, EVIDENTLY, NANNYML, run
from benchmarks.tables import table

SCRIPTS = Path(peers.__file__).parent
TOLERANCE = 1e-6
"""alibi-detect's own figures have seven digits."""
LEAST_P = 1e-30
"""Its p are of single precision, which ends at 1e-38."""
EVIDENTLYS = {
    "Evidently default": "default",
    "Evidently JS": "jensenshannon",
    "Evidently PSI": "psi",
}
Raw = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """windows: of each marginal, half of them shifted."""

    rows: int
    reference_rows: int
    windows: int


FULL = Plan(500, 20_000, 6)
QUICK = Plan(500, 5_000, 2)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    past: Past
    window: Window
    reference: Prepared | npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of ours and of the tool."""

    figure: str
    ours: float
    theirs: float

    @property
    def difference(self) -> float:
        """Relative to the larger one."""
        size = max(abs(self.ours), abs(self.theirs))
        return abs(self.ours - self.theirs) / size if size else 0.0


def cases(plan: Plan, random: np.random.Generator) -> Iterator[Case]:
    """Levels have no missing rows here: the scripts have no word for them."""
    for marginal, world in MARGINALS.items():
        moved = [one.world for one in SHIFTS if one.marginal == marginal]
        still = Levels(world.shares, 0.0) if isinstance(world, Levels) else world
        kept = past(still, plan.reference_rows, plan.rows, random)
        reference = reference_of(kept.rows)
        for number in range(plan.windows):
            drawn = still if number % 2 == 0 else moved[number // 2 % len(moved)]
            if isinstance(drawn, Levels):
                drawn = Levels(drawn.shares, 0.0)
            yield Case(f"{marginal} {number}", kept, window(drawn, plan.rows, random), reference)


def pairs(every: list[Case]) -> Iterator[Pair]:
    yield from _evidently(every)
    yield from _nannyml(every)
    yield from _alibi(every)


def _score(name: str, case: Case) -> float:
    return float(PEERS[name].scores([case.window.rows], case.reference)[0])


def _evidently(every: list[Case]) -> Iterator[Pair]:
    methods = list(EVIDENTLYS.values())
    found = run(EVIDENTLY, SCRIPTS / "figures_of_evidently.py", _raw(every), methods)
    for case in every:
        for name, method in EVIDENTLYS.items():
            ours = _score(name, case)
            yield Pair(name, ours, float(found[f"{case.name}.{method}"]))


def _nannyml(every: list[Case]) -> Iterator[Pair]:
    found = run(NANNYML, SCRIPTS / "limits_of_nannyml.py", _raw(every))
    peer = PEERS["NannyML JS"]
    for case in every:
        ours = _score("NannyML JS", case)
        limit = peer.limit_of([one.rows for one in case.past.windows], case.reference)
        yield Pair("NannyML JS", ours, float(found[f"{case.name}.value"]))
        yield Pair("NannyML JS, its limit", limit, float(found[f"{case.name}.limit"]))
        flagged = float(ours > limit)
        yield Pair("NannyML JS, flagged", flagged, float(found[f"{case.name}.alert"]))


def _alibi(every: list[Case]) -> Iterator[Pair]:
    found = run(ALIBI_DETECT, SCRIPTS / "figures_of_alibi_detect.py", _raw(every, numbers=True))
    for case in every:
        ours = _score(ALIBI, case)
        if isinstance(case.reference, Prepared):
            distance = kolmogorov(case.window.rows.astype(np.float64), case.reference)
            yield Pair("alibi-detect, KS distance", distance, float(found[f"{case.name}.distance"]))
        else:
            p = max(ALIBI_ALPHA / ours, LEAST_P)
            theirs = max(float(found[f"{case.name}.p_value"]), LEAST_P)
            yield Pair("alibi-detect, p of chi-square", p, theirs)
        flagged = float(ours > 1)
        yield Pair("alibi-detect, flagged", flagged, float(found[f"{case.name}.is_drift"]))


def _raw(every: list[Case], *, numbers: bool = False) -> Raw:
    """Rows as the scripts want them; numbers: levels by their number, and no missing rows."""
    found = {}
    for case in every:
        found[f"{case.name}.current"] = _rows([case.window], numbers)
        found[f"{case.name}.reference"] = _rows(case.past.windows, numbers)
    return found


def _rows(windows: tuple[Window, ...] | list[Window], numbers: bool) -> npt.NDArray[Any]:
    parts = []
    for one in windows:
        rows: Rows = one.rows
        if np.issubdtype(rows.dtype, np.integer):
            levels = np.repeat(np.arange(rows.size), rows.astype(np.int64))
            parts.append(levels if numbers else np.char.add("level ", levels.astype(str)))
        else:
            missing = np.full(0 if numbers else one.missing, np.nan)
            parts.append(np.concatenate([rows, missing]))
    return np.concatenate(parts)


def measure(plan: Plan, *, peers: bool, seed: int) -> Page:
    """peers: False leaves nothing to do."""
    if not peers:
        return Page("Agreement with the tools", "Left out: no peers.", (), ())
    every = list(pairs(list(cases(plan, np.random.default_rng(seed)))))
    figures = dict.fromkeys(one.figure for one in every)
    lines, worst = [], 0.0
    for figure in figures:
        own = [one for one in every if one.figure == figure]
        most = max(one.difference for one in own)
        worst = max(worst, most)
        lines.append([figure, str(len(own)), f"{most:.1e}"])
    target = Target(
        f"every figure within {TOLERANCE:g} of the tool's, every flag the same",
        f"at most {worst:.1e} off",
        worst <= TOLERANCE,
    )
    about = (
        "Peers are measured by equivalents of their figures that are fast enough for a million "
        "windows. Here the tools themselves run in their pinned environments, with telemetry off, "
        f"on {plan.windows} windows of {plan.rows} rows of each marginal, half of them shifted, "
        f"against {plan.reference_rows:,} rows; flags compare as 0 and 1."
    )
    return Page(
        "Agreement with the tools",
        about,
        (target,),
        (("", table(["figure", "windows", "largest relative difference"], lines)),),
    )
