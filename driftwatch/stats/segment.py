"""Segments: the rows of one value of a column, or of one combination of values of several.

A segment is known by its key, which is text: `country=DE`, `country=DE, device=ios`. All rows have
the key "". Keys are made here alone, so that no value of a log can look like a key of another.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

ALL_ROWS = ""
"""The key of all rows."""

COHORT = "@cohort"
"""The key of the rows of a cohort that other rows are compared with."""

NULL = "(null)"
"""Written for NULL."""

OTHER = "(other)"
"""Written, for every column, for the values that are not listed."""

_PLAIN = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")
_PUNCTUATION = re.compile(r'[=,"@\x00-\x1f]|^\s|\s$|^$')


def segment_key(columns: Sequence[str], values: Sequence[str | None]) -> str:
    """The key of the segment in which each column has its value; None is NULL.

    Values of letters, digits and `_.:+-`, at most 64 of them, are written as they are, all others
    as JSON, so that different values of the same columns have different keys and none of them is
    a word such as `(other)`. A column's name is written as it is unless it holds a sign that keys
    are made of. ValueError unless there is one value for each of at least one column.

    >>> segment_key(["country", "device"], ["DE", None])
    'country=DE, device=(null)'
    >>> segment_key(["country"], ["(null)"]), segment_key(["c=d"], ["New York"])
    ('country="(null)"', '"c=d"="New York"')
    """
    if not columns or len(columns) != len(values):
        raise ValueError(f"{len(values)} values for {len(columns)} columns")
    return _joined(columns, [NULL if value is None else _written(value) for value in values])


def other_key(columns: Sequence[str]) -> str:
    """The key of the rows whose values are not listed.

    >>> other_key(["country", "device"])
    'country=(other), device=(other)'
    """
    return _joined(columns, [OTHER] * len(columns))


@dataclass(frozen=True, slots=True)
class Grouping:
    """The columns that rows are grouped by, and the frozen list of segments that are watched.

    levels: one value per column, None for NULL, all different; rest: whether the rows of all other
    values are counted as well, under `other_key`. ValueError if the shapes are not these.
    """

    columns: tuple[str, ...]
    levels: tuple[tuple[str | None, ...], ...]
    rest: bool = True

    def __post_init__(self) -> None:
        if not self.columns or len(set(self.columns)) != len(self.columns):
            raise ValueError(f"a grouping needs different columns, not {self.columns}")
        if any(len(level) != len(self.columns) for level in self.levels):
            raise ValueError(f"every level needs one value for each of {self.columns}")
        if len(set(self.levels)) != len(self.levels):
            raise ValueError(f"a level of {self.columns} is listed twice")

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in the order of the levels; the last is that of the rest, if it is counted.

        >>> Grouping(("country",), (("DE",), (None,))).keys
        ('country=DE', 'country=(null)', 'country=(other)')
        """
        listed = tuple(segment_key(self.columns, level) for level in self.levels)
        return (*listed, other_key(self.columns)) if self.rest else listed


def _joined(columns: Sequence[str], written: Sequence[str]) -> str:
    return ", ".join(
        f"{_name(column)}={value}" for column, value in zip(columns, written, strict=True)
    )


def _name(column: str) -> str:
    return json.dumps(column, ensure_ascii=False) if _PUNCTUATION.search(column) else column


def _written(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
