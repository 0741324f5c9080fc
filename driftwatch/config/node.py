"""A value of the file with its place: what the loader of YAML hands on, merged or not."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Value = str | int | float | bool | None | Mapping[str, "Node"] | tuple["Node", ...]

_SIMPLE = re.compile(r"[\w@-]+")
_WORD = re.compile(r"[\w.-]{1,64}")
_SHOWN_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Node:
    """One value, the line it begins on, the line of its key, and its dotted place.

    value is never printed, because it may hold what came from the environment; raw is the text of
    a scalar as the file has it, before variables were put in. lost: the value cannot be known and
    a problem says so already.
    """

    value: Value = field(repr=False)
    place: str
    line: int
    key_line: int
    raw: str = field(default="", repr=False)
    lost: bool = False

    @property
    def mapping(self) -> Mapping[str, "Node"] | None:
        return self.value if isinstance(self.value, Mapping) else None

    @property
    def items(self) -> tuple["Node", ...] | None:
        return self.value if isinstance(self.value, tuple) else None

    @property
    def kind(self) -> str:
        """What the value is, in words."""
        kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
            (Mapping, "a mapping"),
            (tuple, "a list"),
            (str, "text"),
            (bool, "true or false"),
            ((int, float), "a number"),
        )
        return next((word for kind, word in kinds if isinstance(self.value, kind)), "nothing")

    @property
    def any_lost(self) -> bool:
        """Whether this value or one inside it cannot be known."""
        if self.mapping is not None:
            return any(child.any_lost for child in self.mapping.values())
        return self.lost or any(child.any_lost for child in self.items or ())

    def get(self, key: str) -> "Node | None":
        return None if self.mapping is None else self.mapping.get(key)

    def plain(self) -> object:
        """The value without places, as pydantic wants it."""
        if self.mapping is not None:
            return {key: child.plain() for key, child in self.mapping.items()}
        if self.items is not None:
            return [child.plain() for child in self.items]
        return self.value

    def shown(self) -> str:
        """The value as the file writes it, unless it looks like a URL, which may hold a password.

        Only for places where no secret belongs.
        """
        if self.mapping is not None or self.items is not None:
            return self.kind
        if "://" in self.raw:
            return "a URL"
        text = self.raw if len(self.raw) <= _SHOWN_LENGTH else self.raw[:_SHOWN_LENGTH] + "..."
        return repr(text)

    def place_of(self, key: str) -> str:
        """The dotted place of a key of this mapping."""
        return dotted(self.place, key)

    def holding(self, mapping: Mapping[str, "Node"]) -> "Node":
        """The same place with another mapping in it."""
        return replace(self, value=mapping, raw="")


def dotted(parent: str, key: str) -> str:
    """The place of `key` below `parent`. A key that could be a misplaced secret is not shown.

    >>> dotted("monitors[0]", "pane"), dotted("", "store"), dotted("features", "dep delay")
    ('monitors[0].pane', 'store', 'features["dep delay"]')
    >>> dotted("sources", "postgresql://u:p@host/db")
    'sources[not shown]'
    """
    if _hidden(parent, key):
        return f"{parent}[not shown]"
    if _SIMPLE.fullmatch(key):
        return f"{parent}.{key}" if parent else key
    return f"{parent}[{json.dumps(key, ensure_ascii=False)}]"


def _hidden(parent: str, key: str) -> bool:
    if re.match(r"store|sources|notify", parent):
        return _WORD.fullmatch(key) is None
    return "://" in key or len(key) > _SHOWN_LENGTH
