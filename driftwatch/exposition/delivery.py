"""One POST of a notification, and how long to wait before the next try.

What goes wrong is told without the path, the query or the headers of the request: the secrets of a
webhook are there. Redirects are not followed: they would carry those secrets to another place.
"""

import base64
import http.client
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import driftwatch
from driftwatch.alert.change import Payload, encode

FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 900.0

_URL_CHARACTERS = "/%:@!$&'()*+,;=?~-._"
"""What stays as it is in a path or query; `%` too, because it was escaped by whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one attempt ended; `message` says what went wrong ("" when delivered), no secret in it.

    Every failure is worth another try: what is wrong with the receiver or with the configuration
    can be put right while the notification waits.
    """

    delivered: bool
    message: str = ""


def deliver(
    url: str, headers: Mapping[str, str], payload: Payload, timeout_seconds: float
) -> Delivery:
    """POST the payload as JSON once. Delivered means an answer of 2xx; never raises for what the
    network, the receiver or the URL does."""
    try:
        request, place = _request(url, headers, encode(payload))
    except ValueError:
        return Delivery(False, "the webhook's url is not an http or https URL; correct it")
    try:
        with _opener().open(request, timeout=timeout_seconds) as answer:
            status = int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return Delivery(False, f"the webhook at {place} answered {_status(error.code)}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Delivery(False, f"the webhook at {place} was not reached: {_cause(error)}")
    if not 200 <= status < 300:
        return Delivery(False, f"the webhook at {place} answered {_status(status)}")
    return Delivery(True)


def backoff_seconds(
    attempts: int,
    *,
    first: float = FIRST_WAIT_SECONDS,
    longest: float = LONGEST_WAIT_SECONDS,
) -> float:
    """Seconds to wait after `attempts` failures (1 or more): doubled each time, up to `longest`.

    >>> [backoff_seconds(attempts) for attempts in (1, 2, 3, 8, 9, 1000)]
    [5.0, 10.0, 20.0, 640.0, 900.0, 900.0]
    """
    if attempts < 1:
        raise ValueError(f"a wait follows a failure, not {attempts} of them")
    return float(min(first * 2.0 ** min(attempts - 1, 64), longest))


def _request(
    url: str, headers: Mapping[str, str], body: bytes
) -> tuple[urllib.request.Request, str]:
    """The request, and host:port to name in messages. ValueError if it is no http(s) URL."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not http or https")
    place = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.port is not None:
        place = f"{place}:{parts.port}"
    sent = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"driftwatch/{driftwatch.__version__}",
    }
    if parts.username is not None:  # http.client would take user:password for a part of the host
        pair = (
            f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        )
        sent["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    sent.update(headers)
    path = urllib.parse.quote(parts.path or "/", safe=_URL_CHARACTERS)
    query = urllib.parse.quote(parts.query, safe=_URL_CHARACTERS)
    bare = urllib.parse.urlunsplit((parts.scheme, place, path, query, ""))
    # The scheme was checked above: no file: or ftp: gets here.
    return urllib.request.Request(bare, body, sent, method="POST"), place  # noqa: S310


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves 3xx an error."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirect)


def _status(code: int) -> str:
    try:
        phrase = f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        phrase = str(code)
    if 300 <= code < 400:
        return f"{phrase}; redirects are not followed, set the final URL"
    return phrase


def _cause(error: BaseException) -> str:
    """What happened, from the class of the error and the operating system's own words alone."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate was refused ({reason.verify_message})"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__
