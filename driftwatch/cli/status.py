"""`driftwatch status`: what fires, what is blind, how far it has looked, what it cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.cli.caveat import caveats
from driftwatch.cli.shown import (
    alerts_in,
    carried_by,
    further,
    named,
    part_rows,
    watched_rows,
    widened,
)
from driftwatch.cli.terminal import (
    STYLES,
    Cell,
    columns,
    moment,
    open_console,
    plural,
    rows,
    show,
)
from driftwatch.config.settings import Exclusion, MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.store import evaluations, exclusions, monitors, results, snapshot, versions
from driftwatch.store.engine import Store, open_store
from driftwatch.store.evaluations import SUCCESS, Cost
from driftwatch.store.migrate import has_schema
from driftwatch.store.results import ResultRow
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.store.versions import VersionRow
from driftwatch.window import format_duration

_LATE_INTERVALS = 5
"""Without an evaluation for so many of its intervals, a monitor is late."""

_MANY = 4
"""More features than this are counted, not named."""

_OF_ABSENCE = (AlertKind.NO_DATA, AlertKind.COLUMN)

Lines = list[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of one configured monitor. carried: by feature and window length, the
    segments that a flagged window's drift lies in, in words."""

    monitor: MonitorSettings
    found: MonitorSnapshot
    exclusions: tuple[Exclusion, ...] = ()
    versions: tuple[VersionRow, ...] = ()
    carried: Mapping[tuple[str, int], str] = field(default_factory=dict)


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
        with store.read() as connection:
            known = [_read(connection, one) for one in settings.monitors]
            costs = evaluations.cost(connection, now - timedelta(hours=24))
    finally:
        store.close()
    show(console, Text(f"{store.name}, {moment(now)}\n"))
    show(console, _overview(known))
    always = (
        ("Firing", _alerts(known, AlertState.FIRING)),
        ("Pending (flagged, but not often enough to fire)", _alerts(known, AlertState.PENDING)),
        ("Blind (not judged in the newest window)", list(_blind(known))),
        ("Evaluations that failed, are late, or left a note", list(_troubles(known, now))),
    )
    where_there_are = (
        ("Widened (too few rows in the window alone)", list(_widened(known))),
        ("Excluded (shown, but nobody is paged and nothing is learned)", list(_excluded(known))),
        ("Judged with a caveat", list(_caveats(known))),
        ("Versions", list(_versions(known))),
    )
    for title, lines in (*always, *((title, lines) for title, lines in where_there_are if lines)):
        show(console, f"\n{title}: {'' if lines else 'nothing'}".rstrip(), "bold")
        if lines:
            show(console, rows(lines))
    show(console, "\nCost of the scans in the last 24 hours" + ("" if costs else ": none"), "bold")
    if costs:
        show(console, _costcolumns(costs))


def nothing_yet(store: Store) -> str:
    """What to say of a store without tables, or of a file that is not there."""
    what = f"{store.name} is empty"
    if not store.exists:
        what = f"{store.name} does not exist (in {store.folder})"
    return (
        f"{what}: nothing was evaluated yet. `driftwatch serve` or `driftwatch evaluate --once` "
        "makes it."
    )


def _read(connection: Connection, monitor: MonitorSettings) -> Known:
    found = snapshot.read(connection, monitor.name)
    record = monitors.find(connection, monitor.name)
    if record is None:
        return Known(monitor, found)
    carried = {}
    for row in watched_rows(monitor, found):
        if row.flagged:
            parts = results.carrying(
                connection, monitor.name, row.feature, row.window_seconds, row.window_end
            )
            carried[row.feature, row.window_seconds] = carried_by(parts)
    return Known(
        monitor,
        found,
        exclusions.active(connection, monitor.name),
        tuple(versions.load(connection, record.id)) if monitor.version else (),
        carried,
    )


def _overview(known: list[Known]) -> Table:
    parted = any(part_rows(one.monitor, one.found) for one in known)
    names = ["monitor", "newest verdicts", "counted up to", "last success"]
    table = columns(*names, *(["segments"] if parted else []))
    for one in known:
        watched = watched_rows(one.monitor, one.found)
        counts = dict.fromkeys(sorted({row.verdict for row in watched}), 0)
        for row in watched:
            counts[row.verdict] += 1
        verdicts = Text(", ").join(
            Text(f"{count} {verdict}", style=STYLES[verdict]) for verdict, count in counts.items()
        )
        table.add_row(
            Text(one.monitor.name),
            verdicts if watched else Text("never evaluated", style="dim"),
            moment(one.found.watermark),
            moment(one.found.last_success),
            *([_drifting(one)] if parted else []),
        )
    return table


