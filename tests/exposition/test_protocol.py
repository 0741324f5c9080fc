"""Clients that are slow, or speak no HTTP, on a real port."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from driftwatch.exposition.page import Page
from driftwatch.exposition.protocol import limited
from driftwatch.exposition.render import render
from driftwatch.exposition.web import Probes, WebServer, create_app
from tests.daemon.test_app import wait_for
from tests.exposition.readings import NOW, busy_health, feature_reading, monitor_reading


@contextmanager
def impatient(
    *, request_seconds: float, most: int, answer_seconds: float = 60, features: int = 0
) -> Iterator[WebServer]:
    probes = Probes(now=lambda: NOW, heartbeat=lambda: NOW, not_ready=list)
    page, many = Page(), [feature_reading(f"f{number}") for number in range(features)]
    page.replace(render(monitor_reading(features=many)))
    server = WebServer(create_app(page, busy_health(), probes), "127.0.0.1", 0)
    server._server.config.http = limited(
        None, request_seconds=request_seconds, answer_seconds=answer_seconds, most=most
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


def closed(client: socket.socket) -> bool:
    """Whether the other side has ended it; waits for that for as long as its timeout."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET /metrics HTTP/1.1\r\nHost: x\r\n"])
def test_a_client_that_never_ends_its_request_is_cut_off(sent: bytes) -> None:
    with (
        impatient(request_seconds=0.3, most=10) as server,
        socket.create_connection(server.address, timeout=10) as slow,
    ):
        slow.sendall(sent)
        assert httpx.get(f"{server.url}/metrics", trust_env=False).status_code == 200
        assert closed(slow)


def test_a_second_request_that_never_ends_is_cut_off_too() -> None:
    with (
        impatient(request_seconds=0.5, most=10) as server,
        socket.create_connection(server.address, timeout=10) as slow,
    ):
        slow.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in slow.recv(65_536)
        slow.sendall(b"GET /-/ready HTTP/1.1\r\n")
        while slow.recv(65_536):
            pass


def test_those_that_wait_longest_make_room() -> None:
    with impatient(request_seconds=60, most=20) as server:
        slow = [socket.create_connection(server.address, timeout=10) for _ in range(60)]
        try:
            assert httpx.get(f"{server.url}/metrics", trust_env=False).status_code == 200
            assert closed(slow[0])
            slow[-1].sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in slow[-1].recv(65_536)
        finally:
            for one in slow:
                one.close()


UNREAD = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 4
"""So much is answered that no buffer holds it: 500 features are more than 700 kB a time."""


def unreading(server: WebServer) -> socket.socket:
    """A client that asks and takes hardly anything of what it is given."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(10)
    client.connect(server.address)
    client.sendall(UNREAD)
    return client


def test_those_that_read_no_answer_make_room() -> None:
    with impatient(request_seconds=60, most=5, features=500) as server:
        unread = [unreading(server) for _ in range(5)]
        try:
            for one in unread:
                assert one.recv(1) == b"H"  # it is being answered
            for _ in range(3):
                assert httpx.get(f"{server.url}/metrics", trust_env=False).status_code == 200
        finally:
            for one in unread:
                one.close()


def test_a_client_that_reads_no_answer_is_cut_off() -> None:
    with (
        impatient(request_seconds=60, answer_seconds=0.5, most=5, features=500) as server,
        unreading(server) as client,
    ):
        connections = server._server.server_state.connections
        wait_for(lambda: bool(connections))
        wait_for(lambda: not connections)
        assert client.recv(1) == b"H"


def test_a_body_that_never_ends_is_cut_off() -> None:
    with (
        impatient(request_seconds=60, answer_seconds=0.5, most=5) as server,
        socket.create_connection(server.address, timeout=10) as client,
    ):
        client.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
        assert b"200 OK" in client.recv(65_536)
        client.sendall(b"2")  # from here on uvicorn itself would wait for ever
        while client.recv(65_536):
            pass


def test_what_is_no_http_is_neither_logged_nor_a_crash(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever can connect could otherwise fill the log."""
    head = b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    upgrade = (
        b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    with impatient(request_seconds=60, most=5) as server:
        with socket.create_connection(server.address, timeout=10) as client:
            client.sendall(b"\x16\x03\x01\r\n\r\n")
            assert client.recv(65_536).startswith(b"HTTP/1.1 400 ")
        with socket.create_connection(server.address, timeout=10) as client:
            client.sendall(head)
            assert b"405" in client.recv(65_536)
            client.sendall(b"no length\r\n")
            while not closed(client):
                pass
        with socket.create_connection(server.address, timeout=10) as client:
            client.sendall(upgrade)
            assert b"200 OK" in client.recv(65_536)
        assert httpx.get(f"{server.url}/metrics", trust_env=False).status_code == 200
    assert caplog.messages == []
