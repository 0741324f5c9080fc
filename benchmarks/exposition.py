"""A scrape of 100,000 series: driftwatch's joined bytes beside prometheus_client's generate_latest.

The same families, labels and values on both sides; their texts must be equal line by line.
"""

import gc
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from driftwatch.exposition.health import Health
from driftwatch.exposition.page import Page
from driftwatch.exposition.reading import FeatureReading, MonitorReading
from driftwatch.exposition.render import MonitorBlocks, render
from driftwatch.exposition.scrape import ScrapeRequest, scrape
from driftwatch.exposition.web import Probes, WebServer, create_app
from driftwatch.verdict.policy import Reason, Verdict

SERIES = 100_000
BUSY = "driftwatch over HTTP, while two threads evaluate"
"""Two threads that render without pause: they ask for the interpreter more than evaluations do,
which wait for databases."""
NOW = datetime(2026, 1, 5, tzinfo=UTC)
_FEATURES = 40
_WINDOWS = (3_600, 86_400)


@dataclass(frozen=True, slots=True)
class Scrape:
    """One way to answer a scrape, once. cpu_seconds: of this process, all threads; None where
    evaluations, too, use it meanwhile. allocated_mb:
    the peak of what it allocated, measured in a pass of its own; kept_mb: what is held between
    scrapes for it."""

    way: str
    series: int
    body_mb: float
    cpu_seconds: float | None
    wall_seconds: float
    allocated_mb: float
    kept_mb: float


def measure_exposition(repetitions: int, series: int = SERIES) -> list[Scrape]:
    """All ways in turn. RuntimeError: the two texts differ."""
    tracemalloc.start()
    blocks = _monitors(series)
    page, health = Page(), _health(blocks)
    for one in blocks:
        page.replace(one)
    page.prepare(NOW)
    kept = tracemalloc.get_traced_memory()[0] / 1e6
    registry = _registry(page.text(NOW) + _of_monitors(health))
    clients = tracemalloc.get_traced_memory()[0] / 1e6 - kept
    tracemalloc.stop()

    def peer() -> bytes:
        return generate_latest(registry) + generate_latest(health.registry)

    def after_an_evaluation() -> None:
        page.replace(replace(blocks[0]))

    def evaluated_and_prepared() -> None:
        after_an_evaluation()
        page.prepare(NOW, urgent=True)

    def prepared() -> bytes:
        evaluated_and_prepared()
        return page.text(NOW)

    text, gzip = ScrapeRequest(), ScrapeRequest(accept_encoding="gzip")
    count = _check_equal(peer(), scrape(page, health, NOW).body)
    before: dict[str, Callable[[], None]] = {
        "driftwatch, after an evaluation": evaluated_and_prepared,
        "the same, not prepared by the evaluation": after_an_evaluation,
        "driftwatch over HTTP, after an evaluation": evaluated_and_prepared,
    }
    with _served(page, health) as over_http:
        ways: dict[str, Callable[[], bytes]] = {
            "prometheus_client, generate_latest": peer,
            "driftwatch, after an evaluation": lambda: scrape(page, health, NOW, gzip).body,
            "driftwatch, as text": lambda: scrape(page, health, NOW, text).body,
            "the same, not prepared by the evaluation": (
                lambda: scrape(page, health, NOW, gzip).body
            ),
            "driftwatch over HTTP, after an evaluation": over_http,
            BUSY: over_http,
            "what an evaluation pays: joining and compressing": prepared,
            "rendering all monitors anew": lambda: _rendered(series),
        }
        return [
            _measured(name, count, clients if way is peer else kept, before.get(name), way)
            for _ in range(repetitions)
            for name, way in ways.items()
        ]


def _check_equal(theirs: bytes, ours: bytes) -> int:
    """The number of series. RuntimeError: prometheus_client shows other samples than driftwatch."""
    # The process's own figures have moved between the two.
    moving = ("process_", "python_")
    expected, found = (
        [line for line in _lines(text) if not line[0].startswith(moving)] for text in (theirs, ours)
    )
    if expected != found:
        raise RuntimeError("prometheus_client shows other samples than driftwatch")
    return len(found)


def _health(blocks: list[MonitorBlocks]) -> Health:
    health = Health()
    health.source_added("log")
    for one in blocks:
        health.monitor_added(one.monitor, now=NOW, interval_seconds=300)
        health.evaluation_finished(one.monitor, outcome="success", finished=NOW, seconds=0.2)
    return health


def _of_monitors(health: Health) -> bytes:
    return b"".join(one.text(openmetrics=False) for one in health.labelled)


@contextmanager
def _served(page: Page, health: Health) -> Iterator[Callable[[], bytes]]:
    """A scrape with gzip over HTTP by a process of its own, whose CPU time is not counted."""
    probes = Probes(now=lambda: NOW, heartbeat=lambda: NOW, not_ready=list)
    server = WebServer(create_app(page, health, probes), "127.0.0.1", 0)
    server.start()
    client = subprocess.Popen(
        [sys.executable, "-c", _CLIENT, f"{server.url}/metrics"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    asked, answered = client.stdin, client.stdout

    def over_http() -> bytes:
        asked.write(b"\n")
        asked.flush()
        return answered.read(int(answered.readline()))

    try:
        yield over_http
    finally:
        asked.close()
        answered.close()
        client.wait(10)
        server.stop()


_CLIENT = """
import sys, urllib.request
for _ in sys.stdin:
    asked = urllib.request.Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked) as answer:
        body = answer.read()
    sys.stdout.buffer.write(b"%d\\n" % len(body) + body)
    sys.stdout.buffer.flush()
"""


def _measured(
    name: str,
    series: int,
    kept_mb: float,
    before: Callable[[], None] | None,
    way: Callable[[], bytes],
) -> Scrape:
    if before is not None:
        before()
    gc.collect()
    with _rendering(2 if name == BUSY else 0):
        begun, watch = time.process_time(), time.perf_counter()
        body = way()
        seconds, wall = time.process_time() - begun, time.perf_counter() - watch
    if before is not None:
        before()
    tracemalloc.start()
    way()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    cpu = None if name == BUSY else seconds
    return Scrape(name, series, len(body) / 1e6, cpu, wall, peak / 1e6, kept_mb)


@contextmanager
def _rendering(threads: int) -> Iterator[None]:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            render(_reading("busy"))

    working = [threading.Thread(target=work) for _ in range(threads)]
    for one in working:
        one.start()
    try:
        yield
    finally:
        done.set()
        for one in working:
            one.join()


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
    """prometheus_client's own gauges and counters with the samples of a text."""
    registry = CollectorRegistry()
    for family in text_string_to_metric_families(text.decode()):
        labels = list(family.samples[0].labels)
        if family.type == "counter":
            counter = Counter(family.name, family.documentation, labels, registry=registry)
            for sample in family.samples:
                counter.labels(**sample.labels).inc(sample.value)
            continue
        gauge = Gauge(family.name, family.documentation, labels, registry=registry)
        for sample in family.samples:
            gauge.labels(**sample.labels).set(sample.value)
    return registry


def _lines(text: bytes) -> list[tuple[str, tuple[tuple[str, str], ...], float]]:
    return sorted(
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    )
