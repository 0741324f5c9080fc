"""The metrics of the daemon itself, in a registry of their own (prometheus_client).

The daemon calls the methods as things happen; a scrape renders the registry. All children whose labels are known exist at 0 from the start, so that `increase()` sees
the first failure. Methods about a monitor that is not there (it was removed while an evaluation of
it still ran) do nothing, so that no series comes back from the dead.
"""

import logging
import platform
from collections.abc import Iterable, Mapping
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

import driftwatch
from driftwatch.exposition.outcomes import (
    LOG_LEVELS,
    OUTCOMES,
    SKIP_REASONS,
    STAGES,
    SUCCESSES,
    DeliveryOutcome,
)
from driftwatch.exposition.text import clean

_STAGE_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_DELAY_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 1800)


class Health:
    """Every metric about the daemon: its monitors, sources, store, notifications and process.

    Every method may be called from any thread.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._monitors: set[str] = set()
        self._declare_evaluations()
        self._declare_monitor_times()
        self._declare_stores()
        self._declare_daemon()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    # -- monitors ---------------------------------------------------------------------------------

    def monitor_added(
        self,
        monitor: str,
        *,
        now: datetime,
        interval_seconds: float,
        last_success: datetime | None = None,
        last_completion: datetime | None = None,
    ) -> None:
        """A monitor is watched from now on; the last two come from the store after a restart."""
        monitor = clean(monitor)
        self._monitors.add(monitor)
        for outcome in OUTCOMES:
            self._evaluations.labels(monitor, outcome)
        for reason in SKIP_REASONS:
            self._skipped.labels(monitor, reason)
        self._added.labels(monitor).set(now.timestamp())
        self._interval.labels(monitor).set(interval_seconds)
        if last_success is not None:
            self._last_success.labels(monitor).set(last_success.timestamp())
        if last_completion is not None:
            self._last_completion.labels(monitor).set(last_completion.timestamp())

    def monitor_removed(self, monitor: str) -> None:
        """Nothing of this monitor is exposed any more."""
        monitor = clean(monitor)
        self._monitors.discard(monitor)
        for metric in (self._evaluations, self._skipped, *self._per_monitor):
            metric.remove_by_labels({"monitor": monitor})

    def evaluation_started(self, *, delay_seconds: float = 0.0) -> None:
        """An evaluation began this long after its time. Pair it with `evaluation_ended`."""
        self._running.inc()
        self._delay.observe(max(0.0, delay_seconds))

    def evaluation_ended(self) -> None:
        """The pair of `evaluation_started`, however the evaluation ended."""
        self._running.dec()

    def evaluation_finished(
        self,
        monitor: str,
        *,
        outcome: str,
        finished: datetime,
        seconds: float,
        stages: Mapping[str, float] | None = None,
    ) -> None:
        """An evaluation ended with this outcome after `seconds`; `stages`: seconds of each stage.

        ValueError when the outcome or a stage is not from its closed list.
        """
        _closed("outcome", outcome, OUTCOMES)
        for stage, spent in (stages or {}).items():
            _closed("stage", stage, STAGES)
            self._stage.labels(stage).observe(spent)
        monitor = clean(monitor)
        if monitor not in self._monitors:
            return
        self._evaluations.labels(monitor, outcome).inc()
        self._last_seconds.labels(monitor).set(seconds)
        self._last_completion.labels(monitor).set(finished.timestamp())
        if outcome in SUCCESSES:
            self._last_success.labels(monitor).set(finished.timestamp())

    def evaluation_skipped(self, monitor: str, reason: str) -> None:
        """An evaluation that was due did not start. ValueError for an unknown reason."""
        _closed("reason", reason, SKIP_REASONS)
        if clean(monitor) in self._monitors:
            self._skipped.labels(clean(monitor), reason).inc()

    # -- sources and the store --------------------------------------------------------------------

    def source_added(self, source: str) -> None:
        """A source is configured: its counters exist at 0; up is unknown until it was asked."""
        for metric in (self._source_queries, self._source_failures, self._source_rows):
            metric.labels(clean(source))

    def source_removed(self, source: str) -> None:
        """Nothing of this source is exposed any more."""
        for metric in self._per_source:
            metric.remove_by_labels({"source": clean(source)})

    def source_answered(self, source: str, *, rows: int, queries: int = 1) -> None:
        """The source answered; `rows` were read by it in all."""
        source = clean(source)
        self._source_up.labels(source).set(1)
        self._source_queries.labels(source).inc(queries)
        self._source_rows.labels(source).inc(rows)

    def source_failed(self, source: str) -> None:
        """A query of the source failed or timed out."""
        source = clean(source)
        self._source_up.labels(source).set(0)
        self._source_queries.labels(source).inc()
        self._source_failures.labels(source).inc()

    def store_answered(self, up: bool) -> None:
        """Whether driftwatch's own store could be read and written just now."""
        self._store_up.set(1 if up else 0)

    # -- the daemon -------------------------------------------------------------------------------

    def heartbeat(self, now: datetime) -> None:
        """The scheduler's loop turned."""
        self._heartbeat.set(now.timestamp())

    def notification(self, outcome: DeliveryOutcome) -> None:
        """An attempt to deliver a notification ended."""
        self._notifications.labels(outcome).inc()

    def notifications_pending(self, count: int) -> None:
        """Notifications that wait for their delivery."""
        self._pending.set(count)

    def config_loaded(self, now: datetime, *, successful: bool = True) -> None:
        """The configuration was read; one that was refused leaves the time of the last good one."""
        self._config_successful.set(1 if successful else 0)
        if successful:
            self._config_time.set(now.timestamp())

    def log_message(self, level: int) -> None:
        """A message was logged at this level (of `logging`); a level between two counts as the
        lower one."""
        named = [name for name, least in LOG_LEVELS.items() if level >= least]
        self._log_messages.labels(named[-1] if named else "debug").inc()

    # -- declarations -----------------------------------------------------------------------------

    def _declare_evaluations(self) -> None:
        self._evaluations = self._counter(
            "driftwatch_evaluations_total",
            "Evaluations that ended, by outcome.",
            ("monitor", "outcome"),
        )
        self._skipped = self._counter(
            "driftwatch_evaluations_skipped_total",
            "Evaluations that were due and did not start, by reason.",
            ("monitor", "reason"),
        )
        self._running = self._gauge(
            "driftwatch_evaluations_running", "Evaluations that run at this moment."
        )
        self._stage = Histogram(
            "driftwatch_evaluation_stage_duration_seconds",
            "Time that a stage of an evaluation took.",
            ("stage",),
            buckets=_STAGE_SECONDS,
            registry=self.registry,
        )
        for stage in STAGES:
            self._stage.labels(stage)
        self._delay = Histogram(
            "driftwatch_schedule_delay_seconds",
            "Time from when an evaluation was due to when it began.",
            buckets=_DELAY_SECONDS,
            registry=self.registry,
        )

    def _declare_monitor_times(self) -> None:
        self._added = self._gauge(
            "driftwatch_monitor_added_timestamp_seconds",
            "When this process began to watch the monitor.",
            ("monitor",),
        )
        self._interval = self._gauge(
            "driftwatch_evaluation_interval_seconds",
            "Configured time between two evaluations of the monitor.",
            ("monitor",),
        )
        self._last_success = self._gauge(
            "driftwatch_evaluation_last_success_timestamp_seconds",
            "When an evaluation last ended well (outcome success or no_data); absent until one did.",
            ("monitor",),
        )
        self._last_completion = self._gauge(
            "driftwatch_evaluation_last_completion_timestamp_seconds",
            "When an evaluation last ended, with whatever outcome; absent until one did.",
            ("monitor",),
        )
        self._last_seconds = self._gauge(
            "driftwatch_evaluation_last_duration_seconds",
            "Time that the latest evaluation took.",
            ("monitor",),
        )
        self._per_monitor = (
            self._added,
            self._interval,
            self._last_success,
            self._last_completion,
            self._last_seconds,
        )

    def _declare_stores(self) -> None:
        self._source_up = self._gauge(
            "driftwatch_source_up",
            "1 if the latest query of the source was answered, 0 if not; absent until one was made.",
            ("source",),
        )
        self._source_queries = self._counter(
            "driftwatch_source_queries_total", "Queries sent to the source.", ("source",)
        )
        self._source_failures = self._counter(
            "driftwatch_source_query_failures_total",
            "Queries that the source did not answer, timeouts included.",
            ("source",),
        )
        self._source_rows = self._counter(
            "driftwatch_source_rows_read_total",
            "Rows that the source counted for us; they never leave it.",
            ("source",),
        )
        self._per_source = (
            self._source_up,
            self._source_queries,
            self._source_failures,
            self._source_rows,
        )
        self._store_up = self._gauge(
            "driftwatch_store_up",
            "1 if driftwatch's own store answered when it was last used, else 0.",
        )

    def _declare_daemon(self) -> None:
        self._heartbeat = self._gauge(
            "driftwatch_scheduler_heartbeat_timestamp_seconds",
            "When the scheduler's loop last turned.",
        )
        self._notifications = self._counter(
            "driftwatch_notifications_total",
            "Attempts to deliver a notification, by outcome.",
            ("outcome",),
        )
        for outcome in DeliveryOutcome:
            self._notifications.labels(outcome)
        self._pending = self._gauge(
            "driftwatch_notifications_pending", "Notifications that wait for their delivery."
        )
        self._config_successful = self._gauge(
            "driftwatch_config_last_reload_successful",
            "1 if the configuration that was read last is the one in use, else 0.",
        )
        self._config_time = self._gauge(
            "driftwatch_config_last_reload_success_timestamp_seconds",
            "When the configuration in use was read.",
        )
        self._log_messages = self._counter(
            "driftwatch_log_messages_total", "Messages logged, by level.", ("level",)
        )
        for level in LOG_LEVELS:
            self._log_messages.labels(level)
        build = self._gauge(
            "driftwatch_build_info",
            "Constant 1; carries the version of driftwatch and of Python.",
            ("version", "python"),
        )
        build.labels(driftwatch.__version__, platform.python_version()).set(1)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)


def _closed(what: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise ValueError(f"{value!r} is not an {what} of the closed list: {', '.join(known)}")


class LogCounter(logging.Handler):
    """A handler that counts messages by level; add it to the root logger."""

    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health = health

    def emit(self, record: logging.LogRecord) -> None:
        self._health.log_message(record.levelno)
