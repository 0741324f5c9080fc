"""Problems of a configuration: collected, never raised one by one, shown one line each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from driftwatch.config.node import Node
from driftwatch.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, where, and what to do. line 0: the file as a whole."""

    line: int
    place: str
    text: str

    def render(self, file: str) -> str:
        """`config.yaml:12: monitors[0].refrence: unknown key; did you mean 'reference'?`"""
        where = f"{file}:{self.line}" if self.line else file
        return f"{where}: {self.place}: {self.text}" if self.place else f"{where}: {self.text}"


@dataclass(slots=True)
class Problems:
    """All problems of one file. The same problem at the same place is kept once."""

    file: str
    _found: dict[Problem, None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, place: str, text: str) -> None:
        self._found[Problem(line, place, text)] = None

    def at(self, node: Node, text: str) -> None:
        """A problem of the value of `node`."""
        self.add(node.line, node.place, text)

    def at_key(self, node: Node, text: str) -> None:
        """A problem of the key that `node` is the value of."""
        self.add(node.key_line, node.place, text)

    def under(self, node: Node, key: str, text: str) -> None:
        """A problem of a key that the mapping `node` does not have."""
        self.add(node.line, node.place_of(key), text)

    def raise_if_any(self) -> None:
        """ConfigError with every problem, in the order of the file."""
        if self._found:
            raise ConfigError("\n".join(p.render(self.file) for p in sorted(self._found)))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, if any does.

    >>> nearest("refrence", ["reference", "name"]), nearest("zzz", ["reference"])
    ('reference', None)
    """
    by_fold = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), by_fold, n=1)
    return by_fold[found[0]] if found else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean 'reference'?`, or the known words when none is near."""
    words = sorted(known)
    near = nearest(word, words)
    return f"did you mean {near!r}?" if near else f"known here: {', '.join(words) or 'nothing'}"
