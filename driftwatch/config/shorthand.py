"""Short forms written out, so that each value has one shape. Places and lines stay as they are."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.table_name import split_table


def long_connection(node: Node) -> Node:
    """A URL alone becomes {url: URL}."""
    return _named(node, "url")


def long_monitor(node: Node, problems: Problems) -> Node:
    """A monitor (or the defaults) with its table, timestamp and columns in their long forms."""
    if node.mapping is None:
        return node
    forms: dict[str, Callable[[Node], Node]] = {
        "table": _table,
        "timestamp": lambda child: _named(child, "column"),
        "prediction": _feature,
        "features": lambda child: _features(child, problems),
    }
    return node.holding(
        {key: forms[key](child) if key in forms else child for key, child in node.mapping.items()}
    )


def _named(node: Node, key: str) -> Node:
    """{key: value} of a single value; what is no single value stays as it is."""
    if node.value is None or node.mapping is not None or node.items is not None:
        return node
    return node.holding({key: node})


def _table(node: Node) -> Node:
    if not isinstance(node.value, str):
        return _named(node, "name")
    schema, name = split_table(node.value)
    parts = {"name": replace(node, value=name)}
    return node.holding(
        parts if schema is None else parts | {"schema": replace(node, value=schema)}
    )


def _features(node: Node, problems: Problems) -> Node:
    if node.items is not None:
        return replace(node, value=tuple(_feature(item) for item in node.items))
    if node.mapping is not None:
        named = (_keyed_feature(name, child, problems) for name, child in node.mapping.items())
        return replace(node, value=tuple(named))
    return node


def _keyed_feature(name: str, node: Node, problems: Problems) -> Node:
    """`name: {options}` becomes {name: name, options}; an empty value means no options."""
    options: Mapping[str, Node] | None = {} if node.value is None else node.mapping
    if options is None or node.lost:
        return node
    if "name" in options:
        problems.at_key(options["name"], "the key above names the column already; remove this one")
    own = Node(name, node.place, node.key_line, node.key_line, raw=name)
    return _with_long_bins(node.holding({**options, "name": own}))


def _feature(node: Node) -> Node:
    return _with_long_bins(_named(node, "name"))


def _with_long_bins(node: Node) -> Node:
    bins = node.get("bins")
    if node.mapping is None or bins is None:
        return node
    return node.holding({**node.mapping, "bins": _named(bins, "count")})
