"""TLS of the HTTP server: a context made of settings, and one that is replaced while it serves."""

import ssl
from collections.abc import Callable
from typing import Any

from driftwatch.config.web import TlsSettings
from driftwatch.errors import ConfigError


def make_context(tls: TlsSettings) -> ssl.SSLContext:
    """A server's context with certificate, key and CA as their files are now.

    ConfigError names the file that cannot be used, and never what it holds.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = tls.minimum, tls.maximum
    context.set_alpn_protocols(["http/1.1"])
    if not tls.prefer_own_ciphers:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        if tls.ciphers:
            context.set_ciphers(":".join(tls.ciphers))
        if tls.curve:
            context.set_ecdh_curve(tls.curve)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"this machine's OpenSSL refuses the ciphers or curve: {error}") from None
    _load(lambda: context.load_cert_chain(tls.cert_file, tls.key_file, password=_no_password), tls)
    if tls.client_ca_file is not None:
        # As in Go, an intermediate authority in the file is trusted for itself.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        authorities = tls.client_ca_file
        _load(lambda: context.load_verify_locations(authorities), tls, client=True)
    context.verify_mode = tls.clients
    return context


def _no_password() -> str:
    """Asked for a key that is encrypted; without it, OpenSSL would ask at the terminal."""
    raise ValueError("the key is encrypted; write it without a passphrase")


def _load(read: Callable[[], None], tls: TlsSettings, *, client: bool = False) -> None:
    files = str(tls.client_ca_file) if client else f"{tls.cert_file} and {tls.key_file}"
    try:
        read()
    except ssl.SSLError as error:
        reason = (error.reason or "no PEM of that kind").replace("_", " ").lower()
        raise ConfigError(f"{files} cannot be used: {reason}") from None
    except OSError as error:  # which of the two is not told
        raise ConfigError(
            f"{files} cannot be read: {error.strerror or type(error).__name__}"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{files} cannot be used: {error}") from None


class CurrentContext(ssl.SSLContext):
    """Stands for another context, the one that is current when a connection begins.

    asyncio asks its context for nothing but `wrap_bio`, once per connection. So certificate, key,
    CA and all other settings are those of the moment, and a connection keeps the ones it has.
    """

    _current: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, current: Callable[[], ssl.SSLContext]) -> "CurrentContext":
        """current: called at each new connection, in the thread of the server's loop."""
        made = cls(ssl.PROTOCOL_TLS_SERVER)
        made._current = current
        return made

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        return self._current().wrap_bio(*arguments, **options)


def names_of(certificate: dict[str, Any] | None) -> frozenset[str]:
    """The subject alternative names of a verified certificate, as `getpeercert` gives it."""
    return frozenset(str(name) for _, name in (certificate or {}).get("subjectAltName", ()))
