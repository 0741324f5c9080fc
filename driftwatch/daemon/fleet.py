"""All monitors at work: evaluated by name, shown, exchanged for those of a new configuration."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from threading import RLock

from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.clock import EventClock, process_now
from driftwatch.daemon.publish import Publisher, last_times
from driftwatch.daemon.runner import MonitorRunner, Ran
from driftwatch.daemon.watched import Difference, Watched, difference, used_sources
from driftwatch.errors import SourceError, StoreError
from driftwatch.exposition.health import Health
from driftwatch.exposition.outcomes import SUCCESSES
from driftwatch.exposition.page import Page
from driftwatch.source import Source, open_source
from driftwatch.store.engine import Store

log = logging.getLogger(__name__)

STALE_INTERVALS = 5
"""A monitor that has not succeeded for so many intervals no longer shows its old values."""

_LEAST_INTERVAL_SECONDS = 60.0


class Fleet:
    """The monitors of the configuration in use, each with its source.

    Every method may be called from any thread; one monitor is never run twice at a time.

    steady_now: process time that no setting of the wall clock moves. on_ran: told of every
    evaluation that ended, from the thread that ran it.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        event_clock: EventClock,
        *,
        health: Health,
        page: Page,
        steady_now: Callable[[], datetime],
        on_ran: Callable[[MonitorSettings, Ran], None] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._event_clock = event_clock
        self._health = health
        self._page = page
        self._steady_now = steady_now
        self._on_ran = on_ran
        self._exchanging = RLock()
        self._sources: Mapping[str, Source] = _opened(settings, used_sources(settings))
        self._watched = {one.name: self._watch(one, settings) for one in settings.monitors}

    @property
    def sources(self) -> Mapping[str, Source]:
        """Those that monitors read, by name."""
        return self._sources

    def __contains__(self, name: str) -> bool:
        return name in self._watched

    def show(self) -> None:
        """Show all monitors as the store knows them."""
        for name in self._sources:
            self._health.source_added(name)
        self._present(list(self._watched.values()), added=self._watched.keys())
        self._page.prepare(self._steady_now())

    def run(self, name: str, *, delay_seconds: float) -> bool:
        """One evaluation, which begins so long after its time; returns whether more is to be done
        at once. A monitor that was removed just now has nothing to do."""
        watched = self._watched.get(name)
        return watched is not None and self._evaluate(watched, delay_seconds)

    def exchange(self, settings: Settings) -> Difference:
        """Take up a new configuration. Monitors that are the same are not touched; an evaluation
        that runs ends by the configuration it began with."""
        with self._exchanging:
            found = difference(self._settings, settings)
            left = self._exchange_sources(settings)
            fresh = {*found.added, *found.changed}
            before = self._watched
            self._watched = {
                one.name: self._watch(one, settings) if one.name in fresh else before[one.name]
                for one in settings.monitors
            }
            self._page.max_series = settings.max_series
            self._settings = settings
            for name in found.removed:
                self._page.remove(name)
                self._health.monitor_removed(name)
        for source in left:  # a connection in use is closed when its evaluation ends
            source.close()
        taken_up = [self._watched[name] for name in (*found.added, *found.changed)]
        self._present(taken_up, added=found.added)
        self._page.prepare(self._steady_now(), urgent=True)
        return found

    def _watch(self, monitor: MonitorSettings, settings: Settings) -> Watched:
        fresh_for = STALE_INTERVALS * max(monitor.every_seconds, _LEAST_INTERVAL_SECONDS)
        return Watched(
            monitor,
            MonitorRunner(
                monitor,
                self._sources[monitor.source],
                self._store,
                event_clock=self._event_clock,
                process_now=process_now,
                notify=settings.webhook is not None,
            ),
            Publisher(
                self._store,
                monitor,
                fresh_for=timedelta(seconds=fresh_for),
                steady_now=self._steady_now,
            ),
        )

    def _exchange_sources(self, settings: Settings) -> Sequence[Source]:
        """Open what is new or changed; returns what nobody uses any more."""
        used, known = used_sources(settings), self._settings.sources
        kept = {
            name: source
            for name, source in self._sources.items()
            if name in used and known[name] == settings.sources[name]
        }
        opened = _opened(settings, [name for name in used if name not in kept])
        left = [source for name, source in self._sources.items() if name not in kept]
        for name in self._sources.keys() - set(used):
            self._health.source_removed(name)
        for name in opened:
            self._health.source_added(name)
        self._sources = {**kept, **opened}
        return left

    def _present(self, these: Sequence[Watched], *, added: Collection[str]) -> None:
        """Show these as the store knows them.

        Once it does not answer, it is not asked for the others: a server that is away may take ten
        seconds for each question. Their next evaluation shows them.
        """
        answers = True
        for one in these:
            name, interval = one.settings.name, one.settings.every_seconds
            if name in added:
                self._add_to_health(one.settings, ask=answers)
            else:
                self._health.monitor_changed(name, interval_seconds=interval)
            answers = answers and self._publish(one)

    def _add_to_health(self, monitor: MonitorSettings, *, ask: bool) -> None:
        success, completion = None, None
        if ask:
            with suppress(StoreError):  # then it is as if it had never run; `_publish` tells of it
                success, completion = last_times(self._store, monitor.name)
        self._health.monitor_added(
            monitor.name,
            now=process_now(),
            interval_seconds=monitor.every_seconds,
            last_success=success,
            last_completion=completion,
        )

    def _evaluate(self, watched: Watched, delay_seconds: float) -> bool:
        self._health.evaluation_started(delay_seconds=delay_seconds)
        try:
            ran = watched.runner.run()
            self._account(watched, ran)
            self._publish(watched)
            self._page.prepare(self._steady_now())
            if self._on_ran is not None:
                self._on_ran(watched.settings, ran)
            return ran.report.behind
        finally:
            self._health.evaluation_ended()

    def _account(self, watched: Watched, ran: Ran) -> None:
        monitor, report = watched.settings, ran.report
        self._health.evaluation_finished(
            monitor.name,
            outcome=report.outcome,
            finished=ran.started_at + timedelta(seconds=ran.seconds),
            seconds=ran.seconds,
            stages=report.stages.by_name() if report.scan else None,
            not_counted=len(report.troubles) if report.scan else None,
        )
        if report.outcome in SUCCESSES:
            watched.publisher.succeeded()
            self._health.log_compared(
                monitor.name,
                revised_panes=report.revised_panes,
                shrunk_panes=report.shrunk_panes,
                # A log that lags behind the clock at a steady distance holds nothing up.
                held=bool(report.held) and report.scan is None,
            )
            # A source that failed was asked again; one that was not asked answered the last time.
            asked = 0 if report.scan is None else 1
            self._health.source_answered(monitor.source, rows=report.rows_scanned, queries=asked)
        elif report.outcome in (SourceError.outcome, "timeout"):
            self._health.source_failed(monitor.source)
        self._health.store_answered(report.outcome != StoreError.outcome)

    def _publish(self, watched: Watched) -> bool:
        """Show what is stored, by the configuration in use by now; False if it cannot be read."""
        name = watched.settings.name
        current = self._watched.get(name, watched)
        try:
            blocks = current.publisher.publish(room=self._page.room(name, len(self._watched)))
        except StoreError as error:
            # What is shown stays until it expires: a scrape never waits for the store.
            log.warning("monitor %s: metrics are not renewed: %s", name, error)
            self._health.store_answered(False)
            return False
        with self._exchanging:
            if self._watched.get(name) is current:
                self._page.replace(blocks)
        return True


def _opened(settings: Settings, names: Sequence[str]) -> Mapping[str, Source]:
    """These sources; nothing connects yet."""
    return {name: open_source(settings.sources[name]) for name in names}
