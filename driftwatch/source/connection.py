"""The connections of one source: at most so many at once, reused, cancelled together."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from driftwatch.config.secret import SecretError
from driftwatch.config.settings import SourceSettings
from driftwatch.errors import ConfigError, SourceCancelledError, SourceError
from driftwatch.source.link import Link, TimeLimit
from driftwatch.source.postgres_link import PostgresLink
from driftwatch.source.sqlite_link import SqliteLink

_LINKS: dict[str, Callable[..., Link]] = {"postgresql": PostgresLink, "sqlite": SqliteLink}
_CANCEL_SECONDS = 5.0


class Connections:
    """Hands out links; opens them when they are needed, so a source may be down at the start."""

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._url = source_url(settings)
        self.dialect = self._url.get_backend_name()
        self._limit = TimeLimit(settings.statement_timeout_seconds, "statement_timeout")
        self._capture_limit = TimeLimit(settings.capture_timeout_seconds, "capture_timeout")
        self._slots = threading.BoundedSemaphore(settings.max_concurrent)
        self._lock = threading.Lock()
        self._idle: list[Link] = []
        self._running: dict[object, Link] = {}
        self._cancellations = 0
        self._closed = False

    @contextmanager
    def snapshot(self, *, capture: bool = False) -> Iterator[Link]:
        """A link inside its transaction, in which every statement sees the same rows.

        capture: a reference is read, under the time limit of that.
        """
        limit = self._capture_limit if capture else self._limit
        before = self._cancellations
        with self._slots:
            self._check_not_cancelled_since(before)
            link = self._begun(limit)
            ticket = object()
            with self._lock:
                self._running[ticket] = link
            try:
                self._check_not_cancelled_since(before)
                yield link
            finally:
                with self._lock:
                    del self._running[ticket]
                link.end()
                self._give_back(link)

    def cancel(self) -> None:
        """Cancel what runs and what waits; what begins later is not touched."""
        with self._lock:
            self._cancellations += 1
            tickets = set(self._running)
        until = time.monotonic() + _CANCEL_SECONDS
        while time.monotonic() < until:
            with self._lock:
                running = [self._running[ticket] for ticket in tickets & self._running.keys()]
            if not running:
                return
            for link in running:  # again and again: one may be between two statements
                link.interrupt()
            time.sleep(0.01)

    def close(self) -> None:
        """Close the idle connections; those in use are closed at their own end."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for link in idle:
            link.close()

    def _check_not_cancelled_since(self, before: int) -> None:
        if self._cancellations != before:
            raise SourceCancelledError("the scan was cancelled")

    def _begun(self, limit: TimeLimit) -> Link:
        """A link in a fresh transaction; an idle one may have died meanwhile, a new one may not."""
        while (link := self._take_idle()) is not None:
            try:
                link.begin(limit)
            except SourceError:
                link.close()
            else:
                return link
        link = _LINKS[self.dialect](self._url_now())
        try:
            link.begin(limit)
        except SourceError:
            link.close()
            raise
        return link

    def _url_now(self) -> URL:
        """With the secrets that its files hold now: they may have been replaced."""
        try:
            return self._settings.secrets.applied(self._url)
        except SecretError as error:
            raise SourceError(str(error)) from error

    def _take_idle(self) -> Link | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                link = self._idle.pop()
            if link.usable():
                return link
            link.close()

    def _give_back(self, link: Link) -> None:
        usable = link.usable()
        with self._lock:
            keep = usable and not self._closed
            if keep:
                self._idle.append(link)
        if not keep:
            link.close()


def source_url(settings: SourceSettings) -> URL:
    """The address of a source; ConfigError, without the address, if it cannot be used."""
    try:
        url = make_url(settings.url)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        # The driver's own message may quote a part of the address, and so of the password.
        raise ConfigError(
            f"source {settings.name!r}: the url is not one; write sqlite:///path or "
            "postgresql://user:password@host:port/database, special characters as %XX"
        ) from None
    if backend not in _LINKS:
        raise ConfigError(
            f"source {settings.name!r}: {backend!r} cannot be read; use sqlite or postgresql"
        )
    return url
