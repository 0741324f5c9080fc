"""One pass of one monitor at one `now`: scan, sum, judge, alert, store. One way through.

Everything is written in one transaction, and everything written has a natural key: killed at any
moment and started again, the next evaluation ends with the same rows.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.alerts import Change, advance_alerts
from driftwatch.evaluate.compare import Past
from driftwatch.evaluate.count import Counted, Counter
from driftwatch.evaluate.early import Early, ahead, early, looked_at
from driftwatch.evaluate.explained import explain_predictions
from driftwatch.evaluate.joint import JointRead, keep_joint, read_joint
from driftwatch.evaluate.judge import without_reference
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.keep import due, judge_due, keep, revised
from driftwatch.evaluate.notify import enqueue_changes
from driftwatch.evaluate.prepare import Prepared, prepare
from driftwatch.evaluate.progress import first_moment, latest_window, next_scan, target
from driftwatch.evaluate.versions import hand_over, note, until_hand_over
from driftwatch.source import Source
from driftwatch.stats.counts import ColumnTrouble
from driftwatch.store import evaluations, exclusions, monitors, references, results
from driftwatch.store.engine import Store
from driftwatch.store.evaluations import EvaluationRow
from driftwatch.store.monitors import MonitorRecord
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
    out, by name. revised_panes: panes that were counted before and hold something else by now;
    shrunk_panes: those that hold fewer rows, and were left as they are. held: why the log is not
    taken as complete, "" if it is. prepared: to be handed to the next evaluation.
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
    revised_panes: int = 0
    shrunk_panes: int = 0
    held: str = ""
    new_versions: tuple[str, ...] = ()
    stages: Stages = Stages()


@dataclass(frozen=True, slots=True)
class _Pass:
    """One evaluation on its way, with what capturing a reference asked of the source."""

    monitor: MonitorSettings
    now: datetime
    source: Source
    store: Store
    started_at: datetime
    notify: bool
    begun: float
    rows: int = 0
    seconds: float = 0.0

    def report(self, report: Report) -> Report:
        """Put an evaluation without a scan on record."""
        with self.store.write() as connection:
            self.record(connection, report, self.seconds)
        return report

    def record(self, connection: Connection, report: Report, seconds: float) -> None:
        record_evaluation(
            connection,
            self.monitor.name,
            report,
            now=self.now,
            started_at=self.started_at,
            seconds=seconds,
        )


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
    turn = _Pass(monitor, now, source, store, started_at, notify, time.perf_counter())
    if prepared is None or _is_stale(store, monitor, prepared, now):
        prepared = prepare(
            monitor, now, source=source, store=store, started_at=started_at, notify=notify
        )
        turn = replace(turn, rows=prepared.captured_rows, seconds=prepared.capture_seconds)
    if not prepared.has_reference:
        return _wait(turn, prepared)
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
        watermark = known.watermark if known else None
        again = early(
            connection, monitor, prepared.monitor_id, watermark, now=now, process_now=started_at
        )
    ready_until, held = _ready(turn)
    scan = next_scan(
        monitor,
        now,
        watermark=watermark,
        at_most_seconds=at_most_seconds,
        ready_until=ready_until or (_at_rest(turn, watermark) if held else None),
    )
    if scan is None:
        told = held or ahead(watermark, monitor, now)
        if again is not None and known is not None:
            return _mend(turn, prepared, known, again, told)
        return _nothing_new(turn, prepared, held, told)
    scan = until_hand_over(monitor, prepared, scan)
    return _scan(turn, prepared, known, scan, ready_until, held, again)


def _is_stale(store: Store, monitor: MonitorSettings, prepared: Prepared, now: datetime) -> bool:
    """Whether something is to be captured or calibrated, or a command has changed an axis or a
    reference meanwhile."""
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
        if not prepared.is_current(now, known.watermark if known else None):
            return True
        return references.stamp(connection, prepared.monitor_id) != prepared.stamp


def _ready(turn: _Pass) -> tuple[datetime | None, str]:
    """Up to when the log says that it is complete (None: it does not say), and why it holds the
    watermark."""
    if turn.monitor.ready is None:
        return None, ""
    found = turn.source.ready_until(turn.monitor.ready, turn.monitor.relation)
    if found is True:
        return None, ""
    if found is False:
        return None, "the readiness query says that the log is not complete"
    if target(turn.monitor, turn.now, ready_until=found) < target(turn.monitor, turn.now):
        return found, f"the readiness query says that the log is complete up to {found:%FT%TZ} only"
    return found, ""


def _at_rest(turn: _Pass, watermark: datetime | None) -> datetime:
    """Where nothing is due."""
    return watermark or first_moment(turn.monitor, turn.now)


def _scan(
    turn: _Pass,
    prepared: Prepared,
    known: MonitorRecord | None,
    scan: Interval,
    ready_until: datetime | None,
    held: str,
    again: Early | None,
) -> Report:
    monitor, watch = turn.monitor, time.perf_counter
    watermark = known.watermark if known else None
    scanned_from = (known.scanned_from if known else None) or scan.start
    before_scan = watch()
    counted = Counter(
        monitor, prepared, turn.source, turn.store, watermark, scanned_from,
        known.updated_until if known else None,
    ).count(scan, turn.now, again.intervals if again else ())  # fmt: skip
    joint = read_joint(prepared.joint, turn.source, scan.end, scan, counted.read.revised)
    after_scan = watch()
    with turn.store.write() as connection:
        kept = _keep(connection, turn, counted, joint, watermark, scanned_from)
        if again is not None:
            looked_at(connection, prepared.monitor_id, again, turn.started_at)
        behind = scan.end < target(monitor, turn.now, ready_until=ready_until)
        if turn.notify and not behind:
            enqueue_changes(connection, monitor.name, turn.started_at)
        notes = (
            prepared.waiting,
            _not_counted(kept.troubles),
            held,
            *_joint_notes(prepared, joint),
        )
        message = "; ".join(filter(None, notes))
        report = Report(
            prepared=kept.prepared,
            outcome="success" if counted.fresh else "no_data",
            message=message,
            troubles=kept.troubles,
            scan=scan,
            panes=scan.seconds // monitor.pane_seconds,
            rows_scanned=counted.read.rows + turn.rows,
            windows_judged=kept.windows,
            behind=behind,
            changes=kept.changes,
            revised_panes=kept.revised_panes,
            shrunk_panes=counted.read.shrunk,
            held=held,
            new_versions=kept.new_versions,
            stages=Stages(
                scan=after_scan - before_scan + turn.seconds,
                store=before_scan
                - turn.begun
                - turn.seconds
                + watch()
                - after_scan
                - kept.judge_seconds,
                judge=kept.judge_seconds,
            ),
        )
        turn.record(connection, report, watch() - turn.begun)
    return report


def _mend(turn: _Pass, prepared: Prepared, known: MonitorRecord, again: Early, told: str) -> Report:
    """No pane is new, but some were counted before their time: their windows are judged again."""
    monitor, watch = turn.monitor, time.perf_counter
    watermark, scanned_from = known.watermark, known.scanned_from
    assert watermark is not None
    assert scanned_from is not None
    counter = Counter(monitor, prepared, turn.source, turn.store, watermark, scanned_from)
    begun = watch()
    changed, shrunk = counter.rechecked(again.intervals, watermark)
    read = counter.recount(changed, watermark)
    joint = read_joint(prepared.joint, turn.source, watermark, None, read.revised)
    scanned = watch() - begun
    with turn.store.write() as connection:
        monitors.lock(connection, prepared.monitor_id)
        changed = keep(connection, prepared, read.batches, turn.started_at)
        keep_joint(connection, joint.batches, turn.started_at)
        excluded = exclusions.active(connection, monitor.name)
        looked_at(connection, prepared.monitor_id, again, turn.started_at)
        judged = judge_due(
            connection,
            monitor,
            prepared,
            revised(monitor, prepared, (), changed, watermark, scanned_from),
            excluded,
            troubles=prepared.troubles,
            scanned_from=scanned_from,
            now=turn.started_at,
        )
        save_results(connection, judged)
        explain_predictions(connection, monitor, prepared, judged, excluded)
        changes = advance_alerts(connection, monitor, judged, turn.started_at, due=())
        if turn.notify:
            enqueue_changes(connection, monitor.name, turn.started_at)
        report = Report(
            prepared,
            message=told,
            rows_scanned=read.rows + turn.rows,
            windows_judged=len({(o.row.window_seconds, o.row.window_end) for o in judged}),
            changes=tuple(changes),
            revised_panes=sum(one.seconds for one in changed) // monitor.pane_seconds,
            shrunk_panes=shrunk + read.shrunk,
            stages=Stages(scan=scanned + turn.seconds, store=watch() - begun - scanned),
        )
        turn.record(connection, report, watch() - turn.begun)
    return report


@dataclass(frozen=True, slots=True)
class _Kept:
    """What one scan led to. windows: how many were judged."""

    prepared: Prepared | None
    windows: int
    changes: tuple[Change, ...]
    judge_seconds: float
    troubles: tuple[ColumnTrouble, ...]
    revised_panes: int
    new_versions: tuple[str, ...]


def _keep(
    connection: Connection,
    turn: _Pass,
    counted: Counted,
    joint: JointRead,
    watermark: datetime | None,
    scanned_from: datetime,
) -> _Kept:
    """Write the panes, and all that follows from them; the watermark first, so that a process that
    lost the race ends before it has done the work."""
    monitor, prepared = turn.monitor, counted.read.prepared
    record = monitors.ensure(connection, monitor.name, turn.started_at)
    monitors.advance(
        connection,
        record.id,
        expected=watermark,
        watermark=counted.scan.end,
        # Later it is a backfill's to move, perhaps while this one was counting.
        scanned_from=scanned_from if watermark is None else None,
    )
    if counted.updated_until is not None:
        monitors.set_updated_until(connection, record.id, counted.updated_until)
    new_versions = note(connection, monitor, record.id, counted.read.newcomers, turn.started_at)
    changed = keep(connection, prepared, counted.read.batches, turn.started_at)
    keep_joint(connection, joint.batches, turn.started_at)
    begun = time.perf_counter()
    excluded = exclusions.active(connection, monitor.name)
    new = due(monitor, prepared, counted.scan, scanned_from)
    windows = revised(monitor, prepared, new, changed, counted.scan.end, scanned_from)
    troubles = _troubles(prepared, counted)
    judged = judge_due(
        connection,
        monitor,
        prepared,
        windows,
        excluded,
        troubles={one.column: one for one in troubles},
        scanned_from=scanned_from,
        now=turn.started_at,
    )
    judge_seconds = time.perf_counter() - begun
    save_results(connection, judged)
    explain_predictions(connection, monitor, prepared, judged, excluded)
    just_due = {place for one in new for place in one.results(monitor)}
    changes = advance_alerts(connection, monitor, judged, turn.started_at, due=just_due)
    handed_over = hand_over(
        connection, monitor, prepared, counted.scan.end, Past(excluded), turn.started_at,
        notify=turn.notify,
    )  # fmt: skip
    return _Kept(
        prepared=None if handed_over else prepared,
        windows=len({(one.row.window_seconds, one.row.window_end) for one in judged}),
        changes=tuple(changes),
        judge_seconds=judge_seconds,
        troubles=troubles,
        revised_panes=sum(one.seconds for one in changed) // monitor.pane_seconds,
        new_versions=new_versions,
    )


def _troubles(prepared: Prepared, counted: Counted) -> tuple[ColumnTrouble, ...]:
    """What could not be captured, and what could not be counted just now; by column."""
    found = {**prepared.troubles, **counted.troubles}
    return tuple(found[column] for column in sorted(found))


def _joint_notes(prepared: Prepared, joint: JointRead) -> tuple[str, ...]:
    return (joint.note, prepared.joint.note if prepared.joint else "")


def _not_counted(troubles: tuple[ColumnTrouble, ...]) -> str:
    """Long before the windows end in which these columns are missing, their evaluations say so."""
    columns = ", ".join(f"{trouble.column} ({trouble.reason})" for trouble in troubles)
    return f"not counted: {columns}" if columns else ""


def save_results(connection: Connection, judged: list[Judged]) -> None:
    """Store results and the pictures that are kept of them."""
    bins = {one.row.key: one.bins for one in judged if one.bins}
    results.upsert(connection, [one.row for one in judged], bins)


def _wait(turn: _Pass, prepared: Prepared) -> Report:
    """Nothing can be counted before there is a reference: the newest windows say so."""
    monitor = turn.monitor
    windows = [latest_window(monitor, turn.now, seconds) for seconds in monitor.window_seconds]
    judged = list(without_reference(monitor, windows, prepared.waiting, turn.started_at))
    with turn.store.write() as connection:
        save_results(connection, judged)
    return turn.report(
        Report(
            prepared,
            outcome="no_data",
            message=prepared.waiting,
            rows_scanned=turn.rows,
            windows_judged=len(windows),
            stages=Stages(scan=turn.seconds),
        )
    )


def _nothing_new(turn: _Pass, prepared: Prepared, held: str, told: str) -> Report:
    """No pane is due. It is noted only where a reference was captured, which read the source, or
    where the log itself holds the watermark. told: why nothing is due, "" if it is only too
    early."""
    report = Report(
        prepared,
        message=prepared.waiting or told or "no new pane is complete",
        rows_scanned=turn.rows,
        held=held,
        stages=Stages(scan=turn.seconds),
    )
    return turn.report(report) if turn.seconds or held else report


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
