"""`driftwatch evaluate --once`: everything that is complete now, then an exit code for cron."""

from collections.abc import Sequence

from driftwatch.alert.policy import AlertState
from driftwatch.alert.state import AlertKey
from driftwatch.cli.terminal import clean, moment, open_console, plural, show
from driftwatch.cli.usage import find_monitors
from driftwatch.config.settings import MonitorSettings, Settings, SourceSettings
from driftwatch.daemon.clock import LiveClock, process_now
from driftwatch.daemon.courier import Courier
from driftwatch.daemon.runner import MonitorRunner, Ran
from driftwatch.exposition.health import Health
from driftwatch.exposition.outcomes import SUCCESSES
from driftwatch.source import open_source
from driftwatch.store import alerts
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
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
    from_source = settings.sources[monitor.source]
    source = open_source(from_source)
    runner = MonitorRunner(monitor, source, store, event_clock=LiveClock(), process_now=process_now)
    rows = windows = failures = 0
    try:
        while True:
            ran = runner.run()
            rows += ran.report.rows_scanned
            windows += ran.report.windows_judged
            failures = 0 if ran.report.outcome in SUCCESSES else failures + 1
            if not ran.report.behind or _hopeless(monitor, from_source, ran, failures):
                break
    finally:
        source.close()
    return _tell(monitor, ran, store, rows, windows)


def _hopeless(monitor: MonitorSettings, source: SourceSettings, ran: Ran, failures: int) -> bool:
    """Whether to leave the rest to the next call.

    After a timeout half as much is asked for, down to a single pane; a reference is read whole or
    not at all.
    """
    halvings = (monitor.catch_up_seconds // monitor.pane_seconds).bit_length()
    return failures > halvings or (failures > 0 and ran.seconds >= source.capture_timeout_seconds)


def _tell(monitor: MonitorSettings, ran: Ran, store: Store, rows: int, windows: int) -> int:
    console = open_console()
    if ran.report.outcome not in SUCCESSES:
        show(console, f"{monitor.name}: {ran.report.outcome}: {clean(ran.report.message)}", "red")
        return FAILURE
    with store.read() as connection:
        firing = alerts_in(AlertState.FIRING, alerts.load(connection, monitor.name), monitor)
    note = f" ({clean(ran.report.message)})" if ran.report.message else ""
    did = f"counted {plural(rows, 'row')}, judged {plural(windows, 'window')}"
    show(console, f"{monitor.name}: {did}{note}")
    for key, record in firing:
        show(
            console,
            f"  {record.status.severity}: {clean(key.feature)} ({key.kind}, "
            f"{format_duration(key.window_seconds)}) fires since {moment(record.status.fired_at)}",
        )
    return DRIFT if firing else FINE


def alerts_in(
    state: AlertState, records: dict[AlertKey, AlertRecord], monitor: MonitorSettings
) -> list[tuple[AlertKey, AlertRecord]]:
    """Those in this state that are still configured, in the order of their keys."""
    return sorted(
        (
            (key, record)
            for key, record in records.items()
            if record.status.state is state and monitor.watches(key.feature, key.window_seconds)
        ),
        key=lambda pair: pair[0],
    )


def _deliver(settings: Settings, store: Store) -> None:
    """Try what the webhook's outbox holds once; the next call tries the rest again."""
    if settings.webhook is not None:
        Courier(settings.webhook, store, Health(), process_now=process_now).deliver_due()