def _drifting(known: Known) -> str:
    """How many segments (and versions) drift in any feature, of how many that are judged."""
    found = part_rows(known.monitor, known.found)
    drifting = {row.segment for row in found if row.flagged}
    every = {row.segment for row in found}
    return f"{len(drifting):,} of {len(every):,} drift" if every else ""


def _alerts(known: list[Known], state: AlertState) -> Lines:
    lines: Lines = []
    for one in known:
        newest = {
            (row.feature, row.segment, row.window_seconds): row
            for row in (
                *watched_rows(one.monitor, one.found),
                *part_rows(one.monitor, one.found),
            )
        }
        for record in alerts_in(state, one.found, one.monitor):
            key, alert = record.key, record.status
            severity = str(alert.severity or "")
            length = format_duration(key.window_seconds)
            row = newest.get((key.feature, key.segment, key.window_seconds))
            parts = "" if key.segment else one.carried.get((key.feature, key.window_seconds), "")
            lines.append(
                (
                    Text(severity, STYLES.get(severity, "")),
                    f"{one.monitor.name} {named(key.feature, key.segment)} ({key.kind}, {length})",
                    f"since {moment(alert.since)}",
                    # Why nothing could be judged is told below.
                    ""
                    if key.kind in _OF_ABSENCE or row is None
                    else "; ".join(
                        filter(None, (f"newest window: {row.message}", _further(row), parts))
                    ),
                )
            )
    return lines


def _further(row: ResultRow) -> str:
    """In one line with the message, which names the feature already."""
    return further(row).removeprefix(f"{row.feature}: ")


def _blind(known: list[Known]) -> Iterator[tuple[Cell, ...]]:
    """Features that are blind for the same reason share a line."""
    for one in known:
        same: dict[tuple[str, str, str], list[str]] = {}
        for row in watched_rows(one.monitor, one.found):
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
                f"{one.monitor.name} {listed}{more}",
                why,
            )


def _caveats(known: list[Known]) -> Iterator[tuple[Cell, ...]]:
    for one in known:
        yield from caveats(one.monitor.name, watched_rows(one.monitor, one.found))


def _widened(known: list[Known]) -> Iterator[tuple[Cell, ...]]:
    for one in known:
        for row in watched_rows(one.monitor, one.found):
            if widened(one.monitor, row):
                yield (
                    f"{one.monitor.name} {row.feature} ({format_duration(row.window_seconds)})",
                    f"judged on [{moment(row.window_start)}, {moment(row.window_end)})",
                    plural(row.rows, "row"),
                )


def _excluded(known: list[Known]) -> Iterator[tuple[Cell, ...]]:
    """What is still ahead, or lies in a window that is judged next."""
    for one in known:
        longest = timedelta(seconds=max(one.monitor.window_seconds))
        for exclusion in one.exclusions:
            watermark = one.found.watermark
            if watermark is None or exclusion.interval.end > watermark - longest:
                start, end = exclusion.interval.start, exclusion.interval.end
                yield (
                    f"{one.monitor.name} {exclusion.feature or '(all features)'}",
                    f"[{moment(start)}, {moment(end)})",
                    exclusion.reason,
                )


def _versions(known: list[Known]) -> Iterator[tuple[Cell, ...]]:
    """The newest first: the others are history."""
    for one in known:
        for row in list(reversed(one.versions))[:_MANY]:
            own = (
                "there before the first window"
                if row.handed_over_at == row.first_seen
                else f"compared with its own days since {moment(row.handed_over_at)}"
                if row.handed_over_at
                else f"compared with {row.predecessor}"
                if row.predecessor
                else "compared with nothing yet"
            )
            before = f"after {row.predecessor}" if row.predecessor else ""
            yield one.monitor.name, row.version, f"since {moment(row.first_seen)}", before, own
        if len(one.versions) > _MANY:
            yield one.monitor.name, f"and {len(one.versions) - _MANY} earlier ones", "", "", ""


def _troubles(known: list[Known], now: datetime) -> Iterator[tuple[Cell, ...]]:
    for one in known:
        monitor, last = one.monitor, one.found.last_evaluation
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


def _costcolumns(costs: list[Cost]) -> Table:
    table = columns("monitor", "evaluations", "failed", "rows", "scan s", "store s", "judge s")
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
