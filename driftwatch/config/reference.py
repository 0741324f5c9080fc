"""What is compared with: exactly one kind of reference, and what it needs."""

from collections.abc import Callable, Mapping
from datetime import datetime

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, suggestion
from driftwatch.config.scope import Scope
from driftwatch.config.settings import (
    CohortReference,
    FileReference,
    ReferenceSettings,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    TableReference,
)
from driftwatch.config.shape import DAY, ReferenceShape
from driftwatch.window import Interval, format_duration, to_epoch

WEEK = 7 * DAY

KIND_OF: Mapping[str, str] = {
    "from": "range",
    "to": "range",
    **{kind: kind for kind in ("rolling", "seasonal", "table", "query", "file", "cohort")},
}
"""Key to the kind of reference that it says."""

_EXAMPLES = {
    "range": "{from: 2026-09-01, to: 2026-10-01}",
    "rolling": "{rolling: 28d}",
    "seasonal": "{seasonal: 8w}",
    "table": "{table: training}",
    "query": '{query: "select ..."}',
    "file": "{file: training.parquet}",
    "cohort": "{cohort: \"model = 'champion'\"}",
}
_OF_RELATIONS = ("where", "source")


def kinds(node: Node) -> tuple[str, ...]:
    """The kinds that the keys of a reference say, each once."""
    written = (KIND_OF[key] for key, child in (node.mapping or {}).items() if _says(key, child))
    return tuple(dict.fromkeys(written))


def read_reference(
    shape: ReferenceShape, node: Node, scope: Scope, problems: Problems
) -> ReferenceSettings | None:
    """The settings of a reference whose shape is sound; None when a problem was told."""
    found = kinds(node)
    if len(found) != 1:
        several = (
            f"says several kinds ({', '.join(found)}); keep one"
            if found
            else (f"says nothing to compare with; write one of {', '.join(_EXAMPLES.values())}")
        )
        problems.at(node, several)
        return None
    (kind,) = found
    if kind not in ("table", "query"):
        for key in _OF_RELATIONS:
            child = node.get(key)
            if child is not None and child.value is not None:
                problems.at_key(child, f"belongs to a table or query, not to {kind}; remove it")
    return _READERS[kind](shape, node, scope, problems)


def check_aligned(node: Node, moment: datetime, pane_seconds: int, problems: Problems) -> None:
    """Tell of a moment that is no start of a pane."""
    if to_epoch(moment) % pane_seconds:
        told = f"is not the start of a pane of {format_duration(pane_seconds)}"
        problems.at(node, f"{node.shown()} {told}; write a multiple of it")


def _says(key: str, child: Node) -> bool:
    return key in KIND_OF and (child.value is not None or child.lost)


def _range(
    shape: ReferenceShape, node: Node, scope: Scope, problems: Problems
) -> ReferenceSettings | None:
    for key, moment in (("from", shape.start), ("to", shape.end)):
        written = node.get(key)
        if moment is None and written is not None:
            problems.at(written, "has no value; write the moment: a range has from and to")
        elif moment is None:
            problems.under(node, key, "missing; add it: a range has from and to")
        elif scope.pane_seconds is not None:
            check_aligned(written or node, moment, scope.pane_seconds, problems)
    if shape.start is None or shape.end is None:
        return None
    if shape.start >= shape.end:
        problems.at(node, "from must lie before to (which is the first moment after it)")
        return None
    return Interval(shape.start, shape.end)


def _rolling(
    shape: ReferenceShape, node: Node, scope: Scope, problems: Problems
) -> ReferenceSettings:
    seconds, child = shape.rolling or 0, node.get("rolling") or node
    if scope.pane_seconds is not None and seconds % scope.pane_seconds:
        problems.at(
            child,
            f"{child.shown()} is not a multiple of the pane "
            f"({format_duration(scope.pane_seconds)}); change one of them",
        )
    longest = max(scope.window_seconds or (0,))
    if seconds < longest:
        problems.at(
            child,
            f"{child.shown()} is shorter than the longest window ({format_duration(longest)}); "
            "compare with at least as much",
        )
    return RollingReference(seconds)


def _seasonal(
    shape: ReferenceShape, node: Node, scope: Scope, problems: Problems
) -> ReferenceSettings:
    seconds, child = shape.seasonal or 0, node.get("seasonal") or node
    if seconds % WEEK:
        problems.at(child, f"{child.shown()} is not whole weeks; write it like 8w")
    longest = max(scope.window_seconds or (0,))
    if longest > WEEK:
        problems.at(
            child,
            f"the weeks before a window of {format_duration(longest)} would be part of it; keep "
            "windows of at most 7d, or compare with another kind of reference",
        )
    return SeasonalReference(seconds // WEEK)


def _table(
    shape: ReferenceShape, node: Node, scope: Scope, problems: Problems
) -> ReferenceSettings | None:
    if shape.table is None:
        return None
    relation = RelationSettings(shape.table.name, shape.table.schema_, None, where=shape.where)
    return _elsewhere(relation, shape, node, scope, problems)


def _query(
    shape: ReferenceShape, node: Node, scope: Scope, problems: Problems
) -> ReferenceSettings | None:
    named = f"the reference query of monitor {scope.monitor!r}"
    relation = RelationSettings(named, None, None, where=shape.where, query=shape.query)
    return _elsewhere(relation, shape, node, scope, problems)


def _elsewhere(
    relation: RelationSettings,
    shape: ReferenceShape,
    node: Node,
    scope: Scope,
    problems: Problems,
) -> ReferenceSettings:
    if shape.source is not None and scope.sources and shape.source not in scope.sources:
        child = node.get("source") or node
        near = suggestion(shape.source, scope.sources)
        problems.at(child, f"{child.shown()} is not one of the sources; {near}")
    source = None if shape.source is None else scope.settings.get(shape.source)
    return TableReference(relation, source)


def _file(
    shape: ReferenceShape, _node: Node, _scope: Scope, _problems: Problems
) -> ReferenceSettings | None:
    return None if shape.file is None else FileReference(shape.file)


def _cohort(
    shape: ReferenceShape, _node: Node, _scope: Scope, _problems: Problems
) -> ReferenceSettings | None:
    return None if shape.cohort is None else CohortReference(shape.cohort)


_READERS: Mapping[
    str, Callable[[ReferenceShape, Node, Scope, Problems], ReferenceSettings | None]
] = {
    "range": _range,
    "rolling": _rolling,
    "seasonal": _seasonal,
    "table": _table,
    "query": _query,
    "file": _file,
    "cohort": _cohort,
}
