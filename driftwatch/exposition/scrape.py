"""One scrape: the page of results, then the daemon's own metrics, in the format that was asked for.

The page is the same bytes in both formats (gauges are written alike), so it is joined and
compressed once; only the few series of the daemon itself are rendered for each scrape.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from driftwatch.exposition.compress import finish
from driftwatch.exposition.health import Health
from driftwatch.exposition.page import Page


class Format(Enum):
    """The two exposition formats, by their content types."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class ScrapeRequest:
    """What a scrape asks for: two headers ("" where absent), and the names of families or series
    that alone are wanted (none: all)."""

    accept: str = ""
    accept_encoding: str = ""
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scraped:
    """The answer to a scrape."""

    body: bytes
    content_type: str
    gzipped: bool


def scrape(
    page: Page, health: Health, now: datetime, request: ScrapeRequest | None = None
) -> Scraped:
    """Everything that is exposed at `now`."""
    asked = request or ScrapeRequest()
    wanted = negotiate(asked.accept)
    own = render_health(health, wanted, asked.names)
    if asked.names:
        return Scraped(page.selected(now, asked.names) + own, wanted.value, gzipped=False)
    if _accepts(asked.accept_encoding, "gzip"):
        return Scraped(finish(page.compressed(now), own), wanted.value, gzipped=True)
    return Scraped(page.text(now) + own, wanted.value, gzipped=False)


def negotiate(accept: str) -> Format:
    """OpenMetrics when it is named and not liked less than text; text else.

    >>> negotiate("application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.5").name
    'OPENMETRICS'
    >>> negotiate("*/*").name
    'TEXT'
    """
    qualities = dict(_qualities(accept))
    openmetrics = qualities.get("application/openmetrics-text", 0.0)
    if openmetrics > 0 and openmetrics >= qualities.get("text/plain", 0.0):
        return Format.OPENMETRICS
    return Format.TEXT


def render_health(health: Health, wanted: Format, names: frozenset[str] = frozenset()) -> bytes:
    """The daemon's own metrics; in OpenMetrics with the end mark. `names`: those alone."""
    openmetrics = wanted is Format.OPENMETRICS
    labelled = b"".join(
        one.text(openmetrics=openmetrics)
        for one in health.labelled
        if not names or names & {one.name, one.name.removesuffix("_total")}
    )
    own = _Selected(health, names)
    if openmetrics:
        # The function has no annotations of its own.
        return labelled + bytes(generate_openmetrics(own))  # type: ignore[no-untyped-call]
    return labelled + generate_latest(own)


class _Selected(Collector):
    """The registry without `_created` series: each doubles a counter and is read by nobody here."""

    def __init__(self, health: Health, names: frozenset[str]) -> None:
        self._health = health
        self._names = names

    def collect(self) -> Iterable[Metric]:
        for metric in self._health.registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            if not self._names or self._names & _names_of(metric):
                yield metric


def _names_of(metric: Metric) -> set[str]:
    return {metric.name, *(sample.name for sample in metric.samples)}


def _qualities(header: str) -> Iterator[tuple[str, float]]:
    """Media types or encodings with the highest quality that each is given; a bad one counts 0."""
    best: dict[str, float] = {}
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        best[name] = max(quality, best.get(name, 0.0))
    yield from best.items()


def _accepts(header: str, encoding: str) -> bool:
    return dict(_qualities(header)).get(encoding, 0.0) > 0
