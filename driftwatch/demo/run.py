"""`driftwatch demo`: the year so far at once, then December as it happens, on a fast event clock.

Everything lies in one folder, and everything continues where it stopped: the log by its own rows,
the daemon by its store.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from sqlalchemy import Connection

from driftwatch.alert.policy import AlertState
from driftwatch.config.load import load_settings
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.app import App
from driftwatch.daemon.clock import ReplayClock
from driftwatch.daemon.runner import Ran
from driftwatch.daemon.signals import stop_signals
from driftwatch.demo.folder import CONFIG, LOG, own_folder, write_config
from driftwatch.demo.log import build_log, logged_until, replay
from driftwatch.demo.screen import Screen
from driftwatch.errors import ConfigError, DriftwatchError
from driftwatch.exposition.pages import Pages
from driftwatch.store import alerts, results
from driftwatch.store.alerts import AlertEvent
from driftwatch.store.engine import open_store
from driftwatch.store.results import ResultRow
from driftwatch.verdict.policy import VOLUME

YEAR_START = datetime(2013, 1, 1, tzinfo=UTC)
HISTORY_END = datetime(2013, 12, 1, 1, tzinfo=UTC)
"""One hour into December, so that the delay of November's last day is over."""

YEAR_END = datetime(2014, 1, 1, tzinfo=UTC)
REPLAY_END = datetime(2014, 1, 1, 1, tzinfo=UTC)
"""One hour into the next year, so that the delay of the last day is over."""

_STEP_SECONDS = 0.25
_DAY_SECONDS = 86_400


PagesOf = Callable[[Callable[[], Settings]], Pages]


def run_demo(folder: Path, listen: str, seconds_per_day: float, pages: PagesOf) -> None:
    """Set the folder up if it is new, then watch until a signal. DriftwatchError as for `serve`.

    pages: those that the daemon serves to people; see `App`.
    """
    with stop_signals() as stop, own_folder(folder), _log_errors(folder / LOG):
        _run(folder, _settings(folder, listen), seconds_per_day, stop, pages)


def _run(
    folder: Path, settings: Settings, seconds_per_day: float, stop: Event, pages: PagesOf
) -> None:
    screen = Screen()
    log = folder / LOG
    resumed = logged_until(log)
    start = max(HISTORY_END, resumed or HISTORY_END)
    # Before the flights are read and the daemon starts: both take their seconds.
    screen.begins(start if resumed else None)
    build_log(log, start)
    clock = ReplayClock(start)
    watcher = Watcher(screen, settings)
    daemon = App(settings, clock, on_ran=watcher.on_ran, pages=pages)
    try:
        daemon.start()
        screen.watching(settings.monitors[0], folder, f"{daemon.web.url}/metrics")
        _replay(stop, watcher, log, clock, seconds_per_day)
        stop.wait()
        screen.say("Stopping.")
    finally:
        daemon.stop()
    screen.say(f"Stopped on {clock.now():%d %B %Y} of the log's time; the next start continues.")


@contextmanager
def _log_errors(log: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DriftwatchError(
            f"the log {log} cannot be written: {error}. Look at its disk; or remove the folder "
            f"{log.parent} to begin again"
        ) from error


def _settings(folder: Path, listen: str) -> Settings:
    """Write the demo's configuration into its folder, so that every command can be tried on it."""
    write_config(folder, listen)
    try:
        return load_settings(folder / CONFIG)
    except ConfigError as error:
        raise ConfigError(f"--folder or --listen does not serve:\n{error}") from error


def _replay(
    stop: Event, watcher: "Watcher", log: Path, clock: ReplayClock, seconds_per_day: float
) -> None:
    """Append rows as their time comes; the event clock follows what is in the log."""
    while not watcher.caught_up.wait(0.1):
        if stop.is_set():
            return
    # The hour after the year is replayed for the delay of its last day alone.
    if clock.now() < YEAR_END:
        watcher.screen.say(
            f"Now the rest of the year as it happens, a day every {seconds_per_day:g} seconds "
            f"(Ctrl-C stops):",
            "bold",
        )
    step = timedelta(seconds=_DAY_SECONDS * _STEP_SECONDS / seconds_per_day)
    while clock.now() < REPLAY_END and not stop.wait(_STEP_SECONDS):
        moment = min(clock.now() + step, REPLAY_END)
        replay(log, clock.now(), moment)
        clock.advance(moment)
    watcher.wait_for(YEAR_END, stop)
    if not stop.is_set():
        watcher.year_over(log.parent)


class Watcher:
    """Listens to the daemon: the year so far in a few lines, then a line per replayed day."""

    def __init__(self, screen: Screen, settings: Settings) -> None:
        self.screen = screen
        self.caught_up = Event()
        self._settings = settings
        self._begun = time.monotonic()
        self._windows = 0
        self._shown_until = HISTORY_END

    def on_ran(self, monitor: MonitorSettings, ran: Ran) -> None:
        """One evaluation ended. It may be called from any thread, but never twice at a time."""
        self.screen.trouble(ran)
        try:
            self._tell(monitor, ran)
        except DriftwatchError as error:
            self.screen.say(f"  {error}", "red")

    def _tell(self, monitor: MonitorSettings, ran: Ran) -> None:
        if self.caught_up.is_set():
            if ran.report.windows_judged:
                self._new_days(monitor)
            self.screen.changes(ran.report.changes)
            return
        self._windows += ran.report.windows_judged
        if ran.report.prepared is not None and not ran.report.behind:
            self._sum_up(monitor)
            self.caught_up.set()

    def wait_for(self, end: datetime, stop: Event) -> None:
        """Until the window that ends at `end` was shown, or somebody stops the demo."""
        while self._shown_until < end and not stop.wait(0.1):
            pass

    def year_over(self, folder: Path) -> None:
        self.screen.say(
            f"\nThe year is over; /metrics stays. Ctrl-C stops; remove {folder}/ to begin again."
        )

    def _sum_up(self, monitor: MonitorSettings) -> None:
        rows = self._results(monitor, YEAR_START)
        if self._windows:
            seconds = time.monotonic() - self._begun
            self.screen.say(
                f"Captured the reference and judged {self._windows} days in {seconds:.0f} s."
            )
        self.screen.flagged_days([row for row in rows if row.verdict in ("warning", "critical")])
        self.screen.alerts(self._alerts(monitor))
        self._shown_until = max((row.window_end for row in rows), default=HISTORY_END)

    def _alerts(self, monitor: MonitorSettings) -> list[AlertEvent]:
        with self._reading() as connection:
            events = alerts.events(connection, monitor.name, since=YEAR_START)
        firing = AlertState.FIRING
        return [one for one in reversed(events) if firing in (one.from_state, one.to_state)]

    def _new_days(self, monitor: MonitorSettings) -> None:
        rows = self._results(monitor, self._shown_until)
        for end in sorted({row.window_end for row in rows}):
            self.screen.day([row for row in rows if row.window_end == end])
            self._shown_until = end

    def _results(self, monitor: MonitorSettings, since: datetime) -> list[ResultRow]:
        with self._reading() as connection:
            return [
                record.row
                for name in (VOLUME, *(feature.name for feature in monitor.features))
                for record in results.history(
                    connection, monitor.name, name, monitor.window_seconds[0], since
                )
            ]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        store = open_store(self._settings.store_url)
        try:
            with store.read() as connection:
                yield connection
        finally:
            store.close()
