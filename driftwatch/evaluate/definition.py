"""Which rows a monitor counts, as text that is kept with its counts (ADR 15)."""

import json

from driftwatch.config.settings import MonitorSettings, RelationSettings
from driftwatch.source.timestamp import DEFAULT_FORMAT


def definition(monitor: MonitorSettings) -> str:
    """JSON with sorted keys of everything that decides which rows a monitor reads, and when they
    happened. Equal text: the same rows."""
    parts = {"source": monitor.source, **rows_of(monitor.relation)}
    return json.dumps(parts, sort_keys=True, ensure_ascii=False)


def rows_of(relation: RelationSettings) -> dict[str, str | None]:
    """What decides which rows a relation has. What came with later releases is left out where it
    has its default, so that the text of an older store stays equal."""
    parts = {
        "schema": relation.schema,
        "table": relation.table,
        "timestamp": relation.timestamp,
        # Declaring the format that is used anyway changes nothing.
        "timestamp_format": relation.timestamp_format or DEFAULT_FORMAT,
        "where": (relation.where or "").strip() or None,
    }
    if relation.query is not None:
        parts["query"] = relation.query.strip()
    if relation.timestamp_zone != "UTC":
        parts["timestamp_zone"] = relation.timestamp_zone
    return parts


def changed_definition(stored: str | None, monitor: MonitorSettings) -> str:
    """What the monitor reads now and did not when `stored` was written, with the remedy.

    "" if it reads the same rows, or if nothing is stored (None).
    """
    if stored is None:
        return ""
    before, now = json.loads(stored), json.loads(definition(monitor))
    changes = [
        f"`{key}` was {_shown(before.get(key))} and is {_shown(now.get(key))}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    if not changes:
        return ""
    return (
        f"monitor {monitor.name!r} reads other rows than those that it has counted: "
        f"{', '.join(changes)}; put it back, or give the monitor another name: counts of other "
        "rows cannot be added to those that are stored"
    )


def _shown(value: object) -> str:
    return "not set" if value is None else repr(value)
