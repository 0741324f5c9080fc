"""What the demo says on the terminal."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from rich.console import Console

from driftwatch.alert.policy import AlertState
from driftwatch.config.settings import MonitorSettings
from driftwatch.daemon.runner import Ran
from driftwatch.evaluate.alerts import Change
from driftwatch.exposition.outcomes import SUCCESSES
from driftwatch.store.alerts import AlertEvent
from driftwatch.store.results import ResultRow
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import format_duration

_STYLES = {"critical": "bold red", "warning": "yellow"}


class Screen:
    """Prints; each method may be called from any thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()

    def say(self, text: str = "", style: str = "") -> None:
        with self._lock:
            self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def watching(self, monitor: MonitorSettings, folder: Path, metrics: str) -> None:
        """What is watched, against what, and where it can be seen."""
        names = ", ".join(feature.name for feature in monitor.features)
        lengths = ", ".join(format_duration(seconds) for seconds in monitor.window_seconds)
        config = folder / "config.yaml"
        self.say("driftwatch demo: the departures of New York's airports in 2013", "bold")
        self.say(f"  log        table {monitor.relation.table} in {folder / 'log.db'} (SQLite)")
        self.say(f"  watched    {names} and the volume, by monitor {monitor.name}")
        self.say(f"  windows    {lengths}, compared with the reference {monitor.reference}")
        self.say(f"  metrics    {metrics}")
        self.say(f"  status     .venv/bin/driftwatch status -c {config}")
        self.say(
            f"  picture    .venv/bin/driftwatch explain {monitor.name} dep_delay --end 2013-02-10 "
            f"-c {config}\n"
        )

    def flagged_days(self, rows: Sequence[ResultRow]) -> None:
        """Days over a limit; alone they raise no alert."""
        self.say("Days over a limit (an alert needs 2 such days of 3):", "bold")
        for row in sorted(rows, key=lambda row: row.window_start):
            self.say(f"  {row.window_start:%a %d %b}  {_verdict(row)}", _STYLES[row.verdict])

    def alerts(self, events: Sequence[AlertEvent]) -> None:
        """Alerts that began to fire, and when they ended; oldest first."""
        self.say("\nAlerts:" if events else "\nAlerts: none", "bold")
        for event in events:
            when = f"  {event.window_end:%a %d %b %H:%M}Z  "
            if event.to_state is AlertState.FIRING:
                text = f"{when}FIRING {event.to_severity}  {event.message}"
                self.say(text, _STYLES[event.to_severity or "critical"])
            else:
                self.say(f"{when}resolved         {event.key.feature}", "green")
        self.say()

    def day(self, rows: Sequence[ResultRow]) -> None:
        """One replayed day: one line, or one for each feature that is not ok."""
        volume = next((row.rows for row in rows if row.feature == VOLUME), 0)
        start = f"  {rows[0].window_start:%a %d %b}  {volume:>5,} flights  "
        others = [row for row in rows if row.verdict != "ok"]
        if not others:
            self.say(f"{start}ok", "green")
        for row in others:
            self.say(f"{start}{_verdict(row)}", _STYLES.get(row.verdict, "dim"))

    def changes(self, changes: Sequence[Change]) -> None:
        """Alerts that began to fire or ended just now."""
        for change in changes:
            moved = change.transition
            if moved.to_state is AlertState.FIRING:
                self.say(f"    ALERT fires ({moved.to_severity}): {change.row.message}", "bold red")
            elif moved.from_state is AlertState.FIRING:
                self.say(f"    ALERT resolved: {change.key.feature}", "bold green")

    def trouble(self, ran: Ran) -> None:
        if ran.report.outcome not in SUCCESSES:
            self.say(f"  {ran.report.outcome}: {ran.report.message}", "red")


def _verdict(row: ResultRow) -> str:
    return f"{row.verdict:8}  {row.message}"
