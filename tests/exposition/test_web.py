import gzip
import logging
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest

from driftwatch.errors import DriftwatchError
from driftwatch.exposition.page import Page
from driftwatch.exposition.render import render
from driftwatch.exposition.web import Probes, WebServer, create_app
from tests.exposition.readings import NOW, busy_health, monitor_reading, value_of


class Daemon:
    """What the endpoints ask: set by a test."""

    def __init__(self) -> None:
        self.now = NOW
        self.beat: datetime | None = NOW
        self.missing: list[str] = []
        self.page = Page()
        self.page.replace(render(monitor_reading()))

    def app_server(self, port: int = 0) -> WebServer:
        probes = Probes(
            now=lambda: self.now, heartbeat=lambda: self.beat, not_ready=lambda: self.missing
        )
        return WebServer(create_app(self.page, busy_health(), probes), "127.0.0.1", port)


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
    links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
    assert links == ["/metrics", "/-/healthy", "/-/ready"]
    assert [client.get(link).status_code for link in links] == [200, 200, 200]


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
def test_nothing_can_be_posted(client: httpx.Client, path: str) -> None:
    assert client.post(path).status_code == 405


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
