"""Fitting and counting the reference of every feature that has none yet, and of the volume."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import gcd

from sqlalchemy import Connection

from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.errors import ConfigError
from driftwatch.evaluate.definition import changed_definition, definition
from driftwatch.source import ColumnType, RelationInfo, ScanColumn, Source
from driftwatch.stats.axis import Axis
from driftwatch.stats.counts import ColumnTrouble, PaneCounts
from driftwatch.stats.unseen import with_expected_unseen
from driftwatch.store import axes, ledger, monitors, references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.references import ReferenceRecord
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import to_epoch

LONGEST_PANE_SECONDS = 3_600
"""The reference enters the ledger as hours: fine enough for every season, 12 times less to
write than panes of 5 minutes."""

Troubles = dict[str, ColumnTrouble]


@dataclass(frozen=True, slots=True)
class Captured:
    """waiting: why nothing can be compared yet, "" if it can; troubles: the columns that could not
    be captured; rows, seconds: what it asked of the source, 0 if there was nothing to capture."""

    waiting: str
    troubles: Troubles = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0


def capture(
    monitor: MonitorSettings,
    monitor_id: int,
    info: RelationInfo,
    *,
    source: Source,
    store: Store,
    started_at: datetime,
) -> Captured:
    """Capture what has no reference of the configured range; what has one is not touched.

    started_at: process time.
    """
    with store.read() as connection:
        stored = references.active(connection, monitor_id)
        known = axes.active(connection, monitor_id)
    missing = [one for one in monitor.features if not _is_captured(one.name, stored, monitor)]
    volume = _is_captured(VOLUME, stored, monitor)
    if not missing and volume:
        return Captured("")
    begun = time.perf_counter()
    columns, troubles = _axes(monitor, info, missing, known, source)
    plan = source.plan(monitor.relation, info, columns, _pane_seconds(monitor))
    counts = source.scan(plan, monitor.reference, capture=True)
    seconds = time.perf_counter() - begun
    if counts.rows.sum() == 0:
        # Rows of a reference may be deleted once it is captured: that stops later columns alone.
        empty = _no_rows(monitor)
        late = {one.name: ColumnTrouble(one.name, "no_reference", empty) for one in missing}
        if volume:
            return Captured("", late, seconds=seconds)
        return Captured(empty, seconds=seconds)
    with store.write() as connection:
        _save(connection, monitor, monitor_id, columns, counts, started_at)
    troubles |= {trouble.column: trouble for trouble in counts.troubles}
    return Captured("", troubles, int(counts.rows.sum()), seconds)


def _is_captured(
    name: str, stored: Mapping[str, ReferenceRecord], monitor: MonitorSettings
) -> bool:
    return name in stored and stored[name].interval == monitor.reference


def _axes(
    monitor: MonitorSettings,
    info: RelationInfo,
    missing: Sequence[FeatureSettings],
    known: Mapping[str, AxisRecord],
    source: Source,
) -> tuple[list[ScanColumn], Troubles]:
    """Axes of the features without a reference. A new reference keeps an axis that exists, so that
    stored panes stay usable, unless the column is of another type by now."""
    types = {column.name: column.column_type for column in info.columns}
    kept: dict[str, Axis] = {
        one.name: known[one.name].axis
        for one in missing
        if one.name in known and known[one.name].column_type == types.get(one.name)
    }
    fresh = [one for one in missing if one.name not in kept]
    found = source.fit(monitor.relation, info, fresh, monitor.reference) if fresh else {}
    fitted = kept | {n: axis for n, axis in found.items() if not isinstance(axis, ColumnTrouble)}
    columns = [ScanColumn(name, axis, ColumnType(types[name])) for name, axis in fitted.items()]
    return columns, {n: one for n, one in found.items() if isinstance(one, ColumnTrouble)}


def _pane_seconds(monitor: MonitorSettings) -> int:
    """The longest panes, up to hours, that make up the reference and all windows in it."""
    edges = (to_epoch(monitor.reference.start), to_epoch(monitor.reference.end))
    seconds = gcd(LONGEST_PANE_SECONDS, *edges, *monitor.window_seconds)
    return seconds if seconds % monitor.pane_seconds == 0 else monitor.pane_seconds


def _save(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    columns: Sequence[ScanColumn],
    counts: PaneCounts,
    started_at: datetime,
) -> None:
    monitors.lock(connection, monitor_id)
    counted = monitors.define(connection, monitor_id, definition(monitor))
    if changed := changed_definition(counted, monitor):
        raise ConfigError(changed)  # what another process noted since this one looked
    stored = references.active(connection, monitor_id)  # another process may have been quicker
    wanted = {
        c.name: axes.save(
            connection, monitor_id, c.name, c.axis, c.column_type, monitor.reference, started_at
        )
        for c in columns
        if c.name in counts.columns and not _is_captured(c.name, stored, monitor)
    }
    rows = int(counts.rows.sum())
    interval = monitor.reference
    volume = stored[VOLUME] if _is_captured(VOLUME, stored, monitor) else None
    if volume is None:
        references.capture(connection, monitor_id, VOLUME, None, interval, None, rows, started_at)
    if volume is None or volume.rows == rows:
        # Where rows were deleted or came late, panes keep the rows that the volume was captured of.
        counts = replace(counts, columns={name: counts.columns[name] for name in wanted})
        ledger.record(connection, monitor_id, wanted, counts, interval, started_at)
    for name, axis in wanted.items():
        panes = counts.columns[name].sum()
        if axis.fitted == interval:
            panes = replace(panes, cells=with_expected_unseen(axis.axis, panes.cells))
        references.capture(connection, monitor_id, name, axis, interval, panes, rows, started_at)


def _no_rows(monitor: MonitorSettings) -> str:
    return (
        f"the reference {monitor.reference} of monitor {monitor.name!r} holds no rows; check "
        "`reference`, `timestamp` and `where`. Nothing is counted before it does"
    )
