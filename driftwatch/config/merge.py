"""Defaults under a monitor: maps merge, lists and single values replace."""

from driftwatch.config.node import Node
from driftwatch.config.reference import kinds

_WHOLE = frozenset({"bins"})
"""Mappings that are one value in several forms: half of one and half of another means nothing."""

_BY_MEASURE = frozenset({"thresholds", "threshold"})
"""Limits of another measure are another threshold, not a second one."""


def merge(default: Node, own: Node, key: str = "") -> Node:
    """`own` with what only `default` has; each value keeps the place that it was written at."""
    if default.mapping is None or own.mapping is None or key in _WHOLE:
        return own
    if key in _BY_MEASURE and default.mapping.keys() != own.mapping.keys():
        return own
    if key == "reference" and kinds(own) and kinds(own) != kinds(default):
        return own  # another kind is another reference
    merged = dict(default.mapping)
    for name, node in own.mapping.items():
        merged[name] = merge(merged[name], node, name) if name in merged else node
    return own.holding(merged)
