"""Addresses of stores and of the webhook, and the secrets in them: read here, never shown."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, nearest
from driftwatch.config.reading import Reading
from driftwatch.config.secret import DatabaseSecrets, SecretError, SecretFile, read_secret
from driftwatch.config.settings import WebhookSettings
from driftwatch.config.shape import StoreShape, WebhookShape

_DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg"}
_SCHEME = re.compile(r"(?P<dialect>[A-Za-z][A-Za-z0-9_]{0,30})(?:\+(?P<driver>\w{1,30}))?://", re.A)
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.%]+", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_ENCODE = "in user and password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25"


def database_url(reading: Reading[StoreShape], problems: Problems, *, purpose: str) -> URL | None:
    """The URL with its password in it; None when a problem was told. purpose: of the store."""
    given = _given(reading, problems)
    password = _password(reading, problems)
    url = None if given is None else _parse(*given, problems, purpose)
    if url is None or given is None:
        return None
    node = given[0]
    if url.get_backend_name() == "sqlite":
        fault = _sqlite_fault(url, has_password=reading.shape.password_file is not None)
    else:
        fault = _postgresql_fault(url, has_password=reading.shape.password_file is not None)
    if fault:
        problems.at(node, fault)
        return None
    if url.get_backend_name() == "sqlite":
        return url
    url = url.set(drivername="postgresql+psycopg")
    return url if password is None else url.set(password=password)


def database_secrets(reading: Reading[StoreShape]) -> DatabaseSecrets:
    """The files that a sound URL was made of, to be read again for each new connection."""
    return DatabaseSecrets(
        _file(reading, "url_file", reading.shape.url_file),
        _file(reading, "password_file", reading.shape.password_file),
    )


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL; relative ones start at the working directory."""
    return Path(url.database or "").resolve() if url.get_backend_name() == "sqlite" else None


def webhook(reading: Reading[WebhookShape], problems: Problems) -> WebhookSettings | None:
    """Where changes are posted; None when a problem was told."""
    given = _given(reading, problems)
    for name, node in _header_nodes(reading, "headers").items():
        _check_header(name, node, node.value, problems)
    files = _header_nodes(reading, "header_files")
    for name, node in files.items():
        if name.lower() in {one.lower() for one in reading.shape.headers}:
            problems.at_key(node, "stands in headers, too; keep one of the two")
        value = _secret(node, node.value, problems) if isinstance(node.value, str) else None
        if value is not None:
            _check_header(name, node, value, problems)
    if given is None:
        return None
    fault = _webhook_fault(given[1])
    if fault:
        problems.at(given[0], fault)
        return None
    return WebhookSettings(
        given[1],
        dict(reading.shape.headers),
        reading.shape.timeout,
        url_file=_file(reading, "url_file", reading.shape.url_file),
        header_files={
            name: SecretFile(files[name].place, Path(file).absolute())
            for name, file in reading.shape.header_files.items()
        },
    )


def _file(
    reading: Reading[StoreShape] | Reading[WebhookShape], key: str, file: str | None
) -> SecretFile | None:
    return None if file is None else SecretFile(reading.at(key).place, Path(file).absolute())


def _given(
    reading: Reading[StoreShape] | Reading[WebhookShape], problems: Problems
) -> tuple[Node, str] | None:
    """The address and the node that it was written at, from the file or from a secret's file."""
    if not reading.sound("url", "url_file"):
        return None
    url, file = reading.shape.url, reading.shape.url_file
    if url is not None and file is not None:
        problems.at_key(reading.at("url_file"), "stands beside url; keep one of the two")
        return None
    if url is not None:
        return reading.at("url"), url
    if file is None:
        problems.at(reading.node, "has no address; add url or url_file")
        return None
    text = _secret(reading.at("url_file"), file, problems)
    return None if text is None else (reading.at("url_file"), text)


def _password(reading: Reading[StoreShape], problems: Problems) -> str | None:
    file = reading.shape.password_file
    if file is None or not reading.sound("password_file"):
        return None
    return _secret(reading.at("password_file"), file, problems)


def _secret(node: Node, file: str, problems: Problems) -> str | None:
    try:
        return read_secret(Path(file))
    except SecretError as error:
        problems.at(node, str(error))
        return None


def _parse(node: Node, text: str, problems: Problems, purpose: str) -> URL | None:
    scheme = _SCHEME.match(text)
    if scheme is None:
        problems.at(
            node, "not a URL; write sqlite:///file.db or postgresql://user@host:5432/database"
        )
        return None
    dialect, driver = scheme["dialect"], scheme["driver"]
    if dialect not in _DRIVERS:
        near = nearest(dialect, _DRIVERS)
        advice = f"did you mean {near!r}?" if near else "write sqlite or postgresql"
        problems.at(node, f"the dialect {dialect!r} is not supported as {purpose}; {advice}")
        return None
    if driver not in (None, _DRIVERS[dialect]):
        problems.at(node, f"the driver {driver!r} is not supported; write '{dialect}://'")
        return None
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        problems.at(node, f"a URL that cannot be read; {_ENCODE}")
        return None


def _sqlite_fault(url: URL, *, has_password: bool) -> str | None:
    slashes = "write sqlite:///file.db (relative) or sqlite:////var/lib/file.db (absolute)"
    if url.host or url.username or url.password or url.port:
        return f"an SQLite URL has no host, user or password; {slashes}"
    if url.query:
        return f"an SQLite URL has no options here; {slashes}"
    if not url.database or url.database.startswith((":memory:", "file:")):
        return f"an SQLite URL must name a file; {slashes}"
    return "SQLite has no password; remove password_file" if has_password else None


def _postgresql_fault(url: URL, *, has_password: bool) -> str | None:
    if not url.database:
        return "names no database; end the URL with /database"
    if "@" in f"{url.host}{url.database}" or (url.host and not _HOST.fullmatch(url.host)):
        return f"a URL whose host cannot be read; {_ENCODE}"
    if has_password and (url.password is not None or "password" in url.query):
        return "holds a password beside password_file; keep one of the two"
    return None


def _webhook_fault(text: str) -> str | None:
    example = "write it like https://host/path"
    try:
        parts = urlsplit(text)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return f"a URL that cannot be read; {example}"
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        return f"not an http or https URL; {example}"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "a URL holds printable ASCII without spaces; percent-encode the rest"
    if parts.username is not None or parts.password is not None:
        return "a URL with user or password is not supported; send an Authorization header"
    return None


def _header_nodes(reading: Reading[WebhookShape], key: str) -> dict[str, Node]:
    node = reading.node.get(key)
    return dict(node.mapping) if reading.sound(key) and node and node.mapping else {}


def _check_header(name: str, node: Node, value: object, problems: Problems) -> None:
    if not _HEADER.fullmatch(name):
        problems.at_key(node, "not the name of a header; write 'Name: value' with a plain name")
    elif not _header_value(value):
        problems.at(node, "a header's value is one line of Latin-1; remove the rest")


def _header_value(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and _latin(value)


def _latin(value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
