"""HTTP/1.1 on one connection, with limits that uvicorn does not have.

A client that sends its request a byte at a time, or none at all, is cut off after a while, and so
is one that does not take its answer. When there are too many connections, the one that has waited
longest without a request makes room; where all have one, the one that is answered for the longest
time. And who has a certificate but not one of the allowed names is cut off before it can ask.
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

ANSWER_SECONDS = 120.0
"""How long a request may take from its head on: its body, its answer, and the client's reading of
that. Longer than any scrape is waited for."""

MOST_CONNECTIONS = 256


def limited(
    security: Security | None,
    *,
    request_seconds: float = REQUEST_SECONDS,
    answer_seconds: float = ANSWER_SECONDS,
    most: int = MOST_CONNECTIONS,
) -> type[asyncio.Protocol]:
    """The class of the connections of one server."""
    waiting: dict[LimitedProtocol, None] = {}
    answered: dict[LimitedProtocol, None] = {}
    allowed = _allowed_by(security)

    class OfServer(LimitedProtocol):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.waiting, self.answered, self.allowed = waiting, answered, allowed
            self.request_seconds, self.answer_seconds = request_seconds, answer_seconds
            self.most = most

    return OfServer


class LimitedProtocol(H11Protocol):
    """waiting: connections without a whole request, longest first; answered: those with one, in the
    same order; allowed: whether the verified certificate of a client may be let in."""

    waiting: "dict[LimitedProtocol, None]"
    answered: "dict[LimitedProtocol, None]"
    allowed: Callable[[dict[str, Any] | None], bool]
    request_seconds: float
    answer_seconds: float
    most: int
    _deadline: asyncio.TimerHandle | None = None
    _head_is_due = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        encrypted = transport.get_extra_info("ssl_object")
        if encrypted is not None and not self.allowed(encrypted.getpeercert()):
            transport.abort()
            return
        if len(self.connections) > self.most:
            longest = next(iter(self.waiting), None) or next(iter(self.answered), self)
            longest.forget()
            longest.transport.abort()
        if not transport.is_closing():
            self._await_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return  # what is left to be sent is waited for as long as before
        if self.conn.their_state is h11.IDLE:
            self._await_request()
        else:
            self._be_answered()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            # uvicorn closes it when nothing comes; the deadline stays for who reads no answer
            self.answered.pop(self, None)
            self.waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.forget()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Of what is no HTTP. Nothing may follow an answer that has begun or is complete."""
        begun = self.cycle is not None and not self.cycle.response_complete
        if begun or self.conn.our_state is not h11.IDLE:
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def forget(self) -> None:
        """It is gone, or to go."""
        self.waiting.pop(self, None)
        self.answered.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()

    def _await_request(self) -> None:
        """Only the first byte of a request sets its deadline, not each of them."""
        self.waiting.setdefault(self)
        if not self._head_is_due:
            self._head_is_due = True
            self._be_done_in(self.request_seconds)

    def _be_answered(self) -> None:
        self.waiting.pop(self, None)
        if self not in self.answered:
            self.answered[self] = None
            self._head_is_due = False
            self._be_done_in(self.answer_seconds)

    def _be_done_in(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)


def _allowed_by(security: Security | None) -> Callable[[dict[str, Any] | None], bool]:
    def allowed(certificate: dict[str, Any] | None) -> bool:
        tls = None if security is None else security.current.tls
        names = frozenset(tls.client_sans) if tls else frozenset()
        return not names or bool(names & names_of(certificate))

    return allowed
