"""The HTTP endpoints: /metrics, /-/healthy, /-/ready, and pages for people.

Nothing but /explain runs SQL: a scrape is answered while every database is down.
"""

import errno
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from driftwatch.errors import DriftwatchError
from driftwatch.exposition.beside import beside
from driftwatch.exposition.guard import Guard
from driftwatch.exposition.health import Health
from driftwatch.exposition.landing import POLICY, landing
from driftwatch.exposition.page import Page
from driftwatch.exposition.page_routes import page_routes
from driftwatch.exposition.pages import Pages
from driftwatch.exposition.protocol import limited
from driftwatch.exposition.scrape import ScrapeRequest, scrape
from driftwatch.exposition.security import Security

HEARTBEAT_LIMIT_SECONDS = 60.0
"""A scheduler whose loop has not turned for this long is not healthy."""

RELOADS = 8
"""Reloads that may be asked for over HTTP at a time; they go one after the other."""

_STARTED_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Probes:
    """What the endpoints ask the daemon; each is called from any thread and must not wait.

    now: process time, by a clock that nobody sets back or forth; heartbeat: when by that clock the
    scheduler's loop last turned, None before the first time;
    not_ready: what is still missing (configuration, store, scheduler), empty when ready;
    reload: reads the configuration again and raises DriftwatchError where it is refused; this one
    takes its time. None: nobody may ask for it over the network.
    """

    now: Callable[[], datetime]
    heartbeat: Callable[[], datetime | None]
    not_ready: Callable[[], Sequence[str]]
    heartbeat_limit_seconds: float = HEARTBEAT_LIMIT_SECONDS
    reload: Callable[[], None] | None = None


def create_app(page: Page, health: Health, probes: Probes, pages: Pages | None = None) -> Starlette:
    """The web application: GET and HEAD, and POST or PUT to /-/reload. pages None: without those
    that need them."""
    started = probes.now()

    async def metrics(request: Request) -> Response:
        # On the loop itself: it waits for nothing, and a thread of its own would have to wait for
        # the interpreter once more while evaluations run.
        wanted = ScrapeRequest(
            accept=request.headers.get("accept", ""),
            accept_encoding=request.headers.get("accept-encoding", ""),
            names=frozenset(request.query_params.getlist("name[]")),
        )
        answer = scrape(page, health, probes.now(), wanted)
        headers = {"Content-Type": answer.content_type, "Vary": "Accept, Accept-Encoding"}
        if answer.gzipped:
            headers["Content-Encoding"] = "gzip"
        return Response(answer.body, headers=headers)

    # These two on the loop as well: whatever is slow, a probe is answered.
    async def healthy(_: Request) -> Response:
        return _verdict(_stalled(probes), "driftwatch is healthy.")

    async def ready(_: Request) -> Response:
        return _verdict(list(probes.not_ready()), "driftwatch is ready.")

    def first(_: Request) -> Response:
        now = probes.now()
        troubles = [*_stalled(probes), *probes.not_ready()]
        text = landing(page, now, now - started, troubles, more=pages is not None)
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})

    app = Starlette(
        routes=[
            Route("/", first),
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/-/reload", _Reloading(probes).answer, methods=["POST", "PUT"]),
            *([] if pages is None else page_routes(pages)),
        ]
    )
    # To where a client's own header says that this is: of an address that is not there, 404.
    app.router.redirect_slashes = False
    return app


class _Reloading:
    def __init__(self, probes: Probes) -> None:
        self._reload = probes.reload
        self._under_way = 0

    async def answer(self, _: Request) -> Response:
        if self._reload is None:
            told = "Reloading over HTTP is off: start driftwatch with --enable-lifecycle.\n"
            return PlainTextResponse(told, status_code=403)
        if self._under_way >= RELOADS:
            return PlainTextResponse("Reloads are under way already; try again.\n", 503)
        self._under_way += 1
        try:
            told = await beside(partial(_reloaded, self._reload), "reload")
        except DriftwatchError as error:
            told = f"The configuration was refused, the old one stays in use: {error}\n"
            return PlainTextResponse(told, status_code=500)
        finally:
            self._under_way -= 1
        return PlainTextResponse(told)


def _reloaded(reload: Callable[[], None]) -> str:
    reload()
    return "The configuration was read again.\n"


class WebServer:
    """The application on a port, in a thread of its own.

    port 0 takes any free one; `address` tells which.
    """

    def __init__(
        self, app: Starlette, host: str, port: int, *, security: Security | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._encrypts = security is not None and security.encrypts
        context = security.context() if security is not None and security.encrypts else None
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._server = uvicorn.Server(
            _Config(
                Guard(app, security),
                log_config=None,
                log_level="error",  # any client can have it warn, as often as it likes
                access_log=False,
                lifespan="off",
                ws="none",
                loop="asyncio",
                http=limited(security),
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            ).encrypted_by(context)
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on (before `start`: that were asked for)."""
        return self._host, self._port

    @property
    def url(self) -> str:
        """Where a browser on the same machine finds it, without a slash at the end."""
        host, port = self.address
        scheme = "https" if self._encrypts else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        """Listen and answer from now on. DriftwatchError when the address cannot be had."""
        self._socket = _listen(self._host, self._port)
        self._port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="driftwatch-web",
            daemon=True,
        )
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_STARTED_WITHIN_SECONDS / 0.01)):
            if self._server.started or not self._thread.is_alive():
                break
            waited.wait(0.01)
        if not self._server.started:
            self.stop()
            raise DriftwatchError(f"the web server on {self.url} did not start; see the log")

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End open requests within two seconds and close the port. Harmless when not started."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        if self._socket is not None:
            self._socket.close()


class _Config(uvicorn.Config):
    """uvicorn's own, with a context of ours in place of one that it makes of files."""

    _context: ssl.SSLContext | None = None

    def encrypted_by(self, context: ssl.SSLContext | None) -> "_Config":
        self._context = context
        return self

    def load(self) -> None:
        super().load()
        self.ssl = self._context


def _listen(host: str, port: int) -> socket.socket:
    try:
        if not 0 <= port <= 65_535:  # the C library would take it modulo 65536
            raise OSError(errno.EINVAL, "a port is at most 65535")
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise DriftwatchError(
            f"cannot listen on {host} port {port}: {reason}. Stop what uses that address (another "
            "driftwatch?), or set another host or port: `listen` in the configuration, --listen "
            "of the demo"
        ) from error
    return listening


def _stalled(probes: Probes) -> list[str]:
    beat = probes.heartbeat()
    if beat is None:
        return ["the scheduler has not started yet"]
    age = (probes.now() - beat).total_seconds()
    if age > probes.heartbeat_limit_seconds:
        return [f"the scheduler's loop last turned {age:.0f} seconds ago"]
    return []


def _verdict(troubles: Sequence[str], fine: str) -> Response:
    text = "".join(f"{line}\n" for line in troubles) or f"{fine}\n"
    return PlainTextResponse(text, status_code=503 if troubles else 200)
