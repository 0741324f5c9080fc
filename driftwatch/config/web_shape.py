"""The shape of the web configuration: every key of the format, its type and default."""

import re
import ssl
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from driftwatch.config.scalar import OWN
from driftwatch.config.shape import Shape

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""Headers that may be set, and the values that are taken; empty: any."""

CURVES = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}

CIPHERS = {
    "TLS_AES_128_GCM_SHA256": "",
    "TLS_AES_256_GCM_SHA384": "",
    "TLS_CHACHA20_POLY1305_SHA256": "",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""The names of the format, which are Go's, to those of OpenSSL; empty: of TLS 1.3, always on."""

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)", re.ASCII)


def _version(value: object) -> object:
    if isinstance(value, str) and value in VERSIONS:
        return value
    raise PydanticCustomError(
        OWN, "{text}", {"text": "must be TLS12 or TLS13; older versions are not spoken any more"}
    )


def _interval(value: object) -> float:
    """Seconds of a duration as Go writes it, such as 1s or 100ms; 0 switches the limit off."""
    if str(value) == "0":
        return 0.0
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        text = "not a duration; write it like 100ms or 1s, or 0 for no limit"
        raise PydanticCustomError(OWN, "{text}", {"text": text})
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))


Version = Annotated[str, BeforeValidator(_version)]


class TlsShape(Shape):
    cert: str | None = Field(default=None, repr=False)
    key: str | None = Field(default=None, repr=False)
    client_ca: str | None = Field(default=None, repr=False)
    cert_file: str = ""
    key_file: str = ""
    client_auth_type: str = ""
    client_ca_file: str = ""
    client_allowed_sans: list[str] = Field(default_factory=list)
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: list[str] = Field(default_factory=list)
    prefer_server_cipher_suites: bool = True
    curve_preferences: list[str] = Field(default_factory=list)


class HttpShape(Shape):
    http2: bool = True
    headers: dict[str, str] = Field(default_factory=dict)


class RateShape(Shape):
    interval: Annotated[float, BeforeValidator(_interval)] = 0.0
    burst: int = 0


class WebShape(Shape):
    tls_server_config: TlsShape = TlsShape()
    http_server_config: HttpShape = HttpShape()
    basic_auth_users: dict[str, str] = Field(default_factory=dict, repr=False)
    rate_limit: RateShape = RateShape()
