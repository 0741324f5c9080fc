"""References that a person asks for: captured again, or an older version of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.config.settings import (
    FeatureSettings,
    MonitorSettings,
    RollingReference,
    SeasonalReference,
)
from driftwatch.errors import ConfigError
from driftwatch.evaluate import version_references
from driftwatch.evaluate.groups import VERSION_PREFIX, segment_groupings
from driftwatch.evaluate.rebase import (
    Known,
    Rebase,
    Rebased,
    counted_until,
    from_ledger,
    has_all,
    save,
    summed,
    tell,
)
from driftwatch.evaluate.specification import Moving, reference_of, specification
from driftwatch.source import ColumnType, RelationInfo, ScanColumn, Source
from driftwatch.stats.counts import ColumnTrouble, PaneCounts
from driftwatch.store import axes, ledger, monitors, references, segments
from driftwatch.store.annotations import AnnotationRow
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.references import NewReference, ReferenceRecord
from driftwatch.store.schema import AnnotationKind, ReferenceOrigin
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, floor

_KEPT = (ReferenceOrigin.ACCEPT, ReferenceOrigin.VERSION)
"""What a reference was captured for, and goes on to say when it is used again."""


@dataclass(frozen=True, slots=True)
class Request:
    """A new reference of these columns (features, or the volume) from this range of event time.

    reason: kept with it. refit: whether their axes are fitted anew, too.
    """

    monitor: MonitorSettings
    columns: tuple[str, ...]
    interval: Interval
    reason: str = ""
    refit: bool = False

    @property
    def features(self) -> list[FeatureSettings]:
        return [one for one in self.monitor.features if one.name in self.columns]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a capture will read of the source. rows: by what the ledger knows of the range, None
    where it knows nothing; again: see `Rebased`, with its rows."""

    rows: int | None
    again: Interval
    again_rows: int


def choose(monitor: MonitorSettings, column: str | None, *, refit: bool) -> tuple[str, ...]:
    """The columns that get a new reference: the one that is named, or all that can have one.

    ConfigError: what is named moves by itself, and its bins are to stay.
    """
    names = [column] if column else [VOLUME, *(one.name for one in monitor.features)]
    fixed = [n for n in names if not isinstance(reference_of(monitor, n), Moving)]
    chosen = [n for n in names if n in fixed or (refit and n != VOLUME)]
    # Where the reference has no time of its own, the volume has the windows before each window.
    if not isinstance(monitor.reference, Interval):
        chosen = [n for n in chosen if n != VOLUME]
    if chosen:
        return tuple(chosen)
    what = repr(column) if column else "every column"
    raise ConfigError(
        f"monitor {monitor.name!r}: {what} is compared with what moves along with the windows, so "
        "that a range would change nothing. `driftwatch accept` lets it learn from a moment on; "
        "`--refit` fits bins anew, where there are any"
    )


def estimate(request: Request, store: Store) -> Estimate:
    """What `--refit` is going to read. ConfigError: as `capture_again`."""
    with store.read() as connection:
        known = counted_until(connection, request.monitor)
        _check(request, known)
        again = _under_way(request.monitor, known)
        first, second = ledger.sum_windows(connection, known.id, {}, [request.interval, again])
    share = first.scanned_seconds / request.interval.seconds
    return Estimate(round(first.rows / share) if share else None, again, second.rows)


def capture_again(
    request: Request, *, source: Source, store: Store, now: datetime, notify: bool
) -> Rebased:
    """Make the rows of a range the reference, until another one is configured.

    Counts come from the ledger where it holds all of them in the bins of today, else from one scan
    of the source. now: process time; notify: whether the webhook hears of alerts that end.
    ConfigError: the range is not over, is not made of whole panes, holds no rows, or a column
    cannot be counted; nothing was written then.
    """
    found = None if request.refit else _of_ledger(request, store, now, notify=notify)
    if found is not None:
        return found
    return _of_source(request, source, store, now, notify=notify)


