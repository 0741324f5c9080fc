"""The user's own labels of a monitor: on `driftwatch_monitor_info`, and joined to alerts."""

import re
from collections.abc import Mapping

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reading import Reading
from driftwatch.config.shape import MonitorShape

LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)

RESERVED_LABELS = frozenset(
    {
        *("alertname", "alertstate", "job", "instance", "pod", "le", "quantile"),
        *("change", "feature", "kind", "level", "measure", "monitor", "next_step", "outcome"),
        *("python", "reason", "segment", "severity", "source", "stage", "table", "version"),
        "window",
    }
)
"""Labels of driftwatch's metrics and alerts, and those that Prometheus sets: a label of the user's
with such a name would overwrite one of them where it is joined."""


def label_fault(name: str) -> str | None:
    """Why a name cannot be that of a label, and what to do; None where it can."""
    if not LABEL_NAME.fullmatch(name):
        return "a label's name has letters, digits and _, and begins with no digit; choose another"
    if name.startswith("__"):
        return "names that begin with __ are kept for Prometheus; choose another"
    if name in RESERVED_LABELS:
        return "driftwatch or Prometheus sets a label of this name; choose another, such as team"
    return None


def read_labels(reading: Reading[MonitorShape], problems: Problems) -> Mapping[str, str]:
    """The labels by name, sorted; every name that cannot be one is told."""
    if not reading.sound("labels"):
        return {}
    written = reading.node.get("labels")
    nodes: Mapping[str, Node] = (written.mapping or {}) if written is not None else {}
    for name, node in nodes.items():
        if fault := label_fault(name):
            problems.at_key(node, fault)
    return dict(sorted(reading.shape.labels.items()))
