"""Evaluations: what ran, how it ended, what it cost."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.store.schema import evaluation
from driftwatch.window import Interval

SUCCESS = ("success", "no_data")
"""Outcomes of an evaluation that did all that was to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRow:
    """One evaluation. scan: the event time that was counted, None if nothing was.

    outcome: success, no_data, timeout, source_error, store_error ...; message: what went wrong.
    """

    monitor: str
    started_at: datetime
    finished_at: datetime
    now: datetime
    outcome: str
    message: str = ""
    scan: Interval | None = None
    rows_scanned: int = 0
    panes: int = 0
    windows_judged: int = 0
    scan_seconds: float = 0.0
    store_seconds: float = 0.0
    judge_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What the evaluations of one monitor took together, since a moment."""

    monitor: str
    evaluations: int
    failures: int
    rows_scanned: int
    panes: int
    windows_judged: int
    scan_seconds: float
    store_seconds: float
    judge_seconds: float


def record(connection: Connection, row: EvaluationRow) -> None:
    """Note one evaluation."""
    values = asdict(row)
    del values["scan"]
    scan = row.scan
    values["scan_start"] = scan.start if scan else None
    values["scan_end"] = scan.end if scan else None
    connection.execute(sa.insert(evaluation).values(values))


def last(connection: Connection, monitor: str) -> EvaluationRow | None:
    """The evaluation of a monitor that finished last."""
    return _last(connection, evaluation.c.monitor == monitor)


def last_success(connection: Connection, monitor: str) -> EvaluationRow | None:
    """The last evaluation of a monitor that did all that was to do."""
    return _last(
        connection, sa.and_(evaluation.c.monitor == monitor, evaluation.c.outcome.in_(SUCCESS))
    )


def cost(connection: Connection, since: datetime) -> list[Cost]:
    """What each monitor's evaluations took that finished at or after `since`, by name."""
    table = evaluation
    failures = sa.func.sum(sa.case((table.c.outcome.in_(SUCCESS), 0), else_=1))
    rows = connection.execute(
        sa.select(
            table.c.monitor,
            sa.func.count(),
            failures,
            sa.func.sum(table.c.rows_scanned),
            sa.func.sum(table.c.panes),
            sa.func.sum(table.c.windows_judged),
            sa.func.sum(table.c.scan_seconds),
            sa.func.sum(table.c.store_seconds),
            sa.func.sum(table.c.judge_seconds),
        )
        .where(table.c.finished_at >= since)
        .group_by(table.c.monitor)
        .order_by(table.c.monitor)
    )
    return [
        Cost(row[0], *(int(count) for count in row[1:6]), *(float(spent) for spent in row[6:]))
        for row in rows
    ]


def _last(connection: Connection, where: sa.ColumnElement[bool]) -> EvaluationRow | None:
    statement = (
        sa.select(evaluation)
        .where(where)
        .order_by(evaluation.c.finished_at.desc(), evaluation.c.id.desc())
        .limit(1)
    )
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _record(row)


def _record(row: Mapping[Any, Any]) -> EvaluationRow:
    values = dict(row)
    start, end = values.pop("scan_start"), values.pop("scan_end")
    del values["id"]
    return EvaluationRow(**values, scan=Interval(start, end) if start else None)
