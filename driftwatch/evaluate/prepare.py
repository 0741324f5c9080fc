"""What an evaluation needs before it can count: axes, references and a compiled scan.

They are made once and kept by the caller between evaluations; whatever is missing (a column
added later, a reference range that was not over yet) is captured here, alone, without touching
what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.errors import ConfigError
from driftwatch.evaluate.capture import Captured, capture
from driftwatch.evaluate.definition import changed_definition, definition
from driftwatch.evaluate.progress import target
from driftwatch.source import ColumnType, RelationInfo, ScanColumn, ScanPlan, Source
from driftwatch.stats.counts import ColumnTrouble, IntArray
from driftwatch.store import axes, ledger, monitors, references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.references import ReferenceRecord
from driftwatch.verdict.policy import VOLUME

RETRY_AFTER = timedelta(hours=1)
"""What could not be captured is tried again after this much event time, while there is another
reference; without any, at every evaluation."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One monitor, ready to scan.

    waiting: why the configured reference is not captured yet, "" if it is; until then the one that
    was captured before goes on being compared with. retry_at: event time at which to look again.
    reference_rows: rows of the reference's own windows, per window length (for the volume).
    captured_rows, capture_seconds: what this preparation asked of the source to capture the
    reference; a later evaluation that is handed this value did not spend it again.
    """

    monitor_id: int
    info: RelationInfo
    axes: Mapping[str, AxisRecord]
    references: Mapping[str, ReferenceRecord]
    plan: ScanPlan
    troubles: Mapping[str, ColumnTrouble]
    retry_at: datetime | None
    waiting: str = ""
    reference_rows: Mapping[int, IntArray] = field(default_factory=dict)
    captured_rows: int = 0
    capture_seconds: float = 0.0

    def is_current(self, now: datetime) -> bool:
        """Whether nothing is left to be captured at `now`."""
        return self.has_reference and (self.retry_at is None or now < self.retry_at)

    @property
    def has_reference(self) -> bool:
        """Whether there is anything to compare with: else nothing is counted."""
        return VOLUME in self.references


def prepare(
    monitor: MonitorSettings, now: datetime, *, source: Source, store: Store, started_at: datetime
) -> Prepared:
    """Look at the table, load what is stored, capture what is missing, compile the scan.

    now: event time; started_at: process time, noted with what is captured. ConfigError: the monitor
    reads other rows than those that are stored; then nothing is written.
    """
    _same_rows(monitor, store)
    info = source.inspect(monitor.relation)
    with store.write() as connection:
        record = monitors.ensure(connection, monitor.name, started_at)
    waiting = _incomplete(monitor, now)
    captured = Captured(waiting)
    retry_at = monitor.reference.end if waiting else None
    if not waiting:
        captured = capture(
            monitor, record.id, info, source=source, store=store, started_at=started_at
        )
        if captured.waiting or captured.troubles:
            retry_at = now + RETRY_AFTER
    with store.read() as connection:
        return _load(connection, monitor, record.id, info, source, captured, retry_at)


def _same_rows(monitor: MonitorSettings, store: Store) -> None:
    """Counts are never added to counts of other rows. A store that does not say which rows it
    counted (older than the column) takes the present ones."""
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
        captured = known is not None and VOLUME in references.active(connection, known.id)
    if known is None or not captured:
        return
    changed = changed_definition(known.definition, monitor)
    if changed:
        raise ConfigError(changed)
    if known.definition is None:
        with store.write() as connection:
            monitors.define(connection, known.id, definition(monitor))


def _load(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    info: RelationInfo,
    source: Source,
    captured: Captured,
    retry_at: datetime | None,
) -> Prepared:
    watched = {feature.name for feature in monitor.features}
    active = {n: a for n, a in axes.active(connection, monitor_id).items() if n in watched}
    stored = references.active(connection, monitor_id)
    columns = [ScanColumn(n, a.axis, ColumnType(a.column_type)) for n, a in active.items()]
    plan = source.plan(monitor.relation, info, columns, monitor.pane_seconds)
    return Prepared(
        monitor_id=monitor_id,
        info=info,
        axes=active,
        references=stored,
        plan=plan,
        troubles=captured.troubles,
        retry_at=retry_at,
        waiting=captured.waiting,
        reference_rows={
            seconds: ledger.window_rows(connection, monitor_id, stored[VOLUME].interval, seconds)
            for seconds in monitor.window_seconds
            if VOLUME in stored
        },
        captured_rows=captured.rows,
        capture_seconds=captured.seconds,
    )


def _incomplete(monitor: MonitorSettings, now: datetime) -> str:
    if monitor.reference.end <= target(monitor, now):
        return ""
    return (
        f"the reference {monitor.reference} of monitor {monitor.name!r} is not complete before "
        f"its end and the delay have passed"
    )
