"""The daemon as an object: new, start, stop. Tests embed it in their own process."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Condition, Event, Thread

from apscheduler.events import (
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon import schedule
from driftwatch.daemon.clock import EventClock, SteadyClock, process_now
from driftwatch.daemon.courier import Courier
from driftwatch.daemon.housekeeping import EVERY_SECONDS, FIRST_AFTER_SECONDS, Housekeeper
from driftwatch.daemon.publish import Publisher, last_times
from driftwatch.daemon.runner import MonitorRunner, Ran
from driftwatch.errors import SourceError, StoreError
from driftwatch.exposition.health import Health
from driftwatch.exposition.outcomes import SUCCESSES
from driftwatch.exposition.page import Page
from driftwatch.exposition.web import Probes, WebServer, create_app
from driftwatch.source import Source, open_source
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema

log = logging.getLogger(__name__)

MAX_WORKERS = 16
"""Evaluations that run at a time; each source bounds its own queries below that."""

STALE_INTERVALS = 5
"""A monitor that has not succeeded for so many intervals no longer shows its old values."""

_CANCEL_SHARE = 0.25
"""The last part of the grace time, in which SQL that still runs is cancelled."""


class App:
    """Everything that `driftwatch serve` runs, between `start` and `stop`.

    on_ran: told of every evaluation that ended, from the thread that ran it.
    """

    def __init__(
        self,
        settings: Settings,
        event_clock: EventClock,
        *,
        on_ran: Callable[[MonitorSettings, Ran], None] | None = None,
    ) -> None:
        self.settings = settings
        self.health = Health()
        self.page = Page()
        self._on_ran = on_ran
        self._stopping = Event()
        self._idle = Condition()
        self._running = 0
        self._beat: datetime | None = None
        self._steady = SteadyClock()
        self._store = open_store(settings.store_url)
        self._sources = _open_sources(settings)
        self._runners = {
            monitor.name: MonitorRunner(
                monitor,
                self._sources[monitor.source],
                self._store,
                event_clock=event_clock,
                process_now=process_now,
                notify=settings.webhook is not None,
            )
            for monitor in settings.monitors
        }
        self._publishers = {
            monitor.name: Publisher(
                self._store,
                monitor,
                fresh_for=timedelta(seconds=STALE_INTERVALS * max(monitor.every_seconds, 60)),
                steady_now=self._steady.now,
            )
            for monitor in settings.monitors
        }
        self._scheduler = schedule.new_scheduler(min(MAX_WORKERS, len(settings.monitors)))
        self._housekeeper = Housekeeper(
            settings, self._store, self.health, process_now=process_now, stopping=self._stopping
        )
        self._courier = (
            Courier(settings.webhook, self._store, self.health, process_now=process_now)
            if settings.webhook
            else None
        )
        probes = Probes(
            now=self._steady.now, heartbeat=lambda: self._beat, not_ready=self._not_ready
        )
        self.web = WebServer(
            create_app(self.page, self.health, probes), settings.host, settings.port
        )

    def start(self) -> None:
        """Migrate an empty store, show what is stored, then listen, then evaluate.

        Raises DriftwatchError if the store cannot be used or the address is taken. A source that
        is down is no reason not to start.
        """
        started_at = process_now()
        ensure_schema(self._store)
        self.health.config_loaded(started_at)
        self.health.store_answered(True)
        for name in self._sources:
            self.health.source_added(name)
        for monitor in self.settings.monitors:
            success, completion = last_times(self._store, monitor.name)
            self.health.monitor_added(
                monitor.name,
                now=started_at,
                interval_seconds=monitor.every_seconds,
                last_success=success,
                last_completion=completion,
            )
            self._publish(monitor)
        self.web.start()
        self._start_schedule(self._scheduler)
        if self._courier is not None:
            self._courier.start()

    def stop(self) -> bool:
        """End within the grace time: no new evaluation; the running ones may end until the last
        quarter of it, then their SQL is cancelled.

        Nothing that was committed is lost, nothing half-done is kept. Returns whether everything
        ended; what did not (a store that is locked) can only be left by ending the process.
        """
        grace = self.settings.grace_seconds
        until = time.monotonic() + grace
        self._stopping.set()
        if self._courier is not None:
            self._courier.stop(0)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        idle = self._wait_idle(grace * (1 - _CANCEL_SHARE)) or self._cancel(until)
        if self._courier is not None:
            self._courier.stop(max(0.0, until - time.monotonic()))
        self.web.stop()
        for source in self._sources.values():
            source.close()
        self._store.close()
        return idle

    def _cancel(self, until: float) -> bool:
        """Cancel again and again: an evaluation may begin its next statement meanwhile."""

        def cancel(source: Source) -> None:
            while time.monotonic() < until and not self._wait_idle(0.1):
                source.cancel()

        log.warning("evaluations are still running; their SQL is cancelled")
        for name, source in self._sources.items():
            # Each in its own thread: one that does not answer must not hold up the others.
            Thread(target=cancel, args=[source], name=f"cancel-{name}", daemon=True).start()
        return self._wait_idle(until - time.monotonic())

    def _start_schedule(self, scheduler: BackgroundScheduler) -> None:
        now = process_now()
        schedule.add_heartbeat(scheduler, self._heartbeat, now)
        for monitor in self.settings.monitors:
            schedule.add_monitor(scheduler, monitor.name, monitor.every_seconds, self._run, now)
        schedule.add_housekeeping(
            scheduler,
            self._keep_house,
            every_seconds=EVERY_SECONDS,
            at=now + timedelta(seconds=FIRST_AFTER_SECONDS),
        )
        scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)
        scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED)
        scheduler.start()

    def _heartbeat(self) -> None:
        self._beat = self._steady.now()
        self.health.heartbeat(process_now())

    def _skipped(self, event: JobSubmissionEvent) -> None:
        if event.job_id in self._runners:
            self.health.evaluation_skipped(event.job_id, "still_running")

    def _ended(self, event: JobExecutionEvent) -> None:
        """Catch up at once, but behind whoever is waiting for a worker.

        Not before the run has ended for the scheduler, too: it would skip the next one.
        """
        if event.retval is True and not self._stopping.is_set():
            with suppress(JobLookupError):  # the scheduler was shut down just now
                self._scheduler.modify_job(event.job_id, next_run_time=process_now())

    def _run(self, name: str) -> bool:
        """One scheduled evaluation; returns whether more is to be done at once."""
        with self._at_work() as at_work:
            return at_work and self._evaluate(self._runners[name])

    def _evaluate(self, runner: MonitorRunner) -> bool:
        self.health.evaluation_started()
        try:
            ran = runner.run()
            self._account(runner.monitor, ran)
            self._publish(runner.monitor)
            if self._on_ran is not None:
                self._on_ran(runner.monitor, ran)
            return ran.report.behind
        finally:
            self.health.evaluation_ended()

    def _keep_house(self) -> None:
        with self._at_work() as at_work:
            if at_work:
                self._housekeeper.run()

    @contextmanager
    def _at_work(self) -> Iterator[bool]:
        """Something that `stop` waits for; False when it is too late to begin."""
        with self._idle:
            begins = not self._stopping.is_set()
            self._running += begins
        try:
            yield begins
        finally:
            with self._idle:
                self._running -= begins
                self._idle.notify_all()

    def _account(self, monitor: MonitorSettings, ran: Ran) -> None:
        report = ran.report
        self.health.evaluation_finished(
            monitor.name,
            outcome=report.outcome,
            finished=ran.started_at + timedelta(seconds=ran.seconds),
            seconds=ran.seconds,
            stages=report.stages.by_name() if report.scan else None,
            not_counted=len(report.troubles) if report.scan else None,
        )
        if report.outcome in SUCCESSES:
            self._publishers[monitor.name].succeeded()
            self.health.log_compared(
                monitor.name,
                revised_panes=report.revised_panes,
                shrunk_panes=report.shrunk_panes,
                # A log that lags behind the clock at a steady distance holds nothing up.
                held=bool(report.held) and report.scan is None,
            )
            # A source that failed was asked again; one that was not asked answered the last time.
            asked = 0 if report.scan is None else 1
            self.health.source_answered(monitor.source, rows=report.rows_scanned, queries=asked)
        elif report.outcome in (SourceError.outcome, "timeout"):
            self.health.source_failed(monitor.source)
        self.health.store_answered(report.outcome != StoreError.outcome)
        if report.changes and self._courier is not None:
            self._courier.wake()

    def _publish(self, monitor: MonitorSettings) -> None:
        try:
            self.page.replace(self._publishers[monitor.name].publish())
        except StoreError as error:
            # What is shown stays until it expires: a scrape never waits for the store.
            log.warning("monitor %s: metrics are not renewed: %s", monitor.name, error)
            self.health.store_answered(False)

    def _not_ready(self) -> list[str]:
        return [] if self._scheduler.running else ["the scheduler is not running"]

    def _wait_idle(self, seconds: float) -> bool:
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout=seconds)


def _open_sources(settings: Settings) -> Mapping[str, Source]:
    used = {monitor.source for monitor in settings.monitors}
    return {name: open_source(settings.sources[name]) for name in sorted(used)}
