"""The metrics of the daemon itself, in a registry of their own (prometheus_client).

The daemon calls the methods as things happen; a scrape renders the registry. All children whose
labels are known exist at 0 from the start, so that `increase()` sees the first failure. Methods
about a monitor or source that is not there (it was removed while an evaluation of it still ran) do
nothing, so that no series comes back from the dead.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from threading import RLock
from typing import Concatenate, ParamSpec

from prometheus_client import CollectorRegistry

from driftwatch.exposition.instruments import Instruments
from driftwatch.exposition.labelled import Labelled
from driftwatch.exposition.outcomes import (
    LOG_LEVELS,
    OUTCOMES,
    PRUNED_TABLES,
    SKIP_REASONS,
    STAGES,
    SUCCESSES,
    DeliveryOutcome,
)
from driftwatch.exposition.text import clean

P = ParamSpec("P")


def _whole(
    method: Callable[Concatenate["Health", P], None],
) -> Callable[Concatenate["Health", P], None]:
    """Nothing is removed between the look whether it is there and the last of its series."""

    @wraps(method)
    def held(self: "Health", /, *arguments: P.args, **options: P.kwargs) -> None:
        with self._knowing:
            method(self, *arguments, **options)

    return held


class Health:
    """Every metric about the daemon: its monitors, sources, store, notifications and process.

    Every method may be called from any thread.
    """

    def __init__(self) -> None:
        self._instruments = Instruments()
        self._monitors: set[str] = set()
        self._sources: set[str] = set()
        self._knowing = RLock()

    @property
    def registry(self) -> CollectorRegistry:
        """What is not about one monitor or source; a scrape renders it."""
        return self._instruments.registry

    @property
    def labelled(self) -> Sequence[Labelled]:
        """What is about one monitor or source; a scrape joins it."""
        return (*self._instruments.per_monitor, *self._instruments.per_source)

    # -- monitors ---------------------------------------------------------------------------------

    @_whole
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
            self._instruments.evaluations.add(monitor, outcome)
        for reason in SKIP_REASONS:
            self._instruments.skipped.add(monitor, reason)
        self._instruments.added.set(monitor, to=now.timestamp())
        self._instruments.interval.set(monitor, to=interval_seconds)
        self._instruments.not_counted.add(monitor)
        self._instruments.held.add(monitor)
        self._instruments.revised.add(monitor)
        self._instruments.shrunk.add(monitor)
        if last_success is not None:
            self._instruments.last_success.set(monitor, to=last_success.timestamp())
        if last_completion is not None:
            self._instruments.last_completion.set(monitor, to=last_completion.timestamp())

    @_whole
    def monitor_changed(self, monitor: str, *, interval_seconds: float) -> None:
        """The monitor has another configuration; its counters go on."""
        if clean(monitor) in self._monitors:
            self._instruments.interval.set(clean(monitor), to=interval_seconds)

    @_whole
    def monitor_removed(self, monitor: str) -> None:
        """Nothing of this monitor is exposed any more."""
        monitor = clean(monitor)
        self._monitors.discard(monitor)
        for metric in self._instruments.per_monitor:
            metric.remove(monitor=monitor)

    def evaluation_started(self, *, delay_seconds: float = 0.0) -> None:
        """An evaluation began this long after its time. Pair it with `evaluation_ended`."""
        self._instruments.running.inc()
        self._instruments.delay.observe(max(0.0, delay_seconds))

    def evaluation_ended(self) -> None:
        """The pair of `evaluation_started`, however the evaluation ended."""
        self._instruments.running.dec()

    @_whole
    def evaluation_finished(
        self,
        monitor: str,
        *,
        outcome: str,
        finished: datetime,
        seconds: float,
        stages: Mapping[str, float] | None = None,
        not_counted: int | None = None,
    ) -> None:
        """An evaluation ended with this outcome after `seconds`; `stages`: seconds of each stage.

        not_counted: features that its scan left out; None if it did not scan: what is known of the
        newest scan stays. ValueError when the outcome or a stage is not from its closed list.
        """
        _closed("outcome", outcome, OUTCOMES)
        for stage, spent in (stages or {}).items():
            _closed("stage", stage, STAGES)
            self._instruments.stage.labels(stage).observe(spent)
        monitor = clean(monitor)
        if monitor not in self._monitors:
            return
        self._instruments.evaluations.add(monitor, outcome, amount=1)
        self._instruments.last_seconds.set(monitor, to=seconds)
        self._instruments.last_completion.set(monitor, to=finished.timestamp())
        if not_counted is not None:
            self._instruments.not_counted.set(monitor, to=not_counted)
        if outcome in SUCCESSES:
            self._instruments.last_success.set(monitor, to=finished.timestamp())

    @_whole
    def log_compared(
        self, monitor: str, *, revised_panes: int, shrunk_panes: int, held: bool
    ) -> None:
        """What an evaluation that ended well learnt of the log: panes that were counted anew,
        panes that hold fewer rows there than were counted (and were kept), and whether the
        readiness query holds the watermark."""
        monitor = clean(monitor)
        if monitor not in self._monitors:
            return
        self._instruments.revised.add(monitor, amount=revised_panes)
        self._instruments.shrunk.add(monitor, amount=shrunk_panes)
        self._instruments.held.set(monitor, to=1 if held else 0)

    @_whole
    def evaluation_skipped(self, monitor: str, reason: str) -> None:
        """An evaluation that was due did not start. ValueError for an unknown reason."""
        _closed("reason", reason, SKIP_REASONS)
        if clean(monitor) in self._monitors:
            self._instruments.skipped.add(clean(monitor), reason, amount=1)

    # -- sources and the store --------------------------------------------------------------------

    @_whole
    def source_added(self, source: str) -> None:
        """A source is configured: its counters exist at 0; up is unknown until it was asked."""
        source = clean(source)
        self._sources.add(source)
        self._instruments.source_queries.add(source)
        self._instruments.source_failures.add(source)
        self._instruments.source_rows.add(source)

    @_whole
    def source_removed(self, source: str) -> None:
        """Nothing of this source is exposed any more."""
        source = clean(source)
        self._sources.discard(source)
        for metric in self._instruments.per_source:
            metric.remove(source=source)

    @_whole
    def source_answered(self, source: str, *, rows: int, queries: int = 1) -> None:
        """The source answered; `rows` were read by it in all."""
        source = clean(source)
        if source not in self._sources:
            return
        self._instruments.source_up.set(source, to=1)
        self._instruments.source_queries.add(source, amount=queries)
        self._instruments.source_rows.add(source, amount=rows)

    @_whole
    def source_failed(self, source: str) -> None:
        """A query of the source failed or timed out."""
        source = clean(source)
        if source not in self._sources:
            return
        self._instruments.source_up.set(source, to=0)
        self._instruments.source_queries.add(source, amount=1)
        self._instruments.source_failures.add(source, amount=1)

    def store_answered(self, up: bool) -> None:
        """Whether driftwatch's own store could be read and written just now."""
        self._instruments.store_up.set(1 if up else 0)

    def rows_pruned(self, rows: Mapping[str, int]) -> None:
        """So many rows of each table were older than they are kept, and are gone. ValueError for
        an unknown table."""
        for table, count in rows.items():
            _closed("table", table, PRUNED_TABLES)
            self._instruments.pruned.labels(table).inc(count)

    def prune_failed(self) -> None:
        """Old rows could not be deleted; it is tried again."""
        self._instruments.prune_failures.inc()

    # -- the daemon -------------------------------------------------------------------------------

    def heartbeat(self, now: datetime) -> None:
        """The scheduler's loop turned. The figures of the process are taken with it."""
        self._instruments.process.take()
        self._instruments.heartbeat.set(now.timestamp())

    def notification(self, outcome: DeliveryOutcome) -> None:
        """An attempt to deliver a notification ended."""
        self._instruments.notifications.labels(outcome).inc()

    def notifications_pending(self, count: int) -> None:
        """Notifications that wait for their delivery."""
        self._instruments.pending.set(count)

    def config_loaded(self, now: datetime, *, successful: bool = True) -> None:
        """The configuration was read; one that was refused leaves the time of the last good one."""
        self._instruments.config_successful.set(1 if successful else 0)
        if successful:
            self._instruments.config_time.set(now.timestamp())

    def web_config_loaded(self, successful: bool) -> None:
        """Whether the web configuration that was read last is the one in use."""
        self._instruments.web_config_successful.set(1 if successful else 0)

    def log_message(self, level: int) -> None:
        """A message was logged at this level (of `logging`); a level between two counts as the
        lower one."""
        named = [name for name, least in LOG_LEVELS.items() if level >= least]
        self._instruments.log_messages.labels(named[-1] if named else "debug").inc()


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
