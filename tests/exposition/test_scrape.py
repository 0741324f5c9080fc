import gzip
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)

from driftwatch.exposition.page import Page
from driftwatch.exposition.reading import (
    MonitorReading,
    ReferenceReading,
    SegmentReading,
    VersionReading,
)
from driftwatch.exposition.render import render
from driftwatch.exposition.scrape import Format, ScrapeRequest, negotiate, scrape
from driftwatch.exposition.text import clean
from tests.exposition.readings import (
    NOW,
    busy_health,
    feature_reading,
    full_reading,
    monitor_reading,
    samples,
)
from tests.servers.prometheus import promtool

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
HOSTILE = 'quotes "x" \\ back\nline {a="b"} 漢字'


@pytest.fixture
def page() -> Page:
    page = Page()
    for monitor in ("delay-model", HOSTILE):
        page.replace(render(monitor_reading(monitor)))
    return page


def test_text_is_clean_for_promtool(page: Page) -> None:
    scraped = scrape(page, busy_health(HOSTILE), NOW)
    for flags in ((), ("--extended",)):
        done = promtool("check", "metrics", *flags, text=scraped.body)
        assert (done.returncode, done.stderr) == (0, "")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=40, unique_by=clean))
def test_prometheus_parses_whatever_is_written_into_labels(names: list[str]) -> None:
    page = Page()
    for name in names:
        page.replace(render(hostile_reading(name)))
    done = promtool("check", "metrics", text=scrape(page, busy_health(names[0]), NOW).body)
    assert (done.returncode, done.stderr) == (0, "")


def hostile_reading(name: str) -> MonitorReading:
    """Everything that others name is called this."""
    of_segment = replace(full_reading().alerts[-1], feature=name, segment=f"x={name}")
    return replace(
        full_reading(name),
        source=name,
        labels={"team": name},
        features=(feature_reading(name),),
        alerts=(of_segment,),
        references=(ReferenceReading(name, NOW, 1),),
        versions=(VersionReading(name, NOW),),
        of_segments=(SegmentReading(name, 86_400, 2),),
        excluded=(name,),
    )


def test_promtool_would_object(page: Page) -> None:
    scraped = scrape(page, busy_health(), NOW)
    done = promtool("check", "metrics", text=scraped.body + b"# TYPE x_total gauge\nx_total 1\n")
    assert done.returncode == 3


def test_both_formats_say_the_same(page: Page) -> None:
    health = busy_health(HOSTILE)
    text = scrape(page, health, NOW)
    openmetrics = scrape(page, health, NOW, ScrapeRequest(accept=PROMETHEUS_2))
    assert text.content_type == Format.TEXT.value
    assert openmetrics.content_type == Format.OPENMETRICS.value
    assert openmetrics.body.endswith(b"# EOF\n")
    # The parser has no annotations of its own.
    families = openmetrics_families(openmetrics.body.decode())  # type: ignore[no-untyped-call]
    ours = {
        (sample.name, frozenset(sample.labels.items()))
        for family in families
        for sample in family.samples
    }
    assert ours == set(samples(text.body))


def test_gzip_is_the_same_page(page: Page) -> None:
    health = busy_health()
    plain = scrape(page, health, NOW)
    zipped = scrape(page, health, NOW, ScrapeRequest(accept_encoding="gzip, deflate;q=0.5"))
    assert (plain.gzipped, zipped.gzipped) == (False, True)
    shown = samples(gzip.decompress(zipped.body))
    assert set(shown) == set(samples(plain.body))
    assert len(zipped.body) < len(plain.body) / 2


@pytest.mark.parametrize("encoding", ["", "identity", "gzip;q=0", "br"])
def test_no_gzip_for_who_does_not_take_it(page: Page, encoding: str) -> None:
    request = ScrapeRequest(accept_encoding=encoding)
    assert not scrape(page, busy_health(), NOW, request).gzipped


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,*/*;q=0.8", Format.TEXT),
        ("text/plain;version=0.0.4", Format.TEXT),
        (PROMETHEUS_2, Format.OPENMETRICS),
        ("application/openmetrics-text;q=0.1,text/plain;q=0.2", Format.TEXT),
        ("application/openmetrics-text;q=oops", Format.TEXT),
        ("APPLICATION/OpenMetrics-Text", Format.OPENMETRICS),
        (";;,,=;q=", Format.TEXT),
    ],
)
def test_negotiation(accept: str, expected: Format) -> None:
    assert negotiate(accept) is expected


def test_names_select_families_of_both_parts(page: Page) -> None:
    names = frozenset({"driftwatch_window_rows", "driftwatch_evaluations_total", "python_info"})
    scraped = scrape(page, busy_health(), NOW, ScrapeRequest(names=names))
    assert {name for name, _ in samples(scraped.body)} == names


def test_no_family_is_in_both_parts(page: Page) -> None:
    headers = [
        line.split()[2]
        for line in scrape(page, busy_health(), NOW).body.decode().splitlines()
        if line.startswith("# TYPE")
    ]
    assert len(headers) == len(set(headers))
