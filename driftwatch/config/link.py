"""Where people find things: the daemon, the runbooks, Grafana. They stand in alerts."""

import re
from urllib.parse import urlsplit

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reading import Reading, read
from driftwatch.config.settings import LinkSettings
from driftwatch.config.shape import LinksShape

_PLAIN = re.compile(r"[!$%&'()*+,./:;=@A-Za-z0-9\[\]_~-]+", re.ASCII)
"""What a URL may hold but for `?` and `#`; no brace, which would be a template in an alert."""


def read_links(node: Node | None, listen: tuple[str, int], problems: Problems) -> LinkSettings:
    """The addresses, without a slash at the end; what is not written has its default. listen: what
    the daemon listens on, which is where it is found unless told otherwise."""
    host, port = listen
    default = LinkSettings(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    reading = None if node is None else read(LinksShape, node, problems)
    if reading is None:
        return default
    for key in LinksShape.model_fields:
        _check(reading, key, problems)
    shape = reading.shape
    return LinkSettings(
        driftwatch=(shape.driftwatch or default.driftwatch).rstrip("/"),
        runbooks=(shape.runbooks or default.runbooks).rstrip("/"),
        grafana=None if shape.grafana is None else shape.grafana.rstrip("/"),
    )


def _check(reading: Reading[LinksShape], key: str, problems: Problems) -> None:
    text = getattr(reading.shape, key)
    if text is not None and (fault := _fault(text)):
        problems.at(reading.at(key), fault)


def _fault(text: str) -> str | None:
    example = "write it like https://host/path"
    try:
        parts = urlsplit(text)
        readable = parts.port is None or parts.port > 0
    except ValueError:
        return f"a URL that cannot be read; {example}"
    if parts.scheme not in ("http", "https") or not parts.hostname or not readable:
        return f"not an http or https URL; {example}"
    if parts.username is not None or parts.password is not None:
        return "a URL with user or password would be in every alert; remove them"
    if not _PLAIN.fullmatch(text):
        return f"has a query, a fragment or a character that a path does not have; {example}"
    return None
