"""The committed results say what was measured, and nothing about who measured where."""

import json
import os
import platform
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import PAGES, PARTS, RESULTS
from benchmarks.exposition import Scrape, measure_exposition
from benchmarks.first_scan import FirstScan
from benchmarks.meter import measure, tree_cpu_seconds
from benchmarks.tick import Tick

KINDS: dict[str, Any] = {"exposition": Scrape, "first-scan": FirstScan, "tick": Tick}
VERSIONS = {"CPU", "RAM", "OS", "Python", "SQLite", "PostgreSQL", "numpy", "SQLAlchemy", "pandas"}


@pytest.mark.parametrize("part", PARTS)
def test_a_page_shows_what_its_raw_numbers_say(part: str) -> None:
    raw = json.loads((RESULTS / f"{part}.json").read_text("utf-8"))
    text = (RESULTS / f"{part}.md").read_text("utf-8")
    assert text.startswith(PAGES[part]([KINDS[part](**one) for one in raw["measured"]]))
    assert set(raw["machine"]) >= VERSIONS
    for name, value in raw["machine"].items():
        assert f"| {name} | {value} |" in text


@pytest.mark.parametrize("path", sorted(RESULTS.iterdir()), ids=lambda path: path.name)
def test_no_host_and_no_path_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"(?<![\w.])[/~]\w+", text)
    assert platform.node() not in text


def test_the_two_texts_of_a_scrape_are_compared() -> None:
    found = measure_exposition(1, series=500)
    assert {one.series >= 500 for one in found} == {True}
    assert len({one.way for one in found}) == 8


def test_a_meter_sees_cpu_and_memory() -> None:
    kept: list[bytes] = []

    def work() -> None:
        kept.append(os.urandom(60_000_000))

    cost = measure(work)
    assert cost.client_cpu_seconds > 0
    assert cost.peak_mb > cost.before_mb + 50
    assert tree_cpu_seconds(os.getpid()) > 0
    assert tree_cpu_seconds(0x7FFFFFFF) == 0
