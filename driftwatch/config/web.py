"""The web configuration: TLS, client certificates, users and headers of the HTTP server.

The file has the format of Prometheus and its exporters (exporter-toolkit, `web-configuration.md`),
so that one file may serve several of them. What this server cannot do as that format means it is
refused, never left out in silence.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from driftwatch.config.document import read_document
from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, suggestion
from driftwatch.config.reading import Reading, read
from driftwatch.config.web_shape import (
    CIPHERS,
    CURVES,
    HEADERS,
    VERSIONS,
    HttpShape,
    RateShape,
    TlsShape,
    WebShape,
)

_LEAST = "write tls_server_config or basic_auth_users, or leave web.config_file out"
_HASH = re.compile(r"\$2[abxy]?\$(?P<cost>\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
_COSTS = range(4, 18)
"""Of bcrypt. Each step doubles the time: 10 is a twentieth of a second, 17 some seven seconds, and
31, which the format knows, a day in which nobody else could log in."""

_MOST_BYTES = 1_000_000
"""It is read while requests wait."""

_NOT_VERIFIED = {"RequestClientCert", "RequireAnyClientCert", "RequireClientCert"}
_VERIFIED = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How connections are encrypted, and whose client certificates are let in.

    ciphers: in OpenSSL's names, for TLS 1.2; empty: OpenSSL's own choice. curve: "" for the same.
    client_sans: one of these names must be in the client's certificate; empty: any may.
    """

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    clients: ssl.VerifyMode = ssl.CERT_NONE
    client_sans: tuple[str, ...] = ()
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()
    prefer_own_ciphers: bool = True
    curve: str = ""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket over all requests: `burst` at once, then one per interval."""

    interval_seconds: float
    burst: int


@dataclass(frozen=True, slots=True)
class WebSettings:
    """One web configuration. users: name to the bcrypt hash of the password; empty: anybody."""

    path: Path
    tls: TlsSettings | None = None
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    rate: RateLimit | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it is made of."""
        tls = self.tls
        named = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls else ()
        return (self.path, *(one for one in named if one is not None))


def load_web(path: Path) -> WebSettings:
    """The web configuration at `path`; files in it are relative to it, and are not read here.

    ConfigError with one line per problem. No line holds a hash.
    """
    problems = Problems(str(path))
    top = read_document(path, None, problems, least=_LEAST, most_bytes=_MOST_BYTES)
    found = None if top is None else _read_top(top, path, problems)
    problems.raise_if_any()
    assert found is not None, "what is not read has a problem"
    return found


def _read_top(top: Node, path: Path, problems: Problems) -> WebSettings | None:
    reading = read(WebShape, top, problems)
    if reading is None:
        return None
    tls = _tls(top.get("tls_server_config"), path.parent, problems)
    users = _users(top.get("basic_auth_users"), reading, problems)
    headers = _headers(top.get("http_server_config"), problems)
    return WebSettings(path, tls, users, headers, _rate(top.get("rate_limit"), problems))


def _tls(node: Node | None, folder: Path, problems: Problems) -> TlsSettings | None:
    if node is None or not node.mapping:
        return None
    reading = read(TlsShape, node, problems)
    if reading is None or reading.broken:
        return None
    shape = reading.shape
    for key in ("cert", "key", "client_ca"):
        if node.get(key) is not None:
            problems.at_key(reading.at(key), f"text is not taken here; write {key}_file")
    for key, value in (("cert_file", shape.cert_file), ("key_file", shape.key_file)):
        if not value:
            problems.under(node, key, "missing; TLS needs cert_file and key_file")
    clients = _clients(reading, problems)
    ciphers, minimum = _ciphers(reading, problems)
    maximum = VERSIONS[shape.max_version]
    if minimum > maximum:
        problems.at(reading.at("min_version", "cipher_suites"), "leaves no version up to max")
    if not shape.cert_file or not shape.key_file or clients is None:
        return None
    return TlsSettings(
        cert_file=folder / shape.cert_file,
        key_file=folder / shape.key_file,
        client_ca_file=folder / shape.client_ca_file if shape.client_ca_file else None,
        clients=clients,
        client_sans=tuple(shape.client_allowed_sans),
        minimum=minimum,
        maximum=maximum,
        ciphers=ciphers,
        prefer_own_ciphers=shape.prefer_server_cipher_suites,
        curve=_curve(reading, problems),
    )


