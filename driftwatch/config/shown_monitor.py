"""One monitor as it is in use, in the language of the configuration."""

import re
from collections.abc import Mapping
from datetime import datetime

from driftwatch.config.settings import (
    BinMethod,
    CohortReference,
    Exclusion,
    FeatureSettings,
    FileReference,
    Kind,
    MonitorSettings,
    ReferenceSettings,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    SegmentSettings,
)
from driftwatch.verdict.policy import CalibratedThreshold, Policy, VolumeThreshold
from driftwatch.window import Interval, format_duration
from driftwatch.window.interval import from_epoch

Shown = dict[str, object]
"""A mapping of keys; None: the key is not written."""

Variables = Mapping[str, str]
"""Texts that hold the value of a variable, with how the file writes them."""

duration = format_duration

HIDDEN = "<secret>"

_OF_CONNECTION = re.compile(r"(?i)(?P<key>\b(?:ssl)?password\s*=\s*)(?:''[^']*''|[^\s'\"]+)")
_OF_URL = re.compile(r"(?<=://)[^\s/'\"@]*:[^\s/'\"@]*(?=@)")


def shown_monitor(monitor: MonitorSettings, variables: Variables) -> Shown:
    """Its keys, each with its value in use; names and SQL as the file writes their variables."""

    def text(value: str) -> str:
        return variables.get(value, value)

    prediction = [one for one in monitor.features if one.prediction]
    found: Shown = {
        "name": text(monitor.name),
        "source": monitor.source,
        **_rows(monitor.relation, variables),
        "timestamp": _timestamp(monitor.relation, variables),
        "partition": _optional(monitor.relation.partition, variables),
        "updated_at": _optional(monitor.relation.updated_at, variables),
        "ready": _sql(monitor.ready, variables),
        "pane": duration(monitor.pane_seconds),
        "every": duration(monitor.every_seconds),
        "zone": monitor.calendar.zone,
        "delay": duration(monitor.delay_seconds),
        "recheck": [duration(one) for one in monitor.recheck_seconds],
        "windows": [duration(one) for one in monitor.window_seconds],
        "start": _start(monitor),
        "catch_up": duration(monitor.catch_up_seconds),
        "min_rows": monitor.min_rows,
        "widen": None if monitor.widen_seconds is None else duration(monitor.widen_seconds),
        "version": _version(monitor, variables),
        "segments": None if monitor.segments is None else _segments(monitor.segments, variables),
        "explain_prediction": _explained(monitor, variables),
        "exclude": [_exclusion(one, variables) for one in monitor.exclusions],
        "show_levels": monitor.show_levels,
        "labels": {name: text(value) for name, value in monitor.labels.items()} or None,
        "max_series": monitor.max_series,
        "extra_metrics": [str(one) for one in sorted(monitor.extra_metrics)],
        "volume": _limits(monitor.volume),
        "alert": {"k": monitor.alert.k, "of": monitor.alert.of},
        "reference": _reference(monitor.reference, variables),
        "prediction": _feature(prediction[0], variables) if prediction else None,
        "features": [_feature(one, variables) for one in monitor.features if not one.prediction],
    }
    if prediction and not found["features"]:
        del found["features"]
    return {key: value for key, value in found.items() if value is not None}


def _sql(value: str | None, variables: Variables) -> str | None:
    """SQL, without the passwords of connections that it opens itself, as `dblink` does."""
    text = _optional(value, variables)
    if text is None:
        return None
    return _OF_CONNECTION.sub(rf"\g<key>{HIDDEN}", _OF_URL.sub(HIDDEN, text))


def _optional(value: str | None, variables: Variables) -> str | None:
    return None if value is None else variables.get(value, value)


def _rows(relation: RelationSettings, variables: Variables) -> Shown:
    where = _sql(relation.where, variables)
    if relation.query is not None:
        return {"query": _sql(relation.query, variables), "where": where}
    whole = f"{relation.schema}.{relation.table}" if relation.schema else relation.table
    if whole in variables:
        return {"table": variables[whole], "where": where}
    table: Shown = {"name": relation.table}
    if relation.schema is not None:
        table = {"schema": variables.get(relation.schema, relation.schema), **table}
    return {"table": table, "where": where}


