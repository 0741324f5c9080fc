"""What the demo says on the terminal."""

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock

from rich.console import Console
from rich.table import Table
from rich.text import Text

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

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._lock = Lock()

    def say(self, text: str = "", style: str = "") -> None:
        """One line, whole: where it is too long, the terminal wraps it."""
        with self._lock:
            self._console.print(Text(text, style), soft_wrap=True)

    def item(self, start: str, text: str, style: str = "") -> None:
        """A line that begins with `start`; on a terminal the rest wraps below itself."""
        if not self._console.is_terminal:
            self.say(f"  {start}  {text}", style)
            return
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=0)
        line.add_column(no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row("", Text(start, style), Text(text, style))
        with self._lock:
            self._console.print(line)

    def begins(self, resumed_at: datetime | None) -> None:
        """The first lines. resumed_at: where an earlier start stopped, None: this is the first."""
        self.say("driftwatch demo: the departures of New York's airports in 2013", "bold")
        if resumed_at is None:
            self.say("Writing the log of January to November ...")
        else:
            self.say(f"Continuing on {resumed_at:%d %B %Y}, where it stopped ...")

    def watching(self, monitor: MonitorSettings, folder: Path, metrics: str) -> None:
        """What is watched, against what, and where it can be seen."""
        names = ", ".join(feature.name for feature in monitor.features)
        lengths = ", ".join(format_duration(seconds) for seconds in monitor.window_seconds)
        config = shlex.quote(str(folder / "config.yaml"))
        program = shlex.quote(_program())
        self.item("log    ", f"table {monitor.relation.table} in {folder / 'log.db'} (SQLite)")
        self.item("watched", f"{names} and the volume, by monitor {monitor.name}")
        self.item("windows", f"{lengths}, compared with the reference {monitor.reference}")
        self.item("metrics", metrics)
        self.say("Look closer from another terminal:")
        self.say(f"  {program} status -c {config}")
        self.say(f"  {program} explain {monitor.name} dep_delay --end 2013-02-10 -c {config}\n")

    def flagged_days(self, rows: Sequence[ResultRow]) -> None:
        """Days that were flagged; hardly one alone raises an alert."""
        self.say("Flagged days (an alert needs 2 of 3, or one that is plain):", "bold")
        for row in sorted(rows, key=lambda row: row.window_start):
            start = f"{row.window_start:%a %d %b}  {row.verdict:8}"
            self.item(start, _told(row), _STYLES[row.verdict])

    def alerts(self, events: Sequence[AlertEvent]) -> None:
        """Alerts that began to fire, and when they ended; oldest first."""
        dated = "\nAlerts (dated by the end of the day that decided):"
        self.say(dated if events else "\nAlerts: none", "bold")
        for event in events:
            when = f"{event.window_end:%a %d %b %H:%M}Z"
            if event.to_state is AlertState.FIRING:
                start = f"{when}  FIRING {event.to_severity}"
                self.item(f"{start:34}", event.message, _STYLES[event.to_severity or "critical"])
            else:
                self.item(f"{when}  resolved".ljust(34), event.key.feature, "green")
        self.say()

    def day(self, rows: Sequence[ResultRow]) -> None:
        """One replayed day: one line, or one for each feature that is not ok."""
        volume = next((row.rows for row in rows if row.feature == VOLUME), 0)
        start = f"{rows[0].window_start:%a %d %b}  {volume:>5,} flights"
        others = [row for row in rows if row.verdict != "ok"]
        if not others:
            self.item(start, "ok", "green")
        for row in others:
            self.item(f"{start}  {row.verdict:8}", _told(row), _STYLES.get(row.verdict, "dim"))

    def changes(self, changes: Sequence[Change]) -> None:
        """Alerts that began to fire or ended just now."""
        for change in changes:
            moved = change.transition
            if moved.to_state is AlertState.FIRING:
                self.item(f"  ALERT fires ({moved.to_severity}):", change.message, "bold red")
            elif moved.from_state is AlertState.FIRING:
                self.item("  ALERT resolved:", change.key.feature, "bold green")

    def trouble(self, ran: Ran) -> None:
        if ran.report.outcome not in SUCCESSES:
            self.item(f"{ran.report.outcome}:", ran.report.message, "red")


def _told(row: ResultRow) -> str:
    """What was found, and of a flagged feature where to look."""
    return f"{row.message}. {row.explanation}" if row.explanation else row.message


def _program() -> str:
    """How this program was called, to be called again."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "driftwatch" else "driftwatch"
