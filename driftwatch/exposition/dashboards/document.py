"""The views as files that Grafana reads."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from driftwatch.exposition.dashboards.feature import feature
from driftwatch.exposition.dashboards.fleet import fleet
from driftwatch.exposition.dashboards.health import health
from driftwatch.exposition.dashboards.monitor import monitor
from driftwatch.exposition.dashboards.sql import Store, StoreKind


def documents(kind: StoreKind) -> Mapping[str, str]:
    """The text of each view by the name of its file; kind: the database of the store.

    Nothing else of a configuration is in it: monitors, features, windows and segments are looked
    up when a dashboard is opened. The same release always gives the same bytes.
    """
    store = Store(kind)
    views = (fleet(), monitor(store), feature(store), health())
    found = [_plain(view) for view in views]
    return {f"{one['uid']}.json": _text(one) for one in found}


def _plain(view: Dashboard) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(view.build(), cls=JSONEncoder))
    # Grafana gives its own number; a version would say that somebody edited it there.
    made["id"] = None
    made.pop("version", None)
    for number, one in enumerate(_panels(made), start=1):
        one["id"] = number
    _without_what_the_builders_add(made)
    return made


def _without_what_the_builders_add(made: dict[str, Any]) -> None:
    """Leave out what builders set unasked: what the schema of Grafana 13 does not have, and what
    moves links and annotations from above the panels into a menu."""
    for one in [*made["links"], *made["annotations"].get("list", [])]:
        del one["placement"]
    for one in made["templating"]["list"]:
        for name in ("auto", "auto_count", "auto_min"):
            one.pop(name, None)
    for one in _panels(made):
        one.get("options", {}).pop("footer", None)
        defaults = one.get("fieldConfig", {}).get("defaults", {})
        if "links" in defaults:
            defaults["links"] = [{key: to[key] for key in _LINK} for to in defaults["links"]]


_LINK = ("title", "url")
"""What a link of a value has; the rest is of links of dashboards."""


def _panels(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in made["panels"]:
        yield one
        yield from one.get("panels", [])


def _text(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
