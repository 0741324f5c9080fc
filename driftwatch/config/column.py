"""The watched columns of one monitor: shape, then what must fit together."""

from dataclasses import replace
from itertools import pairwise

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reading import Reading, read, tell_wrong_kind
from driftwatch.config.reference import read_reference
from driftwatch.config.scope import Scope
from driftwatch.config.settings import (
    BinMethod,
    Binning,
    FeatureSettings,
    Kind,
    ReferenceSettings,
)
from driftwatch.config.shape import FeatureShape
from driftwatch.config.threshold import policy
from driftwatch.verdict.harm import SeverityRule
from driftwatch.verdict.policy import CalibratedThreshold, Measure, Policy
from driftwatch.window import format_duration


def read_columns(
    monitor: Node,
    threshold: Policy | None,
    alpha: float,
    severity: SeverityRule,
    scope: Scope,
    problems: Problems,
) -> tuple[FeatureSettings, ...]:
    """Prediction first, then the features. threshold, alpha, severity: of those that have none of
    their own."""
    readings = _readings(monitor, problems)
    _check_distinct(monitor, readings, problems)
    for reading in readings:
        _check_kind(reading, problems)
        _check_bins(reading, problems)
        _check_delay(reading, scope, problems)
    prediction = monitor.get("prediction")
    settings = []
    for reading in readings:
        limits = _limits(reading, threshold, alpha, problems)
        _check_measure(reading, limits, problems)
        reference = _reference(reading, scope, problems)
        if limits is not None and reading.shape.name is not None:
            is_prediction = reading.node is prediction
            settings.append(_settings(reading.shape, limits, reference, severity, is_prediction))
    return tuple(settings)


def _limits(
    reading: Reading[FeatureShape], threshold: Policy | None, alpha: float, problems: Problems
) -> Policy | None:
    own, own_alpha = reading.node.get("threshold"), reading.shape.alpha
    if own is not None:
        threshold = policy(own, own_alpha or alpha, problems)
    if own_alpha is None:
        return threshold
    if isinstance(threshold, CalibratedThreshold):
        return replace(threshold, alpha=own_alpha)
    if threshold is not None:
        problems.at_key(
            reading.at("alpha"),
            f"{threshold.measure} is a fixed threshold, which knows no alpha; "
            "remove it, or write threshold: {effect: {warning: 0.05, critical: 0.2}}",
        )
    return None


def watched_names(monitor: Node) -> dict[str, str] | None:
    """The columns that the monitor names, sound or not, each with what the file has for it; None
    when that cannot be known."""
    features = monitor.get("features")
    nodes = [monitor.get("prediction"), *((features.items or ()) if features else ())]
    if any(_lost(node) for node in nodes):
        return None
    names = (node.get("name") for node in nodes if node is not None)
    return {name.value: name.raw for name in names if name and isinstance(name.value, str)}


def _readings(monitor: Node, problems: Problems) -> list[Reading[FeatureShape]]:
    prediction, features = monitor.get("prediction"), monitor.get("features")
    nodes = [] if prediction is None or prediction.value is None else [prediction]
    if features is not None and features.items is not None:
        nodes.extend(features.items)
    elif features is not None:
        tell_wrong_kind(features, "list_type", problems)
    elif not nodes and not _lost(prediction) and features is None:
        problems.under(monitor, "features", "missing; list the columns to watch")
    if features is not None and features.items == () and not nodes and not _lost(prediction):
        problems.at(features, "lists nothing; list the columns to watch")
    readings = []
    for node in nodes:
        reading = read(FeatureShape, _without_threshold(node), problems)
        if reading is None:
            continue
        if reading.shape.name is None and reading.sound("name"):
            problems.under(node, "name", "missing; name the column")
        readings.append(Reading(reading.shape, node, reading.broken))
    return readings


def _lost(node: Node | None) -> bool:
    return node is not None and node.any_lost


def _without_threshold(node: Node) -> Node:
    """Thresholds are read by their own module."""
    if node.mapping is None:
        return node
    return node.holding({key: n for key, n in node.mapping.items() if key != "threshold"})


