"""How often a fleet of monitors cries wolf: alerts without drift, judged as the daemon does.

python -m benchmarks.fleet                 # 40 monitors of 80 columns, 8 weeks
python -m benchmarks.fleet --monitors 4    # a part of the same fleet
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks import machine
from benchmarks.readiness import LENGTHS
from benchmarks.tables import table
from benchmarks.traffic import HOURS_OF_WEEK, columns, hours
from benchmarks.watch import Flagged, Watched, watched
from driftwatch.alert.policy import Severity
from driftwatch.verdict.policy import VOLUME

RESULT = Path(__file__).parent / "results" / "fleet.md"
REFERENCE_WEEKS = 8
TARGET = 1.0
"""False critical alerts a week of a fleet of 40 monitors x 80 columns, at most."""

_WORDS = dict(zip(LENGTHS, ("hours", "days", "weeks"), strict=True))

HEAD = f"""# False alerts of a fleet

{{monitors}} monitors of {{features}} columns each (a prediction and features), a reference of
{REFERENCE_WEEKS} weeks and {{weeks}} weeks after it, without drift; windows of an hour, a day and a
week, everything else at its default. Rows, seasons, wobble and marginals are those of
`benchmarks/traffic.py`: 100 to 10,000 rows in a mean hour, most columns with a daily and a weekly
cycle, 40 % with a wobble of 0.01 to 0.1 sigma that lasts for hours or days, half with missing
values, 15 % correlated with another column. Bounds are exact, of 95 %."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """shift: by how many sigmas every prediction is moved after the reference."""

    monitors: int = 40
    features: int = 80
    weeks: int = 8
    seed: int = 1
    shift: float = 0.0


def simulated(fleet: Fleet) -> Iterator[Watched]:
    """What comes of each monitor. The first ones of a larger fleet are those of a smaller one."""
    for number in range(fleet.monitors):
        random = np.random.default_rng([fleet.seed, number])
        when = hours(
            random,
            reference=REFERENCE_WEEKS * HOURS_OF_WEEK,
            live=fleet.weeks * HOURS_OF_WEEK,
        )
        made = list(columns(random, when, fleet.features, shift=fleet.shift))
        yield watched(made, when)


def page(fleet: Fleet, found: Sequence[Watched]) -> str:
    """All tables, and whether the target is met."""
    alerts = [one for monitor in found for one in monitor.alerts]
    critical = [one for one in alerts if one.severity is Severity.CRITICAL]
    # What as many monitors and columns as the target speaks of would have had.
    share = fleet.weeks * fleet.monitors * fleet.features / (40 * 80)
    rate, low, high = _per(len(critical), share)
    met = "met" if high <= TARGET else "missed" if low > TARGET else "within what chance allows"
    return "\n\n".join(
        [
            HEAD.format(monitors=fleet.monitors, features=fleet.features, weeks=fleet.weeks),
            f"**False critical alerts: {len(critical)}, {rate:.2f} a week ({low:.2f} to "
            f"{high:.2f}) for 40 monitors x 80 columns; at most {TARGET:g} is the target: {met}.**",
            "## Alerts",
            _alerts(alerts, share),
            "## Every critical alert",
            _listed(critical),
            "## Flagged windows, per million judged",
            _by_length(found),
            _by_marginal(found),
        ]
    )


def _alerts(alerts: Sequence[Flagged], weeks: float) -> str:
    """Alerts that fired, by what they are about. At once: by one plain window."""
    lines = []
    for words, some in (
        *((word, [a for a in alerts if a.seconds == s and a.feature != VOLUME])
          for s, word in _WORDS.items()),
        ("rows (@volume)", [a for a in alerts if a.feature == VOLUME]),
        ("all", alerts),
    ):  # fmt: skip
        line = [words]
        for severity in (Severity.CRITICAL, Severity.WARNING):
            own = [one for one in some if one.severity is severity]
            rate, low, high = _per(len(own), weeks)
            at_once = sum(one.plain for one in own)
            line += [f"{len(own)}", f"{rate:.2f} ({low:.2f} to {high:.2f})", f"{at_once}"]
        lines.append(line)
    head = ["alerts over", "critical", "a week", "at once", "warning", "a week", "at once"]
    return table(head, lines)


def _listed(alerts: Sequence[Flagged]) -> str:
    if not alerts:
        return "None."
    return table(
        ["column", "marginal", "window", "from", "rows", "p", "effect", "kind", "at once"],
        [
            [
                one.feature, one.marginal, _WORDS[one.seconds], f"{one.start:%m-%d %H:%M}",
                f"{one.rows:,}", f"{one.p:.1e}", f"{one.effect:.2f}", one.kind,
                "yes" if one.plain else "no",
            ]
            for one in alerts
        ],
    )  # fmt: skip


def _by_length(found: Sequence[Watched]) -> str:
    judged, flagged = _counted(found)
    lines = []
    for seconds, word in _WORDS.items():
        windows = sum(n for (name, s), n in judged.items() if s == seconds and name != VOLUME)
        some = [one for one in flagged if one.seconds == seconds and one.feature != VOLUME]
        harmful = sum(one.severity is Severity.CRITICAL for one in some)
        at_once = sum(one.plain for one in some)
        lines.append(
            [word, f"{windows:,}", _million(len(some), windows), f"{harmful}", f"{at_once}"]
        )
    head = ["windows of", "feature-windows", "flagged per million", "critical", "plain"]
    return table(head, lines)


def _by_marginal(found: Sequence[Watched]) -> str:
    judged, flagged = _counted(found)
    counts = Counter((one.marginal, one.seconds) for one in flagged)
    names = sorted({name for name, _ in judged}, key=lambda name: (name == VOLUME, name))
    lines = [
        [name, *(_million(counts[name, s], judged[name, s]) for s in LENGTHS)] for name in names
    ]
    return table(["flagged per million", *_WORDS.values()], lines)


def _counted(found: Sequence[Watched]) -> tuple[Counter[tuple[str, int]], list[Flagged]]:
    judged: Counter[tuple[str, int]] = Counter()
    for one in found:
        judged.update(one.judged)
    return judged, [flag for one in found for flag in one.flagged]


def _per(count: int, exposure: float) -> tuple[float, float, float]:
    """A rate with the exact bounds of Poisson's distribution (Garwood 1936)."""
    low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return count / exposure, low / exposure, stats.chi2.ppf(0.975, 2 * count + 2) / 2 / exposure


