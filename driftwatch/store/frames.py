"""What is stored, as pandas frames, for notebooks and pages."""

from datetime import datetime

import pandas as pd
import sqlalchemy as sa

from driftwatch.store.engine import Store
from driftwatch.store.schema import alert_event, annotation, result, result_bin
from driftwatch.store.types import NanAsNull, UtcDateTime


def results_frame(
    store: Store,
    *,
    monitor: str | None = None,
    feature: str | None = None,
    window_seconds: int | None = None,
    segment: str | None = "",
    since: datetime | None = None,
) -> pd.DataFrame:
    """Results, one row each, by window end; `since`: windows that ended after it; `segment`: ""
    for all rows, None for every segment.

    Times are timestamps in UTC, counts integers, what is not known NaN. The columns are those of
    the table `result`, also where no row is found.
    """
    return _frame(
        store,
        sa.select(result)
        .where(*_equal(result, monitor=monitor, feature=feature, window_seconds=window_seconds))
        .where(*_equal(result, segment=segment))
        .where(sa.true() if since is None else result.c.window_end > since)
        .order_by(result.c.window_end, result.c.id),
    )


def bins_frame(
    store: Store, *, monitor: str, feature: str | None = None, segment: str | None = ""
) -> pd.DataFrame:
    """The bins that are kept (of the latest and of flagged results), with what they belong to;
    `segment`: "" for all rows, None for every segment."""
    fields = (result.c.monitor, result.c.feature, result.c.segment, result.c.window_seconds)
    return _frame(
        store,
        sa.select(*fields, result.c.window_end, result_bin)
        .join(result_bin, result_bin.c.result_id == result.c.id)
        .where(*_equal(result, monitor=monitor, feature=feature, segment=segment))
        .order_by(result.c.window_end, result_bin.c.result_id, result_bin.c.cell),
    )


def events_frame(
    store: Store, *, monitor: str | None = None, since: datetime | None = None
) -> pd.DataFrame:
    """Changes of alerts, by window end; `since`: windows that ended after it."""
    return _frame(
        store,
        sa.select(alert_event)
        .where(*_equal(alert_event, monitor=monitor))
        .where(sa.true() if since is None else alert_event.c.window_end > since)
        .order_by(alert_event.c.window_end, alert_event.c.id),
    )


def annotations_frame(
    store: Store, *, monitor: str | None = None, since: datetime | None = None
) -> pd.DataFrame:
    """What curves are annotated with, by time; `since`: what ended after it."""
    return _frame(
        store,
        sa.select(annotation)
        .where(*_equal(annotation, monitor=monitor))
        .where(sa.true() if since is None else annotation.c.range_end > since)
        .order_by(annotation.c.range_start, annotation.c.id),
    )


def _equal(table: sa.Table, **wanted: object) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in wanted.items() if value is not None]


def _frame(store: Store, statement: sa.Select[tuple[object, ...]]) -> pd.DataFrame:
    with store.read() as connection:
        found = connection.execute(statement)
        frame = pd.DataFrame.from_records(found.all(), columns=list(found.keys()))
    for column in statement.selected_columns:
        kind = _dtype(column.type)
        if kind is not None:
            frame[column.name] = frame[column.name].astype(kind)
    return frame


def _dtype(kind: sa.types.TypeEngine[object]) -> str:
    if isinstance(kind, UtcDateTime):
        return "datetime64[us, UTC]"
    if isinstance(kind, sa.Integer):
        return "Int64"
    if isinstance(kind, NanAsNull):
        return "float64"
    return "str"