def _clients(reading: Reading[TlsShape], problems: Problems) -> ssl.VerifyMode | None:
    shape = reading.shape
    kind = shape.client_auth_type or "NoClientCert"
    node = reading.at("client_auth_type")
    if kind in _NOT_VERIFIED:
        problems.at(
            node,
            f"{kind} lets in certificates that nobody has verified, which this server cannot do; "
            "write RequireAndVerifyClientCert or VerifyClientCertIfGiven",
        )
        return None
    if kind not in _VERIFIED:
        problems.at(node, f"not a kind of client authentication; {suggestion(kind, _VERIFIED)}")
        return None
    verified = _VERIFIED[kind]
    if verified != ssl.CERT_NONE and not shape.client_ca_file:
        problems.under(reading.node, "client_ca_file", f"missing; {kind} needs it")
    if verified == ssl.CERT_NONE and shape.client_ca_file:
        problems.at(
            reading.at("client_ca_file"),
            "without effect, no certificates are asked for; write client_auth_type: "
            "RequireAndVerifyClientCert, or remove it",
        )
    if shape.client_allowed_sans and verified != ssl.CERT_REQUIRED:
        problems.at_key(
            reading.at("client_allowed_sans"),
            "needs client_auth_type: RequireAndVerifyClientCert: a client without a certificate "
            "has no names",
        )
    return verified


def _ciphers(
    reading: Reading[TlsShape], problems: Problems
) -> tuple[tuple[str, ...], ssl.TLSVersion]:
    """The suites for TLS 1.2, and the least version. Those of TLS 1.3 cannot be chosen, there as
    here; where none of 1.2 is listed, 1.2 is not spoken."""
    shape = reading.shape
    unknown = [name for name in shape.cipher_suites if name not in CIPHERS]
    for name in unknown:
        problems.at(reading.at("cipher_suites"), f"{name!r} is no suite; {_near(name)}")
    chosen = tuple(CIPHERS[name] for name in shape.cipher_suites if CIPHERS.get(name))
    minimum = VERSIONS[shape.min_version]
    if shape.cipher_suites and not chosen and not unknown:
        minimum = ssl.TLSVersion.TLSv1_3
    return chosen, minimum


def _near(name: str) -> str:
    told = suggestion(name, CIPHERS)
    return told if told.startswith("did you") else "write one of Go's secure CipherSuites"


def _curve(reading: Reading[TlsShape], problems: Problems) -> str:
    names = reading.shape.curve_preferences
    node = reading.at("curve_preferences")
    for name in names:
        if name not in CURVES:
            problems.at(node, f"{name!r} is no curve; {suggestion(name, CURVES)}")
            return ""
    if len(names) > 1:
        problems.at(
            node, "an order of several curves cannot be set here; write one, or remove the key"
        )
    return CURVES[names[0]] if names else ""


def _users(node: Node | None, reading: Reading[WebShape], problems: Problems) -> Mapping[str, str]:
    users = reading.shape.basic_auth_users if reading.sound("basic_auth_users") else {}
    nodes = (node.mapping or {}) if node else {}
    for name, value in users.items():
        if ":" in name or not name:
            problems.at_key(nodes[name], "a user's name is not empty and has no colon; rename it")
        match = _HASH.fullmatch(value)
        if match is not None and int(match["cost"]) > _COSTS[-1]:
            problems.at(
                nodes[name], f"a bcrypt hash of cost {match['cost']} takes too long to compare: "
                f"at most {_COSTS[-1]}, and 10 is usual"
            )  # fmt: skip
        elif match is None or int(match["cost"]) not in _COSTS:
            problems.at(
                nodes[name], "not a bcrypt hash; make one with `htpasswd -nBC 10 NAME` and keep "
                "what is behind the colon, in quotes"
            )  # fmt: skip
    return users


def _headers(node: Node | None, problems: Problems) -> Mapping[str, str]:
    reading = None if node is None or not node.mapping else read(HttpShape, node, problems)
    if reading is None or not reading.sound("headers"):
        return {}
    nodes = reading.at("headers").mapping or {}
    for name, value in reading.shape.headers.items():
        if name not in HEADERS:
            problems.at_key(nodes[name], f"cannot be set; {suggestion(name, HEADERS)}")
        elif value and HEADERS[name] and value not in HEADERS[name]:
            problems.at(nodes[name], f"must be {' or '.join(HEADERS[name])}")
        elif not value.isascii() or not value.isprintable():
            problems.at(nodes[name], "a header's value is one line of ASCII; remove the rest")
    return {name: value for name, value in reading.shape.headers.items() if value}


def _rate(node: Node | None, problems: Problems) -> RateLimit | None:
    reading = None if node is None or not node.mapping else read(RateShape, node, problems)
    if reading is None or reading.broken or reading.shape.interval == 0:
        return None
    if reading.shape.burst < 1:
        problems.at(reading.at("burst"), "without a burst of 1 or more, no request is answered")
        return None
    return RateLimit(reading.shape.interval, reading.shape.burst)
