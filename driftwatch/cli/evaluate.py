"""`driftwatch evaluate --once`: everything that is complete now, then an exit code for cron."""

from collections.abc import Sequence

from driftwatch.alert.policy import AlertState
from driftwatch.cli.shown import alerts_in, named, watched_rows
from driftwatch.cli.terminal import STYLES, clean, moment, open_console, plural, show
from driftwatch.cli.usage import find_monitors
from driftwatch.config.settings import (
    CohortReference,
    MonitorSettings,
    RollingReference,
    SeasonalReference,
    Settings,
)
from driftwatch.daemon.clock import LiveClock, process_now
from driftwatch.daemon.courier import Courier
from driftwatch.daemon.runner import MonitorRunner, Ran
from driftwatch.evaluate.progress import target
from driftwatch.evaluate.specification import reference_of
from driftwatch.exposition.health import Health
from driftwatch.exposition.outcomes import SUCCESSES
from driftwatch.source import open_source
from driftwatch.store import snapshot
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.verdict.policy import VOLUME, Reason, Verdict
from driftwatch.window import Interval, format_duration

FINE, FAILURE, DRIFT = 0, 1, 3


def evaluate_once(settings: Settings, names: Sequence[str]) -> int:
    """Evaluate these monitors (all, if none is named) until they have caught up.

    The exit code: 1 if one failed or cannot do all that is configured (a reference that is over
    holds no rows, a feature's newest verdict is `error`), else 3 if an alert of one fires, else 0.
    BadParameter for a name that is not configured.
    """
    chosen = find_monitors(settings, names)
    store = open_store(settings.store_url, secrets=settings.store_secrets)
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
        what = clean(named(key.feature, key.segment))
        fires = f"{what} ({key.kind}, {length}) since {moment(status.since)}"
        show(console, f"  {status.severity}: {fires}", STYLES[str(status.severity)])
    newest = watched_rows(monitor, found)
    blind = {row.feature for row in newest if not row.verdict.judged}
    if blind:
        names = clean(", ".join(sorted(blind)))
        show(console, f"  not judged in the newest window: {names}; `driftwatch status` says why")
    unreadable = any(row.verdict is Verdict.ERROR for row in newest)
    if unreadable or _lacks_a_reference(monitor, ran):
        return FAILURE
    return DRIFT if firing else FINE


def _lacks_a_reference(monitor: MonitorSettings, ran: Ran) -> bool:
    """Whether a reference could not be captured although all of its rows should be there."""
    prepared = ran.report.prepared
    if prepared is None:
        return False
    lacking = {n for n, one in prepared.troubles.items() if one.reason == Reason.NO_REFERENCE}
    lacking |= {VOLUME} if prepared.waiting else set()
    return any(_is_due(monitor, name) for name in lacking)


def _is_due(monitor: MonitorSettings, name: str) -> bool:
    """Not before a range is over; what moves with the window is there when its rows are."""
    reference = reference_of(monitor, name)
    if isinstance(reference, Interval):
        return reference.end <= target(monitor, process_now())
    return not isinstance(reference, RollingReference | SeasonalReference | CohortReference)


def _deliver(settings: Settings, store: Store) -> None:
    """Try what the webhook's outbox holds once; the next call tries the rest again."""
    if settings.webhook is not None:
        Courier(settings.webhook, store, Health(), process_now=process_now).deliver_due()
