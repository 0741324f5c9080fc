import base64
import gzip
import hashlib
import html
import logging
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import httpx
import pytest

from driftwatch.errors import DriftwatchError
from driftwatch.exposition.landing import landing
from driftwatch.exposition.page import Page
from driftwatch.exposition.pages import ExplainRequest, PageError, Pages
from driftwatch.exposition.render import render
from driftwatch.exposition.web import Probes, WebServer, create_app
from tests.exposition.readings import NOW, busy_health, feature_reading, monitor_reading, value_of


class Daemon:
    """What the endpoints ask: set by a test."""

    def __init__(self) -> None:
        self.now = NOW
        self.beat: datetime | None = NOW
        self.missing: list[str] = []
        self.asked: list[ExplainRequest] = []
        self.refusal: PageError | None = None
        self.answers = Event()
        self.answers.set()
        self.page = Page()
        self.page.replace(render(monitor_reading()))

    def app_server(self, port: int = 0) -> WebServer:
        probes = Probes(
            now=lambda: self.now, heartbeat=lambda: self.beat, not_ready=lambda: self.missing
        )
        pages = Pages(config=lambda: "listen: Zürich\n", explain=self.explain)
        return WebServer(create_app(self.page, busy_health(), probes, pages), "127.0.0.1", port)

    def explain(self, asked: ExplainRequest) -> str:
        assert self.answers.wait(30)
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(asked)
        return f"explained: {asked.feature}\n"


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def client(daemon: Daemon) -> Iterator[httpx.Client]:
    server = daemon.app_server()
    server.start()
    try:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            yield client
    finally:
        server.stop()