def activate(
    monitor: MonitorSettings,
    version: int,
    column: str | None,
    *,
    store: Store,
    now: datetime,
    notify: bool,
) -> Rebased:
    """Compare with an older version of the references again, in its own bins.

    It stays until another reference is configured. Columns without such a version stay as they are.
    ConfigError: no column has it.
    """
    watched = [VOLUME, *(one.name for one in monitor.features)]
    with store.write() as connection:
        monitors.lock(connection, counted_until(connection, monitor).id)
        known = counted_until(connection, monitor)
        every = references.history(connection, known.id)
        chosen = [
            one
            for one in every
            if one.column in ([column] if column else watched)
            and (one.segment, one.version) == ("", version)
        ]
        if not chosen:
            raise ConfigError(_no_version(monitor, version, column, every))
        rebase = _rebase(
            monitor, known, f"the reference is version {version} again", "", now, notify
        )
        active = references.active(connection, known.id)
        new = [one for one in chosen if not one.active]
        refitted = [
            one for one in new if one.column in active and one.axis_id != active[one.column].axis_id
        ]
        known_axes = axes.by_id(connection, {one.axis_id for one in new if one.axis_id})
        made = [_activate(connection, rebase, one, known_axes.get(one.axis_id or 0)) for one in new]
        parts = [
            _activate(connection, rebase, part, known_axes.get(part.axis_id or 0))
            for one in new
            for part in _parts_of(one, every)
            if not part.active
        ]
        changes = tell(connection, rebase, [one.column for one in made]) if made else []
        again = _under_way(monitor, known) if refitted else None
        return Rebased(tuple(made), len(parts), changes=tuple(changes), again=again)


def _of_ledger(request: Request, store: Store, now: datetime, *, notify: bool) -> Rebased | None:
    """None where the ledger does not hold all of it."""
    with store.write() as connection:
        monitors.lock(connection, counted_until(connection, request.monitor).id)
        known = counted_until(connection, request.monitor)
        _check(request, known)
        active = axes.active(connection, known.id)
        kept = {one.name: active[one.name] for one in request.features if one.name in active}
        groupings = segment_groupings(request.monitor, segments.load(connection, known.id))
        found = from_ledger(connection, known.id, kept, request.interval, groupings)
        if found is None or len(kept) < len(request.features) or not has_all(found, groupings):
            return None
        _not_empty(request, found.rows)
        rebase = _rebase(request.monitor, known, _message(request), request.reason, now, notify)
        return save(connection, rebase, request.columns, kept, request.interval, found)


def _of_source(
    request: Request, source: Source, store: Store, now: datetime, *, notify: bool
) -> Rebased:
    """One scan, which enters the ledger, too, unless that holds other rows of the range."""
    monitor, interval = request.monitor, request.interval
    with store.read() as connection:
        known = counted_until(connection, monitor)
        _check(request, known)
        active = axes.active(connection, known.id)
        groupings = segment_groupings(monitor, segments.load(connection, known.id))
        of_versions = version_references.of_versions(connection, known.id, request.columns)
    info = source.inspect(monitor.relation)
    columns = _columns(request, source, info, {} if request.refit else active)
    plan = source.plan(monitor.relation, info, columns, monitor.pane_seconds, groupings=groupings)
    counts = source.scan(plan, interval, capture=True)
    for trouble in counts.troubles:
        raise ConfigError(f"monitor {monitor.name!r}: {trouble.message}")
    _not_empty(request, int(counts.rows.sum()))
    recounted: version_references.Recounted = []
    if request.refit:
        recounted = version_references.count_again(monitor, source, info, columns, *of_versions)
    with store.write() as connection:
        monitors.lock(connection, known.id)
        known = counted_until(connection, monitor)
        wanted = {
            c.name: axes.save(connection, known.id, c.name, c.axis, c.column_type, interval, now)
            for c in columns
        }
        _to_ledger(connection, known.id, wanted, counts, interval, now)
        rebase = _rebase(monitor, known, _message(request), request.reason, now, notify)
        counted = summed(counts, groupings)
        found = save(connection, rebase, request.columns, wanted, interval, counted)
        version_references.save(connection, known.id, wanted, recounted, now)
    again = _under_way(monitor, known) if request.refit else None
    return replace(found, from_ledger=False, again=again)


def _columns(
    request: Request, source: Source, info: RelationInfo, kept: Mapping[str, AxisRecord]
) -> list[ScanColumn]:
    """The columns with their axes: those that are kept, the others fitted to the range."""
    monitor = request.monitor
    types = {column.name: column.column_type for column in info.columns}
    for one in request.features:
        if one.name not in types:
            raise ConfigError(f"monitor {monitor.name!r}: {info.missing(one.name)}")
    fresh = [one for one in request.features if one.name not in kept]
    found = source.fit(monitor.relation, info, fresh, request.interval) if fresh else {}
    made = []
    for one in request.features:
        axis = kept[one.name].axis if one.name in kept else found[one.name]
        if isinstance(axis, ColumnTrouble):
            raise ConfigError(f"monitor {monitor.name!r}: {axis.message}")
        made.append(ScanColumn(one.name, axis, ColumnType(types[one.name])))
    return made


