"""The whole way from a file to `Settings`, with all problems told at once."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import URL

from driftwatch.config.connection import database_secrets, database_url, sqlite_file, webhook
from driftwatch.config.document import read_document
from driftwatch.config.link import read_links
from driftwatch.config.merge import merge
from driftwatch.config.monitor import KnownSources, read_monitor
from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reach import check_reach
from driftwatch.config.reading import Reading, read, tell_wrong_kind
from driftwatch.config.retention import read_retention
from driftwatch.config.settings import (
    MonitorSettings,
    RetentionSettings,
    Settings,
    SourceSettings,
    WebhookSettings,
)
from driftwatch.config.shape import (
    DefaultsShape,
    MonitorShape,
    NotifyShape,
    RootShape,
    SourceShape,
    StoreShape,
    WebFileShape,
    WebhookShape,
)
from driftwatch.config.shorthand import long_connection, long_monitor
from driftwatch.config.shown import variables_of

_READ_APART = frozenset(
    {"store", "sources", "notify", "retention", "links", "defaults", "monitors"}
)
_SOURCE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)


def load_settings(path: Path | str, env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the file at `path`, every default applied.

    env: where `${NAME}` comes from. Raises ConfigError whose message has one line per problem of
    the file, `file:line: dotted.place: what; remedy`, in the order of the file. No message and no
    repr holds a URL, a header, or a value that came from the environment or from a secret's file.
    """
    path = Path(path)
    problems = Problems(str(path))
    top = read_document(path, env, problems)
    settings = None if top is None else _read_top(top, path, problems)
    problems.raise_if_any()
    assert settings is not None, "what is not read has a problem"
    return settings


def _read_top(top: Node, path: Path, problems: Problems) -> Settings | None:
    children = top.mapping or {}
    scalars = {key: child for key, child in children.items() if key not in _READ_APART}
    reading = read(RootShape, top.holding(scalars), problems)
    stored = _store(children.get("store"), problems)
    store = None if stored is None else database_url(stored, problems, purpose="store")
    sources, urls = _sources(top, problems)
    _check_apart(store, urls, top, problems)
    hook = _webhook(children.get("notify"), problems)
    retention = read_retention(children.get("retention"), problems)
    nodes = children.get("sources")
    names = (nodes.mapping or {}) if nodes else {}
    known = KnownSources(tuple(filter(_SOURCE_NAME.fullmatch, names)), sources)
    monitors = _monitors(top, known, retention, problems)
    host, port = RootShape().listen if reading is None else reading.shape.listen
    links = read_links(children.get("links"), (host, port), problems)
    if problems or reading is None or stored is None or store is None:
        return None
    return Settings(
        store_url=_text(store),
        host=host,
        port=port,
        grace_seconds=float(reading.shape.grace),
        sources=sources,
        monitors=monitors,
        webhook=hook,
        retention=retention,
        max_series=reading.shape.max_series,
        links=links,
        path=path,
        store_secrets=database_secrets(stored),
        web_config=_web_config(reading.shape.web),
        variables=_variables(top, urls | {"": store}),
    )


def _variables(top: Node, urls: Mapping[str, URL]) -> dict[str, str]:
    """As `variables_of`, with the URLs of databases as they are used."""
    nodes = {"": top.get("store")} | dict((top.get("sources") or top).mapping or {})
    changed = {name for name, node in nodes.items() if node and any(variables_of(node))}
    whole = {_text(url): "" for name, url in urls.items() if name in changed}
    return {**dict(variables_of(top)), **whole}


def _web_config(web: WebFileShape | None) -> Path | None:
    return Path(web.config_file).absolute() if web and web.config_file else None


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _store(node: Node | None, problems: Problems) -> Reading[StoreShape] | None:
    if node is None:
        return Reading(RootShape().store, Node({}, "store", 0, 0), frozenset())
    return read(StoreShape, long_connection(node), problems)


