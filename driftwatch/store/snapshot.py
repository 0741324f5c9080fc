"""All that is shown of one monitor, read at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.config.settings import Exclusion
from driftwatch.store import (
    alerts,
    evaluations,
    exclusions,
    explained,
    monitors,
    references,
    results,
    segments,
    versions,
)
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.evaluations import EvaluationRow
from driftwatch.store.explained import ExplainedShare
from driftwatch.store.references import ReferenceRecord
from driftwatch.store.results import ResultRecord
from driftwatch.store.segments import SegmentRow
from driftwatch.store.versions import VersionRow


@dataclass(frozen=True, slots=True)
class MonitorSnapshot:
    """One monitor as the store knows it; empty for a monitor that was never evaluated.

    results: the latest per feature, segment and window length; alerts: of every segment, too;
    references: of all rows; last_evaluation: whatever its outcome; last_success: when the last one
    finished that did all that was to do; versions: oldest first; segments: the frozen ones;
    exclusions: those in force; explained: what explains results, by their ids. What is not
    configured any more is among them: who shows it chooses.
    """

    monitor: str
    watermark: datetime | None
    scanned_from: datetime | None
    results: tuple[ResultRecord, ...]
    alerts: tuple[AlertRecord, ...]
    references: Mapping[str, ReferenceRecord]
    last_evaluation: EvaluationRow | None
    last_success: datetime | None
    versions: tuple[VersionRow, ...] = ()
    segments: tuple[SegmentRow, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    explained: Mapping[int, Sequence[ExplainedShare]] = field(default_factory=dict)


def read(connection: Connection, monitor: str) -> MonitorSnapshot:
    """The monitor of this name. Read it inside one `Store.read()`: that is one moment."""
    known = monitors.find(connection, monitor)
    success = evaluations.last_success(connection, monitor)
    empty = MonitorSnapshot(
        monitor=monitor,
        watermark=None,
        scanned_from=None,
        results=(),
        alerts=(),
        references={},
        last_evaluation=evaluations.last(connection, monitor),
        last_success=success.finished_at if success else None,
    )
    if known is None:
        return empty
    return replace(
        empty,
        watermark=known.watermark,
        scanned_from=known.scanned_from,
        results=tuple(results.latest(connection, monitor)),
        alerts=tuple(alerts.load(connection, monitor).values()),
        references=references.active(connection, known.id),
        versions=tuple(versions.load(connection, known.id)),
        segments=tuple(segments.load(connection, known.id)),
        exclusions=exclusions.active(connection, monitor),
        explained=explained.latest(connection, monitor),
    )
