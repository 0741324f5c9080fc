"""Which panes hold rows that were changed, by a column that every change of a row sets."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, literal_column, types

from driftwatch.errors import SourceError
from driftwatch.source.catalog import nearest, sql_type
from driftwatch.source.link import Link, StatementError
from driftwatch.source.plan import ScanPlan
from driftwatch.source.scan import aligned, check_unchanged
from driftwatch.source.statement import Queries
from driftwatch.source.timestamp import Timestamp, timestamp_of
from driftwatch.window import Interval, floor, to_epoch

_DAY = timedelta(days=1)
_FOR_EVER = "infinity"
"""What PostgreSQL writes for a time beyond all others."""

_UNITS = (1, 60, 3_600, 86_400)
"""What a time may be kept in, in seconds: from whole seconds up to whole days."""


def updated_panes(
    link: Link, plan: ScanPlan, interval: Interval, since: datetime | None, before: datetime
) -> tuple[tuple[int, ...], datetime | None]:
    """See `Source.updated_panes`. ChangedError as of `scan`."""
    aligned(interval, plan.pane_seconds)
    try:
        updated = _timestamp(plan)
        found = _read(link, plan, updated, interval, since, before)
    except (StatementError, _NoTimeError):
        check_unchanged(link, plan)
        raise
    check_unchanged(link, plan)
    newest = max((_moment(plan, updated, value) for value in found.values()), default=None)
    return (tuple(sorted(found)) if since is not None else ()), newest


class _NoTimeError(SourceError):
    """The column is not there, or is of no type that times are kept in."""


def at_most(updated: Timestamp, since: datetime) -> object:
    """A value that no change at `since` or later is below, as near as the column's units go.

    A clock that is set back shows earlier times again: they are not below it either.
    """
    reading = since
    if updated.wall is not None:
        reading = min(updated.wall.shown(since), updated.wall.shown(since + _DAY) - _DAY)
    values = (updated.write(floor(reading, unit)) for unit in _UNITS)
    return next(
        value for value in values if (moment := updated.read(value)) is None or moment <= reading
    )


def _read(
    link: Link,
    plan: ScanPlan,
    updated: Timestamp,
    interval: Interval,
    since: datetime | None,
    before: datetime,
) -> dict[int, object]:
    """The largest value in each pane that was changed; of all of them together without `since`."""
    queries, place, found = _queries(plan, updated), plan.place, dict[int, object]()
    if since is None:
        _require_times(link, plan, updated, interval)
        bound = {**place.times(interval), "before": at_most(updated, before)}
        ((start, value),) = link.run(queries.single, bound)
        return {start: value} if value is not None else {}
    for part in place.parts(interval, plan.pane_seconds):
        bound = {
            **place.times(part),
            "since": at_most(updated, since),
            "before": at_most(updated, before),
        }
        for pane, value in link.run(queries.grouped, bound):
            if pane is not None:  # a text that is no timestamp
                found[to_epoch(part.start) + int(pane) * plan.pane_seconds] = value
    return found


def _require_times(link: Link, plan: ScanPlan, updated: Timestamp, interval: Interval) -> None:
    """Text that is no time sorts behind every time, and would pass for one in the future."""
    if not isinstance(updated.type, types.String):
        return
    place = plan.place
    column = updated.compared(place.rows.c[str(place.relation.updated_at)])
    query = place.compile(place.select(func.max(column)))
    ((value,),) = link.run(query, place.times(interval))
    if value is not None and value != _FOR_EVER:
        _moment(plan, updated, value)


def _queries(plan: ScanPlan, updated: Timestamp) -> Queries:
    """The newest change of an interval, or of each of its panes that has one since a moment."""
    if ("updated",) not in plan.kept:
        place = plan.place
        column = updated.compared(place.rows.c[str(place.relation.updated_at)])
        pane = place.slice(plan.pane_seconds).label("pane")
        past = column < bindparam("before", type_=updated.type)
        changed = place.select(pane, func.max(column)).where(
            column >= bindparam("since", type_=updated.type), past
        )
        newest = place.select(literal_column("0"), func.max(column)).where(past)
        plan.kept["updated",] = Queries(
            single=place.compile(newest),
            grouped=place.compile(changed.group_by(literal_column("1"))),
        )
    return plan.kept["updated",]


def _timestamp(plan: ScanPlan) -> Timestamp:
    """How the column keeps its moments: by its own type, or else as the timestamp does."""
    relation, dialect = plan.place.relation, plan.place.dialect
    if relation.updated_at is None:
        raise ValueError(f"{relation.table!r} has no `updated_at`")
    info = plan.info.column(relation.updated_at)
    if info is None:
        near = nearest(relation.updated_at, [column.name for column in plan.info.columns])
        raise _NoTimeError(
            f"{relation.table!r} has no column {relation.updated_at!r} for its updated_at{near}"
        )
    type_ = sql_type(dialect, info)
    typed = dialect != "sqlite" and isinstance(type_, types.Date | types.DateTime)
    declared = None if typed else relation.timestamp_format
    try:
        return timestamp_of(dialect, type_, declared, relation.timestamp_zone)
    except SourceError as error:
        raise _NoTimeError(
            f"{relation.table!r}: updated_at {relation.updated_at!r} is {info.sql_type!r}; it "
            "takes a timestamp, or what the timestamp itself is kept in; name another column or "
            "watch a view that casts it"
        ) from error


def _moment(plan: ScanPlan, updated: Timestamp, value: object) -> datetime:
    moment = updated.moment(value)
    if moment is None:
        relation = plan.place.relation
        raise SourceError(
            f"{relation.table!r}: updated_at {relation.updated_at!r} holds values such as "
            f"{value!r}, not {updated.name}; name another column, or watch a view that casts it"
        )
    return moment
