"""HTTP/1.1 on one connection, with limits that uvicorn does not have.

A client that sends its request a byte at a time, or none at all, is cut off after a while; when
there are too many connections, the one that has waited longest without a request makes room. And
who has a certificate but not one of the allowed names is cut off before it can ask.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from driftwatch.exposition.security import Security
from driftwatch.exposition.tls import names_of

REQUEST_SECONDS = 10.0
"""How long the head of a request may take, from the connection or its own first byte on."""

MOST_CONNECTIONS = 256


def limited(
    security: Security | None,
    *,
    request_seconds: float = REQUEST_SECONDS,
    most: int = MOST_CONNECTIONS,
) -> type[asyncio.Protocol]:
    """The class of the connections of one server."""
    waiting: dict[LimitedProtocol, None] = {}
    allowed = _allowed_by(security)

    class OfServer(LimitedProtocol):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.waiting, self.allowed = waiting, allowed
            self.request_seconds, self.most = request_seconds, most

    return OfServer


class LimitedProtocol(H11Protocol):
    """waiting: connections without a whole request, longest first; allowed: whether the verified
    certificate of a client may be let in."""

    waiting: "dict[LimitedProtocol, None]"
    allowed: Callable[[dict[str, Any] | None], bool]
    request_seconds: float
    most: int
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        encrypted = transport.get_extra_info("ssl_object")
        if encrypted is not None and not self.allowed(encrypted.getpeercert()):
            transport.abort()
            return
        self._await_request()
        if len(self.connections) > self.most:
            longest = next(iter(self.waiting))
            longest.stop_waiting()
            longest.transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_request()
        else:
            self.stop_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self.waiting[self] = None  # uvicorn closes it when nothing comes

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self.waiting.setdefault(self)
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self.transport.abort)

    def stop_waiting(self) -> None:
        """Its request is there, or it is gone."""
        self.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _allowed_by(security: Security | None) -> Callable[[dict[str, Any] | None], bool]:
    def allowed(certificate: dict[str, Any] | None) -> bool:
        tls = None if security is None else security.current.tls
        names = frozenset(tls.client_sans) if tls else frozenset()
        return not names or bool(names & names_of(certificate))

    return allowed
