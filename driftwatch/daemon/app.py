"""The daemon as an object: new, start, reload, stop. Tests embed it in their own process."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Condition, Event, RLock, Thread

from apscheduler.events import (
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.jobstores.base import JobLookupError

from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon import schedule
from driftwatch.daemon.clock import EventClock, SteadyClock, process_now
from driftwatch.daemon.courier import Courier
from driftwatch.daemon.fleet import Fleet
from driftwatch.daemon.housekeeping import EVERY_SECONDS, FIRST_AFTER_SECONDS, Housekeeper
from driftwatch.daemon.reload import Reloader
from driftwatch.daemon.runner import Ran
from driftwatch.daemon.watched import Difference, refuse_what_needs_a_restart
from driftwatch.errors import DriftwatchError, StoreAwayError, StoreError
from driftwatch.exposition.health import Health
from driftwatch.exposition.page import Page
from driftwatch.exposition.pages import Pages
from driftwatch.exposition.security import open_security
from driftwatch.exposition.web import Probes, WebServer, create_app
from driftwatch.source import Source
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema

log = logging.getLogger(__name__)

MAX_WORKERS = 16
"""Evaluations that run at a time; each source bounds its own queries below that."""

STORE_SECONDS = 5.0
"""How often a store that was away at the start is tried again."""

_CANCEL_SHARE = 0.25
"""The last part of the grace time, in which SQL that still runs is cancelled."""


class App:
    """Everything that `driftwatch serve` runs, between `start` and `stop`.

    on_ran: told of every evaluation that ended, from the thread that ran it. pages: makes those
    for people, of the configuration in use; None: without them. on_beat: called whenever the
    scheduler's loop has turned, from a thread of its own. read: reads the configuration again, for
    `reloader`; raises DriftwatchError. lifecycle: whether a POST to /-/reload may ask for that.
    """

    def __init__(
        self,
        settings: Settings,
        event_clock: EventClock,
        *,
        on_ran: Callable[[MonitorSettings, Ran], None] | None = None,
        pages: Callable[[Callable[[], Settings]], Pages] | None = None,
        on_beat: Callable[[], None] = lambda: None,
        read: Callable[[], Settings] | None = None,
        lifecycle: bool = False,
    ) -> None:
        self.settings = settings
        self.health = Health()
        self.page = Page(max_series=settings.max_series)
        self._on_ran = on_ran
        self._on_beat = on_beat
        self._stopping = Event()
        self._changing = RLock()
        self._idle = Condition()
        self._running = 0
        self._opened = False
        self._beat: datetime | None = None
        self._steady = SteadyClock()
        self._store = open_store(settings.store_url, secrets=settings.store_secrets)
        self._fleet = Fleet(
            settings,
            self._store,
            event_clock,
            health=self.health,
            page=self.page,
            steady_now=self._steady.now,
            on_ran=self._ran,
        )
        self._workers = schedule.PunctualExecutor(MAX_WORKERS)
        self._scheduler = schedule.new_scheduler(self._workers)
        self._housekeeper = self._new_housekeeper(settings)
        self._courier = self._new_courier(settings)
        self.reloader = Reloader(read or (lambda: settings), self.reload, self.health)
        probes = Probes(
            now=self._steady.now,
            heartbeat=lambda: self._beat,
            not_ready=self._not_ready,
            reload=self.reloader.reload if lifecycle else None,
        )
        self.web = WebServer(
            create_app(self.page, self.health, probes, pages and pages(lambda: self.settings)),
            settings.host,
            settings.port,
            security=open_security(settings.web_config, self.health.web_config_loaded),
        )

    def start(self) -> None:
        """Migrate an empty store, show what is stored, then listen, then evaluate.

        A source that is down is no reason not to start. A store that is away is waited for: until
        it answers, nothing is evaluated, and /-/ready says so.

        Raises DriftwatchError if the store cannot be used as it is, or the address is taken.
        """
        self.health.config_loaded(process_now())
        try:
            self._open()
        except StoreAwayError as error:
            log.error("nothing is watched yet: %s", error)
            self.health.store_answered(False)
        self.web.start()
        self._start_schedule()
        if self._opened:
            self._begin()
        else:
            Thread(target=self._open_later, name="driftwatch-store", daemon=True).start()

    def reload(self, settings: Settings) -> Difference:
        """Go on with another configuration, all of it or nothing.

        Monitors that are the same keep their schedule, their counters and what they show. A changed
        one is evaluated soon; an evaluation that runs ends by the configuration it began with.

        ConfigError: it changes what only a restart can change. StoreAwayError: not started yet.
        """
        refuse_what_needs_a_restart(self.settings, settings)
        with self._changing:
            if self._stopping.is_set():
                raise DriftwatchError("driftwatch is about to stop; start it again instead.")
            if not self._opened:
                raise StoreAwayError("the store has not answered yet. Reload when it does.")
            found = self._fleet.exchange(settings)
            for name in found.removed:
                with suppress(JobLookupError):
                    self._scheduler.remove_job(name)
            for one in settings.monitors:
                if one.name not in found.unchanged:
                    self._schedule(one)
            self._housekeeper = self._new_housekeeper(settings)
            self._exchange_courier(settings)
            self.settings = settings
        self.health.config_loaded(process_now())
        log.info("the configuration was read again: %s", found)
        return found

    def stop(self) -> bool:
        """End within the grace time: no new evaluation; the running ones may end until the last
        quarter of it, then their SQL is cancelled.

        Nothing that was committed is lost, nothing half-done is kept. Returns whether everything
        ended; what did not (a store that is locked) can only be left by ending the process.
        """
        grace = self.settings.grace_seconds
        until = time.monotonic() + grace
        self._stopping.set()
        # A reload, or an opening, may wait for a store that does not answer.
        settled = self._changing.acquire(timeout=grace * _CANCEL_SHARE)
        courier = self._courier
        if settled:
            self._changing.release()
        if courier is not None:
            courier.stop(0)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        cancel_at = until - grace * _CANCEL_SHARE
        idle = self._wait_idle(cancel_at - time.monotonic()) or self._cancel(until)
        if courier is not None:
            courier.stop(max(0.0, until - time.monotonic()))
        self.web.stop()
        for source in self._fleet.sources.values():
            source.close()
        self._store.close()
        return idle and settled

    def _cancel(self, until: float) -> bool:
        """Cancel again and again: an evaluation may begin its next statement meanwhile."""

        def cancel(source: Source) -> None:
            while time.monotonic() < until and not self._wait_idle(0.1):
                source.cancel()

        log.warning("evaluations are still running; their SQL is cancelled")
        for name, source in self._fleet.sources.items():
            # Each in its own thread: one that does not answer must not hold up the others.
            Thread(target=cancel, args=[source], name=f"cancel-{name}", daemon=True).start()
        return self._wait_idle(until - time.monotonic())

    def _open(self) -> None:
        """The store is ready, and what it knows is shown. StoreAwayError: it does not answer."""
        ensure_schema(self._store)
        self.health.store_answered(True)
        self._fleet.show()
        self._opened = True

    def _open_later(self) -> None:
        while not self._stopping.wait(STORE_SECONDS):
            try:
                with self._changing:
                    self._open()
                    if not self._stopping.is_set():
                        self._begin()
            except StoreAwayError as error:
                log.warning("still nothing is watched: %s", error)
            except StoreError as error:
                # Not the start of old: whoever started it is not there to read it any more.
                log.error("still nothing is watched, and waiting does not help: %s", error)
            except Exception:
                log.exception("still nothing is watched: unexpected error")
            else:
                log.info("the store answers; watching begins")
                return

    def _begin(self) -> None:
        for one in self.settings.monitors:
            self._schedule(one)
        schedule.add_housekeeping(
            self._scheduler,
            self._keep_house,
            every_seconds=EVERY_SECONDS,
            at=process_now() + timedelta(seconds=FIRST_AFTER_SECONDS),
        )
        if self._courier is not None:
            self._courier.start()

    def _start_schedule(self) -> None:
        schedule.add_heartbeat(self._scheduler, self._heartbeat, process_now())
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED)
        self._scheduler.start()

    def _schedule(self, monitor: MonitorSettings) -> None:
        schedule.add_monitor(
            self._scheduler, monitor.name, monitor.every_seconds, self._run, process_now()
        )

    def _new_housekeeper(self, settings: Settings) -> Housekeeper:
        return Housekeeper(
            settings, self._store, self.health, process_now=process_now, stopping=self._stopping
        )

    def _new_courier(self, settings: Settings) -> Courier | None:
        if settings.webhook is None:
            return None
        return Courier(settings.webhook, self._store, self.health, process_now=process_now)

    def _exchange_courier(self, settings: Settings) -> None:
        if settings.webhook == self.settings.webhook:
            return
        if self._courier is not None:
            self._courier.stop(0)  # what it is sending is claimed: nobody sends it twice
        self._courier = self._new_courier(settings)
        if self._courier is not None and not self._stopping.is_set():
            self._courier.start()

    def _heartbeat(self) -> None:
        self._beat = self._steady.now()
        self.health.heartbeat(process_now())
        self._on_beat()

    def _skipped(self, event: JobSubmissionEvent) -> None:
        if event.job_id in self._fleet:
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
            delay = self._workers.delay_seconds(name, process_now())
            return at_work and self._fleet.run(name, delay_seconds=delay)

    def _ran(self, monitor: MonitorSettings, ran: Ran) -> None:
        courier = self._courier
        if ran.report.changes and courier is not None:
            courier.wake()
        if self._on_ran is not None:
            self._on_ran(monitor, ran)

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

    def _not_ready(self) -> list[str]:
        found = [] if self._scheduler.running else ["the scheduler is not running"]
        return found if self._opened else [*found, "the store has not answered yet; see the log"]

    def _wait_idle(self, seconds: float) -> bool:
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout=seconds)
