"""References of versions are of their own days: new bins count these days again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.groups import VERSION_PREFIX, version_grouping, with_version_keys
from driftwatch.evaluate.rebase import Counted, summed
from driftwatch.source import RelationInfo, ScanColumn, Source
from driftwatch.store import references, versions
from driftwatch.store.axes import AxisRecord
from driftwatch.store.references import NewReference, ReferenceRecord

Recounted = list[tuple[ReferenceRecord, Counted]]


def of_versions(
    connection: Connection, monitor_id: int, columns: Sequence[str]
) -> tuple[list[ReferenceRecord], list[str]]:
    """The references of versions over these columns, and every version that is known."""
    active = references.active_segments(connection, monitor_id)
    found = [
        record
        for key, of_key in active.items()
        for name, record in of_key.items()
        if key.startswith(VERSION_PREFIX) and name in columns and record.interval is not None
    ]
    return found, [one.version for one in versions.load(connection, monitor_id)]


def count_again(
    monitor: MonitorSettings,
    source: Source,
    info: RelationInfo,
    columns: Sequence[ScanColumn],
    records: Sequence[ReferenceRecord],
    known: Sequence[str],
) -> Recounted:
    """One scan per range. Versions whose rows were deleted are left out: they are compared with
    the version before them again."""
    made: Recounted = []
    for interval in sorted({one.interval for one in records if one.interval is not None}):
        of_range = [one for one in records if one.interval == interval]
        chosen = [one for one in columns if one.name in {record.column for record in of_range}]
        plan = source.plan(
            monitor.relation, info, chosen, monitor.pane_seconds,
            groupings=version_grouping(monitor, known),
        )  # fmt: skip
        counts = with_version_keys(monitor, known, source.scan(plan, interval, capture=True))
        parts = summed(counts).segments
        made += [
            (one, parts[one.segment])
            for one in of_range
            if one.segment in parts and parts[one.segment].rows
        ]
    return made


def save(
    connection: Connection,
    monitor_id: int,
    axes: Mapping[str, AxisRecord],
    recounted: Recounted,
    now: datetime,
) -> None:
    """The same references in the bins of these axes."""
    for record, counted in recounted:
        new = NewReference(
            column=record.column,
            axis=axes[record.column],
            interval=record.interval,
            counts=counted.columns[record.column],
            rows=counted.rows,
            segment=record.segment,
            specification=record.specification,
            origin=record.origin,
            note=record.note,
        )
        references.capture(connection, monitor_id, new, now)