def _sources(top: Node, problems: Problems) -> tuple[dict[str, SourceSettings], dict[str, URL]]:
    node = top.get("sources")
    example = "name at least one store of logs, such as {logs: sqlite:///logs.db}"
    if node is None:
        problems.under(top, "sources", f"missing; {example}")
    elif not node.mapping and not node.lost:
        told = "names nothing" if node.mapping is not None else f"is {node.kind}"
        problems.at(node, f"{told}; {example}")
    if node is None or node.mapping is None:
        return {}, {}
    sources, urls = {}, {}
    for name, child in node.mapping.items():
        if not _SOURCE_NAME.fullmatch(name):
            problems.at_key(
                child, "a source's name has letters, digits, _ - and . only; choose another"
            )
        reading = read(SourceShape, long_connection(child), problems)
        url = None if reading is None else database_url(reading, problems, purpose="a source")
        if reading is not None and url is not None:
            shape = reading.shape
            urls[name] = url
            sources[name] = SourceSettings(
                name,
                _text(url),
                statement_timeout_seconds=float(shape.statement_timeout),
                capture_timeout_seconds=float(shape.capture_timeout),
                max_concurrent=shape.max_concurrent,
                secrets=database_secrets(reading),
            )
    return sources, urls


def _check_apart(
    store: URL | None, sources: Mapping[str, URL], top: Node, problems: Problems
) -> None:
    """driftwatch's tables do not live in a file of logs: that file is opened read-only."""
    own = None if store is None else sqlite_file(store)
    for name, url in sources.items():
        nodes = top.get("sources")
        node = None if nodes is None else nodes.get(name)
        if own is not None and node is not None and sqlite_file(url) == own:
            problems.at(node, "the same file as the store; give driftwatch a file of its own")


def _webhook(node: Node | None, problems: Problems) -> WebhookSettings | None:
    if node is None or node.value is None:
        return None
    hook = node.get("webhook")
    known = {key: child for key, child in (node.mapping or {}).items() if key != "webhook"}
    read(NotifyShape, node if node.mapping is None else node.holding(known), problems)
    if hook is None or hook.value is None:
        return None
    reading = read(WebhookShape, hook, problems)
    return None if reading is None else webhook(reading, problems)


def _monitors(
    top: Node, sources: KnownSources, retention: RetentionSettings, problems: Problems
) -> tuple[MonitorSettings, ...]:
    defaults = _defaults(top.get("defaults"), problems)
    node = top.get("monitors")
    if node is None:
        problems.under(top, "monitors", "missing; write at least one monitor")
        return ()
    if not node.items:
        if node.items is None:
            tell_wrong_kind(node, "list_type", problems)
        else:
            problems.at(node, "lists nothing; write at least one monitor")
        return ()
    whole = [long_monitor(merge(defaults, item), problems) for item in node.items]
    _check_names(whole, problems)
    found = [read_monitor(item, sources, problems) for item in whole]
    monitors = tuple(monitor for monitor in found if monitor is not None)
    if not problems:
        check_reach(monitors, whole, retention, problems)
    return monitors


def _defaults(node: Node | None, problems: Problems) -> Node:
    """What is merged under every monitor; its own problems are told at its own place."""
    if node is None or node.mapping is None:
        if node is not None and node.value is not None:
            tell_wrong_kind(node, "model_type", problems)
        return Node({}, "defaults", 0, 0)
    own = {key for key in node.mapping if key in MonitorShape.model_fields.keys() - _default_keys()}
    for key in own:
        problems.at_key(node.mapping[key], "belongs to each monitor; move it there")
    shared = node.holding({key: n for key, n in node.mapping.items() if key not in own})
    read(DefaultsShape, long_monitor(shared, problems), problems, incomplete=True)
    kept = {key: child for key, child in node.mapping.items() if key in _default_keys()}
    return node.holding(kept)


def _default_keys() -> set[str]:
    return set(DefaultsShape.model_fields)


def _check_names(monitors: list[Node], problems: Problems) -> None:
    first: dict[object, Node] = {}
    for monitor in monitors:
        node = monitor.get("name")
        if node is None or node.lost or not isinstance(node.value, str):
            continue
        if node.value in first:
            line = first[node.value].line
            problems.at(node, f"{node.shown()} names a monitor on line {line} too; rename one")
        first.setdefault(node.value, node)
