"""A node checked against its shape: what is wrong goes to the problems, what is right is kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, suggestion
from driftwatch.config.scalar import OWN, OWN_ABOUT_VALUE
from driftwatch.config.shape import Shape

S = TypeVar("S", bound=Shape)
S_co = TypeVar("S_co", bound=Shape, covariant=True)

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of keys",
}
_WANTED_AT = {
    "store": "a URL, or a mapping with url or url_file",
    "web": "a mapping with config_file",
    "windows": "a list of durations, such as [1h, 1d]",
    "features": "a list of column names, or a mapping from column names to options",
    "prediction": "a column name, or a mapping with name",
    "table": "a table name, or a mapping with schema and name",
    "timestamp": "a column name, or a mapping with column and format",
    "reference": "a mapping, such as {from: 2026-09-01, to: 2026-10-01}",
    "version": "a column name, or a mapping with column and handover",
    "segments": "a list of columns, or a mapping with by",
    "explain_prediction": "true, or a mapping with features",
    "extra_metrics": "all, or a list of metrics",
    "segments[]": "a column name, a list of them, or a mapping with columns",
    "by": "a list of columns",
    "by[]": "a column name, a list of them, or a mapping with columns",
    "columns": "a column name, or a list of them",
    "exclude": "a list, such as [{from: 2026-11-23, to: 2026-11-28, reason: black week}]",
    "exclude[]": "a mapping with from, to and reason",
    "recheck": "a list of durations, such as [15m, 1h, 6h, 1d]",
    "labels": "a mapping, such as {team: risk}",
    "links": "a mapping, such as {grafana: https://grafana.example.org}",
    "retention": "a mapping, such as {panes: 30d, days: forever}",
    "features[]": "a column name, or a mapping with name",
    "monitors": "a list of monitors, each a mapping with name, table and timestamp",
    "monitors[]": "a mapping with name, table and timestamp",
    "bins": "a number of bins, or a mapping with method and count, or with edges",
    "thresholds": "a mapping, such as {effect: {warning: 0.05, critical: 0.2}}",
    "threshold": "a mapping, such as {effect: {warning: 0.05, critical: 0.2}}",
}
_BOUNDS = {
    "greater_than": ("must be above {gt}", "gt"),
    "greater_than_equal": ("must be at least {ge}", "ge"),
    "less_than": ("must be below {lt}", "lt"),
    "less_than_equal": ("must be at most {le}", "le"),
    "too_short": ("must have at least {min_length} entry", "min_length"),
    "too_long": ("must have at most {max_length} entries", "max_length"),
}


@dataclass(frozen=True, slots=True)
class Reading(Generic[S_co]):
    """shape holds the default for every key in `broken`, which has problems told already."""

    shape: S_co
    node: Node
    broken: frozenset[str]

    def sound(self, *keys: str) -> bool:
        """Whether none of the keys has a problem, so that they may be compared."""
        return self.broken.isdisjoint(keys)

    def at(self, *keys: str) -> Node:
        """The node of the first of the keys that is written, or of the whole."""
        found = (self.node.get(key) for key in keys)
        return next((node for node in found if node is not None), self.node)


def read(
    shape: type[S], node: Node, problems: Problems, *, incomplete: bool = False
) -> Reading[S] | None:
    """The values of a mapping; None if it is not one. Keys of `shape` must all have defaults.

    incomplete: a missing key is no problem, because another mapping will be merged over this one.
    """
    if node.mapping is None:
        tell_wrong_kind(node, "model_type", problems)
        return None
    lost = {key for key, child in node.mapping.items() if child.any_lost}
    plain = {key: child.plain() for key, child in node.mapping.items() if key not in lost}
    broken = lost | _report(shape, node, plain, problems, incomplete)
    sound = {key: value for key, value in plain.items() if key not in broken}
    return Reading(shape.model_validate(sound), node, frozenset(broken))


def tell_wrong_kind(node: Node, error_type: str, problems: Problems) -> None:
    """The node is no list (`list_type`) or no mapping (`dict_type`), as it should be."""
    if not node.lost:
        problems.at(node, _not_wanted(node, error_type))


def _not_wanted(node: Node, error_type: str) -> str:
    key = re.sub(r"\[\d+\]$", "[]", node.place.rpartition(".")[2])
    if node.place.startswith("sources.") and node.place.count(".") == 1:
        key = "store"
    wanted = _WANTED_AT.get(key) or _WANTED.get(error_type, "something else")
    if node.value is None:
        return f"has no value; write {wanted}"
    fraction = " with a fraction" if error_type == "int_type" and _is_float(node.value) else ""
    return f"must be {wanted}, not {node.kind}{fraction}"


def _is_float(value: object) -> bool:
    return isinstance(value, float)


def _report(
    shape: type[Shape],
    node: Node,
    plain: Mapping[str, object],
    problems: Problems,
    incomplete: bool,
) -> set[str]:
    """Tell each problem; the keys that have one."""
    try:
        shape.model_validate(plain)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    else:
        return set()
    for detail in found:
        if incomplete and detail["type"] == "missing":
            continue
        _tell(shape, node, detail, problems)
    return {str(detail["loc"][0]) for detail in found}


def _tell(shape: type[Shape], top: Node, detail: ErrorDetails, problems: Problems) -> None:
    node, rest = _walk(top, detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = _keys(shape, detail["loc"][:-1])
        problems.at_key(node, f"unknown key; {suggestion(str(detail['loc'][-1]), known)}")
    elif detail["type"] == "missing":
        problems.under(node, str(rest), "missing; add it")
    elif not node.lost:
        problems.at(node, _words(node, detail))


def _walk(node: Node, place: tuple[int | str, ...]) -> tuple[Node, int | str | None]:
    """The deepest node on the way to `place`, and the first step that has none."""
    for step in place:
        child = node.get(step) if isinstance(step, str) else (node.items or ())[step]
        if child is None:
            return node, step
        node = child
    return node, None


def _words(node: Node, detail: ErrorDetails) -> str:
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if node.value is None:
        return "has no value; write one, or remove the key"
    if kind == OWN:
        return str(context["text"])
    if kind == OWN_ABOUT_VALUE:
        return f"{node.shown()} {context['text']}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return words.format(**{bound: context[bound]})
    if kind == "finite_number":
        return "must be a finite number"
    return _not_wanted(node, kind)


def _keys(shape: type[Shape], place: tuple[int | str, ...]) -> list[str]:
    """The keys that the mapping at `place` may have."""
    model = shape
    for step in place:
        field = next((f for n, f in model.model_fields.items() if step in (n, f.alias)), None)
        inner = None if field is None else inner_shape(field.annotation)
        model = inner or model
    return [field.alias or name for name, field in model.model_fields.items()]


def inner_shape(annotation: Any) -> type[Shape] | None:
    """The shape inside `X | None`, `list[X]` or `dict[str, X]`; None when there is none."""
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return annotation
    found = (inner_shape(argument) for argument in getattr(annotation, "__args__", ()))
    return next((shape for shape in found if shape is not None), None)
