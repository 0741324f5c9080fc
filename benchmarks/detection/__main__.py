"""`make bench-detection`: measure, print the tables, and with --save write benchmarks/results/."""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.detection import (
    accuracy,
    agreement,
    delay,
    many,
    no_drift,
    power,
    seasons,
)
from benchmarks.detection.page import Page, Target, targets_table
from benchmarks.tables import table

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True, slots=True)
class Part:
    """measure(plan, seed=, peers=) gives the page, without peers where the part has none of them;
    full and quick are its plans."""

    measure: Callable[..., Page]
    full: Any
    quick: Any
    has_peers: bool = True


PARTS: Mapping[str, Part] = {
    "no-drift": Part(no_drift.measure, no_drift.FULL, no_drift.QUICK),
    "seasons": Part(seasons.measure, seasons.FULL, seasons.QUICK),
    "many": Part(many.measure, many.FULL, many.QUICK),
    "power": Part(power.measure, power.FULL, power.QUICK),
    "accuracy": Part(accuracy.measure, accuracy.FULL, accuracy.QUICK, has_peers=False),
    "delay": Part(delay.measure, delay.FULL, delay.QUICK, has_peers=False),
    "agreement": Part(agreement.measure, agreement.FULL, agreement.QUICK),
}


def main() -> None:
    options = _options()
    targets: list[Target] = []
    for name in options.only or PARTS:
        part, before, begun = PARTS[name], machine.load(), time.perf_counter()
        plan = part.quick if options.quick else part.full
        peers = {"peers": options.peers} if part.has_peers else {}
        page = part.measure(plan, seed=options.seed, **peers)
        about = {
            **machine.describe(),
            "seed": str(options.seed),
            "seconds": f"{time.perf_counter() - begun:.0f}",
            "load average": f"{before} before, {machine.load()} after",
        }
        versions = table(["measured on", ""], ([*pair] for pair in about.items()))
        text = f"{page.text()}\n\n## Machine and versions\n\n{versions}\n"
        print(text, flush=True)
        if options.save:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"detection-{name}.md").write_text(text, encoding="utf-8")
        targets += page.targets
    print(targets_table(targets))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer windows: about a minute")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--no-peers", dest="peers", action="store_false", help="driftwatch alone, no other tool"
    )
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/ as well")
    parser.add_argument("--seed", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
