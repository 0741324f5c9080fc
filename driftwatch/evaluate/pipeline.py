"""One pass of one monitor at one `now`: scan, sum, judge, alert, store. One way through.

Everything is written in one transaction, and everything written has a natural key: killed at any
moment and started again, the next evaluation ends with the same rows.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.errors import ScanTimeoutError, SourceTimeoutError
from driftwatch.evaluate.alerts import Change, advance_alerts
from driftwatch.evaluate.judge import judge_windows, without_reference
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.notify import enqueue_changes
from driftwatch.evaluate.prepare import Prepared, prepare
from driftwatch.evaluate.progress import (
    due_windows,
    latest_complete,
    next_scan,
    target,
)
from driftwatch.source import Source
from driftwatch.stats.counts import ColumnTrouble, PaneCounts
from driftwatch.store import evaluations, ledger, monitors, results
from driftwatch.store.engine import Store
from driftwatch.store.evaluations import EvaluationRow
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True)
class Stages:
    """Seconds that each stage took; `store` includes the look at what is stored."""

    scan: float = 0.0
    store: float = 0.0
    judge: float = 0.0

    def by_name(self) -> dict[str, float]:
        return {"scan": self.scan, "store": self.store, "judge": self.judge}


@dataclass(frozen=True, slots=True)
class Report:
    """How an evaluation ended.

    scan: the panes that were counted, None if none was due. rows_scanned and stages.scan hold what
    capturing a reference cost, too. behind: more panes are complete than were scanned: evaluate
    again at once. changes: alert transitions, oldest first. troubles: the columns that `scan` left
    out, by name. prepared: to be handed to the next evaluation.
    """

    prepared: Prepared | None
    outcome: str = "success"
    message: str = ""
    scan: Interval | None = None
    panes: int = 0
    rows_scanned: int = 0
    windows_judged: int = 0
    behind: bool = False
    changes: tuple[Change, ...] = ()
    troubles: tuple[ColumnTrouble, ...] = ()
    stages: Stages = Stages()


@dataclass(frozen=True, slots=True)
class _Spent:
    """What capturing a reference asked of the source in this very evaluation."""

    rows: int = 0
    seconds: float = 0.0


def evaluate(
    monitor: MonitorSettings,
    now: datetime,
    *,
    source: Source,
    store: Store,
    prepared: Prepared | None,
    started_at: datetime,
    at_most_seconds: int | None = None,
    notify: bool = False,
) -> Report:
    """Count what is new, judge the windows that it completed, move the alerts, store it all.

    now: event time; started_at: process time. prepared: what the last evaluation of this monitor
    returned, or None. at_most_seconds: see `next_scan`. notify: put changes of alerts into the
    webhook's outbox; without a webhook nobody would ever empty it. Raises DriftwatchError; then
    nothing of this pass was written.
    """
    watch = time.perf_counter
    begun = watch()
    spent = _Spent()
    if prepared is None or not prepared.is_current(now):
        prepared = prepare(monitor, now, source=source, store=store, started_at=started_at)
        spent = _Spent(prepared.captured_rows, prepared.capture_seconds)
    if not prepared.has_reference:
        return _wait(monitor, prepared, spent, now, store=store, started_at=started_at)
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
    watermark = known.watermark if known else None
    scan = next_scan(monitor, now, watermark=watermark, at_most_seconds=at_most_seconds)
    if scan is None:
        return _nothing_new(monitor, prepared, spent, now, store=store, started_at=started_at)
    before_scan = watch()
    counts = _scan(source, prepared, scan)
    after_scan = watch()
    troubles = _troubles(prepared, counts)
    with store.write() as connection:
        kept = _keep(connection, monitor, prepared, counts, scan, watermark, started_at)
        behind = scan.end < target(monitor, now)
        if notify and not behind:
            enqueue_changes(connection, monitor.name, started_at)
        report = Report(
            prepared=prepared,
            outcome="success" if counts.rows.sum() else "no_data",
            message="; ".join(filter(None, (prepared.waiting, _not_counted(troubles)))),
            troubles=troubles,
            scan=scan,
            panes=scan.seconds // monitor.pane_seconds,
            rows_scanned=int(counts.rows.sum()) + spent.rows,
            windows_judged=kept.windows,
            behind=behind,
            changes=kept.changes,
            stages=Stages(
                scan=after_scan - before_scan + spent.seconds,
                store=before_scan
                - begun
                - spent.seconds
                + watch()
                - after_scan
                - kept.judge_seconds,
                judge=kept.judge_seconds,
            ),
        )
        record_evaluation(
            connection,
            monitor.name,
            report,
            now=now,
            started_at=started_at,
            seconds=watch() - begun,
        )
    return report


@dataclass(frozen=True, slots=True)
class _Kept:
    """What one scan led to. windows: how many were judged."""

    windows: int
    changes: tuple[Change, ...]
    judge_seconds: float


def _keep(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Prepared,
    counts: PaneCounts,
    scan: Interval,
    watermark: datetime | None,
    started_at: datetime,
) -> _Kept:
    """Write the panes, and all that follows from them; the watermark first, so that a process that
    lost the race ends before it has done the work."""
    record = monitors.ensure(connection, monitor.name, started_at)
    scanned_from = record.scanned_from or scan.start
    monitors.advance(
        connection, record.id, expected=watermark, watermark=scan.end, scanned_from=scanned_from
    )
    ledger.record(connection, record.id, prepared.axes, counts, scan, started_at)
    begun = time.perf_counter()
    judged = _judge(connection, monitor, prepared, counts, scan, scanned_from, started_at)
    judge_seconds = time.perf_counter() - begun
    _save_results(connection, judged)
    changes = advance_alerts(connection, monitor, judged, started_at)
    windows = len({(one.row.window_seconds, one.row.window_end) for one in judged})
    return _Kept(windows, tuple(changes), judge_seconds)


def _troubles(prepared: Prepared, counts: PaneCounts) -> tuple[ColumnTrouble, ...]:
    """What could not be captured, and what could not be counted just now; by column."""
    found = dict(prepared.troubles) | {trouble.column: trouble for trouble in counts.troubles}
    return tuple(found[column] for column in sorted(found))


def _not_counted(troubles: Sequence[ColumnTrouble]) -> str:
    """Long before the windows end in which these columns are missing, their evaluations say so."""
    columns = ", ".join(f"{trouble.column} ({trouble.reason})" for trouble in troubles)
    return f"not counted: {columns}" if columns else ""


def _scan(source: Source, prepared: Prepared, scan: Interval) -> PaneCounts:
    try:
        return source.scan(prepared.plan, scan)
    except SourceTimeoutError as error:
        raise ScanTimeoutError(str(error), scan_seconds=scan.seconds) from error


def _judge(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Prepared,
    counts: PaneCounts,
    scan: Interval,
    scanned_from: datetime,
    now: datetime,
) -> list[Judged]:
    """Results of every window that the scan completed, of all lengths."""
    troubles = {trouble.column: trouble for trouble in _troubles(prepared, counts)}
    due = [windows for _, windows in due_windows(monitor, scanned_from=scanned_from, scan=scan)]
    sums = iter(
        ledger.sum_windows(
            connection, prepared.monitor_id, prepared.axes, list(chain.from_iterable(due))
        )
    )
    judged: list[Judged] = []
    for windows in due:
        counted = list(islice(sums, len(windows)))
        judged += judge_windows(monitor, prepared, counted, troubles=troubles, now=now)
    return judged


def _save_results(connection: Connection, judged: list[Judged]) -> None:
    bins = {one.row.key: one.bins for one in judged if one.bins}
    results.upsert(connection, [one.row for one in judged], bins)


def _wait(
    monitor: MonitorSettings,
    prepared: Prepared,
    spent: _Spent,
    now: datetime,
    *,
    store: Store,
    started_at: datetime,
) -> Report:
    """Nothing can be counted before there is a reference: the newest windows say so."""
    windows = [latest_complete(monitor, now, seconds) for seconds in monitor.window_seconds]
    judged = list(without_reference(monitor, windows, prepared.waiting, started_at))
    report = Report(
        prepared,
        outcome="no_data",
        message=prepared.waiting,
        rows_scanned=spent.rows,
        windows_judged=len(windows),
        stages=Stages(scan=spent.seconds),
    )
    with store.write() as connection:
        _save_results(connection, judged)
        record_evaluation(
            connection,
            monitor.name,
            report,
            now=now,
            started_at=started_at,
            seconds=spent.seconds,
        )
    return report


def _nothing_new(
    monitor: MonitorSettings,
    prepared: Prepared,
    spent: _Spent,
    now: datetime,
    *,
    store: Store,
    started_at: datetime,
) -> Report:
    """No pane is due. It is noted only where a reference was captured: that read the source."""
    report = Report(
        prepared,
        message=prepared.waiting or "no new pane is complete",
        rows_scanned=spent.rows,
        stages=Stages(scan=spent.seconds),
    )
    if spent.seconds:
        with store.write() as connection:
            record_evaluation(
                connection,
                monitor.name,
                report,
                now=now,
                started_at=started_at,
                seconds=spent.seconds,
            )
    return report


def record_evaluation(
    connection: Connection,
    monitor: str,
    report: Report,
    *,
    now: datetime,
    started_at: datetime,
    seconds: float,
) -> None:
    """What ran, how it ended, how long each stage took, what it scanned."""
    evaluations.record(
        connection,
        EvaluationRow(
            monitor=monitor,
            started_at=started_at,
            finished_at=started_at + timedelta(seconds=seconds),
            now=now,
            outcome=report.outcome,
            message=report.message,
            scan=report.scan,
            rows_scanned=report.rows_scanned,
            panes=report.panes,
            windows_judged=report.windows_judged,
            scan_seconds=report.stages.scan,
            store_seconds=report.stages.store,
            judge_seconds=report.stages.judge,
        ),
    )
