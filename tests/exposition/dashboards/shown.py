"""What the generated dashboards ask, with their variables filled in as Grafana would."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from driftwatch.exposition.dashboards.document import documents
from driftwatch.exposition.dashboards.sql import StoreKind

COMMITTED = Path(__file__).parents[3] / "deploy" / "grafana" / "dashboards"

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One query of one panel, annotation or variable."""

    dashboard: str
    title: str
    ref: str
    text: str
    panel: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.dashboard.removeprefix('driftwatch-')}: {self.title} {self.ref}"


@cache
def dashboards(kind: StoreKind = StoreKind.SQLITE) -> Mapping[str, Json]:
    """Each dashboard by its uid."""
    return {name.removesuffix(".json"): json.loads(text) for name, text in documents(kind).items()}


def panels(board: Mapping[str, Any]) -> list[Json]:
    """Its panels, without the rows that head them."""
    return [one for one in board["panels"] if one["type"] != "row"]


def variables(board: Mapping[str, Any]) -> dict[str, Json]:
    return {one["name"]: one for one in board["templating"]["list"]}


def promql() -> list[Asked]:
    """Every expression of a panel."""
    return [
        Asked(uid, panel["title"], target["refId"], target["expr"], panel)
        for uid, board in dashboards().items()
        for panel in panels(board)
        for target in panel["targets"]
        if "expr" in target
    ]


def label_queries() -> list[Asked]:
    """Every variable that Prometheus fills: label_values(selector, label)."""
    return [
        Asked(uid, f"${name}", "", one["query"], {})
        for uid, board in dashboards().items()
        for name, one in variables(board).items()
        if one["type"] == "query" and one["datasource"]["type"] == "prometheus"
    ]


def statements(kind: StoreKind) -> Iterator[Asked]:
    """Every statement, of panels, annotations and variables."""
    key = "rawQueryText" if kind is StoreKind.SQLITE else "rawSql"
    for uid, board in dashboards(kind).items():
        for panel in panels(board):
            for target in panel["targets"]:
                if key in target:
                    yield Asked(uid, panel["title"], target["refId"], target[key], panel)
        for note in board.get("annotations", {}).get("list", []):
            yield Asked(uid, note["name"], "annotation", note["target"][key], note)
        for name, one in variables(board).items():
            if one["type"] == "query" and one["datasource"]["type"] == kind.value:
                yield Asked(uid, f"${name}", "variable", one["query"], one)


def filled(text: str, values: Mapping[str, str]) -> str:
    """With variables replaced, plain or by the format `sqlstring`; an unknown one fails."""

    def value(match: re.Match[str]) -> str:
        name, form = match[1] or match[3], match[2]
        found = values[name]
        if form == "sqlstring":
            return "'" + found.replace("'", "''") + "'"
        assert form is None, f"unknown format {form}"
        return found

    return re.sub(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)", value, text)
