"""What is read off one monitor after an evaluation: the input of the exposition.

Readings are made from the store's latest results, so that a restart shows the same picture before
its first evaluation. They hold only what is configured now: what is not in a reading is not
exposed.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.config.label import label_fault
from driftwatch.stats.kind import ChangeKind
from driftwatch.verdict.explanation import NextStep
from driftwatch.verdict.policy import Reason, Verdict


@dataclass(frozen=True, slots=True)
class FeatureReading:
    """The latest result of one feature over one window length. NaN is "not known": no sample.

    js, kl, js_noise in nats; js_distance 0..1; missing_ratio and unseen_ratio 0..1 of the window's
    rows; effect, detectable_effect and wobble in equivalent standard deviations, inflation 1..;
    p_value 0..1; caveats: words of a closed list, see `stats.null`; change, next_step: of a flagged
    window, None of others; explained_share: 0..1 of the prediction's drift in its own latest window
    of this length, where that is flagged; value is the number that was judged, in the unit of
    `measure`, and thresholds are its limits. For the volume, measure is "volume" and value is rows
    / median of the reference's rows.
    """

    feature: str
    window_seconds: int
    window_start: datetime
    window_end: datetime
    verdict: Verdict
    reason: Reason
    rows: int
    measure: str
    value: float = math.nan
    thresholds: Mapping[Severity, float] = field(default_factory=dict)
    effect: float = math.nan
    detectable_effect: float = math.nan
    inflation: float = math.nan
    wobble: float = math.nan
    p_value: float = math.nan
    caveats: tuple[str, ...] = ()
    change: ChangeKind | None = None
    next_step: NextStep | None = None
    explained_share: float = math.nan
    js: float = math.nan
    js_distance: float = math.nan
    js_noise: float = math.nan
    kl: float = math.nan
    missing_ratio: float = math.nan
    unseen_ratio: float = math.nan


@dataclass(frozen=True, slots=True)
class AlertReading:
    """The state of one alert; `severity` counts only while it fires. segment: "" for all rows.

    since: the start of the first of the flagged windows that led to it, while it is pending or
    firing.
    """

    feature: str
    window_seconds: int
    kind: AlertKind
    state: AlertState = AlertState.INACTIVE
    severity: Severity | None = None
    segment: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReferenceReading:
    """The active reference of one feature."""

    feature: str
    created_at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class VersionReading:
    """One version of the model, with the event time of its first rows."""

    version: str
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class SegmentReading:
    """How many segments of a feature drift in their latest window of this length."""

    feature: str
    window_seconds: int
    drifting: int


@dataclass(frozen=True, slots=True)
class MonitorReading:
    """One monitor after an evaluation, or as the store knew it at start.

    watermark: event time up to which panes are scanned. expires_at: from then on the values of the
    results are no longer shown (alert states and what is known of the monitor itself stay); None
    means never. labels: the user's own, on `driftwatch_monitor_info` alone. segments: how many are
    counted apart, None where none are asked for. excluded: the features of which a latest window is
    excluded. extra_metrics: names of metrics that are shown because they are asked for.
    """

    monitor: str
    source: str
    features: tuple[FeatureReading, ...] = ()
    alerts: tuple[AlertReading, ...] = ()
    references: tuple[ReferenceReading, ...] = ()
    watermark: datetime | None = None
    expires_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[VersionReading, ...] = ()
    segments: int | None = None
    of_segments: tuple[SegmentReading, ...] = ()
    excluded: tuple[str, ...] = ()
    extra_metrics: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _all_different("result", [(one.feature, one.window_seconds) for one in self.features])
        _all_different(
            "alert",
            [(one.feature, one.segment, one.window_seconds, one.kind) for one in self.alerts],
        )
        _all_different(
            "count of segments", [(one.feature, one.window_seconds) for one in self.of_segments]
        )
        _all_different("version", [one.version for one in self.versions])
        _all_different("excluded feature", self.excluded)
        _all_different("reference", [one.feature for one in self.references])
        for name in self.labels:
            if label_fault(name):
                raise ValueError(
                    f"monitor {self.monitor!r}: {name!r} cannot be the name of a label"
                )


def _all_different(what: str, keys: Iterable[object]) -> None:
    """One series twice makes Prometheus refuse the scrape of every monitor."""
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise ValueError(f"a reading holds each {what} once, but {twice[0]!r} is there twice")
