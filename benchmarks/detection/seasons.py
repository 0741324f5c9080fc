"""Part 2: seasons and autocorrelation are not drift, and drift is found in spite of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.detection.history import (
    Course,
    Regime,
    alarms,
    counts,
    fitted,
    pasts,
)
from benchmarks.detection.page import Page, Target, percent
from benchmarks.detection.peer_scores import PEERS, prepared
from benchmarks.detection.regimes import REGIMES
from benchmarks.detection.verdict import Measured, judgements
from benchmarks.tables import table
from driftwatch.stats.counts import FloatArray
from driftwatch.verdict.policy import Verdict

ROWS = 600
SHIFT = 0.2
AT_MOST = 0.01
FOUND: Mapping[str, float] = {"daily, half a sigma": 0.70, "weekly, half a sigma": 0.55}


@dataclass(frozen=True, slots=True)
class Plan:
    """reference_hours, hours: of the reference and after it; peer_*: of each peer."""

    reference_hours: int
    hours: int
    features: int
    peer_hours: int
    peer_features: int


FULL = Plan(9 * 168, 3 * 168, 30, 168, 2)
QUICK = Plan(8 * 168, 168, 8, 48, 1)


@dataclass(frozen=True, slots=True)
class Found:
    """Of one regime, so many hours of all features: flagged and with a firing alert without drift,
    flagged when the mean has moved; seasons: the keys that were chosen."""

    hours: int
    flagged: int
    alarmed: int
    found: int
    seasons: tuple[str, ...]


def own(regime: Regime, plan: Plan, random: np.random.Generator) -> Found:
    course = regime(plan.reference_hours + plan.hours, plan.features, random)
    kept, live = _apart(course, plan)
    edges = fitted(kept, random)
    past = pasts(counts(kept, edges, ROWS, random), [1])[1]
    starts = range(plan.reference_hours, plan.reference_hours + plan.hours)
    still = past.tested(counts(live, edges, ROWS, random), starts)
    moved = past.tested(counts(live.moved(SHIFT), edges, ROWS, random), starts)
    flagged = alarmed = found = 0
    for feature in range(plan.features):
        judged = judgements(Measured(still.p[:, feature], still.effect[:, feature]))
        flagged += sum(one.verdict is not Verdict.OK for one in judged)
        alarmed += int(alarms(judged, starts, 1).sum())
        shifted = judgements(Measured(moved.p[:, feature], moved.effect[:, feature]))
        found += sum(one.verdict is not Verdict.OK for one in shifted)
    seasons = tuple(sorted({str(season) for season in past.calibration.season}))
    return Found(plan.hours * plan.features, flagged, alarmed, found, seasons)


def _apart(course: Course, plan: Plan) -> tuple[Course, Course]:
    end = plan.reference_hours
    return course.between(0, end), course.between(end, end + plan.hours)


def of_peers(
    regime: Regime, plan: Plan, random: np.random.Generator
) -> Mapping[str, tuple[float, float]]:
    """By name the share of hours flagged at the defaults: without drift, and with a moved mean.

    The reference is all of its rows; NannyML learns its limit from its hours.
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PEERS}
    course = regime(plan.reference_hours + plan.peer_hours, plan.peer_features, random)
    for feature in range(plan.peer_features):
        hourly = [_values(course, hour, feature, random) for hour in range(len(course.mean))]
        kept, live = hourly[: plan.reference_hours], hourly[plan.reference_hours :]
        rows = prepared(np.sort(np.concatenate(kept), kind="stable"))
        for name, peer in PEERS.items():
            limit = peer.limit_of(kept, rows)
            still = np.mean(peer.scores(live, rows) > limit)
            moved = np.mean(peer.scores([one + SHIFT for one in live], rows) > limit)
            found[name].append((float(still), float(moved)))
    return {
        name: (float(np.mean([a for a, _ in each])), float(np.mean([b for _, b in each])))
        for name, each in found.items()
    }


def _values(course: Course, hour: int, feature: int, random: np.random.Generator) -> FloatArray:
    rows = ROWS - random.binomial(ROWS, course.missing[hour, feature])
    drawn = course.mean[hour, feature] + course.sigma[hour, feature] * random.normal(size=rows)
    return np.sort(drawn)


def measure(plan: Plan, *, peers: bool, seed: int) -> Page:
    random = np.random.default_rng(seed)
    found = {name: own(regime, plan, random) for name, regime in REGIMES.items()}
    beside = {}
    if peers:
        beside = {name: of_peers(regime, plan, random) for name, regime in REGIMES.items()}
    sections = [("driftwatch, per cent of hours", _own(found))]
    if peers:
        head = f"Per cent of hours flagged at the defaults: without drift / with + {SHIFT:g} sigma"
        sections.append((head, _beside(found, beside)))
    return Page("Seasons", _about(plan, peers), _targets(found), tuple(sections))


def _about(plan: Plan, peers: bool) -> str:
    text = (
        f"Hours of {ROWS} rows of a normal feature, in eight regimes without drift. The reference "
        f"is {plan.reference_hours // 168} weeks of hours, calibrated by its own hours; then come "
        f"{plan.hours} hours of {plan.features} features, once as before and once with a mean that "
        f"has moved by {SHIFT:g} sigma. Flagged: p <= 0.001 and an effect of at least 0.05; the "
        "alert fires on 2 flagged of 3 hours, or at once at p <= 1e-6."
    )
    if peers:
        text += f" Of the peers {plan.peer_hours} hours of {plan.peer_features} features each."
    return text


def _targets(found: Mapping[str, Found]) -> tuple[Target, ...]:
    name, worst = max(found.items(), key=lambda pair: pair[1].alarmed / pair[1].hours)
    share = worst.alarmed / worst.hours
    targets = [
        Target(
            f"an alert fires after at most {percent(AT_MOST, 0)} % of hours in each regime",
            f"at most {percent(share)} % ({name})",
            share <= AT_MOST,
        )
    ]
    for name, least in FOUND.items():
        share = found[name].found / found[name].hours
        targets.append(
            Target(
                f"+ {SHIFT:g} sigma is found in {percent(least, 0)} % of hours ({name})",
                f"{percent(share, 1)} %",
                share >= least,
            )
        )
    return tuple(targets)


def _own(found: Mapping[str, Found]) -> str:
    lines = [
        [
            name,
            ", ".join(one.seasons),
            percent(one.flagged / one.hours),
            percent(one.alarmed / one.hours),
            percent(one.found / one.hours, 1),
        ]
        for name, one in found.items()
    ]
    head = ["regime", "season key", "flagged", "alert fires", f"+ {SHIFT:g} sigma flagged"]
    return table(head, lines)


def _beside(
    found: Mapping[str, Found], beside: Mapping[str, Mapping[str, tuple[float, float]]]
) -> str:
    lines = []
    for name, one in found.items():
        shares = [(one.flagged / one.hours, one.found / one.hours), *beside[name].values()]
        lines.append([name, *(f"{percent(a, 1)} / {percent(b, 1)}" for a, b in shares)])
    return table(["regime", "driftwatch", *PEERS], lines)
