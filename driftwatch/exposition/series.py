"""From a reading to samples: which family gets which labels and which value."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from driftwatch.alert.policy import AlertState, Severity
from driftwatch.exposition import families
from driftwatch.exposition.families import Family
from driftwatch.exposition.reading import (
    AlertReading,
    FeatureReading,
    MonitorReading,
    ReferenceReading,
    SegmentReading,
)
from driftwatch.exposition.text import labels_text
from driftwatch.verdict.policy import Verdict
from driftwatch.window import format_duration

VERDICT_LEVELS: Mapping[Verdict, int] = {Verdict.OK: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 2}
ALERT_STATES: Mapping[AlertState, int] = {
    AlertState.INACTIVE: 0,
    AlertState.RESOLVED: 0,
    AlertState.PENDING: 1,
    AlertState.FIRING: 2,
}
ALERT_LEVELS: Mapping[Severity, int] = {Severity.WARNING: 1, Severity.CRITICAL: 2}

_ALERT_FAMILIES = (families.ALERT_STATE, families.ALERT_LEVEL, families.ALERT_SINCE)
_SEGMENT_ALERT_FAMILIES = (
    families.SEGMENT_ALERT_STATE,
    families.SEGMENT_ALERT_LEVEL,
    families.SEGMENT_ALERT_SINCE,
)
"""State, level and since: a metric has the label `segment` on all of its series or on none."""


class Sample(NamedTuple):
    """One sample: its family, the text between the braces, its value."""

    family: Family
    labels: str
    value: float


def monitor_samples(reading: MonitorReading) -> Iterator[Sample]:
    """What is said once per monitor, per window and per alert; never cut by a limit."""
    monitor = labels_text({"monitor": reading.monitor})
    described = {"monitor": reading.monitor, "source": reading.source, **reading.labels}
    yield Sample(families.MONITOR_INFO, labels_text(described), 1)
    if reading.watermark is not None:
        yield Sample(families.WATERMARK, monitor, _epoch(reading.watermark))
    if reading.segments is not None:
        yield Sample(families.SEGMENTS, monitor, reading.segments)
    for one in reading.versions:
        labels = labels_text({"monitor": reading.monitor, "version": one.version})
        yield Sample(families.VERSION_FIRST_SEEN, labels, _epoch(one.first_seen))
    yield from _window_samples(reading)
    yield from _excluded_samples(reading)
    for alert in reading.alerts:
        yield from _alert_samples(reading.monitor, alert)


def segment_sample(monitor: str, one: SegmentReading) -> Sample:
    """In how many segments a feature drifts; which they are never becomes a label."""
    labels = _feature_labels(monitor, one.feature, one.window_seconds)
    return Sample(families.SEGMENTS_DRIFTING, labels, one.drifting)


def reference_samples(monitor: str, one: ReferenceReading) -> Iterator[Sample]:
    """When a reference was captured, and from how many rows."""
    labels = labels_text({"monitor": monitor, "feature": one.feature})
    yield Sample(families.REFERENCE_CREATED, labels, _epoch(one.created_at))
    yield Sample(families.REFERENCE_ROWS, labels, one.rows)


def feature_samples(monitor: str, result: FeatureReading) -> Iterator[Sample]:
    """One result. Divergences are shown of judged windows alone: a rule that compares one with a
    number must not fire on a window of which five rows say nothing. What is NaN has no sample."""
    labels = _feature_labels(monitor, result.feature, result.window_seconds)
    if result.verdict in VERDICT_LEVELS:
        yield Sample(families.VERDICT_LEVEL, labels, VERDICT_LEVELS[result.verdict])
    else:
        yield Sample(families.NOT_JUDGED, f'{labels},reason="{result.reason}"', 1)
    yield Sample(families.WINDOW_START, labels, _epoch(result.window_start))
    yield Sample(families.WINDOW_END, labels, _epoch(result.window_end))
    yield Sample(families.WINDOW_ROWS, labels, result.rows)
    yield from _finite(families.MISSING_RATIO, labels, result.missing_ratio)
    yield from _finite(families.UNSEEN_RATIO, labels, result.unseen_ratio)
    measured = f"{labels},{labels_text({'measure': result.measure})}"
    if result.verdict.judged:
        yield from _finite(families.EFFECT, labels, result.effect)
        yield from _finite(families.DETECTABLE_EFFECT, labels, result.detectable_effect)
        yield from _finite(families.INFLATION, labels, result.inflation)
        yield from _finite(families.WOBBLE, labels, result.wobble)
        yield from _finite(families.P_VALUE, labels, result.p_value)
        for reason in result.caveats:
            yield Sample(families.CAVEAT, f'{labels},reason="{reason}"', 1)
        if result.change is not None and result.next_step is not None:
            told = f'change="{result.change}",next_step="{result.next_step}"'
            yield Sample(families.CHANGE, f"{labels},{told}", 1)
        yield from _finite(families.EXPLAINED_SHARE, labels, result.explained_share)
        yield from _finite(families.JS_DIVERGENCE, labels, result.js)
        yield from _finite(families.JS_DISTANCE, labels, result.js_distance)
        yield from _finite(families.JS_NOISE, labels, result.js_noise)
        yield from _finite(families.KL_DIVERGENCE, labels, result.kl)
        yield from _finite(families.DRIFT_VALUE, measured, result.value)
    for severity in Severity:
        if severity in result.thresholds:
            limit = result.thresholds[severity]
            yield Sample(families.DRIFT_THRESHOLD, f'{measured},severity="{severity}"', limit)


def _window_samples(reading: MonitorReading) -> Iterator[Sample]:
    verdicts = Counter((result.window_seconds, result.verdict) for result in reading.features)
    for seconds in sorted({result.window_seconds for result in reading.features}):
        labels = labels_text({"monitor": reading.monitor, "window": format_duration(seconds)})
        for severity in Severity:
            drifting = verdicts[seconds, Verdict(severity.value)]
            yield Sample(families.FEATURES_DRIFTING, f'{labels},severity="{severity}"', drifting)
        grey = sum(verdicts[seconds, verdict] for verdict in Verdict if not verdict.judged)
        yield Sample(families.FEATURES_NOT_JUDGED, labels, grey)


def _excluded_samples(reading: MonitorReading) -> Iterator[Sample]:
    for feature in reading.excluded:
        labels = labels_text({"monitor": reading.monitor, "feature": feature})
        yield Sample(families.EXCLUDED, labels, 1)


def _alert_samples(monitor: str, alert: AlertReading) -> Iterator[Sample]:
    labels = _feature_labels(monitor, alert.feature, alert.window_seconds)
    labels = f'{labels},kind="{alert.kind}"'
    state, level, since = _ALERT_FAMILIES
    if alert.segment:
        labels = f"{labels},{labels_text({'segment': alert.segment})}"
        state, level, since = _SEGMENT_ALERT_FAMILIES
    firing = alert.state is AlertState.FIRING and alert.severity is not None
    yield Sample(state, labels, ALERT_STATES[alert.state])
    yield Sample(level, labels, ALERT_LEVELS[alert.severity] if firing and alert.severity else 0)
    if alert.since is not None and alert.state in (AlertState.PENDING, AlertState.FIRING):
        yield Sample(since, labels, _epoch(alert.since))


def _feature_labels(monitor: str, feature: str, window_seconds: int) -> str:
    window = format_duration(window_seconds)
    return labels_text({"monitor": monitor, "feature": feature, "window": window})


def _finite(family: Family, labels: str, value: float) -> Iterator[Sample]:
    if math.isfinite(value):
        yield Sample(family, labels, value)


def _epoch(moment: datetime) -> float:
    return moment.timestamp()
