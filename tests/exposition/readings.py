"""Readings, and how tests read an exposition back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.config.settings import ExtraMetric
from driftwatch.exposition.health import Health
from driftwatch.exposition.outcomes import DeliveryOutcome
from driftwatch.exposition.reading import (
    AlertReading,
    FeatureReading,
    MonitorReading,
    ReferenceReading,
    SegmentReading,
    VersionReading,
)
from driftwatch.stats.kind import ChangeKind
from driftwatch.verdict.explanation import NextStep
from driftwatch.verdict.policy import VOLUME, Reason, Verdict

DAY = 86_400
NOW = datetime(2013, 2, 9, 0, 10, tzinfo=UTC)
END = datetime(2013, 2, 9, tzinfo=UTC)

Labels = frozenset[tuple[str, str]]


def feature_reading(feature: str = "dep_delay", /, **changes: object) -> FeatureReading:
    """A critical day of a feature."""
    reading = FeatureReading(
        feature=feature,
        window_seconds=DAY,
        window_start=END - timedelta(days=1),
        window_end=END,
        verdict=Verdict.CRITICAL,
        reason=Reason.ABOVE_THRESHOLD,
        rows=930,
        measure="js_distance",
        value=0.5,
        thresholds={Severity.WARNING: 0.1, Severity.CRITICAL: 0.2},
        effect=1.1,
        detectable_effect=0.2,
        inflation=1.5,
        wobble=0.07,
        p_value=1e-9,
        caveats=("few_windows",),
        change=ChangeKind.MISSING_DATA,
        next_step=NextStep.DATA,
        explained_share=0.93,
        js=0.17,
        js_distance=0.5,
        js_noise=0.003,
        kl=0.8,
        missing_ratio=0.49,
        unseen_ratio=0.0,
    )
    return replace(reading, **changes)  # type: ignore[arg-type]  # any field, by its name


def monitor_reading(monitor: str = "delay-model", /, **changes: object) -> MonitorReading:
    """A monitor with a drifting feature, one that learns, and its volume."""
    reading = MonitorReading(
        monitor=monitor,
        source="logs",
        features=(
            feature_reading(),
            feature_reading("carrier", verdict=Verdict.LEARNING, reason=Reason.TOO_FEW_ROWS),
            FeatureReading(
                feature=VOLUME,
                window_seconds=DAY,
                window_start=END - timedelta(days=1),
                window_end=END,
                verdict=Verdict.WARNING,
                reason=Reason.ABOVE_THRESHOLD,
                rows=930,
                measure="volume",
                value=0.4,
                thresholds={Severity.WARNING: 2.0, Severity.CRITICAL: 4.0},
            ),
        ),
        alerts=(
            AlertReading(
                "dep_delay",
                DAY,
                AlertKind.DRIFT,
                AlertState.FIRING,
                Severity.CRITICAL,
                since=END - timedelta(days=2),
            ),
            AlertReading(VOLUME, DAY, AlertKind.VOLUME, AlertState.PENDING, Severity.WARNING),
            AlertReading(VOLUME, DAY, AlertKind.NO_DATA),
        ),
        references=(ReferenceReading("dep_delay", NOW - timedelta(days=30), 27_000),),
        watermark=END,
        labels={"team": "risk"},
    )
    return replace(reading, **changes)  # type: ignore[arg-type]  # any field, by its name


def full_reading(monitor: str = "delay-model", /, **changes: object) -> MonitorReading:
    """The same with versions, segments and exclusions: every family and every label occurs."""
    of_version = AlertReading(
        "p_late", DAY, AlertKind.DRIFT, AlertState.FIRING, Severity.WARNING, "version=v2", END
    )
    return monitor_reading(
        monitor,
        alerts=(*monitor_reading().alerts, of_version),
        versions=(VersionReading("v1", END - timedelta(days=40)), VersionReading("v2", END)),
        segments=3,
        of_segments=(SegmentReading("dep_delay", DAY, 2),),
        excluded=("carrier",),
        **{"extra_metrics": frozenset(ExtraMetric), **changes},
    )


def busy_health(monitor: str = "delay-model", now: datetime = NOW) -> Health:
    """The daemon's own metrics after something of everything has happened."""
    health = Health()
    health.config_loaded(now)
    health.store_answered(True)
    health.source_added("logs")
    health.monitor_added(monitor, now=now, interval_seconds=300)
    health.evaluation_started(delay_seconds=0.2)
    health.source_answered("logs", rows=930)
    health.evaluation_finished(
        monitor,
        outcome="success",
        finished=now,
        seconds=1.5,
        stages={"scan": 1.0, "store": 0.3, "judge": 0.2},
    )
    health.log_compared(monitor, revised_panes=2, shrunk_panes=1, held=False)
    health.rows_pruned({"result": 12})
    health.evaluation_ended()
    health.heartbeat(now)
    health.notification(DeliveryOutcome.DELIVERED)
    health.notifications_pending(0)
    return health


def samples(text: bytes) -> dict[tuple[str, Labels], float]:
    """Every sample by its name and labels; a sample that is there twice fails."""
    found: dict[tuple[str, Labels], float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def value_of(text: bytes, name: str, **labels: str) -> float | None:
    """The value of the one series of this name whose labels include these, None without one."""
    wanted = set(labels.items())
    found = [v for (n, own), v in samples(text).items() if n == name and wanted <= own]
    assert len(found) <= 1, f"{len(found)} series of {name} with {labels}"
    return found[0] if found else None
