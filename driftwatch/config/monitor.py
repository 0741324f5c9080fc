"""One monitor of the file, to its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.column import read_columns
from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, suggestion
from driftwatch.config.reading import Reading, read
from driftwatch.config.settings import (
    FeatureSettings,
    MonitorSettings,
    RelationSettings,
    Start,
)
from driftwatch.config.shape import AlertShape, MonitorShape
from driftwatch.config.threshold import fixed_threshold, volume_threshold
from driftwatch.config.timing import EPOCH_FORMATS, check_timing
from driftwatch.verdict.policy import FixedThreshold, VolumeThreshold
from driftwatch.window import Interval, to_epoch

_REQUIRED = {
    "name": "missing; give the monitor a name of its own",
    "table": "missing; name the table or view that holds the rows",
    "timestamp": "missing; name the column that holds each row's time",
    "reference": "missing; write the range compared against, {from: 2026-09-01, to: 2026-10-01}",
}
_READ_APART = frozenset({"features", "prediction", "thresholds", "volume"})


@dataclass(frozen=True, slots=True)
class KnownSources:
    """The names of the configured sources and the dialect of those that could be read."""

    names: tuple[str, ...]
    dialects: Mapping[str, str]


def read_monitor(node: Node, sources: KnownSources, problems: Problems) -> MonitorSettings | None:
    """Every problem of the monitor is told. The settings are None when the file has any."""
    reading = _read_shape(node, problems)
    if reading is None:
        return None
    _check_required(reading, problems)
    source = _source(reading, sources, problems)
    check_timing(reading, problems)
    _check_dialect(reading, sources.dialects.get(source or ""), problems)
    alert = _alert(reading, problems)
    threshold, volume = _thresholds(node, problems)
    columns = read_columns(node, threshold, problems)
    if problems or source is None or alert is None or volume is None:
        return None
    settings = _settings(reading.shape, source, columns)
    return replace(settings, volume=volume, alert=alert, place=f"{problems.file}:{node.line}")


def _read_shape(node: Node, problems: Problems) -> Reading[MonitorShape] | None:
    if node.mapping is None:
        return read(MonitorShape, node, problems)
    kept = {key: child for key, child in node.mapping.items() if key not in _READ_APART}
    return read(MonitorShape, node.holding(kept), problems)


def _check_required(reading: Reading[MonitorShape], problems: Problems) -> None:
    for key, told in _REQUIRED.items():
        if getattr(reading.shape, key) is not None or not reading.sound(key):
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


def _check_dialect(reading: Reading[MonitorShape], dialect: str | None, problems: Problems) -> None:
    timestamp = reading.shape.timestamp
    if timestamp is None or not reading.sound("timestamp"):
        return
    if timestamp.format not in (None, *EPOCH_FORMATS) and dialect == "postgresql":
        node = reading.at("timestamp").get("format") or reading.at("timestamp")
        problems.at_key(
            node,
            "PostgreSQL's timestamps have a type of their own; remove format (integers there may "
            "be epoch_s or epoch_ms)",
        )


def _alert(reading: Reading[MonitorShape], problems: Problems) -> AlertPolicy | None:
    alert: AlertShape = reading.shape.alert
    if alert.k > alert.of:
        told = f"k ({alert.k}) must not exceed of ({alert.of}); write it like {{k: 2, of: 3}}"
        problems.at(reading.at("alert"), told)
        return None
    return AlertPolicy(alert.k, alert.of)


def _thresholds(
    node: Node, problems: Problems
) -> tuple[FixedThreshold | None, VolumeThreshold | None]:
    limits, volume = node.get("thresholds"), node.get("volume")
    return (
        FixedThreshold() if limits is None else fixed_threshold(limits, problems),
        VolumeThreshold() if volume is None else volume_threshold(volume, problems),
    )


def _settings(
    shape: MonitorShape, source: str, columns: tuple[FeatureSettings, ...]
) -> MonitorSettings:
    assert shape.name is not None
    assert shape.table is not None
    assert shape.timestamp is not None
    assert shape.reference is not None
    return MonitorSettings(
        name=shape.name,
        source=source,
        relation=RelationSettings(
            table=shape.table.name,
            schema=shape.table.schema_,
            timestamp=shape.timestamp.column,
            timestamp_format=shape.timestamp.format,
            where=shape.where,
        ),
        features=columns,
        reference=Interval(shape.reference.start, shape.reference.end),
        pane_seconds=shape.pane,
        every_seconds=shape.every or shape.pane,
        delay_seconds=shape.delay,
        window_seconds=tuple(sorted(shape.windows)),
        start=Start(None if shape.start is None else to_epoch(shape.start)),
        catch_up_seconds=shape.catch_up,
        min_rows=shape.min_rows,
    )
