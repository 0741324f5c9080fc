"""`driftwatch serve`: the daemon until a signal ends it."""

import logging
import signal
from pathlib import Path

from driftwatch.cli.pages import pages_of
from driftwatch.cli.terminal import plural
from driftwatch.config.load import load_settings
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.app import App
from driftwatch.daemon.clock import LiveClock
from driftwatch.daemon.reload import ReloadThread
from driftwatch.daemon.runner import Ran
from driftwatch.daemon.signals import arriving_signals, end_process
from driftwatch.daemon.systemd import ServiceManager
from driftwatch.exposition.health import LogCounter
from driftwatch.window import format_duration

log = logging.getLogger(__name__)


def serve(path: Path, *, lifecycle: bool = False) -> None:
    """Run until SIGTERM or SIGINT; a second signal ends the process at once. SIGHUP reads the
    configuration again; where `lifecycle` is set, so does a POST to /-/reload."""
    settings = load_settings(path)
    manager = ServiceManager.of()
    daemon = App(
        settings,
        LiveClock(),
        on_ran=_log,
        on_beat=manager.alive,
        pages=pages_of,
        read=lambda: load_settings(path),
        lifecycle=lifecycle,
    )
    logging.getLogger().addHandler(LogCounter(daemon.health))
    with arriving_signals() as arrived:
        try:
            daemon.start()
            log.info("watching %s, metrics on %s/metrics", _names(settings), daemon.web.url)
            manager.ready(_status(daemon.settings))
            reloads = ReloadThread(lambda: _reload(daemon, manager))
            while arrived.get() is signal.SIGHUP:
                reloads.ask()
            manager.stopping()
            log.info(
                "stopping; all ends within %gs, SQL is cancelled before that",
                daemon.settings.grace_seconds,
            )
        finally:
            ended = daemon.stop()
    log.info("stopped" if ended else "stopped; what still ran was left, and will be done again")
    if not ended:
        end_process()


def _reload(daemon: App, manager: ServiceManager) -> None:
    manager.reloading()
    daemon.reloader.try_reload()
    manager.ready(_status(daemon.settings))


def _status(settings: Settings) -> str:
    return f"watching {plural(len(settings.monitors), 'monitor')}"


def _names(settings: Settings) -> str:
    return ", ".join(monitor.name for monitor in settings.monitors)


def _log(monitor: MonitorSettings, ran: Ran) -> None:
    report = ran.report
    for change in report.changes:
        moved = change.transition
        log.info(
            "monitor %s: %s %s over %s: %s -> %s at %s: %s",
            monitor.name,
            change.key.feature,
            change.key.kind,
            format_duration(change.key.window_seconds),
            moved.from_state,
            moved.to_state,
            moved.window_end.isoformat(),
            change.message,
        )
    if report.scan is not None:
        log.info(
            "monitor %s: %s: counted %s of %s, judged %s in %.3fs",
            monitor.name,
            report.outcome,
            plural(report.rows_scanned, "row"),
            report.scan,
            plural(report.windows_judged, "window"),
            ran.seconds,
        )
