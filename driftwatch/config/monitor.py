"""One monitor of the file, to its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.column import read_columns
from driftwatch.config.exclusion import read_exclusions
from driftwatch.config.explained import read_explained
from driftwatch.config.label import read_labels
from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, suggestion
from driftwatch.config.reading import Reading, read
from driftwatch.config.reference import read_reference
from driftwatch.config.scope import Scope
from driftwatch.config.segment import read_segments, read_version
from driftwatch.config.settings import (
    FeatureSettings,
    MonitorSettings,
    ReferenceSettings,
    RelationSettings,
    SourceSettings,
    Start,
)
from driftwatch.config.shape import DAY, AlertShape, MonitorShape
from driftwatch.config.threshold import policy, volume_threshold
from driftwatch.config.timing import check_timing, recheck_seconds
from driftwatch.verdict.policy import CalibratedThreshold, Policy, VolumeThreshold
from driftwatch.window import Calendar, to_epoch

_REQUIRED = {
    "name": "missing; give the monitor a name of its own",
    "table": "missing; name the table or view that holds the rows, or write a query",
    "timestamp": "missing; name the column that holds each row's time",
    "reference": "missing; write what is compared with, such as {from: 2026-09-01, to: 2026-10-01} "
    "or {rolling: 28d}",
}
_READ_APART = frozenset({"features", "prediction", "thresholds", "volume"})


@dataclass(frozen=True, slots=True)
class KnownSources:
    """The names of the configured sources, and the settings of those that could be read."""

    names: tuple[str, ...]
    settings: Mapping[str, SourceSettings]


def read_monitor(node: Node, sources: KnownSources, problems: Problems) -> MonitorSettings | None:
    """Every problem of the monitor is told. The settings are None when the file has any."""
    reading = _read_shape(node, problems)
    if reading is None:
        return None
    _check_required(reading, problems)
    source = _source(reading, sources, problems)
    check_timing(reading, problems)
    alert = _alert(reading, problems)
    threshold, volume = _thresholds(reading, node, problems)
    scope = _scope(reading, sources)
    columns = read_columns(
        node, threshold, reading.shape.alpha, reading.shape.severity, scope, problems
    )
    reference = _reference(reading, scope, problems)
    whole = Reading(reading.shape, node, reading.broken)
    version = read_version(whole, scope, problems)
    segments = read_segments(whole, scope, problems)
    exclusions = read_exclusions(whole, problems)
    explained_by = read_explained(whole, columns, reference, problems)
    labels = read_labels(whole, problems)
    if problems or source is None or reference is None or alert is None or volume is None:
        return None
    return replace(
        _settings(reading.shape, source, columns, reference),
        volume=volume,
        alert=alert,
        version=version,
        segments=segments,
        exclusions=exclusions,
        explained_by=explained_by,
        labels=labels,
        place=f"{problems.file}:{node.line}",
    )


def _read_shape(node: Node, problems: Problems) -> Reading[MonitorShape] | None:
    if node.mapping is None:
        return read(MonitorShape, node, problems)
    kept = {key: child for key, child in node.mapping.items() if key not in _READ_APART}
    return read(MonitorShape, node.holding(kept), problems)


def _check_required(reading: Reading[MonitorShape], problems: Problems) -> None:
    query = reading.shape.query
    if reading.shape.table is not None and query is not None:
        problems.at_key(reading.at("query"), "stands beside table; keep one of the two")
    for key, told in _REQUIRED.items():
        if getattr(reading.shape, key) is not None or not reading.sound(key):
            continue
        if key == "table" and (query is not None or not reading.sound("query")):
            continue
        written = reading.node.get(key)
        if written is not None:
            problems.at(written, "has no value; " + told.partition("; ")[2])
        else:
            problems.under(reading.node, key, told)


def _source(
    reading: Reading[MonitorShape], sources: KnownSources, problems: Problems
) -> str | None:
    name = reading.shape.source
    if not reading.sound("source") or not sources.names:
        return None
    if name is None and len(sources.names) == 1:
        return sources.names[0]
    if name is None:
        several = ", ".join(sources.names)
        problems.under(reading.node, "source", f"missing; name one of the sources: {several}")
        return None
    if name not in sources.names:
        node = reading.at("source")
        told = f"{node.shown()} is not one of the sources; {suggestion(name, sources.names)}"
        problems.at(node, told)
        return None
    return name


def _alert(reading: Reading[MonitorShape], problems: Problems) -> AlertPolicy | None:
    alert: AlertShape = reading.shape.alert
    if alert.k > alert.of:
        told = f"k ({alert.k}) must not exceed of ({alert.of}); write it like {{k: 2, of: 3}}"
        problems.at(reading.at("alert"), told)
        return None
    return AlertPolicy(alert.k, alert.of)


def _thresholds(
    reading: Reading[MonitorShape], node: Node, problems: Problems
) -> tuple[Policy | None, VolumeThreshold | None]:
    limits, volume, alpha = node.get("thresholds"), node.get("volume"), reading.shape.alpha
    return (
        CalibratedThreshold(alpha=alpha) if limits is None else policy(limits, alpha, problems),
        VolumeThreshold() if volume is None else volume_threshold(volume, problems),
    )


def _scope(reading: Reading[MonitorShape], sources: KnownSources) -> Scope:
    shape = reading.shape
    pane_is_sound = reading.sound("pane") and DAY % shape.pane == 0
    return Scope(
        monitor=shape.name or "",
        sources=sources.names,
        settings=sources.settings,
        pane_seconds=shape.pane if pane_is_sound else None,
        window_seconds=tuple(shape.windows) if reading.sound("windows") else None,
        delay_seconds=shape.delay if reading.sound("delay") else None,
    )


def _reference(
    reading: Reading[MonitorShape], scope: Scope, problems: Problems
) -> ReferenceSettings | None:
    shape = reading.shape.reference
    if shape is None or not reading.sound("reference"):
        return None
    return read_reference(shape, reading.at("reference"), scope, problems)


def _relation(shape: MonitorShape) -> RelationSettings:
    assert shape.timestamp is not None, "what is missing has a problem"
    if shape.table is None:
        table, schema = f"the query of monitor {shape.name!r}", None
    else:
        table, schema = shape.table.name, shape.table.schema_
    return RelationSettings(
        table=table,
        schema=schema,
        timestamp=shape.timestamp.column,
        timestamp_format=shape.timestamp.format,
        where=shape.where,
        query=shape.query,
        timestamp_zone=shape.timestamp.zone,
        partition=shape.partition,
        updated_at=shape.updated_at,
    )


def _settings(
    shape: MonitorShape,
    source: str,
    columns: tuple[FeatureSettings, ...],
    reference: ReferenceSettings,
) -> MonitorSettings:
    return MonitorSettings(
        name=shape.name or "",
        source=source,
        relation=_relation(shape),
        features=columns,
        reference=reference,
        pane_seconds=shape.pane,
        every_seconds=shape.every or shape.pane,
        delay_seconds=shape.delay,
        window_seconds=tuple(sorted(shape.windows)),
        start=Start(None if shape.start is None else to_epoch(shape.start)),
        catch_up_seconds=shape.catch_up,
        min_rows=shape.min_rows,
        calendar=Calendar(shape.zone),
        recheck_seconds=recheck_seconds(shape),
        ready=shape.ready,
        widen_seconds=shape.widen,
        show_levels=shape.show_levels,
        max_series=shape.max_series,
        extra_metrics=frozenset(shape.extra_metrics),
    )