def test_metrics(client: httpx.Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert value_of(answer.content, "driftwatch_alert_state", kind="drift") == 2
    assert value_of(answer.content, "driftwatch_store_up") == 1


def test_metrics_are_zipped_for_who_asks(client: httpx.Client) -> None:
    with client.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        text = gzip.decompress(b"".join(answer.iter_raw()))
    assert value_of(text, "driftwatch_store_up") == 1
    plain = client.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_openmetrics_and_names(client: httpx.Client) -> None:
    answer = client.get(
        "/metrics",
        params={"name[]": ["driftwatch_store_up"]},
        headers={"Accept": "application/openmetrics-text; version=1.0.0"},
    )
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.splitlines()[-2:] == ["driftwatch_store_up 1.0", "# EOF"]


def test_expired_values_go_with_the_clock(client: httpx.Client, daemon: Daemon) -> None:
    daemon.page.replace(render(monitor_reading(expires_at=NOW + timedelta(hours=1))))
    shown = b"driftwatch_verdict_level{"
    assert shown in client.get("/metrics").content
    daemon.now = NOW + timedelta(hours=1)
    assert shown not in client.get("/metrics").content


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_healthy_while_the_scheduler_turns(
    client: httpx.Client, daemon: Daemon, method: str
) -> None:
    assert client.request(method, "/-/healthy").status_code == 200
    daemon.now = NOW + timedelta(seconds=60)
    assert client.request(method, "/-/healthy").status_code == 200
    daemon.now = NOW + timedelta(seconds=61)
    assert client.request(method, "/-/healthy").status_code == 503
    daemon.beat = None
    assert client.request(method, "/-/healthy").status_code == 503


def test_an_unhealthy_answer_says_why(client: httpx.Client, daemon: Daemon) -> None:
    daemon.now = NOW + timedelta(seconds=90)
    assert client.get("/-/healthy").text == "the scheduler's loop last turned 90 seconds ago\n"
    daemon.beat = None
    assert client.get("/-/healthy").text == "the scheduler has not started yet\n"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_ready_when_nothing_is_missing(client: httpx.Client, daemon: Daemon, method: str) -> None:
    assert client.request(method, "/-/ready").status_code == 200
    daemon.missing = ["the store is not migrated"]
    assert client.request(method, "/-/ready").status_code == 503


def test_an_unready_answer_says_what_is_missing(client: httpx.Client, daemon: Daemon) -> None:
    daemon.missing = ["the store is not migrated", "the scheduler is not up"]
    answer = client.get("/-/ready").text
    assert answer == "the store is not migrated\nthe scheduler is not up\n"


def test_the_landing_page_links_to_pages_that_are_there(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    links = [html.unescape(part.partition('"')[0]) for part in page.text.split('href="')[1:]]
    assert links[:4] == ["/metrics", "/config", "/-/healthy", "/-/ready"]
    assert links[4:] == [
        "/explain?monitor=delay-model&feature=dep_delay&window=1d",
        "/explain?monitor=delay-model&feature=%40volume&window=1d",
    ]
    assert {client.get(link).status_code for link in links} == {200}


def test_the_landing_page_tells_what_drifts_and_how_far_it_has_counted(
    client: httpx.Client, daemon: Daemon
) -> None:
    daemon.now = NOW + timedelta(days=1, hours=2, seconds=7)
    text = client.get("/").text
    assert "up for 1d2h" in text
    assert "not well" in text
    assert "the scheduler&#x27;s loop last turned 93607 seconds ago" in text
    daemon.beat = daemon.now
    text = client.get("/").text
    assert '<span class="mark ok">running</span>' in text
    assert '<span class="mark critical">critical</span></td><td>delay-model</td>' in text
    assert "<td>2013-02-09 00:00</td>" in text


def test_hostile_names_stay_text(client: httpx.Client, daemon: Daemon) -> None:
    hostile = "<script>alert(1)</script>\"'&漢字"
    daemon.page.replace(render(monitor_reading(hostile)))
    text = client.get("/").text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;漢字" in text
    links = [html.unescape(part.partition('"')[0]) for part in text.split('href="')[1:]]
    asked = [httpx.URL(link).params["monitor"] for link in links if "/explain" in link]
    assert hostile in asked


def test_so_many_drift_that_not_all_are_listed(client: httpx.Client, daemon: Daemon) -> None:
    features = [feature_reading(f"f{n:04}") for n in range(150)]
    daemon.page.replace(render(monitor_reading("wide", features=tuple(features))))
    text = client.get("/").text
    assert text.count('<a href="/explain') == 100
    assert "and 52 more" in text


def test_an_empty_page_is_a_page() -> None:
    text = landing(Page(), NOW, timedelta(0), [])
    assert "No monitor is shown yet." in text
    assert "No feature drifts" in text
    assert "up for less than a minute" in text


def test_pages_that_are_not_there_are_not_linked_to(daemon: Daemon) -> None:
    text = landing(daemon.page, NOW, timedelta(0), [], more=False)
    links = [part.partition('"')[0] for part in text.split('href="')[1:]]
    assert links == ["/metrics", "/-/healthy", "/-/ready"]
    assert "<td>dep_delay</td>" in text


def test_the_style_is_allowed_by_its_hash_and_nothing_else_is(client: httpx.Client) -> None:
    page = client.get("/")
    (style,) = re.findall("<style>(.*)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert not re.search(r"style=|<script|<img|<link|https?://", page.text)


def test_the_configuration(client: httpx.Client) -> None:
    answer = client.get("/config")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "listen: Zürich\n"


def test_a_result_is_explained(client: httpx.Client, daemon: Daemon) -> None:
    asked = {
        "monitor": "m 1",
        "feature": "ü",
        "window": "1d",
        "segment": "a=b",
        "end": "2013-02-09",
    }
    assert client.get("/explain", params=asked).text == "explained: ü\n"
    assert client.get("/explain", params={"monitor": "m 1", "feature": "x"}).status_code == 200
    assert daemon.asked == [
        ExplainRequest("m 1", "ü", "a=b", "1d", "2013-02-09"),
        ExplainRequest("m 1", "x"),
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "missing: monitor, feature; ask for /explain?monitor=NAME&feature=NAME"),
        ("?monitor=m", "missing: feature;"),
        ("?monitor=m&feature=", "missing: feature;"),
        ("?monitor=m&feature=x&windw=1d", "unknown: windw;"),
        ("?monitor=m&feature=x&feature=y", "more than once: feature;"),
    ],
)
def test_a_question_that_is_none(client: httpx.Client, query: str, told: str) -> None:
    answer = client.get(f"/explain{query}")
    assert (answer.status_code, answer.text[: len(told)]) == (400, told)


def test_the_status_of_a_page_that_cannot_be_given(client: httpx.Client, daemon: Daemon) -> None:
    daemon.refusal = PageError(404, "no monitor is named 'm'")
    answer = client.get("/explain?monitor=m&feature=x")
    assert (answer.status_code, answer.text) == (404, "no monitor is named 'm'\n")


def test_a_scrape_does_not_wait_for_explanations(client: httpx.Client, daemon: Daemon) -> None:
    """More of them than may wait; the store does not answer until the scrape was."""
    daemon.answers.clear()
    url = f"{client.base_url}/explain?monitor=m&feature=x"
    with ThreadPoolExecutor(20) as asking:
        try:
            waiting = [asking.submit(httpx.get, url, trust_env=False) for _ in range(20)]
            while not any(one.done() for one in waiting):
                time.sleep(0.01)
            assert client.get("/metrics").status_code == 200
            assert client.get("/-/healthy").status_code == 200
        finally:
            daemon.answers.set()
        statuses = [one.result().status_code for one in waiting]
    assert sorted(set(statuses)) == [200, 503]
    assert statuses.count(200) >= 8


@pytest.mark.parametrize("path", ["/", "/metrics", "/config", "/-/healthy", "/-/ready"])
def test_head_is_get_without_its_body(client: httpx.Client, path: str) -> None:
    there, headers = client.get(path), client.head(path)
    assert (headers.status_code, headers.content) == (200, b"")
    for name in ("content-type", "content-security-policy"):
        assert headers.headers[name] == there.headers[name]


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready", "/config", "/explain"])
def test_nothing_can_be_posted(client: httpx.Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_nobody_is_sent_to_where_the_request_says(client: httpx.Client) -> None:
    assert client.get("/metrics/", headers={"Host": "elsewhere.example"}).status_code == 404


def test_what_is_not_there(client: httpx.Client) -> None:
    assert client.get("/secrets").status_code == 404


def test_an_address_in_use_is_named_with_the_remedy(daemon: Daemon) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = daemon.app_server(port)
        with pytest.raises(DriftwatchError, match="Address already in use") as caught:
            server.start()
        server.stop()
    assert f"127.0.0.1 port {port}" in str(caught.value)
    assert "set another host or port" in str(caught.value)


@pytest.mark.parametrize(("host", "port"), [("no-such-host.invalid", 0), ("127.0.0.1", 99_999)])
def test_an_address_that_cannot_be(daemon: Daemon, host: str, port: int) -> None:
    probes = Probes(now=lambda: NOW, heartbeat=lambda: NOW, not_ready=list)
    server = WebServer(create_app(daemon.page, busy_health(), probes), host, port)
    with pytest.raises(DriftwatchError, match=f"cannot listen on {host} port {port}"):
        server.start()


def test_stopping_frees_the_port_for_the_next_start(daemon: Daemon) -> None:
    first = daemon.app_server()
    first.start()
    port = first.address[1]
    httpx.get(f"{first.url}/-/ready", trust_env=False)
    first.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.url}/-/ready", trust_env=False)
    second = daemon.app_server(port)
    second.start()
    try:
        assert httpx.get(f"{second.url}/-/ready", trust_env=False).status_code == 200
    finally:
        second.stop()


def test_requests_are_not_logged(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, logger="uvicorn"):
        client.get("/metrics")
        client.get("/none")
    assert [one for one in caplog.records if one.name.startswith("uvicorn")] == []
    assert capfd.readouterr() == ("", "")