def _to_ledger(
    connection: Connection,
    monitor_id: int,
    wanted: Mapping[str, AxisRecord],
    counts: PaneCounts,
    interval: Interval,
    now: datetime,
) -> None:
    """Rows that were deleted or came late must not take the panes from the other columns."""
    (held,) = ledger.sum_windows(connection, monitor_id, {}, [interval])
    same = held.is_whole and held.rows == int(counts.rows.sum())
    if same or held.scanned_seconds == 0:
        ledger.record(connection, monitor_id, wanted, counts, interval, now)


def _activate(
    connection: Connection, rebase: Rebase, old: ReferenceRecord, axis: AxisRecord | None
) -> ReferenceRecord:
    """With it goes its axis. It is noted that it serves what is configured now, so that the daemon
    keeps it; that it was accepted stays noted."""
    references.activate(connection, rebase.monitor_id, old.column, old.version, segment=old.segment)
    same = NewReference(
        column=old.column,
        axis=axis,
        interval=old.interval,
        counts=old.counts,
        rows=old.rows,
        segment=old.segment,
        specification=specification(reference_of(rebase.monitor, old.column)),
        origin=old.origin if old.origin in _KEPT else rebase.origin,
        note=old.note,
    )
    return references.capture(connection, rebase.monitor_id, same, rebase.now)


def _parts_of(whole: ReferenceRecord, every: Sequence[ReferenceRecord]) -> list[ReferenceRecord]:
    """The newest references in the same bins: of segments and versions over the same rows, of
    versions that have none over these over their own."""
    found: dict[str, ReferenceRecord] = {}
    for one in sorted(every, key=lambda one: (one.interval == whole.interval, one.version)):
        own_rows = one.segment.startswith(VERSION_PREFIX) or one.interval == whole.interval
        if one.segment and own_rows and (one.column, one.axis_id) == (whole.column, whole.axis_id):
            found[one.segment] = one
    return list(found.values())


def _no_version(
    monitor: MonitorSettings, version: int, column: str | None, every: Sequence[ReferenceRecord]
) -> str:
    there = sorted({o.version for o in every if not o.segment and column in (None, o.column)})
    of = f"column {column!r} of monitor {monitor.name!r}" if column else f"monitor {monitor.name!r}"
    return f"{of} has no reference of version {version}; there are: {', '.join(map(str, there))}"


def _rebase(
    monitor: MonitorSettings, known: Known, message: str, note: str, now: datetime, notify: bool
) -> Rebase:
    trace = AnnotationRow("", AnnotationKind.REFERENCE, known.watermark, None, message)
    return Rebase(
        monitor, known.id, known.watermark, ReferenceOrigin.COMMAND, trace, note, notify, now
    )


def _message(request: Request) -> str:
    return request.reason or f"the reference is {request.interval}"


def _check(request: Request, known: Known) -> None:
    monitor, interval = request.monitor, request.interval
    for moment in (interval.start, interval.end):
        if floor(moment, monitor.pane_seconds) != moment:
            raise ConfigError(
                f"monitor {monitor.name!r}: {interval} is not made of whole panes; its panes are "
                f"{monitor.pane_seconds:,} s long"
            )
    if interval.end > known.watermark:
        raise ConfigError(
            f"monitor {monitor.name!r} has counted up to {known.watermark:%Y-%m-%dT%H:%M}Z, and "
            f"{interval} ends after that; give an earlier --to, or wait"
        )


def _not_empty(request: Request, rows: int) -> None:
    if rows == 0:
        raise ConfigError(
            f"monitor {request.monitor.name!r}: {request.interval} holds no rows, which nothing "
            "can be compared with; give another range"
        )


def _under_way(monitor: MonitorSettings, known: Known) -> Interval:
    """What the windows that are not complete yet have counted so far: of a moving reference, with
    all that it sums."""
    start = min(
        monitor.calendar.floor(known.watermark - timedelta(microseconds=1), seconds)
        for seconds in monitor.window_seconds
    )
    reach = [
        timedelta(seconds=reference.seconds)
        if isinstance(reference, RollingReference)
        else timedelta(weeks=reference.weeks)
        for reference in map(monitor.reference_of, monitor.features)
        if isinstance(reference, RollingReference | SeasonalReference)
    ]
    return Interval(start - max(reach, default=timedelta(0)), known.watermark)
