"""`driftwatch evaluate --once`: everything that is complete now, then an exit code for cron."""

from collections.abc import Sequence
from difflib import get_close_matches

from rich.console import Console

from driftwatch.alert.policy import AlertState
from driftwatch.alert.state import AlertKey
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.clock import LiveClock, process_now
from driftwatch.daemon.courier import Courier
from driftwatch.daemon.runner import MonitorRunner, Ran
from driftwatch.errors import ConfigError
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

    The exit code: 1 if one failed, else 3 if an alert of one fires, else 0.
    """
    store = open_store(settings.store_url)
    try:
        chosen = find_monitors(settings, names)
        ensure_schema(store)
        codes = {_evaluate(settings, monitor, store) for monitor in chosen}
        _deliver(settings, store)
    finally:
        store.close()
    return FAILURE if FAILURE in codes else max(codes)


def find_monitors(settings: Settings, names: Sequence[str]) -> list[MonitorSettings]:
    """The monitors of these names; all, if none is named. ConfigError names the nearest."""
    known = {monitor.name: monitor for monitor in settings.monitors}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
            raise ConfigError(f"no monitor is named {name!r}; {hint}")
    return [known[name] for name in names] or list(known.values())


def _evaluate(settings: Settings, monitor: MonitorSettings, store: Store) -> int:
    source = open_source(settings.sources[monitor.source])
    runner = MonitorRunner(monitor, source, store, event_clock=LiveClock(), process_now=process_now)
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
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if ran.report.outcome not in SUCCESSES:
        console.print(f"{monitor.name}: {ran.report.outcome}: {ran.report.message}")
        return FAILURE
    with store.read() as connection:
        firing = firing_alerts(alerts.load(connection, monitor.name), monitor)
    note = f" ({ran.report.message})" if ran.report.message else ""
    console.print(f"{monitor.name}: counted {rows:,} rows, judged {windows} windows{note}")
    for key, record in firing:
        since = record.status.fired_at
        console.print(
            f"  {record.status.severity}: {key.feature} ({key.kind}, "
            f"{format_duration(key.window_seconds)}) since {since:%Y-%m-%d %H:%M}Z"
        )
    return DRIFT if firing else FINE


def firing_alerts(
    records: dict[AlertKey, AlertRecord], monitor: MonitorSettings
) -> list[tuple[AlertKey, AlertRecord]]:
    """Those that fire and are still configured, in the order of their keys."""
    return sorted(
        (key, record)
        for key, record in records.items()
        if record.status.state is AlertState.FIRING
        and monitor.watches(key.feature, key.window_seconds)
    )


def _deliver(settings: Settings, store: Store) -> None:
    """Try what the webhook's outbox holds once; the next call tries the rest again."""
    if settings.webhook is not None:
        Courier(settings.webhook, store, Health(), process_now=process_now).deliver_due()
