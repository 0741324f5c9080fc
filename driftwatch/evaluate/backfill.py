"""Counting the past again, or for the first time: step by step, beside a running daemon.

Each step is one scan and one transaction: its panes, the windows that they change, the alerts of
those that are still remembered, and how far the backfill has come. Interrupted at any moment, the
same backfill goes on where it was. It moves no watermark and pages nobody for the past: the webhook
hears once, at the end, what fires as of the watermark by then.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.errors import ConfigError, MovedError, ScanTimeoutError
from driftwatch.evaluate.alerts import begin_alerts, correct_alerts
from driftwatch.evaluate.count import Counter, Recounted
from driftwatch.evaluate.explained import explain_predictions
from driftwatch.evaluate.joint import JointRead, keep_joint, read_joint
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.keep import Due, judge_due, keep, revised
from driftwatch.evaluate.notify import enqueue_changes
from driftwatch.evaluate.pipeline import save_results
from driftwatch.evaluate.prepare import Prepared, prepare
from driftwatch.evaluate.progress import latest_windows
from driftwatch.evaluate.specification import reference_of
from driftwatch.evaluate.versions import note
from driftwatch.source import Source
from driftwatch.store import annotations, backfills, exclusions, monitors, references
from driftwatch.store.engine import Store
from driftwatch.store.monitors import MonitorRecord
from driftwatch.store.schema import AnnotationKind
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, Window, floor

STEP_SECONDS = 86_400
"""Event time that is scanned at once; halved when the source does not answer in time."""

_ATTEMPTS = 5
"""How often a step is read until nobody writes its panes meanwhile."""


@dataclass(frozen=True, slots=True)
class Options:
    """allow_shrink: believe the log where it holds fewer rows than were counted; restart: count all
    of it, though the same backfill was begun and not finished."""

    allow_shrink: bool = False
    restart: bool = False


AS_USUAL = Options()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill has come.

    whole: what was asked for; until: the watermark if it lies within; done_until: how far it is;
    begun_at: when it was begun, process time; rows, panes_changed: since then, in whichever
    process. went_on_from: where this process went on, None if it began; rows_now, panes_now: in
    this process, in `seconds`; windows: judged again in it; shrunk: panes that it left as they are
    because the log holds fewer rows than were counted. references: ranges in it that columns are
    compared with as they were captured, and the columns; known once it is done.
    """

    whole: Interval
    until: datetime
    done_until: datetime
    begun_at: datetime | None = None
    went_on_from: datetime | None = None
    rows: int = 0
    panes_changed: int = 0
    rows_now: int = 0
    panes_now: int = 0
    windows: int = 0
    shrunk: int = 0
    seconds: float = 0.0
    references: Mapping[Interval, tuple[str, ...]] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return self.done_until >= self.until


