"""YAML that people read: remarks before rules, expressions as blocks, the same bytes every time."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from driftwatch.exposition.rules.document import Group

_WIDTH = 118
_WORD = r"[\w./;,'()-]+(?::[\w./-]+)*"
_PLAIN = re.compile(rf"(?=[A-Za-z]){_WORD}(?: {_WORD})*|\d+[smhd]", re.ASCII)
_NOT_TEXT = re.compile(r"true|false|null|yes|no|on|off|y|n", re.IGNORECASE)


def rules_text(groups: Iterable[Group], heading: str) -> str:
    """A file for `rule_files:` of Prometheus."""
    return f"{remark(heading)}\n" + "\n".join(_groups(groups, "")) + "\n"


def custom_resource_text(
    groups: Iterable[Group], heading: str, *, name: str, namespace: str | None
) -> str:
    """A PrometheusRule, as the Prometheus Operator reads it."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    head: Mapping[str, Any] = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {**metadata, "labels": {"app.kubernetes.io/name": "driftwatch"}},
    }
    lines = [*_mapping(head, ""), "spec:", *_groups(groups, "  ")]
    return f"{remark(heading)}\n" + "\n".join(lines) + "\n"


def mapping_text(content: Mapping[str, Any], heading: str) -> str:
    """Any mapping of mappings, lists and text."""
    return f"{remark(heading)}\n" + "\n".join(_mapping(content, "")) + "\n"


def remark(text: str, indent: str = "") -> str:
    """The text as lines of a comment, wrapped anew; a blank line begins another paragraph."""
    paragraphs = [
        textwrap.wrap(
            part, _WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False
        )
        for part in text.split("\n\n")
    ]
    lines = [line for part in paragraphs for line in ("", *part)][1:]
    return "\n".join(f"{indent}# {line}".rstrip() for line in lines)


def _groups(groups: Iterable[Group], indent: str) -> Iterator[str]:
    yield f"{indent}groups:"
    for number, group in enumerate(groups):
        if number:
            yield ""
        yield f"{indent}  - name: {group.name}"
        yield f"{indent}    rules:"
        for rule in group.rules:
            if rule.why:
                yield remark(rule.why, f"{indent}      ")
            first, *rest = _mapping(rule.plain(), f"{indent}        ")
            yield f"{indent}      - {first.lstrip()}"
            yield from rest


def _mapping(content: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from _mapping(value, f"{indent}  ")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            yield f"{indent}{key}:"
            yield from _list(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {_value(value, indent, len(key))}"


def _list(items: Sequence[Mapping[str, Any]], indent: str) -> Iterator[str]:
    for item in items:
        first, *rest = _mapping(item, f"{indent}  ")
        yield f"{indent}- {first.lstrip()}"
        yield from rest


def _value(value: object, indent: str, used: int) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_quoted(str(one)) for one in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if "\n" in text:
        return f"|-\n{textwrap.indent(text, f'{indent}  ')}"
    if len(indent) + used + len(text) + 2 > _WIDTH:
        return _folded(text, f"{indent}  ")
    return _quoted(text)


def _quoted(text: str) -> str:
    """As it is where YAML reads it as the same text; in the quotes of JSON else."""
    if _PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text):
        return text
    if "'" not in text and text.isprintable() and any(one in text for one in '"\\'):
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def _folded(text: str, indent: str) -> str:
    """A folded block: each of its line ends is read as one space. Text with two spaces in a row, or
    one at its ends, cannot be folded and is quoted."""
    words = text.split(" ")
    if not all(words):
        return json.dumps(text, ensure_ascii=False)
    lines, line = [], ""
    for word in words:
        if line and len(indent) + len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return ">-\n" + "\n".join(f"{indent}{one}" for one in (*lines, line))
