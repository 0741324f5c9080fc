import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from driftwatch.alert.change import Payload
from driftwatch.exposition.delivery import backoff_seconds, deliver
from tests.servers.parts import free_port

SECRET = "s3cret"
PAYLOAD: Payload = {"version": 1, "monitor": "delay-model"}


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses it is told, in turn (the last one for ever), and remembers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str]]] = [(200, {})]
        self.seen: list[tuple[str, str, dict[str, str], Any]] = []
        self.hold = threading.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/{SECRET}?token={SECRET}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(("POST", self.path, dict(self.headers), json.loads(body)))
        self.server.hold.wait(5)
        answers = self.server.answers
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response_only(status, f"{SECRET} reason")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.seen.append(("GET", self.path, dict(self.headers), None))
        self.send_response_only(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.hold.set()
            server.shutdown()
            thread.join()


def test_it_fails_and_then_succeeds(receiver: Receiver) -> None:
    receiver.answers = [(503, {}), (200, {})]
    first = deliver(receiver.url, {}, PAYLOAD, 5)
    place = f"127.0.0.1:{receiver.server_address[1]}"
    assert not first.delivered
    assert first.message == f"the webhook at {place} answered 503 Service Unavailable"
    second = deliver(receiver.url, {}, PAYLOAD, 5)
    assert (second.delivered, second.message) == (True, "")
    assert [body for _, _, _, body in receiver.seen] == [PAYLOAD, PAYLOAD]


def test_what_is_sent(receiver: Receiver) -> None:
    deliver(receiver.url, {"X-Token": SECRET}, PAYLOAD, 5)
    ((_, path, headers, _),) = receiver.seen
    assert path == f"/hook/{SECRET}?token={SECRET}"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["User-Agent"].startswith("driftwatch/")
    assert headers["X-Token"] == SECRET


def test_user_and_password_of_the_url_become_a_header(receiver: Receiver) -> None:
    url = receiver.url.replace("http://", f"http://me:{SECRET}%40@")
    assert deliver(url, {}, PAYLOAD, 5).delivered
    ((_, _, headers, _),) = receiver.seen
    expected = base64.b64encode(f"me:{SECRET}@".encode()).decode()
    assert headers["Authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_secrets_follow_no_redirect(receiver: Receiver, status: int) -> None:
    with Receiver() as other:
        receiver.answers = [(status, {"Location": other.url})]
        result = deliver(receiver.url, {"X-Token": SECRET}, PAYLOAD, 5)
        assert other.seen == []
    assert not result.delivered
    assert "redirects are not followed, set the final URL" in result.message


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_2xx_is_delivered(receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, {})]
    assert deliver(receiver.url, {}, PAYLOAD, 5).delivered


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 599])
def test_no_other_status_is(receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, {})]
    result = deliver(receiver.url, {}, PAYLOAD, 5)
    assert not result.delivered
    assert f"answered {status}" in result.message
    assert SECRET not in result.message


def test_no_answer_in_time(receiver: Receiver) -> None:
    receiver.hold.clear()
    result = deliver(receiver.url, {}, PAYLOAD, 0.1)
    assert not result.delivered
    assert result.message.endswith("was not reached: no answer in time")


def test_nobody_listens() -> None:
    result = deliver(f"http://127.0.0.1:{free_port()}/{SECRET}", {}, PAYLOAD, 5)
    assert not result.delivered
    assert result.message.endswith("was not reached: Connection refused")


@pytest.mark.parametrize(
    "url",
    [
        f"file:///etc/{SECRET}",
        f"ftp://127.0.0.1/{SECRET}",
        SECRET,
        "",
        f"http:///{SECRET}",
        f"http://127.0.0.1:{SECRET}/",
        f"http://[{SECRET}/",
        f"http://127.0.0.1:1/{SECRET} \x01",
        f"http://me:{SECRET}@127.0.0.1:1/",
    ],
)
def test_a_bad_url_is_a_failure_that_tells_no_secret(url: str) -> None:
    result = deliver(url, {"X-Token": SECRET}, PAYLOAD, 1)
    assert not result.delivered
    assert result.message
    assert SECRET not in result.message


def test_a_bad_header_is_a_failure_that_tells_no_secret(receiver: Receiver) -> None:
    result = deliver(receiver.url, {"X-Token": f"{SECRET}\r\nX: y"}, PAYLOAD, 1)
    assert not result.delivered
    assert SECRET not in result.message
    assert receiver.seen == []


def test_a_path_of_any_letters(receiver: Receiver) -> None:
    url = receiver.url.partition("/hook")[0] + "/höök %2F"
    assert deliver(url, {}, PAYLOAD, 5).delivered
    ((_, path, _, _),) = receiver.seen
    assert path == "/h%C3%B6%C3%B6k%20%2F"


def test_waits_grow_and_are_bounded() -> None:
    waits = [backoff_seconds(attempts) for attempts in range(1, 40)]
    assert waits[0] == 5
    assert waits == sorted(waits)
    assert waits[-1] == 900
    assert backoff_seconds(3, first=0.1, longest=1) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="follows a failure"):
        backoff_seconds(0)
