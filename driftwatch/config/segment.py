"""Parts of the rows that are judged by themselves: segments, and versions of the model."""

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reading import Reading
from driftwatch.config.scope import Scope
from driftwatch.config.settings import SegmentGroup, SegmentSettings, VersionSettings
from driftwatch.config.shape import DAY, MonitorShape, SegmentGroupShape, SegmentsShape
from driftwatch.window import format_duration

_VERSION_KEY = "version"
"""The word that the segments of versions begin with, whatever their column is called."""


def read_version(
    reading: Reading[MonitorShape], scope: Scope, problems: Problems
) -> VersionSettings | None:
    """None: there is none, or a problem was told."""
    shape, node = reading.shape.version, reading.at("version")
    if shape is None:
        return None
    prediction = reading.node.get("prediction")
    if prediction is None or (prediction.value is None and not prediction.lost):
        problems.at(
            node, "the predictions of versions are compared; add prediction, or remove version"
        )
    if scope.pane_seconds is not None and shape.handover % scope.pane_seconds:
        _tell_multiple(node.get("handover") or node, shape.handover, scope.pane_seconds, problems)
    return VersionSettings(shape.column, shape.handover)


def read_segments(
    reading: Reading[MonitorShape], scope: Scope, problems: Problems
) -> SegmentSettings | None:
    """None: there are none, or a problem was told."""
    shape, node = reading.shape.segments, reading.at("segments")
    if shape is None:
        return None
    by = node.get("by") or node
    nodes = by.items or (by,) * len(shape.by)
    _check_groups(reading, shape, nodes, problems)
    for group, place in zip(shape.by, nodes, strict=True):
        _check_levels(group, place, problems)
    return SegmentSettings(
        groups=tuple(_group(group) for group in shape.by),
        window_seconds=_windows(shape, node, scope, problems),
        min_rows=shape.min_rows,
        page=shape.page,
    )


def _group(shape: SegmentGroupShape) -> SegmentGroup:
    levels = tuple(tuple(values) for values in shape.levels or ())
    return SegmentGroup(tuple(shape.columns), levels, shape.limit)


def _check_groups(
    reading: Reading[MonitorShape],
    shape: SegmentsShape,
    nodes: tuple[Node, ...],
    problems: Problems,
) -> None:
    timestamp, version = reading.shape.timestamp, reading.shape.version
    first: dict[frozenset[str], Node] = {}
    for group, node in zip(shape.by, nodes, strict=True):
        columns = frozenset(group.columns)
        if len(columns) < len(group.columns):
            problems.at(node, "the same column twice; keep one")
        elif columns in first:
            problems.at(node, f"the same columns as on line {first[columns].line}; keep one")
        first.setdefault(columns, node)
        if timestamp is not None and timestamp.column in columns:
            problems.at(node, "the timestamp always moves; choose columns with few values")
        if version is not None and columns == {_VERSION_KEY}:
            problems.at(node, "version judges each version already; remove it here")


def _check_levels(group: SegmentGroupShape, node: Node, problems: Problems) -> None:
    levels = node.get("levels")
    if group.levels is None or levels is None:
        return
    nodes = levels.items or (levels,) * len(group.levels)
    width = len(group.columns)
    seen: list[list[str]] = []
    for values, place in zip(group.levels, nodes, strict=True):
        if len(values) != width:
            problems.at(
                place,
                f"has {len(values)} value{'s' * (len(values) > 1)} for {width} "
                f"column{'s' * (width > 1)}; write one for each, in their order",
            )
        elif values in seen:
            problems.at(place, "written twice; keep one")
        seen.append(values)
    if "limit" in group.model_fields_set and group.limit < len(group.levels):
        told = f"is below the number of levels ({len(group.levels)}); remove limit, or some levels"
        problems.at(node.get("limit") or node, told)


def _windows(shape: SegmentsShape, node: Node, scope: Scope, problems: Problems) -> tuple[int, ...]:
    """Those of a day or more, or else the longest one, unless they are written."""
    judged = scope.window_seconds
    if shape.windows is None:
        known = sorted(judged or ())
        return tuple(one for one in known if one >= DAY) or tuple(known[-1:])
    written = node.get("windows") or node
    nodes = written.items or (written,) * len(shape.windows)
    for i, (seconds, place) in enumerate(zip(shape.windows, nodes, strict=True)):
        if seconds in shape.windows[:i]:
            problems.at(place, f"{format_duration(seconds)} is written twice; keep one")
        elif judged is not None and seconds not in judged:
            known_words = ", ".join(format_duration(one) for one in sorted(judged))
            problems.at(
                place,
                f"{place.shown()} is not a window of the monitor; write some of {known_words}",
            )
    return tuple(sorted(shape.windows))


def _tell_multiple(node: Node, seconds: int, pane_seconds: int, problems: Problems) -> None:
    problems.at(
        node,
        f"handover ({format_duration(seconds)}) is not a multiple of the pane "
        f"({format_duration(pane_seconds)}); change one of them",
    )
