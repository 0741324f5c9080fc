"""`driftwatch status`: what fires, what is blind, how far it has looked, what it cost."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.table import Table
from rich.text import Text

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.cli.evaluate import alerts_in, watched_rows
from driftwatch.cli.terminal import STYLES, Cell, moment, open_console, rows, show
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.store import evaluations, snapshot
from driftwatch.store.engine import Store, open_store
from driftwatch.store.evaluations import SUCCESS, Cost
from driftwatch.store.migrate import has_schema
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.window import format_duration

_LATE_INTERVALS = 5
"""Without an evaluation for so many of its intervals, a monitor is late."""

_MANY = 4
"""More features than this are counted, not named."""

Known = list[tuple[MonitorSettings, MonitorSnapshot]]
Lines = list[tuple[Cell, ...]]


def status(settings: Settings) -> None:
    """Print what the store knows of every configured monitor. StoreError if it cannot be read.

    It writes nothing, and makes no store where there is none.
    """
    now = process_now()
    console = open_console()
    store = open_store(settings.store_url)
    try:
        if not has_schema(store):
            show(console, nothing_yet(store))
            return
        known, costs = _read(store, settings, now)
    finally:
        store.close()
    show(console, Text(f"{store.name}, {moment(now)}\n"))
    show(console, _overview(known))
    for title, lines in (
        ("Firing", _alerts(known, AlertState.FIRING)),
        ("Pending (flagged, but not often enough to fire)", _alerts(known, AlertState.PENDING)),
        ("Blind (not judged in the newest window)", list(_blind(known))),
        ("Failing or late", list(_failing(known, now))),
    ):
        show(console, f"\n{title}: {'' if lines else 'nothing'}".rstrip(), "bold")
        if lines:
            show(console, rows(lines))
    show(console, "\nCost of the scans in the last 24 hours" + ("" if costs else ": none"), "bold")
    if costs:
        show(console, _cost_table(costs))


def nothing_yet(store: Store) -> str:
    """What to say of a store without tables, or of a file that is not there."""
    what = f"{store.name} is empty"
    if not store.exists:
        what = f"{store.name} does not exist (in {store.folder})"
    return (
        f"{what}: nothing was evaluated yet. `driftwatch serve` or `driftwatch evaluate --once` "
        "makes it."
    )


def _read(store: Store, settings: Settings, now: datetime) -> tuple[Known, list[Cost]]:
    with store.read() as connection:
        known = [(one, snapshot.read(connection, one.name)) for one in settings.monitors]
        return known, evaluations.cost(connection, now - timedelta(hours=24))


def _overview(known: Known) -> Table:
    table = _table("monitor", "newest verdicts", "counted up to", "last success")
    for monitor, found in known:
        watched = watched_rows(monitor, found)
        counts = dict.fromkeys(sorted({row.verdict for row in watched}), 0)
        for row in watched:
            counts[row.verdict] += 1
        verdicts = Text(", ").join(
            Text(f"{count} {verdict}", style=STYLES[verdict]) for verdict, count in counts.items()
        )
        table.add_row(
            Text(monitor.name),
            verdicts if watched else Text("never evaluated", style="dim"),
            moment(found.watermark),
            moment(found.last_success),
        )
    return table


def _alerts(known: Known, state: AlertState) -> Lines:
    lines: Lines = []
    for monitor, found in known:
        messages = {(r.feature, r.window_seconds): r.message for r in watched_rows(monitor, found)}
        for record in alerts_in(state, found, monitor):
            key, alert = record.key, record.status
            severity = str(alert.severity or "")
            since = alert.fired_at if state is AlertState.FIRING else alert.since
            length = format_duration(key.window_seconds)
            newest = messages.get((key.feature, key.window_seconds), "")
            lines.append(
                (
                    Text(severity, STYLES.get(severity, "")),
                    f"{monitor.name} {key.feature} ({key.kind}, {length})",
                    f"since {moment(since)}",
                    # Why nothing could be judged is told below.
                    "" if key.kind is AlertKind.NO_DATA else f"newest window: {newest}",
                )
            )
    return lines


def _blind(known: Known) -> Iterator[tuple[Cell, ...]]:
    """Features that are blind for the same reason share a line."""
    for monitor, found in known:
        same: dict[tuple[str, str, str], list[str]] = {}
        for row in watched_rows(monitor, found):
            if not row.verdict.judged:
                why = row.message.removeprefix(f"{row.feature}: ")
                name = f"{row.feature} ({format_duration(row.window_seconds)})"
                same.setdefault((row.verdict, row.reason, why), []).append(name)
        for (verdict, reason, why), names in same.items():
            listed = ", ".join(names[:_MANY])
            more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
            yield (
                Text(verdict, STYLES[verdict]),
                Text(reason, "dim"),
                f"{monitor.name} {listed}{more}",
                why,
            )


def _failing(known: Known, now: datetime) -> Iterator[tuple[Cell, ...]]:
    for monitor, found in known:
        last = found.last_evaluation
        if last is None:
            continue
        if last.outcome not in SUCCESS:
            yield (
                Text(monitor.name, "red"),
                Text(last.outcome, "red"),
                f"at {moment(last.finished_at)}",
                last.message,
            )
        elif last.message:
            yield (
                Text(monitor.name, "yellow"),
                Text("note", "yellow"),
                f"at {moment(last.finished_at)}",
                last.message,
            )
        usual = max(monitor.every_seconds, monitor.pane_seconds)
        if (now - last.finished_at).total_seconds() > _LATE_INTERVALS * usual:
            yield (
                Text(monitor.name, "yellow"),
                Text("late", "yellow"),
                f"since {moment(last.finished_at)}",
                "no evaluation since then; does `driftwatch serve` run?",
            )


def _cost_table(costs: list[Cost]) -> Table:
    table = _table("monitor", "evaluations", "failed", "rows", "scan s", "store s", "judge s")
    for column in table.columns[1:]:
        column.justify = "right"
    for cost in costs:
        table.add_row(
            Text(cost.monitor),
            f"{cost.evaluations:,}",
            f"{cost.failures:,}",
            f"{cost.rows_scanned:,}",
            f"{cost.scan_seconds:.2f}",
            f"{cost.store_seconds:.2f}",
            f"{cost.judge_seconds:.2f}",
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