def _check_distinct(
    monitor: Node, readings: list[Reading[FeatureShape]], problems: Problems
) -> None:
    timestamp = monitor.get("timestamp")
    column = None if timestamp is None else timestamp.get("column")
    first: dict[str, Node] = {}
    for reading in readings:
        name, node = reading.shape.name, reading.at("name")
        if name is None:
            continue
        if column is not None and name == column.value:
            problems.at(
                node, f"{node.shown()} is the timestamp; it always moves, so remove it here"
            )
        elif name in first:
            line = first[name].line
            problems.at(node, f"{node.shown()} is watched already (line {line}); keep one")
        first.setdefault(name, node)


def _check_kind(reading: Reading[FeatureShape], problems: Problems) -> None:
    shape = reading.shape
    if not reading.sound("kind", "bins", "levels"):
        return
    if shape.kind is Kind.CATEGORICAL and shape.bins is not None:
        problems.at_key(reading.at("bins"), "a categorical column has levels; remove bins")
    written = "levels" in shape.model_fields_set and shape.levels is not None
    if written and shape.kind is Kind.NUMERIC:
        problems.at_key(reading.at("levels"), "a numeric column has bins; remove levels")
    elif written and shape.bins is not None:
        problems.at_key(reading.at("levels"), "bins and levels together; keep one of the two")


def _check_bins(reading: Reading[FeatureShape], problems: Problems) -> None:
    bins, node = reading.shape.bins, reading.at("bins")
    if bins is None or not reading.sound("bins"):
        return
    if bins.edges is None:
        if bins.method is BinMethod.EXPLICIT:
            problems.at(node, "explicit bins need edges; add edges: [0, 10, 20]")
        return
    if bins.count is not None or bins.method not in (None, BinMethod.EXPLICIT):
        problems.at(node, "edges say everything; remove method and count")
    if any(low >= high for low, high in pairwise(bins.edges)):
        problems.at(node.get("edges") or node, "edges must rise strictly; sort them, each once")


def _check_measure(
    reading: Reading[FeatureShape], limits: Policy | None, problems: Problems
) -> None:
    categorical = reading.sound("kind") and reading.shape.kind is Kind.CATEGORICAL
    if categorical and limits is not None and limits.measure is Measure.KS:
        problems.at(
            reading.node,
            "ks needs values in an order, which categories lack; "
            "give this column a threshold of another measure",
        )


def _check_delay(reading: Reading[FeatureShape], scope: Scope, problems: Problems) -> None:
    own, least = reading.shape.delay, scope.delay_seconds
    if own is not None and least is not None and reading.sound("delay") and own < least:
        node = reading.at("delay")
        problems.at(
            node,
            f"{node.shown()} is below the monitor's delay ({format_duration(least)}); a column "
            "comes with its rows or later",
        )


def _reference(
    reading: Reading[FeatureShape], scope: Scope, problems: Problems
) -> ReferenceSettings | None:
    shape = reading.shape.reference
    if shape is None or not reading.sound("reference"):
        return None
    return read_reference(shape, reading.at("reference"), scope, problems)


def _settings(
    shape: FeatureShape,
    threshold: Policy,
    reference: ReferenceSettings | None,
    severity: SeverityRule,
    is_prediction: bool,
) -> FeatureSettings:
    return FeatureSettings(
        name=shape.name or "",
        prediction=is_prediction,
        kind=shape.kind,
        binning=_binning(shape),
        levels=shape.levels or FeatureSettings("").levels,
        threshold=threshold,
        reference=reference,
        delay_seconds=shape.delay,
        severity=shape.severity or severity,
        made_by_prompt=shape.made_by_prompt,
    )


def _binning(shape: FeatureShape) -> Binning:
    bins = shape.bins
    if bins is None:
        return Binning()
    if bins.edges is not None:
        return Binning(BinMethod.EXPLICIT, edges=tuple(bins.edges))
    return Binning(bins.method or BinMethod.QUANTILE, bins.count or Binning().count)
