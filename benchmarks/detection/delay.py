"""Part 6: how soon is a faint drift caught, with windows of four lengths at once?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.detection.history import Past, alarms, counts, fitted, in_windows, pasts
from benchmarks.detection.page import Page, Target
from benchmarks.detection.regimes import FLAT
from benchmarks.detection.verdict import Measured, judgements
from benchmarks.tables import table
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.verdict.policy import Verdict

LENGTHS: Mapping[str, int] = {"1 h": 1, "6 h": 6, "1 d": 24, "7 d": 168}
ROWS = 300
SHIFT = 0.05
WITHIN_HOURS = 24
FALSE_PER_1000_HOURS = 2.0
WEEK = 168


@dataclass(frozen=True, slots=True)
class Plan:
    """reference_hours: of the reference; hours: after it, without drift; features: so many."""

    reference_hours: int
    hours: int
    features: int
    patience_hours: int


FULL = Plan(8 * WEEK, 6 * WEEK, 100, 6 * WEEK)
QUICK = Plan(8 * WEEK, 2 * WEEK, 20, 3 * WEEK)


@dataclass(frozen=True, slots=True)
class Delay:
    """flagged, alarmed: hours from the beginning of the drift to the end of the first window that
    is flagged, and of the one after which an alert fires, of any length, shape (features,), inf
    where there was none; by_length: the median of `alarmed` of each length alone; false_alarms:
    alerts that began to fire without drift, by length, in so many feature-hours."""

    flagged: FloatArray
    alarmed: FloatArray
    by_length: Mapping[str, float]
    false_alarms: Mapping[str, int]
    feature_hours: int

    @property
    def false_per_1000_hours(self) -> float:
        return 1000 * sum(self.false_alarms.values()) / self.feature_hours


def delays(plan: Plan, random: np.random.Generator, shift: float = SHIFT) -> Delay:
    """The mean moves at another hour of the week in each feature, and stays there."""
    course = FLAT(plan.reference_hours, plan.features, random)
    edges = fitted(course, random)
    past = pasts(counts(course, edges, ROWS, random), list(LENGTHS.values()))
    still = counts(FLAT(plan.hours, plan.features, random), edges, ROWS, random)
    quiet = _ends(past, still, plan.reference_hours, begins=np.zeros(plan.features))
    false = {
        name: int(sum(len(ends) for ends in quiet[hours].begun)) for name, hours in LENGTHS.items()
    }
    begins = random.integers(0, WEEK, plan.features)
    hours = WEEK + plan.patience_hours
    live = FLAT(hours, plan.features, random)
    after = np.arange(hours)[:, np.newaxis] >= begins
    moved = counts(live.moved(shift * after), edges, ROWS, random)
    found = _ends(past, moved, plan.reference_hours, begins=begins.astype(np.float64))
    flagged = np.min([one.first_flagged for one in found.values()], axis=0)
    alarmed = {length: one.first_alarm for length, one in found.items()}
    return Delay(
        flagged=flagged,
        alarmed=np.min(list(alarmed.values()), axis=0),
        by_length={name: float(np.median(alarmed[hours])) for name, hours in LENGTHS.items()},
        false_alarms=false,
        feature_hours=plan.hours * plan.features,
    )


@dataclass(frozen=True, slots=True)
class _OfLength:
    """first_flagged, first_alarm: hours after `begins`, shape (features,), inf for never; begun:
    the windows of each feature at which its alert began to fire."""

    first_flagged: FloatArray
    first_alarm: FloatArray
    begun: Sequence[IntArray]


def _ends(
    past: Mapping[int, Past], hourly: IntArray, first_hour: int, *, begins: FloatArray
) -> Mapping[int, _OfLength]:
    """What windows of each length say. Windows that end before the drift begins do not count."""
    found = {}
    for hours, one in past.items():
        current = in_windows(hourly, hours)
        starts = first_hour + hours * np.arange(len(current))
        ends = hours * (np.arange(len(current)) + 1.0)
        tests = one.tested(current, starts.tolist())
        first_flagged, first_alarm, begun = [], [], []
        for feature, begin in enumerate(begins):
            judged = judgements(
                Measured(tests.p[:, feature], tests.effect[:, feature]), lengths=len(past)
            )
            flags = np.array([each.verdict is not Verdict.OK for each in judged], np.bool_)
            firing = alarms(judged, starts.tolist(), hours)
            onsets = np.flatnonzero(firing & ~np.concatenate([[False], firing[:-1]]))
            first_flagged.append(_first(ends[flags], begin))
            first_alarm.append(_first(ends[firing], begin))
            begun.append(onsets)
        found[hours] = _OfLength(np.array(first_flagged), np.array(first_alarm), begun)
    return found


def _first(ends: npt.NDArray[np.floating], begin: float) -> float:
    later = ends[ends > begin]
    return float(later[0] - begin) if later.size else np.inf


def measure(plan: Plan, *, seed: int) -> Page:
    found = delays(plan, np.random.default_rng(seed))
    median = float(np.median(found.alarmed))
    targets = (
        Target(
            f"{SHIFT:g} sigma at {ROWS} rows an hour: an alert fires within {WITHIN_HOURS} h "
            "(median)",
            f"{median:.0f} h",
            median <= WITHIN_HOURS,
        ),
        Target(
            f"at most {FALSE_PER_1000_HOURS:g} false alerts per 1,000 h",
            f"{found.false_per_1000_hours:.2f}",
            found.false_per_1000_hours <= FALSE_PER_1000_HOURS,
        ),
    )
    about = (
        f"A normal feature of {ROWS} rows an hour, watched in windows of {', '.join(LENGTHS)} at "
        f"once, each at p <= 0.001 / {len(LENGTHS)} and an effect of at least 0.05; an alert fires "
        "on 2 flagged of 3 windows of one length, or at once at p <= 1e-6 / "
        f"{len(LENGTHS)}. The reference is {plan.reference_hours // WEEK} weeks, calibrated by its "
        f"own windows. {plan.features} features; the mean of each moves by {SHIFT:g} sigma at an "
        "hour of the week of its own."
    )
    return Page("Delay of a faint drift", about, targets, (("", _table(found)),))


def _table(found: Delay) -> str:
    def words(hours: FloatArray) -> str:
        low, median, high = np.quantile(hours, [0.1, 0.5, 0.9], method="inverted_cdf")
        return f"{median:.0f} ({low:.0f}-{high:.0f})"

    lines = [
        ["first flagged window, any length", words(found.flagged), ""],
        [
            "alert fires, any length",
            words(found.alarmed),
            f"{found.false_per_1000_hours:.2f}",
        ],
    ]
    for name, hours in found.by_length.items():
        false = 1000 * found.false_alarms[name] / found.feature_hours
        lines.append([f"alert fires, {name} alone", f"{hours:.0f}", f"{false:.2f}"])
    return table(["", "hours: median (10 to 90 %)", "false alerts per 1,000 h"], lines)
