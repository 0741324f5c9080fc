"""YAML to nodes: every key and value with its line, no key twice, no surprise of YAML 1.1.

Only `true`, `false`, `null`, `~` and decimal numbers are anything but text: `on`, `NO`, `1:30`,
`007` and `2026-09-01` stay as they are written. Keys are always text.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from driftwatch.config.interpolation import interpolate
from driftwatch.config.node import Node, Value, dotted
from driftwatch.config.problem import Problems
from driftwatch.config.syntax import syntax_problem

_TAG = "tag:yaml.org,2002:"
_MOST_VALUES = 100_000
_MOST_BYTES = 10_000_000
_LEAST = "write at least sources and monitors (`driftwatch demo` writes a file that works)"


class Loader(yaml.SafeLoader):
    """A SafeLoader that resolves only what YAML 1.2 calls its core, and never a timestamp."""


Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)"
        r"|\.[0-9]+(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})\\Z"), _first)


def read_document(
    path: Path,
    env: Mapping[str, str] | None,
    problems: Problems,
    *,
    least: str = _LEAST,
    most_bytes: int = _MOST_BYTES,
) -> Node | None:
    """The top mapping of the file, or None with the reason among the problems.

    env: of the variables in texts; None: texts stay as they are written. least: what to write into
    an empty file. most_bytes: a longer file is another one by mistake, and no YAML is parsed of it:
    that takes ten seconds and more for each megabyte of values.
    """
    text = _text(path, problems, most_bytes)
    if text is None:
        return None
    top, trouble = _compose(text)
    if trouble is not None:
        problems.add(trouble[0], "", trouble[1])
        return None
    if top is None or (top.tag == _TAG + "null" and not top.value):
        problems.add(0, "", f"the file is empty; {least}")
        return None
    if not isinstance(top, yaml.MappingNode):
        problems.add(top.start_mark.line + 1, "", f"must be a mapping of keys; {least}")
        return None
    return _Conversion(env, problems).convert(top, "", 1)


def _text(path: Path, problems: Problems, most_bytes: int) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = getattr(error, "strerror", None) or "no file has such a name"
        problems.add(0, "", f"cannot be read: {reason}; name a file that you may read")
        return None
    if len(content) > most_bytes:
        told = f"longer than {most_bytes // 1_000_000} MB; is it another file?"
        problems.add(0, "", f"{told} Name that of the configuration")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add(line, "", "not UTF-8; save the file as UTF-8")
        return None


def _compose(text: str) -> tuple[yaml.Node | None, tuple[int, str] | None]:
    """The tree of the text, or the line and the words of what keeps it from being YAML."""
    try:
        loader = Loader(text)
        try:
            return loader.get_single_node(), None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        return None, syntax_problem(error, text)
    except RecursionError:
        return None, (1, "nested too deeply; a configuration needs a few levels only")


@dataclass(slots=True)
class _Conversion:
    env: Mapping[str, str] | None
    problems: Problems
    _open: list[int] = field(default_factory=list)
    _values: int = 0

    def convert(self, node: yaml.Node, place: str, key_line: int) -> Node:
        line = node.start_mark.line + 1
        self._values += 1
        if id(node) in self._open:
            return self._lost(line, place, "contains itself by an alias; write it out")
        if self._values > _MOST_VALUES:
            return self._lost(1, "", f"more than {_MOST_VALUES} values; use fewer aliases")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place, line, key_line)
        if node.tag != _TAG + ("map" if isinstance(node, yaml.MappingNode) else "seq"):
            return self._lost(line, place, "a tag (!...) has no meaning here; remove it")
        self._open.append(id(node))
        value: Value = (
            self._mapping(node, place)
            if isinstance(node, yaml.MappingNode)
            else tuple(
                self.convert(item, f"{place}[{i}]", item.start_mark.line + 1)
                for i, item in enumerate(node.value)
            )
        )
        self._open.pop()
        return Node(value, place, line, key_line)

    def _mapping(self, node: yaml.MappingNode, place: str) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.add(line, place, "a key is a list or a mapping; keys are text")
                continue
            key = str(key_node.value)
            child = dotted(place, key)
            if key in found:
                first = found[key].key_line
                self.problems.add(line, child, f"written twice, first on line {first}; keep one")
            else:
                found[key] = self.convert(value_node, child, line)
        return found

    def _scalar(self, node: yaml.ScalarNode, place: str, line: int, key_line: int) -> Node:
        raw = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        try:
            value = _SCALARS[kind](raw)
        except KeyError:
            return self._lost(line, place, "a tag (!...) has no meaning here; remove it")
        except ValueError:
            return self._lost(line, place, "does not fit its tag (!!...); remove the tag")
        if not isinstance(value, str) or self.env is None:
            return Node(value, place, line, key_line, raw)
        text, faults = interpolate(value, self.env)
        for fault in faults:
            self.problems.add(line, place, fault)
        return Node(text, place, line, key_line, raw, lost=bool(faults))

    def _lost(self, line: int, place: str, text: str) -> Node:
        self.problems.add(line, place, text)
        return Node(None, place, line, line, lost=True)


def _boolean(raw: str) -> bool:
    if raw.lower() not in ("true", "false"):
        raise ValueError("not a boolean")
    return raw.lower() == "true"


def _number(raw: str) -> float:
    return float(raw.replace(".inf", "inf").replace(".nan", "nan") if raw[-1:] in "fn" else raw)


_SCALARS: dict[str, Callable[[str], str | int | float | bool | None]] = {
    "str": str,
    "int": int,
    "float": lambda raw: _number(raw.lower()),
    "bool": _boolean,
    "null": lambda _raw: None,
}
