"""All that is shown of one monitor, read at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.store import alerts, evaluations, monitors, references, results
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.evaluations import EvaluationRow
from driftwatch.store.references import ReferenceRecord
from driftwatch.store.results import ResultRecord


@dataclass(frozen=True, slots=True)
class MonitorSnapshot:
    """One monitor as the store knows it; empty for a monitor that was never evaluated.

    results: the latest per feature, segment and window length; last_evaluation: whatever its
    outcome; last_success: when the last one finished that did all that was to do. What is not
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


def read(connection: Connection, monitor: str) -> MonitorSnapshot:
    """The monitor of this name. Read it inside one `Store.read()`: that is one moment."""
    known = monitors.find(connection, monitor)
    success = evaluations.last_success(connection, monitor)
    return MonitorSnapshot(
        monitor=monitor,
        watermark=known.watermark if known else None,
        scanned_from=known.scanned_from if known else None,
        results=tuple(results.latest(connection, monitor)) if known else (),
        alerts=tuple(alerts.load(connection, monitor).values()) if known else (),
        references=references.active(connection, known.id) if known else {},
        last_evaluation=evaluations.last(connection, monitor),
        last_success=success.finished_at if success else None,
    )
