"""The instruments of the daemon's own metrics: names, labels, help and buckets."""

import platform
from collections.abc import Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.registry import Collector

import driftwatch
from driftwatch.exposition.labelled import Kind, Labelled
from driftwatch.exposition.outcomes import LOG_LEVELS, PRUNED_TABLES, STAGES, DeliveryOutcome

_STAGE_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_DELAY_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 1800)


class ProcessFigures(Collector):
    """Memory, CPU time and open files of the process, as they were when they were last taken.

    Reading them takes some twenty calls of the system, after each of which a scrape would wait for
    the interpreter while evaluations run.
    """

    def __init__(self) -> None:
        self._source = ProcessCollector(registry=None)
        self._taken: Sequence[Metric] = ()
        self.take()

    def take(self) -> None:
        self._taken = tuple(self._source.collect())

    def collect(self) -> Iterable[Metric]:
        return self._taken


class Instruments:
    """Every instrument; children whose labels are known are at 0.

    Those of a monitor or a source are kept written out (there may be thousands of them); the rest
    is in a fresh registry of prometheus_client.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.per_monitor: list[Labelled] = []
        self.per_source: list[Labelled] = []
        self._declare_evaluations()
        self._declare_monitor_times()
        self._declare_log()
        self._declare_stores()
        self._declare_daemon()
        for collector in (PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.process = ProcessFigures()
        self.registry.register(self.process)

    def _declare_evaluations(self) -> None:
        self.evaluations = self._labelled(
            "counter",
            "driftwatch_evaluations_total",
            "Evaluations that ended, by outcome.",
            ("monitor", "outcome"),
        )
        self.skipped = self._labelled(
            "counter",
            "driftwatch_evaluations_skipped_total",
            "Evaluations that were due and did not start, by reason.",
            ("monitor", "reason"),
        )
        self.running = self._gauge(
            "driftwatch_evaluations_running", "Evaluations that run at this moment."
        )
        self.stage = Histogram(
            "driftwatch_evaluation_stage_duration_seconds",
            "Time that a stage of an evaluation took.",
            ("stage",),
            buckets=_STAGE_SECONDS,
            registry=self.registry,
        )
        for stage in STAGES:
            self.stage.labels(stage)
        self.delay = Histogram(
            "driftwatch_schedule_delay_seconds",
            "Time from when an evaluation was due to when it began.",
            buckets=_DELAY_SECONDS,
            registry=self.registry,
        )

    def _declare_monitor_times(self) -> None:
        self.added = self._labelled(
            "gauge",
            "driftwatch_monitor_added_timestamp_seconds",
            "When this process began to watch the monitor.",
            ("monitor",),
        )
        self.interval = self._labelled(
            "gauge",
            "driftwatch_evaluation_interval_seconds",
            "Configured time between two evaluations of the monitor.",
            ("monitor",),
        )
        self.last_success = self._labelled(
            "gauge",
            "driftwatch_evaluation_last_success_timestamp_seconds",
            "When an evaluation last ended well (success or no_data); absent until one did.",
            ("monitor",),
        )
        self.last_completion = self._labelled(
            "gauge",
            "driftwatch_evaluation_last_completion_timestamp_seconds",
            "When an evaluation last ended, with whatever outcome; absent until one did.",
            ("monitor",),
        )
        self.last_seconds = self._labelled(
            "gauge",
            "driftwatch_evaluation_last_duration_seconds",
            "Time that the latest evaluation took.",
            ("monitor",),
        )
        self.not_counted = self._labelled(
            "gauge",
            "driftwatch_features_not_counted",
            "Features of the monitor that its newest scan could not count; 0 before the first.",
            ("monitor",),
        )

    def _declare_log(self) -> None:
        self.revised = self._labelled(
            "counter",
            "driftwatch_revised_panes_total",
            "Panes that were counted anew because the log had changed, late rows included.",
            ("monitor",),
        )
        self.shrunk = self._labelled(
            "counter",
            "driftwatch_shrunk_panes_total",
            "Panes that held fewer rows in the log than were counted; their counts were kept.",
            ("monitor",),
        )
        self.held = self._labelled(
            "gauge",
            "driftwatch_ready_hold",
            "1 while the readiness query of the monitor holds its watermark, else 0.",
            ("monitor",),
        )

    def _declare_stores(self) -> None:
        self.source_up = self._labelled(
            "gauge",
            "driftwatch_source_up",
            "1 if the latest query of the source was answered, else 0; absent before the first.",
            ("source",),
        )
        self.source_queries = self._labelled(
            "counter", "driftwatch_source_queries_total", "Queries sent to the source.", ("source",)
        )
        self.source_failures = self._labelled(
            "counter",
            "driftwatch_source_query_failures_total",
            "Queries that the source did not answer, timeouts included.",
            ("source",),
        )
        self.source_rows = self._labelled(
            "counter",
            "driftwatch_source_rows_read_total",
            "Rows that the source counted for us; they never leave it.",
            ("source",),
        )
        self.store_up = self._gauge(
            "driftwatch_store_up",
            "1 if driftwatch's own store answered when it was last used, else 0.",
        )

        self.pruned = self._counter(
            "driftwatch_pruned_rows_total",
            "Rows of the store that were deleted because they were older than they are kept.",
            ("table",),
        )
        for table in PRUNED_TABLES:
            self.pruned.labels(table)
        self.prune_failures = self._counter(
            "driftwatch_prune_failures_total",
            "Attempts to delete what is older than it is kept that failed.",
        )

    def _declare_daemon(self) -> None:
        self.heartbeat = self._gauge(
            "driftwatch_scheduler_heartbeat_timestamp_seconds",
            "When the scheduler's loop last turned.",
        )
        self.notifications = self._counter(
            "driftwatch_notifications_total",
            "Attempts to deliver a notification, by outcome.",
            ("outcome",),
        )
        for outcome in DeliveryOutcome:
            self.notifications.labels(outcome)
        self.pending = self._gauge(
            "driftwatch_notifications_pending", "Notifications that wait for their delivery."
        )
        self.config_successful = self._gauge(
            "driftwatch_config_last_reload_successful",
            "1 if the configuration that was read last is the one in use, else 0.",
        )
        self.config_time = self._gauge(
            "driftwatch_config_last_reload_success_timestamp_seconds",
            "When the configuration in use was read.",
        )
        self.web_config_successful = self._gauge(
            "driftwatch_web_config_last_reload_successful",
            "1 if the web configuration that was read last is the one in use, or there is none, "
            "else 0.",
        )
        self.web_config_successful.set(1)
        self.log_messages = self._counter(
            "driftwatch_log_messages_total", "Messages logged, by level.", ("level",)
        )
        for level in LOG_LEVELS:
            self.log_messages.labels(level)
        build = self._gauge(
            "driftwatch_build_info",
            "Constant 1; carries the version of driftwatch and of Python.",
            ("version", "python"),
        )
        build.labels(driftwatch.__version__, platform.python_version()).set(1)

    def _labelled(self, kind: Kind, name: str, text: str, labels: tuple[str, ...]) -> Labelled:
        made = Labelled(kind, name, text, labels)
        (self.per_monitor if "monitor" in labels else self.per_source).append(made)
        return made

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)
