"""What an evaluation needs before it can count: axes, references and a compiled scan.

They are made once and kept by the caller between evaluations; whatever is missing (a column
added later, a reference range that was not over yet) is captured here, alone, without touching
what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.evaluate.progress import target
from driftwatch.source import ColumnType, RelationInfo, ScanColumn, ScanPlan, Source
from driftwatch.stats.axis import Axis
from driftwatch.stats.counts import ColumnTrouble, IntArray, PaneCounts
from driftwatch.store import axes, ledger, monitors, references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.references import ReferenceRecord
from driftwatch.verdict.policy import VOLUME

CAPTURE_PANE_SECONDS = 3_600
"""The reference enters the ledger as hours: fine enough for every season, 12 times less to
write than panes of 5 minutes."""

RETRY_AFTER = timedelta(hours=1)
"""A column that could not be captured is tried again after this much event time."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One monitor, ready to scan. `waiting` says why there is no reference yet, if there is none.

    reference_rows: rows of the reference's own windows, per window length (for the volume).
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

    def is_current(self, now: datetime) -> bool:
        """Whether nothing is left to be captured at `now`."""
        return self.retry_at is None or now < self.retry_at


def prepare(
    monitor: MonitorSettings, now: datetime, *, source: Source, store: Store, started_at: datetime
) -> Prepared:
    """Look at the table, load what is stored, capture what is missing, compile the scan.

    now: event time; started_at: process time, noted with what is captured.
    """
    info = source.inspect(monitor.relation)
    with store.write() as connection:
        record = monitors.ensure(connection, monitor.name, started_at)
    waiting = _waiting(monitor, now)
    troubles: dict[str, ColumnTrouble] = {}
    if not waiting:
        waiting, troubles = _capture(
            monitor, started_at, record.id, info, source=source, store=store
        )
    with store.read() as connection:
        return _load(connection, monitor, now, record.id, info, source, troubles, waiting)


def _load(
    connection: Connection,
    monitor: MonitorSettings,
    now: datetime,
    monitor_id: int,
    info: RelationInfo,
    source: Source,
    troubles: dict[str, ColumnTrouble],
    waiting: str,
) -> Prepared:
    watched = {feature.name for feature in monitor.features}
    active = {n: a for n, a in axes.active(connection, monitor_id).items() if n in watched}
    stored = references.active(connection, monitor_id)
    columns = [ScanColumn(n, a.axis, ColumnType(a.column_type)) for n, a in active.items()]
    plan = source.plan(monitor.relation, info, columns, monitor.pane_seconds)
    retry = waiting or troubles
    return Prepared(
        monitor_id=monitor_id,
        info=info,
        axes=active,
        references=stored,
        plan=plan,
        troubles=troubles,
        retry_at=(now if waiting else now + RETRY_AFTER) if retry else None,
        waiting=waiting,
        reference_rows={
            seconds: ledger.window_rows(connection, monitor_id, stored[VOLUME].interval, seconds)
            for seconds in monitor.window_seconds
            if VOLUME in stored
        },
    )


def _waiting(monitor: MonitorSettings, now: datetime) -> str:
    if monitor.reference.end <= target(monitor, now):
        return ""
    return (
        f"the reference {monitor.reference} of monitor {monitor.name!r} is not complete before "
        f"its end and the delay have passed"
    )


def _capture(
    monitor: MonitorSettings,
    started_at: datetime,
    monitor_id: int,
    info: RelationInfo,
    *,
    source: Source,
    store: Store,
) -> tuple[str, dict[str, ColumnTrouble]]:
    """Fit and count the reference of every feature that has none yet.

    Returns why there is nothing to capture ("" if there is), and the columns that could not be.
    """
    with store.read() as connection:
        stored = references.active(connection, monitor_id)
        known = axes.active(connection, monitor_id)

    def is_stored(name: str) -> bool:
        return name in stored and stored[name].interval == monitor.reference

    missing = [feature for feature in monitor.features if not is_stored(feature.name)]
    if not missing and is_stored(VOLUME):
        return "", {}
    fitted, troubles = _fit(monitor, info, missing, known, source)
    columns = [
        ScanColumn(name, axis, column.column_type)
        for name, axis in fitted.items()
        if (column := info.column(name)) is not None
    ]
    counts = _count(monitor, info, columns, source)
    troubles |= {trouble.column: trouble for trouble in counts.troubles}
    if counts.rows.sum() == 0:
        return _no_rows(monitor), {}
    with store.write() as connection:
        _save(connection, monitor, started_at, monitor_id, columns, counts)
    return "", troubles


def _fit(
    monitor: MonitorSettings,
    info: RelationInfo,
    missing: list[FeatureSettings],
    known: Mapping[str, AxisRecord],
    source: Source,
) -> tuple[dict[str, Axis], dict[str, ColumnTrouble]]:
    """Axes of the features without a reference. A new reference keeps an axis that exists."""
    fitted: dict[str, Axis] = {f.name: known[f.name].axis for f in missing if f.name in known}
    troubles: dict[str, ColumnTrouble] = {}
    fresh = [feature for feature in missing if feature.name not in known]
    if fresh:
        for name, axis in source.fit(monitor.relation, info, fresh, monitor.reference).items():
            if isinstance(axis, ColumnTrouble):
                troubles[name] = axis
            else:
                fitted[name] = axis
    return fitted, troubles


def _count(
    monitor: MonitorSettings, info: RelationInfo, columns: list[ScanColumn], source: Source
) -> PaneCounts:
    aligned = (
        monitor.reference.start.timestamp() % CAPTURE_PANE_SECONDS == 0
        and monitor.reference.end.timestamp() % CAPTURE_PANE_SECONDS == 0
    )
    seconds = max(monitor.pane_seconds, CAPTURE_PANE_SECONDS) if aligned else monitor.pane_seconds
    plan = source.plan(monitor.relation, info, columns, seconds)
    return source.scan(plan, monitor.reference)


def _save(
    connection: Connection,
    monitor: MonitorSettings,
    started_at: datetime,
    monitor_id: int,
    columns: list[ScanColumn],
    counts: PaneCounts,
) -> None:
    records = {
        c.name: axes.save(
            connection, monitor_id, c.name, c.axis, c.column_type, monitor.reference, started_at
        )
        for c in columns
        if c.name in counts.columns
    }
    ledger.record(connection, monitor_id, records, counts, monitor.reference, started_at)
    rows = int(counts.rows.sum())
    for name, record in records.items():
        panes = counts.columns[name].sum()
        references.capture(
            connection, monitor_id, name, record, monitor.reference, panes, rows, started_at
        )
    references.capture(
        connection, monitor_id, VOLUME, None, monitor.reference, None, rows, started_at
    )


def _no_rows(monitor: MonitorSettings) -> str:
    return (
        f"the reference {monitor.reference} of monitor {monitor.name!r} holds no rows; check "
        "`reference`, `timestamp` and `where`. Nothing is counted before it does"
    )