def run(
    monitor: MonitorSettings,
    interval: Interval,
    *,
    source: Source,
    store: Store,
    process_now: Callable[[], datetime],
    notify: bool = False,
    options: Options = AS_USUAL,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Count every pane of an interval again, up to the watermark, and judge its windows again.

    interval: is widened to whole days (UTC), in which counts of any age are kept. What lies
    before the first counted pane is counted for the first time, and its windows are judged; what
    lies after the watermark is left to the daemon. on_progress: told before the first step and
    after each. ConfigError: the monitor has not counted anything yet, or nothing is left of the
    interval. Other DriftwatchErrors end it; the same call goes on from there.
    """
    now = process_now()
    prepared = prepare(monitor, now, source=source, store=store, started_at=now, notify=notify)
    whole = Interval(
        floor(interval.start, STEP_SECONDS),
        floor(interval.end + timedelta(seconds=STEP_SECONDS - 1), STEP_SECONDS),
    )
    until = min(whole.end, _watermark(monitor, whole, store))
    with store.write() as connection:
        row = backfills.begin(connection, prepared.monitor_id, whole, now, restart=options.restart)
    backfill = _Backfill(
        monitor, prepared, source, store, process_now,
        allow_shrink=options.allow_shrink, notify=notify,
    )  # fmt: skip
    begun = progress = Progress(
        whole,
        until,
        row.done_until,
        begun_at=row.started_at,
        went_on_from=row.done_until if row.done_until > whole.start else None,
        rows=row.rows,
        panes_changed=row.panes_changed,
    )
    on_progress(begun)
    for prepared, progress in backfill.steps(begun):  # noqa: B007 - the newest is what ends it
        on_progress(progress)
    return backfill.finish(prepared, progress)


def _watermark(monitor: MonitorSettings, whole: Interval, store: Store) -> datetime:
    """Up to where there is something to be counted again."""
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
    if known is None or known.watermark is None:
        raise ConfigError(
            f"monitor {monitor.name!r} has counted nothing yet; run `driftwatch serve` or "
            "`driftwatch evaluate --once` first: a backfill revises what is there"
        )
    if known.watermark <= whole.start:
        raise ConfigError(
            f"nothing to count again in {whole}: monitor {monitor.name!r} has counted up to "
            f"{known.watermark:%Y-%m-%dT%H:%M:%SZ}, and the rest is left to the daemon"
        )
    return known.watermark


def _captured(
    connection: Connection, monitor: MonitorSettings, monitor_id: int, counted: Interval
) -> dict[Interval, tuple[str, ...]]:
    """Ranges of the log that columns are compared with, if they hold a part of this interval."""
    found: dict[Interval, tuple[str, ...]] = {}
    names = [*(one.name for one in monitor.features), VOLUME]
    active = references.active(connection, monitor_id)
    for name in names:
        interval = active[name].interval if name in active else None
        if interval is None or not isinstance(reference_of(monitor, name), Interval):
            continue
        if interval.start < counted.end and interval.end > counted.start:
            found[interval] = (*found.get(interval, ()), name)
    return found


@dataclass(frozen=True, slots=True)
class _Backfill:
    monitor: MonitorSettings
    prepared: Prepared
    source: Source
    store: Store
    process_now: Callable[[], datetime]
    allow_shrink: bool
    notify: bool

    def steps(self, progress: Progress) -> Iterator[tuple[Prepared, Progress]]:
        """What is known and how far it is after each step."""
        begun, most = time.perf_counter(), STEP_SECONDS
        prepared = self.prepared
        while not progress.finished:
            end = min(progress.done_until + timedelta(seconds=most), progress.until)
            step = Interval(progress.done_until, end)
            try:
                prepared, progress = self._done(prepared, step, progress)
            except ScanTimeoutError:
                if most <= self.monitor.pane_seconds:
                    raise
                most = max(self.monitor.pane_seconds, most // 2 // 3_600 * 3_600)
                continue
            progress = replace(progress, seconds=time.perf_counter() - begun)
            yield prepared, progress

    def _done(
        self, prepared: Prepared, step: Interval, progress: Progress
    ) -> tuple[Prepared, Progress]:
        """One step; read again where the daemon wrote some of its panes meanwhile."""
        for _ in range(_ATTEMPTS - 1):
            counted, joint = self._count(prepared, step)
            with suppress(MovedError):
                return counted.prepared, self._keep(counted, joint, step, progress)
        counted, joint = self._count(prepared, step)
        return counted.prepared, self._keep(counted, joint, step, progress)

    def _count(self, prepared: Prepared, step: Interval) -> tuple[Recounted, JointRead]:
        known = self._known()
        assert known.watermark is not None
        counter = Counter(
            self.monitor, prepared, self.source, self.store, known.watermark, step.start
        )
        counted = counter.recount_all(step, known.watermark, allow_shrink=self.allow_shrink)
        joint = read_joint(prepared.joint, self.source, known.watermark, None, counted.revised)
        return counted, joint

    def _known(self) -> MonitorRecord:
        with self.store.read() as connection:
            known = monitors.find(connection, self.monitor.name)
        assert known is not None, "it was prepared"
        return known

    def _keep(
        self, counted: Recounted, joint: JointRead, step: Interval, progress: Progress
    ) -> Progress:
        now, monitor_id = self.process_now(), self.prepared.monitor_id
        with self.store.write() as connection:
            monitors.lock(connection, monitor_id)
            known = monitors.find(connection, self.monitor.name)
            assert known is not None
            assert known.watermark is not None
            note(connection, self.monitor, monitor_id, counted.newcomers, now)
            changed = keep(connection, counted.prepared, counted.batches, now)
            keep_joint(connection, joint.batches, now, allow_shrink=self.allow_shrink)
            scanned_from = min(known.scanned_from or step.start, progress.whole.start)
            if known.scanned_from is not None and step.end >= known.scanned_from > step.start:
                monitors.reach_back(connection, monitor_id, progress.whole.start)
            work = revised(
                self.monitor, counted.prepared, (), changed, known.watermark, scanned_from
            )
            judged = self._judged(connection, counted.prepared, work, scanned_from, now)
            save_results(connection, judged)
            excluded = exclusions.active(connection, self.monitor.name)
            explain_predictions(connection, self.monitor, counted.prepared, judged, excluded)
            correct_alerts(connection, self.monitor, judged, now)
            panes = sum(one.seconds for one in changed) // self.monitor.pane_seconds
            rows = counted.rows
            backfills.advance(connection, monitor_id, progress.whole, step.end, rows, panes, now)
        windows = len({(one.row.window_seconds, one.row.window_end) for one in judged})
        return replace(
            progress,
            done_until=step.end,
            rows=progress.rows + rows,
            rows_now=progress.rows_now + rows,
            panes_now=progress.panes_now + panes,
            panes_changed=progress.panes_changed + panes,
            windows=progress.windows + windows,
            shrunk=progress.shrunk + counted.shrunk,
        )

    def finish(self, prepared: Prepared, progress: Progress) -> Progress:
        """Alerts that nothing has moved yet begin with the newest windows, and the webhook hears
        what fires as of the watermark, or does not any more: nothing of the way there."""
        now, name = self.process_now(), self.monitor.name
        with self.store.write() as connection:
            monitors.lock(connection, prepared.monitor_id)
            known = monitors.find(connection, name)
            assert known is not None
            assert known.watermark is not None
            counted = Interval(progress.whole.start, progress.until)
            newest = [
                Due(lane.features, windows, volume=lane.seconds == 0)
                for lane in prepared.lanes
                for windows in [self._newest(known.watermark, lane.seconds, counted)]
            ]
            scanned_from = known.scanned_from or progress.whole.start
            judged = self._judged(connection, prepared, newest, scanned_from, now)
            begin_alerts(connection, self.monitor, judged, now)
            if self.notify:
                enqueue_changes(connection, name, now)
            backfills.finish(connection, prepared.monitor_id, progress.whole, now)
            annotations.note(
                connection, name, "", AnnotationKind.REVISED, progress.whole.start,
                progress.whole.end, f"counted again: {progress.panes_changed:,} panes changed", now,
            )  # fmt: skip
            captured = _captured(connection, self.monitor, prepared.monitor_id, counted)
        return replace(progress, references=captured)

    def _newest(self, watermark: datetime, lane: int, counted: Interval) -> tuple[Window, ...]:
        """Windows that an alert remembers, if the newest of them was counted again."""
        until = watermark - timedelta(seconds=lane)
        return latest_windows(self.monitor, until, self.monitor.alert.of, counted)

    def _judged(
        self,
        connection: Connection,
        prepared: Prepared,
        work: Sequence[Due],
        scanned_from: datetime,
        now: datetime,
    ) -> list[Judged]:
        excluded = exclusions.active(connection, self.monitor.name)
        return judge_due(
            connection, self.monitor, prepared, work, excluded,
            troubles={}, scanned_from=scanned_from, now=now,
        )  # fmt: skip