def _timestamp(relation: RelationSettings, variables: Variables) -> Shown | None:
    if relation.timestamp is None:
        return None
    shown: Shown = {"column": variables.get(relation.timestamp, relation.timestamp)}
    if relation.timestamp_format is not None:
        shown["format"] = variables.get(relation.timestamp_format, relation.timestamp_format)
    return {**shown, "zone": relation.timestamp_zone}


def _start(monitor: MonitorSettings) -> str | None:
    moment = monitor.start.epoch_seconds
    return None if moment is None else _moment(from_epoch(moment))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment.second else f"{moment:%Y-%m-%dT%H:%MZ}"


def _version(monitor: MonitorSettings, variables: Variables) -> Shown | None:
    if monitor.version is None:
        return None
    column = variables.get(monitor.version.column, monitor.version.column)
    return {"column": column, "handover": duration(monitor.version.handover_seconds)}


def _segments(segments: SegmentSettings, variables: Variables) -> Shown:
    groups: list[object] = []
    for group in segments.groups:
        shown: Shown = {"columns": [variables.get(one, one) for one in group.columns]}
        if group.levels:
            shown["levels"] = [[variables.get(one, one) for one in each] for each in group.levels]
        else:
            shown["limit"] = group.limit
        groups.append(shown)
    return {
        "by": groups,
        "windows": [duration(one) for one in segments.window_seconds],
        "min_rows": segments.min_rows,
        "page": segments.page,
    }


def _explained(monitor: MonitorSettings, variables: Variables) -> Shown | None:
    if not monitor.explained_by:
        return None
    return {"features": [variables.get(one, one) for one in monitor.explained_by]}


def _exclusion(one: Exclusion, variables: Variables) -> Shown:
    shown: Shown = {
        "from": _moment(one.interval.start),
        "to": _moment(one.interval.end),
        "reason": variables.get(one.reason, one.reason),
    }
    if one.feature:
        shown["feature"] = variables.get(one.feature, one.feature)
    return shown


def _limits(policy: Policy | VolumeThreshold) -> Shown:
    limits = {"warning": policy.warning, "critical": policy.critical, "clear": policy.clear}
    return {key: limit for key, limit in limits.items() if limit is not None}


def _feature(one: FeatureSettings, variables: Variables) -> Shown:
    shown: Shown = {"name": variables.get(one.name, one.name)}
    usual = FeatureSettings("")
    if one.kind is not None:
        shown["kind"] = str(one.kind)
    if one.kind is Kind.NUMERIC or one.binning != usual.binning:
        explicit = one.binning.method is BinMethod.EXPLICIT
        shown["bins"] = (
            {"edges": list(one.binning.edges)}
            if explicit
            else {"method": str(one.binning.method), "count": one.binning.count}
        )
    if one.kind is Kind.CATEGORICAL or one.levels != usual.levels:
        shown["levels"] = one.levels
    shown["threshold"] = {str(one.threshold.measure): _limits(one.threshold)}
    if isinstance(one.threshold, CalibratedThreshold):
        shown["alpha"] = one.threshold.alpha
    shown["severity"] = str(one.severity)
    if one.delay_seconds is not None:
        shown["delay"] = duration(one.delay_seconds)
    shown["made_by_prompt"] = one.made_by_prompt
    if one.reference is not None:
        shown["reference"] = _reference(one.reference, variables)
    return shown


def _reference(reference: ReferenceSettings, variables: Variables) -> Shown:
    if isinstance(reference, Interval):
        return {"from": _moment(reference.start), "to": _moment(reference.end)}
    if isinstance(reference, RollingReference):
        return {"rolling": duration(reference.seconds)}
    if isinstance(reference, SeasonalReference):
        return {"seasonal": duration(reference.weeks * 7 * 86_400)}
    if isinstance(reference, CohortReference):
        return {"cohort": _sql(reference.where, variables)}
    if isinstance(reference, FileReference):
        return {"file": variables.get(str(reference.path), str(reference.path))}
    rows = _rows(reference.relation, variables)
    shown = {key: value for key, value in rows.items() if value is not None}
    return {**shown, **({"source": reference.source.name} if reference.source else {})}
