"""`make bench`: measure, print the tables, and with --save write them to benchmarks/results/."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine, tables
from benchmarks.databases import (
    Database,
    maybe_postgres,
    postgres_database,
    postgres_version,
    sqlite_database,
)
from benchmarks.exposition import measure_exposition
from benchmarks.first_scan import FirstScan, measure_first_scan
from benchmarks.tick import Tick, measure_ticks
from tests.servers.postgres import PostgresServer

RESULTS = Path(__file__).parent / "results"
PAGES: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "exposition": tables.exposition_page,
    "first-scan": tables.first_scan_page,
    "tick": tables.tick_page,
}
PARTS = tuple(PAGES)
MILLION = 1_000_000


def main() -> None:
    options = _options()
    with maybe_postgres() as server:
        about = machine.describe(postgres_version(server))
        for part in options.only or PARTS:
            before = machine.load()
            found = [_rounded(one) for one in _measure(part, server, options)]
            about["load average"] = f"{before} before, {machine.load()} after"
            text = f"{PAGES[part](found)}\n\n{_about(about)}\n"
            print(text, flush=True)
            if options.save:
                _save(part, text, about, found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ticks at 1M rows alone")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts alone")
    parser.add_argument("--repetitions", type=int, default=3, metavar="N", help="of each (3)")
    return parser.parse_args()


def _measure(
    part: str, server: PostgresServer | None, options: argparse.Namespace
) -> Sequence[Any]:
    if part == "exposition":
        return measure_exposition(options.repetitions)
    found: list[Tick | FirstScan] = []
    if part == "first-scan":
        for database in _databases(server, MILLION):
            found += measure_first_scan(database, options.repetitions)
        return found
    for rows in (MILLION,) if options.quick else (MILLION, 10 * MILLION):
        for database in _databases(server, rows):
            found += measure_ticks(database, options.repetitions)
    return found


def _databases(server: PostgresServer | None, rows: int) -> Iterator[Database]:
    yield sqlite_database(rows)
    if server is not None:
        with postgres_database(server, rows) as database:
            yield database


def _about(about: dict[str, str]) -> str:
    versions = tables.table(["measured on", ""], ([*pair] for pair in about.items()))
    return f"## Machine and versions\n\n{versions}"


def _save(part: str, text: str, about: dict[str, str], found: Sequence[Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{part}.md").write_text(text, encoding="utf-8")
    rows = ",\n".join(f"    {json.dumps(asdict(one))}" for one in found)
    head = json.dumps(about, indent=2, ensure_ascii=False).replace("\n", "\n  ")
    raw = f'{{\n  "machine": {head},\n  "measured": [\n{rows}\n  ]\n}}\n'
    (RESULTS / f"{part}.json").write_text(raw, encoding="utf-8")


def _rounded(found: Any) -> Any:
    """To microseconds; pages are made of what is saved, so that the two agree."""
    kept = {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(found).items()}
    return type(found)(**kept)


if __name__ == "__main__":
    main()
