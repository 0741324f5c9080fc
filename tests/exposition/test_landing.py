"""The landing page in a real browser, under its own Content-Security-Policy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftwatch.exposition.landing import _STYLE
from driftwatch.exposition.page import Page
from driftwatch.exposition.render import render
from driftwatch.exposition.web import Probes, WebServer, create_app
from tests.exposition.readings import NOW, busy_health, feature_reading, monitor_reading
from tests.servers.browser import corner, document

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture
def url() -> Iterator[str]:
    page = Page()
    page.replace(render(monitor_reading(HOSTILE, features=(feature_reading(HOSTILE),))))
    probes = Probes(now=lambda: NOW, heartbeat=lambda: NOW, not_ready=list)
    server = WebServer(create_app(page, busy_health(), probes), "127.0.0.1", 0)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def test_its_style_is_painted(url: str, tmp_path: Path) -> None:
    """A browser that refused the style sheet would paint white."""
    papers = {
        tuple(bytes.fromhex(found)) for found in re.findall(r"--paper: #([0-9a-f]{6})", _STYLE)
    }
    assert len(papers) == 2, "by day and by night"
    assert corner(url, tmp_path) in papers - {(255, 255, 255)}


def test_names_run_nothing(url: str, tmp_path: Path) -> None:
    found = document(url, tmp_path)
    assert "<title>driftwatch</title>" in found
    assert "<img" not in found
    assert "&lt;script&gt;document.title='taken'" in found
