"""`Level` and `SegmentNumber`: what a value's text, or that of several values, is listed as.

Both are rendered as balanced trees of CASE that compare texts byte by byte.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from driftwatch.stats.axis import CategoricalAxis

_TREE_LEVELS = 256
"""More levels than this are looked up in a set: a tree of thousands takes long to parse."""


class Level(ColumnElement[Any]):
    """The outcome of x by its level; `outcomes` has one SQL text per cell of the axis.

    x is text that is compared byte by byte, as `Place.text` makes it.
    """

    inherit_cache = False

    def __init__(
        self,
        x: ColumnElement[Any],
        axis: CategoricalAxis,
        outcomes: Sequence[str],
        type_: types.TypeEngine[Any],
    ) -> None:
        if len(outcomes) != axis.cells:
            raise ValueError(f"the axis has {axis.cells} cells, not {len(outcomes)}")
        self.x, self.axis, self.outcomes, self.type = x, axis, tuple(outcomes), type_


@compiles(Level)
def _render_level(element: Level, compiler: SQLCompiler, **kw: Any) -> str:
    axis, outcomes = element.axis, element.outcomes
    x = f"({compiler.process(element.x, **kw)})"
    cells = [(level, outcomes[index]) for index, level in enumerate(axis.levels)]
    known = ""
    if len(axis.levels) + len(axis.known) <= _TREE_LEVELS:
        cells += [(level, outcomes[axis.other]) for level in axis.known]
    else:
        known = f"WHEN {_in(x, sorted(axis.known), compiler)} THEN {outcomes[axis.other]} "
    tree = _tree(x, _literals(cells, compiler), outcomes[axis.unseen])
    return f"CASE WHEN {x} IS NULL THEN {outcomes[axis.missing]} {known}ELSE {tree} END"


class SegmentNumber(ColumnElement[int]):
    """The number of the listed level that the values of some columns are, from 0 on; the number of
    levels where they are none of them.

    xs are texts that are compared byte by byte, as `Place.text` makes them; None is NULL.
    """

    inherit_cache = False

    def __init__(
        self, xs: Sequence[ColumnElement[Any]], levels: Sequence[tuple[str | None, ...]]
    ) -> None:
        if not xs or any(len(level) != len(xs) for level in levels):
            raise ValueError(f"every level needs one value for each of {len(xs)} columns")
        self.xs, self.levels, self.type = tuple(xs), tuple(levels), types.Integer()


@compiles(SegmentNumber)
def _render_segment_number(element: SegmentNumber, compiler: SQLCompiler, **kw: Any) -> str:
    xs = [f"({compiler.process(x, **kw)})" for x in element.xs]
    numbers = {level: str(number) for number, level in enumerate(element.levels)}
    return _number(xs, numbers, str(len(element.levels)), compiler)


def _number(
    xs: Sequence[str],
    numbers: Mapping[tuple[str | None, ...], str],
    other: str,
    compiler: SQLCompiler,
) -> str:
    """A tree over the values of the first column, with one over those of the others as leaves."""
    x, *rest = xs
    below: dict[str | None, dict[tuple[str | None, ...], str]] = {}
    for (value, *values), number in numbers.items():
        below.setdefault(value, {})[tuple(values)] = number
    leaves = {
        value: _number(rest, found, other, compiler) if rest else found[()]
        for value, found in below.items()
    }
    null = leaves.pop(None, other)
    cells = _literals([(str(value), leaf) for value, leaf in leaves.items()], compiler)
    return f"CASE WHEN {x} IS NULL THEN {null} ELSE {_tree(x, cells, other)} END"


def text_literal(value: str, compiler: SQLCompiler) -> str:
    """A text as SQL, with its quotes and, where the driver needs it, its percent signs doubled."""
    if "\0" in value and compiler.dialect.name == "sqlite":
        return f"CAST(X'{value.encode().hex()}' AS TEXT)"
    return compiler.render_literal_value(value, types.String())


def _literals(cells: Sequence[tuple[str, str]], compiler: SQLCompiler) -> list[tuple[str, str]]:
    """The cells in the order of their levels' bytes, each level as SQL."""
    return [
        (text_literal(level, compiler), outcome)
        for level, outcome in sorted(cells)
        if _possible(level, compiler)
    ]


def _possible(level: str, compiler: SQLCompiler) -> bool:
    """Whether the store has such a text: PostgreSQL has none with NUL, another store's level."""
    return "\0" not in level or compiler.dialect.name == "sqlite"


def _in(x: str, levels: Sequence[str], compiler: SQLCompiler) -> str:
    """Whether x is one of the sorted levels: SQLite fills its set three times faster in order."""
    if compiler.dialect.name == "sqlite":
        return f"{x} IN ({', '.join(text_literal(level, compiler) for level in levels)})"
    quoted = (
        level.replace("\\", "\\\\").replace('"', '\\"')
        for level in levels
        if _possible(level, compiler)
    )
    array = "{" + ",".join(f'"{level}"' for level in quoted) + "}"
    return f"{x} = ANY ({text_literal(array, compiler)}::text[])"


def _tree(x: str, cells: Sequence[tuple[str, str]], unseen: str) -> str:
    if not cells:
        return unseen
    if len(cells) == 1:
        literal, outcome = cells[0]
        return f"CASE WHEN {x} = {literal} THEN {outcome} ELSE {unseen} END"
    middle = len(cells) // 2
    low, high = _tree(x, cells[:middle], unseen), _tree(x, cells[middle:], unseen)
    return f"CASE WHEN {x} < {cells[middle][0]} THEN {low} ELSE {high} END"
