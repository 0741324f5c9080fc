"""The web configuration in use: read again when a file of it changes, kept when that fails."""

import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from driftwatch.config.web import RateLimit, WebSettings, load_web
from driftwatch.errors import ConfigError
from driftwatch.exposition.tls import CurrentContext, make_context

log = logging.getLogger(__name__)

_Look = tuple[int, int, int, int] | None
"""Of a file: where it is, how long, and when it was changed; None: it is not there."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    settings: WebSettings
    context: ssl.SSLContext | None


class Security:
    """Who may connect and ask. Used by the thread of the web server alone, once it runs.

    Every connection and every request looks whether a file has changed; that costs a few calls of
    `stat`. A change that cannot be used is logged once and leaves everything as it was.
    """

    def __init__(self, path: Path, told: Callable[[bool], None]) -> None:
        """Read it. told: whether what was read last is in use, at once and after each change.

        ConfigError if it cannot be used.
        """
        self._told = told
        self._path = path
        self._seen: dict[Path, _Look] = {}
        self._loaded = self._read()
        self._bucket = _Bucket(self._loaded.settings.rate)
        told(True)

    @property
    def encrypts(self) -> bool:
        """Whether it speaks TLS, which stays as it was at the start."""
        return self._loaded.context is not None

    @property
    def current(self) -> WebSettings:
        """The settings, those of a changed file if it can be used."""
        self._refresh()
        return self._loaded.settings

    def admits_another(self) -> bool:
        """Whether the rate of requests is below its limit; counts one."""
        return self._bucket.take()

    def context(self) -> ssl.SSLContext:
        """For the server: certificates and keys are those of the moment a connection begins."""
        return CurrentContext.of(self._context_now)

    def _context_now(self) -> ssl.SSLContext:
        self._refresh()
        context = self._loaded.context
        assert context is not None, "TLS is not switched off while it serves"
        return context

    def _refresh(self) -> None:
        if all(_look(file) == before for file, before in self._seen.items()):
            return
        try:
            loaded = self._read()
            if (loaded.context is None) == self.encrypts:
                raise ConfigError(f"{self._path}: TLS is switched on or off by a restart alone")
        except ConfigError as error:
            log.error(
                "the web configuration stays as it was; what changed is not usable: %s", error
            )
            self._told(False)
            return
        if loaded.settings.rate != self._loaded.settings.rate:
            self._bucket = _Bucket(loaded.settings.rate)
        self._loaded = loaded
        log.info("the web configuration was read again: %s", self._path)
        self._told(True)

    def _read(self) -> _Loaded:
        """What the files hold; each is looked at before it is read, so no change is missed."""
        self._seen = {self._path: _look(self._path)}
        settings = load_web(self._path)
        self._seen |= {file: _look(file) for file in settings.files if file != self._path}
        try:
            return _Loaded(settings, None if settings.tls is None else make_context(settings.tls))
        except ConfigError as error:
            raise ConfigError(f"{self._path}: tls_server_config: {error}") from None


class _Bucket:
    """Tokens for requests: `burst` of them, one more with each interval."""

    def __init__(self, limit: RateLimit | None) -> None:
        self._limit = limit
        self._tokens = float(limit.burst) if limit else 0.0
        self._at = time.monotonic()

    def take(self) -> bool:
        if self._limit is None:
            return True
        now = time.monotonic()
        earned = (now - self._at) / self._limit.interval_seconds
        self._tokens, self._at = min(self._limit.burst, self._tokens + earned), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def open_security(path: Path | None, told: Callable[[bool], None]) -> Security | None:
    """As `Security`; None without a web configuration: plain HTTP, for anybody."""
    return None if path is None else Security(path, told)


def _look(file: Path) -> _Look:
    try:
        found = file.stat()
    except (OSError, ValueError):  # a path may be none that any file has
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
