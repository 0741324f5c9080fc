"""The configuration as it is in use, in its own language, with every secret hidden.

What it writes can be read again and gives the same settings, but for what is hidden. Every default
is written out.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import yaml
from sqlalchemy.engine import URL, make_url

from driftwatch.config.document import Loader
from driftwatch.config.node import Node
from driftwatch.config.secret import DatabaseSecrets
from driftwatch.config.settings import LinkSettings, RetentionSettings, Settings, WebhookSettings
from driftwatch.config.shown_monitor import HIDDEN, Shown, duration, shown_monitor

_HARMLESS_OPTIONS = frozenset(
    {
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "gssencmode",
        "host", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
        "load_balance_hosts", "port", "sslmode", "sslnegotiation", "target_session_attrs",
        "tcp_user_timeout",
    }
)  # fmt: skip
"""Options of a PostgreSQL URL whose values are shown; of all others the name alone."""


def show_settings(settings: Settings) -> str:
    """YAML with the keys of config.yaml. What came from a variable is shown as its name."""
    found = {
        "store": _database(settings.store_url, settings.store_secrets, settings.variables),
        "listen": f"{_bracketed(settings.host)}:{settings.port}",
        **({"web": {"config_file": str(settings.web_config)}} if settings.web_config else {}),
        "grace": duration(round(settings.grace_seconds)),
        "sources": {
            name: {
                **_database(source.url, source.secrets, settings.variables),
                "statement_timeout": duration(round(source.statement_timeout_seconds)),
                "capture_timeout": duration(round(source.capture_timeout_seconds)),
                "max_concurrent": source.max_concurrent,
            }
            for name, source in settings.sources.items()
        },
        **({"notify": {"webhook": _webhook(settings.webhook)}} if settings.webhook else {}),
        "retention": _retention(settings.retention),
        "links": _links(settings.links),
        "max_series": settings.max_series,
        "monitors": [shown_monitor(one, settings.variables) for one in settings.monitors],
    }
    return yaml.dump(
        found, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )


def variables_of(node: Node) -> Iterator[tuple[str, str]]:
    """Each text that holds the value of a variable, and how the file writes it."""
    children = [*(node.mapping or {}).values(), *(node.items or ())]
    for child in children:
        yield from variables_of(child)
    if isinstance(node.value, str) and node.value != node.raw:
        yield node.value, node.raw


def _database(text: str, secrets: DatabaseSecrets, variables: Mapping[str, str]) -> Shown:
    shown: Shown = {}
    if secrets.url_file is not None:
        shown["url_file"] = str(secrets.url_file.path)
    else:
        without = secrets.password_file is not None
        shown["url"] = _url(make_url(text), text in variables, without_password=without)
    if secrets.password_file is not None:
        shown["password_file"] = str(secrets.password_file.path)
    return shown


def _url(url: URL, from_variable: bool, *, without_password: bool) -> str:
    """Its parts, as they are shown; put together here, because a URL would encode `<secret>`."""
    if url.get_backend_name() == "sqlite":
        return HIDDEN if from_variable and url.query else f"sqlite:///{url.database}"
    user = HIDDEN if from_variable and url.username else url.username or ""
    password = f":{HIDDEN}" if url.password is not None and not without_password else ""
    host = _bracketed(url.host or "") + (f":{url.port}" if url.port else "")
    options = "&".join(
        f"{name}={value if name in _HARMLESS_OPTIONS else HIDDEN}"
        for name, value in sorted(url.query.items())
    )
    login = f"{user}{password}@" if user or password else ""
    tail = f"?{options}" if options else ""
    return f"postgresql://{login}{host}/{url.database}{tail}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _webhook(hook: WebhookSettings) -> Shown:
    """Of the address the host alone: paths of webhooks are passwords."""
    shown: Shown = {}
    if hook.url_file is not None:
        shown["url_file"] = str(hook.url_file.path)
    else:
        parts = urlsplit(hook.url)
        port = f":{parts.port}" if parts.port else ""
        shown["url"] = f"{parts.scheme}://{_bracketed(parts.hostname or '')}{port}/{HIDDEN}"
    if hook.headers:
        shown["headers"] = dict.fromkeys(hook.headers, HIDDEN)
    if hook.header_files:
        shown["header_files"] = {name: str(one.path) for name, one in hook.header_files.items()}
    shown["timeout"] = duration(round(hook.timeout_seconds))
    return shown


def _links(links: LinkSettings) -> Shown:
    """Users, passwords and queries are refused in them."""
    found = {"driftwatch": links.driftwatch, "grafana": links.grafana}
    # A path, where it is not published, cannot be written.
    published = {"runbooks": links.runbooks} if "://" in links.runbooks else {}
    return {key: value for key, value in (found | published).items() if value is not None}


def _retention(kept: RetentionSettings) -> Shown:
    ages = {
        "panes": kept.panes_seconds,
        "hours": kept.hours_seconds,
        "days": kept.days_seconds,
        "results": kept.results_seconds,
        "evaluations": kept.evaluations_seconds,
        "events": kept.events_seconds,
        "notifications": kept.notifications_seconds,
    }
    return {key: "forever" if age is None else duration(age) for key, age in ages.items()}


class _Dumper(yaml.SafeDumper):
    """Quotes what any reader of YAML, this one included, would take for more than text."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


_Dumper.yaml_implicit_resolvers = {
    first: [
        *yaml.SafeDumper.yaml_implicit_resolvers.get(first, []),
        *Loader.yaml_implicit_resolvers.get(first, []),
    ]
    for first in {*yaml.SafeDumper.yaml_implicit_resolvers, *Loader.yaml_implicit_resolvers}
}
