"""`driftwatch evaluate --once`: everything that is complete now, then an exit code for cron."""

from collections.abc import Sequence

from driftwatch.alert.policy import AlertState
from driftwatch.cli.terminal import STYLES, clean, moment, open_console, plural, show
from driftwatch.cli.usage import find_monitors
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.clock import LiveClock, process_now
from driftwatch.daemon.courier import Courier
from driftwatch.daemon.runner import MonitorRunner, Ran
from driftwatch.exposition.health import Health
from driftwatch.exposition.outcomes import SUCCESSES
from driftwatch.source import open_source
from driftwatch.store import snapshot
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.results import ResultRow
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.window import format_duration

FINE, FAILURE, DRIFT = 0, 1, 3


def evaluate_once(settings: Settings, names: Sequence[str]) -> int:
    """Evaluate these monitors (all, if none is named) until they have caught up.

    The exit code: 1 if one failed, else 3 if an alert of one fires, else 0. BadParameter for a
    name that is not configured.
    """
    chosen = find_monitors(settings, names)
    store = open_store(settings.store_url)
    try:
        ensure_schema(store)
        codes = {_evaluate(settings, monitor, store) for monitor in chosen}
        _deliver(settings, store)
    finally:
        store.close()
    return FAILURE if FAILURE in codes else max(codes)


def _evaluate(settings: Settings, monitor: MonitorSettings, store: Store) -> int:
    source = open_source(settings.sources[monitor.source])
    runner = MonitorRunner(
        monitor,
        source,
        store,
        event_clock=LiveClock(),
        process_now=process_now,
        notify=settings.webhook is not None,
    )
    rows = windows = 0
    try:
        while True:
            ran = runner.run()
            rows += ran.report.rows_scanned
            windows += ran.report.windows_judged
            if not ran.report.behind:
                break
    finally:
        source.close()
    return _tell(monitor, ran, store, rows, windows)


def _tell(monitor: MonitorSettings, ran: Ran, store: Store, rows: int, windows: int) -> int:
    if ran.report.outcome not in SUCCESSES:
        problem = f"{monitor.name}: {ran.report.outcome}: {clean(ran.report.message)}"
        show(open_console(stderr=True), problem, "red")
        return FAILURE
    console = open_console()
    with store.read() as connection:
        found = snapshot.read(connection, monitor.name)
    note = f" ({clean(ran.report.message)})" if ran.report.message else ""
    did = f"counted {plural(rows, 'row')}, judged {plural(windows, 'window')}"
    show(console, f"{monitor.name}: {did}{note}")
    firing = alerts_in(AlertState.FIRING, found, monitor)
    for record in firing:
        key, status = record.key, record.status
        length = format_duration(key.window_seconds)
        fires = f"{clean(key.feature)} ({key.kind}, {length}) since {moment(status.fired_at)}"
        show(console, f"  {status.severity}: {fires}", STYLES[str(status.severity)])
    blind = {row.feature for row in watched_rows(monitor, found) if not row.verdict.judged}
    if blind:
        names = clean(", ".join(sorted(blind)))
        show(console, f"  not judged in the newest window: {names}; `driftwatch status` says why")
    return DRIFT if firing else FINE


def watched_rows(monitor: MonitorSettings, known: MonitorSnapshot) -> list[ResultRow]:
    """The newest results of what is configured now."""
    found = (one.row for one in known.results)
    return [row for row in found if monitor.watches(row.feature, row.window_seconds)]


def alerts_in(
    state: AlertState, known: MonitorSnapshot, monitor: MonitorSettings
) -> list[AlertRecord]:
    """The alerts in this state that are still configured, in the order of their keys."""
    found = (
        one
        for one in known.alerts
        if one.status.state is state and monitor.watches(one.key.feature, one.key.window_seconds)
    )
    return sorted(found, key=lambda one: one.key)


def _deliver(settings: Settings, store: Store) -> None:
    """Try what the webhook's outbox holds once; the next call tries the rest again."""
    if settings.webhook is not None:
        Courier(settings.webhook, store, Health(), process_now=process_now).deliver_due()