def _million(count: int, of: int) -> str:
    """Per million, with the exact bounds of the binomial distribution (Clopper, Pearson 1934)."""
    if not of:
        return "-"
    bounds = stats.binomtest(count, of).proportion_ci(0.95, method="exact")
    return f"{count / of * 1e6:.0f} ({bounds.low * 1e6:.0f} to {bounds.high * 1e6:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--monitors", type=int, default=40, metavar="N", help="(40)")
    parser.add_argument("--features", type=int, default=80, metavar="N", help="columns (80)")
    parser.add_argument("--weeks", type=int, default=8, metavar="N", help="after the reference (8)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", action="store_true", help=f"write {RESULT.name} to results/")
    options = parser.parse_args()
    before = machine.load()
    fleet = Fleet(options.monitors, options.features, options.weeks, options.seed)
    found: list[Watched] = []
    for one in simulated(fleet):
        found.append(one)
        print(f"monitor {len(found)} of {fleet.monitors}", file=sys.stderr)
    text = page(fleet, found)
    print(text)
    if options.save:
        about = machine.describe()
        about["seed"] = str(fleet.seed)
        about["load average"] = f"{before} before, {machine.load()} after"
        versions = table(["measured on", ""], ([*pair] for pair in about.items()))
        RESULT.write_text(f"{text}\n\n{versions}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
