"""A scrape of 100,000 series: driftwatch's joined bytes beside prometheus_client's generate_latest.

The same families, labels and values on both sides; their texts must be equal line by line.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from driftwatch.exposition.families import FAMILIES
from driftwatch.exposition.health import Health
from driftwatch.exposition.page import Page
from driftwatch.exposition.reading import FeatureReading, MonitorReading
from driftwatch.exposition.render import MonitorBlocks, render
from driftwatch.exposition.scrape import ScrapeRequest, scrape
from driftwatch.verdict.policy import Reason, Verdict

SERIES = 100_000
NOW = datetime(2026, 1, 5, tzinfo=UTC)
_FEATURES = 40
_WINDOWS = (3_600, 86_400)


@dataclass(frozen=True, slots=True)
class Scrape:
    """One way to answer a scrape, once. allocated_mb: the peak of what it allocated, measured in a
    pass of its own."""

    way: str
    series: int
    body_mb: float
    cpu_seconds: float
    allocated_mb: float


def measure_exposition(repetitions: int, series: int = SERIES) -> list[Scrape]:
    """All ways in turn. RuntimeError: the two texts differ."""
    page, health = Page(), Health()
    blocks = _monitors(series)
    for one in blocks:
        page.replace(one)
    registry = _registry(page.text(NOW))
    if _lines(generate_latest(registry)) != _lines(page.text(NOW)):
        raise RuntimeError("prometheus_client shows other samples than driftwatch")
    count = len(_lines(page.text(NOW)))

    def after_an_evaluation(encoding: str) -> bytes:
        page.replace(blocks[0])
        return scrape(page, health, NOW, ScrapeRequest(accept_encoding=encoding)).body

    ways: dict[str, Callable[[], bytes]] = {
        "prometheus_client, generate_latest": lambda: generate_latest(registry),
        "driftwatch, a monitor was evaluated since": lambda: after_an_evaluation(""),
        "the same, gzip": lambda: after_an_evaluation("gzip"),
        "driftwatch, nothing has changed": lambda: scrape(page, health, NOW).body,
        "driftwatch, rendering all monitors anew": lambda: _rendered(series),
    }
    return [_measured(name, count, way) for _ in range(repetitions) for name, way in ways.items()]


def _measured(name: str, series: int, way: Callable[[], bytes]) -> Scrape:
    gc.collect()
    begun = time.process_time()
    body = way()
    seconds = time.process_time() - begun
    tracemalloc.start()
    way()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Scrape(name, series, len(body) / 1e6, seconds, peak / 1e6)


def _rendered(series: int) -> bytes:
    """Only to show what all of it takes; the daemon renders one monitor after its evaluation."""
    return b"".join(
        block.lines
        for one in _monitors(series)
        for part in (one.core, one.detail)
        for block in part.values()
    )


def _monitors(series: int) -> list[MonitorBlocks]:
    found: list[MonitorBlocks] = []
    size = 0
    while size < series:
        one = render(_reading(f"model-{len(found):04d}"))
        size += sum(block.series for part in (one.core, one.detail) for block in part.values())
        found.append(one)
    return found


def _reading(monitor: str) -> MonitorReading:
    return MonitorReading(monitor, "log", features=tuple(_results()), watermark=NOW)


def _results() -> Iterator[FeatureReading]:
    for index in range(_FEATURES):
        for seconds in _WINDOWS:
            yield FeatureReading(
                feature=f"feature_{index:03d}",
                window_seconds=seconds,
                window_start=NOW - timedelta(seconds=seconds),
                window_end=NOW,
                verdict=Verdict.OK,
                reason=Reason.WITHIN_THRESHOLD,
                rows=12_345 + index,
                measure="js_distance",
                value=0.01 * index / 3,
                js=0.001 * index / 7,
                js_distance=0.01 * index / 3,
                js_noise=0.0001 / 3,
                kl=0.001 * index / 11,
                missing_ratio=0.02 / 7,
                unseen_ratio=0.0,
            )


def _registry(text: bytes) -> CollectorRegistry:
    """prometheus_client's own gauges with the samples of a text."""
    registry = CollectorRegistry()
    labels = {family.name: family.labels for family in FAMILIES}
    for family in text_string_to_metric_families(text.decode()):
        gauge = Gauge(family.name, family.documentation, labels[family.name], registry=registry)
        for sample in family.samples:
            gauge.labels(**sample.labels).set(sample.value)
    return registry


def _lines(text: bytes) -> list[tuple[str, tuple[tuple[str, str], ...], float]]:
    return sorted(
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    )
