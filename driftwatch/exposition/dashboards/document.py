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

_OF_INTERVALS = ("auto", "auto_count", "auto_min")
"""What the builder gives to every variable, and the schema of Grafana 13 knows no more; so it is
with the footer of tables."""


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
        one.get("options", {}).pop("footer", None)
    for one in made["templating"]["list"]:
        for name in _OF_INTERVALS:
            one.pop(name, None)
    return made


def _panels(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in made["panels"]:
        yield one
        yield from one.get("panels", [])


def _text(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
