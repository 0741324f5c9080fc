"""Giving columns another reference: with their segments, their trace, and an end to their alerts.

Everything is written in one transaction that holds the monitor, so that a daemon that runs beside
it either sees all of it or nothing, and goes on with the new reference at its next evaluation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.errors import ConfigError
from driftwatch.evaluate.alerts import Change, reset_alerts
from driftwatch.evaluate.groups import version_key
from driftwatch.evaluate.specification import Moving, reference_of, specification
from driftwatch.stats.counts import ColumnPanes, PaneCounts
from driftwatch.stats.segment import Grouping
from driftwatch.stats.unseen import with_expected_unseen
from driftwatch.store import annotations, ledger, monitors, references, versions
from driftwatch.store.annotations import AnnotationRow
from driftwatch.store.axes import AxisRecord
from driftwatch.store.ledger import WindowCounts
from driftwatch.store.panes import no_counts
from driftwatch.store.references import NewReference, ReferenceRecord
from driftwatch.store.schema import ReferenceOrigin
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one interval, one pane per column. segments: the same by segment."""

    rows: int
    columns: Mapping[str, ColumnPanes]
    segments: Mapping[str, "Counted"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rebase:
    """Who gives columns another reference, and why.

    watermark: event time from which on windows are compared with it; trace: what is noted of each
    column; note: kept with the references; notify: whether the webhook hears of alerts that end;
    now: process time.
    """

    monitor: MonitorSettings
    monitor_id: int
    watermark: datetime
    origin: ReferenceOrigin
    trace: AnnotationRow
    note: str
    notify: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Rebased:
    """What columns are compared with from now on.

    references: of all rows, those that are new; parts: how many of segments came with them;
    from_ledger: whether nothing was read from the source; changes: alerts that ended; again: a
    range that must be counted again, in bins that are new, for the windows under way.
    """

    references: tuple[ReferenceRecord, ...]
    parts: int = 0
    from_ledger: bool = True
    changes: tuple[Change, ...] = ()
    again: Interval | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A monitor that has counted something, up to `watermark`."""

    id: int
    watermark: datetime


def counted_until(connection: Connection, monitor: MonitorSettings) -> Known:
    """How far the monitor has counted. ConfigError: nothing yet."""
    found = monitors.find(connection, monitor.name)
    if found is None or found.watermark is None:
        raise ConfigError(
            f"monitor {monitor.name!r} has counted nothing yet; run `driftwatch serve` or "
            "`driftwatch evaluate --once` first"
        )
    return Known(found.id, found.watermark)


def from_ledger(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    interval: Interval,
    groupings: Sequence[Grouping],
) -> Counted | None:
    """What the ledger holds of an interval; None unless it was counted whole, with every one of
    these columns. A grouping that was not, because it was configured later, is left out."""
    (whole,) = ledger.sum_windows(connection, monitor_id, axes, [interval])
    if not _is_counted(whole):
        return None
    keys = [key for one in groupings for key in one.keys]
    sums = ledger.sum_segments(connection, monitor_id, axes, [interval], keys) if keys else {}
    found: dict[str, Counted] = {}
    for one in groupings:
        parts = {key: sums[key][0] for key in one.keys}
        if sum(part.rows for part in parts.values()) == whole.rows:
            found |= {key: Counted(part.rows, part.columns) for key, part in parts.items()}
    return Counted(whole.rows, whole.columns, found)


def has_all(counted: Counted, groupings: Sequence[Grouping]) -> bool:
    """Whether every segment was counted."""
    return all(key in counted.segments for one in groupings for key in one.keys)


def _is_counted(found: WindowCounts) -> bool:
    return found.is_whole and all(rows == found.rows for rows in found.column_rows.values())


def summed(counts: PaneCounts, groupings: Sequence[Grouping] = ()) -> Counted:
    """A scan as one pane. A segment of these groupings without a row is an empty one."""
    empty = Counted(0, {})
    found = {key: summed(part) for key, part in counts.segments.items()}
    return Counted(
        int(counts.rows.sum()),
        {name: panes.sum() for name, panes in counts.columns.items()},
        {key: empty for one in groupings for key in one.keys} | found,
    )


def save(
    connection: Connection,
    rebase: Rebase,
    columns: Sequence[str],
    axes: Mapping[str, AxisRecord],
    interval: Interval,
    counted: Counted,
) -> Rebased:
    """Make these counts the references of the columns, of the volume among them.

    The transaction holds the monitor already. Alerts of columns whose reference is another one now
    are resolved, and begin anew.
    """
    before = references.active(connection, rebase.monitor_id)
    made = [_capture(connection, rebase, name, axes, interval, counted) for name in columns]
    parts = sum(
        _capture(connection, rebase, name, axes, interval, part, key) is not None
        for key, part in counted.segments.items()
        for name in columns
        # What moves is summed from the ledger for segments, too.
        if name != VOLUME and not isinstance(reference_of(rebase.monitor, name), Moving)
    )
    parts += _save_versions(connection, rebase, columns, axes, interval)
    known = {_identity(one) for one in before.values()}
    new = tuple(one for one in made if _identity(one) not in known)
    changes = tell(connection, rebase, [one.column for one in new]) if new else []
    return Rebased(new, parts, changes=tuple(changes))


def _save_versions(
    connection: Connection,
    rebase: Rebase,
    columns: Sequence[str],
    axes: Mapping[str, AxisRecord],
    interval: Interval,
) -> int:
    """Versions are compared with the same range from now on, as far as the ledger has rows of them
    in these bins; returns how many."""
    if rebase.monitor.version is None:
        return 0
    predicted = {
        one.name: axes[one.name]
        for one in rebase.monitor.features
        if one.prediction and one.name in columns and one.name in axes
    }
    known = versions.load(connection, rebase.monitor_id) if predicted else []
    keys = {version_key(one.version): one.version for one in known}
    if not keys:
        return 0
    sums = ledger.sum_segments(connection, rebase.monitor_id, predicted, [interval], list(keys))
    made = 0
    for key, version in keys.items():
        (found,) = sums[key]
        if found.rows < rebase.monitor.min_rows or not _is_counted(found):
            continue
        part = Counted(found.rows, found.columns)
        for name in predicted:
            _capture(connection, rebase, name, axes, interval, part, key)
            made += 1
        versions.hand_over(connection, rebase.monitor_id, version, interval.end)
    return made


def _identity(one: ReferenceRecord) -> tuple[int, str, str, str]:
    """A version of the same counts may come to serve something else."""
    return one.id, one.specification, one.origin, one.note


def tell(connection: Connection, rebase: Rebase, columns: Sequence[str]) -> list[Change]:
    """Leave a trace, and resolve the alerts of these columns; returns those that changed."""
    trace = rebase.trace
    for name in columns:
        annotations.note(
            connection, rebase.monitor.name, name, trace.kind, trace.start, trace.end,
            trace.message, rebase.now,
        )  # fmt: skip
    return reset_alerts(
        connection, rebase.monitor.name, set(columns), rebase.watermark, trace.message,
        rebase.now, rebase.notify,
    )  # fmt: skip


def _capture(
    connection: Connection,
    rebase: Rebase,
    name: str,
    axes: Mapping[str, AxisRecord],
    interval: Interval,
    counted: Counted,
    segment: str = "",
) -> ReferenceRecord:
    """A segment without a row has a reference, too: an empty one."""
    axis = axes.get(name)
    counts = None
    if axis is not None:
        counts = counted.columns.get(name, no_counts(1, axis.axis.cells))
        if axis.fitted == interval:
            counts = replace(counts, cells=with_expected_unseen(axis.axis, counts.cells))
    new = NewReference(
        column=name,
        axis=axis,
        interval=interval,
        counts=counts,
        rows=counted.rows,
        segment=segment,
        specification=specification(reference_of(rebase.monitor, name)),
        origin=rebase.origin,
        note=rebase.note,
    )
    return references.capture(connection, rebase.monitor_id, new, rebase.now)
