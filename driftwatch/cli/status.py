"""`driftwatch status`: what fires, what is blind, how far it has looked, what it cost."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from driftwatch.cli.evaluate import firing_alerts
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.store import evaluations, snapshot
from driftwatch.store.engine import Store, open_store
from driftwatch.store.evaluations import SUCCESS, Cost
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.results import ResultRow
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.window import format_duration

_STYLES = {"critical": "bold red", "warning": "yellow", "ok": "green"}


def status(settings: Settings) -> None:
    """Print what the store knows of every configured monitor. StoreError if it cannot be read."""
    now = process_now()
    store = open_store(settings.store_url)
    try:
        ensure_schema(store)
        found, costs = _read(store, settings, now)
    finally:
        store.close()
    console = Console(highlight=False, soft_wrap=True)
    console.print(_overview(settings.monitors, found))
    for title, lines in (
        ("Firing", list(_firing(settings.monitors, found))),
        ("Blind (not judged in the newest window)", list(_blind(settings.monitors, found))),
        ("Failing", list(_failing(found))),
    ):
        console.print(Text(f"\n{title}: {'' if lines else 'nothing'}", style="bold"))
        for line in lines:
            console.print(line)
    console.print(Text("\nCost of the scans in the last 24 hours", style="bold"))
    console.print(_cost_table(costs))


def _read(
    store: Store, settings: Settings, now: datetime
) -> tuple[dict[str, MonitorSnapshot], list[Cost]]:
    with store.read() as connection:
        found = {one.name: snapshot.read(connection, one.name) for one in settings.monitors}
        return found, evaluations.cost(connection, now - timedelta(hours=24))


def _overview(monitors: tuple[MonitorSettings, ...], found: dict[str, MonitorSnapshot]) -> Table:
    table = _table("monitor", "verdicts of the newest windows", "counted up to", "last success")
    for monitor in monitors:
        known = found[monitor.name]
        rows = _watched(monitor, known)
        counts = dict.fromkeys(sorted({row.verdict for row in rows}), 0)
        for row in rows:
            counts[row.verdict] += 1
        text = Text(", ").join(
            Text(f"{count} {verdict}", style=_STYLES.get(verdict, "dim"))
            for verdict, count in counts.items()
        )
        table.add_row(
            Text(monitor.name),
            text if rows else Text("never evaluated", style="dim"),
            _moment(known.watermark),
            _moment(known.last_success),
        )
    return table


def _firing(
    monitors: tuple[MonitorSettings, ...], found: dict[str, MonitorSnapshot]
) -> Iterator[Text]:
    for monitor in monitors:
        known = found[monitor.name]
        messages = {(r.feature, r.window_seconds): r.message for r in _watched(monitor, known)}
        records = {record.key: record for record in known.alerts}
        for key, record in firing_alerts(records, monitor):
            severity = str(record.status.severity)
            message = messages.get((key.feature, key.window_seconds), "")
            yield Text.assemble(
                (f"  {severity:8} ", _STYLES[severity]),
                f"{monitor.name} {key.feature} ({key.kind}, {format_duration(key.window_seconds)}) "
                f"since {_moment(record.status.fired_at)}\n           newest window: {message}",
            )


def _blind(
    monitors: tuple[MonitorSettings, ...], found: dict[str, MonitorSnapshot]
) -> Iterator[Text]:
    for monitor in monitors:
        for row in _watched(monitor, found[monitor.name]):
            if not row.verdict.judged:
                yield Text(
                    f"  {row.verdict:8} {monitor.name} {row.feature} "
                    f"({format_duration(row.window_seconds)}): {row.reason}: {row.message}"
                )


def _failing(found: dict[str, MonitorSnapshot]) -> Iterator[Text]:
    for name, known in found.items():
        last = known.last_evaluation
        if last is not None and last.outcome not in SUCCESS:
            yield Text(
                f"  {name}: {last.outcome} at {_moment(last.finished_at)}: {last.message}",
                style="red",
            )


def _cost_table(costs: list[Cost]) -> Table:
    table = _table(
        "monitor", "evaluations", "failed", "rows counted", "scan s", "store s", "judge s"
    )
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


def _watched(monitor: MonitorSettings, known: MonitorSnapshot) -> list[ResultRow]:
    rows = (one.row for one in known.results)
    return [row for row in rows if monitor.watches(row.feature, row.window_seconds)]


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}Z"
