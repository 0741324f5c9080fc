"""Short forms written out, so that each value has one shape. Places and lines stay as they are."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.settings import ExtraMetric
from driftwatch.config.table_name import split_table


def long_connection(node: Node) -> Node:
    """A URL alone becomes {url: URL}."""
    return _named(node, "url")


def long_monitor(node: Node, problems: Problems) -> Node:
    """A monitor (or the defaults) with everything in its long form."""
    forms: dict[str, Callable[[Node], Node]] = {
        "table": _table,
        "timestamp": lambda child: _named(child, "column"),
        "version": lambda child: _named(child, "column"),
        "segments": _segments,
        "explain_prediction": _switched,
        "extra_metrics": _every_extra_metric,
        "reference": _reference,
        "prediction": _feature,
        "features": lambda child: _features(child, problems),
    }
    return _with(node, forms)


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
    return _with_long_options(node.holding({**options, "name": own}))


def _feature(node: Node) -> Node:
    return _with_long_options(_named(node, "name"))


def _with_long_options(node: Node) -> Node:
    return _with(node, {"bins": lambda child: _named(child, "count"), "reference": _reference})


def _reference(node: Node) -> Node:
    return _with(node, {"table": _table})


def _segments(node: Node) -> Node:
    """A list of groups becomes {by: list}."""
    if node.items is not None:
        node = node.holding({"by": node})
    return _with(node, {"by": _groups})


def _switched(node: Node) -> Node:
    """true becomes a mapping without options, false no value."""
    if node.value is True:
        return node.holding({})
    return replace(node, value=None) if node.value is False else node


def _every_extra_metric(node: Node) -> Node:
    """`all` becomes the list of them."""
    if node.value != "all":
        return _listed(node)
    return replace(node, value=tuple(replace(node, value=str(one)) for one in ExtraMetric))


def _groups(node: Node) -> Node:
    if node.items is None:
        return node
    return replace(node, value=tuple(_group(item) for item in node.items))


def _group(node: Node) -> Node:
    """A column, or a list of columns, becomes {columns: list}."""
    if node.mapping is None and node.value is not None:
        node = node.holding({"columns": node})
    return _with(node, {"columns": _listed, "levels": _levels})


def _levels(node: Node) -> Node:
    """Of one column, levels need no lists of their own."""
    if node.items is None:
        return node
    return replace(node, value=tuple(_listed(item) for item in node.items))


def _listed(node: Node) -> Node:
    """A list of one, of a single value."""
    if node.value is None or node.mapping is not None or node.items is not None:
        return node
    return replace(node, value=(node,))


def _with(node: Node, forms: Mapping[str, Callable[[Node], Node]]) -> Node:
    """The mapping with the long forms of these keys, where it has them."""
    if node.mapping is None:
        return node
    return node.holding(
        {key: forms[key](child) if key in forms else child for key, child in node.mapping.items()}
    )
