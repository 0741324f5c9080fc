"""Fitting axes and capturing references: once per configured reference, column by column.

A range is counted once and kept, as is training data. References that move with the window
(rolling, seasonal, a cohort) are summed from the ledger each time; what is captured of them are
the axes, and the counts of the rows to which these were fitted.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import gcd

import numpy as np
from sqlalchemy import Connection

from driftwatch.config.settings import (
    CohortReference,
    FeatureSettings,
    FileReference,
    MonitorSettings,
    ReferenceSettings,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    TableReference,
)
from driftwatch.errors import ConfigError
from driftwatch.evaluate.alerts import reset_alerts
from driftwatch.evaluate.definition import changed_definition, definition
from driftwatch.evaluate.groups import (
    VERSION_PREFIX,
    freeze_segments,
    left_out,
    look_for_segments,
    segment_groupings,
    version_grouping,
    with_version_keys,
)
from driftwatch.evaluate.progress import first_moment, target
from driftwatch.evaluate.specification import (
    bootstrap,
    cohort_key,
    cohort_relation,
    reference_of,
    specification,
)
from driftwatch.source import ColumnType, RelationInfo, ScanColumn, Source, open_source
from driftwatch.source.file import open_file
from driftwatch.stats.axis import Axis
from driftwatch.stats.counts import ColumnPanes, ColumnTrouble, PaneCounts
from driftwatch.stats.segment import Grouping
from driftwatch.stats.unseen import with_expected_unseen
from driftwatch.store import (
    annotations,
    axes,
    ledger,
    monitors,
    references,
    segments,
    versions,
)
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.panes import no_counts
from driftwatch.store.references import NewReference, ReferenceRecord
from driftwatch.store.schema import AnnotationKind, ReferenceOrigin
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, to_epoch

LONGEST_PANE_SECONDS = 3_600
"""The reference enters the ledger as hours: fine enough for every season, 12 times less to
write than panes of 5 minutes."""

_UNTIMED_PANE_SECONDS = 86_400
"""Rows without a time are counted as one pane."""

_FIRST_VERSIONS = 50

Troubles = dict[str, ColumnTrouble]


@dataclass(frozen=True, slots=True)
class Captured:
    """waiting: why nothing can be compared yet, "" if it can; troubles: the columns that could not
    be captured; rows, seconds: what it asked of the source, 0 if there was nothing to capture.
    retry_at: event time at which what waits is worth another look, None: before long."""

    waiting: str = ""
    troubles: Troubles = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """One configured reference and the features that lack it, in all rows or in segments."""

    reference: ReferenceSettings
    features: tuple[FeatureSettings, ...]
    volume: bool

    @property
    def specification(self) -> str:
        return specification(self.reference)

    @property
    def fixed(self) -> bool:
        """Whether it is captured once, segments included, and never summed from the ledger."""
        return isinstance(self.reference, Interval | TableReference | FileReference)


@dataclass(frozen=True, slots=True)
class ReferenceRows:
    """Where the rows of a reference are. interval None: all rows, whenever they happened; cohort:
    the segment that keeps them in the ledger, "" for rows of the monitor itself."""

    source: Source
    relation: RelationSettings
    info: RelationInfo
    interval: Interval | None
    cohort: str = ""


def is_captured(monitor: MonitorSettings, name: str, stored: Mapping[str, ReferenceRecord]) -> bool:
    """Whether the active reference is of the configured kind. What was captured before references
    said what they are is known by its range."""
    if name not in stored:
        return False
    reference = reference_of(monitor, name)
    if not stored[name].specification:
        return stored[name].interval == reference
    return stored[name].specification == specification(reference)


@dataclass(frozen=True, slots=True)
class Capture:
    """What a capture needs to know of its monitor.

    now: event time; started_at: process time; watermark: up to where the monitor has counted;
    notify: whether resolutions of alerts go to the webhook.
    """

    monitor: MonitorSettings
    monitor_id: int
    info: RelationInfo
    source: Source
    store: Store
    now: datetime
    started_at: datetime
    watermark: datetime | None
    notify: bool

    def run(self) -> Captured:
        """Capture what has no reference of the configured kind; what has one is not touched."""
        with self.store.read() as connection:
            stored = references.active(connection, self.monitor_id)
        total = Captured()
        for reference in self._references():
            if isinstance(reference, Interval) and reference.end > target(self.monitor, self.now):
                found = Captured(_incomplete(self.monitor, reference), retry_at=reference.end)
                task = self._task(reference, ())
            else:
                groupings = self._groupings(reference)
                task = self._task(reference, groupings)
                if not task.features and not task.volume:
                    continue
                found = self._capture(task, groupings)
            total = self._joined(total, task, found)
            if total.waiting and VOLUME not in stored:
                return total
        return total

    def _references(self) -> list[ReferenceSettings]:
        """Every configured reference once, that of the monitor first."""
        own = [self.monitor.reference_of(feature) for feature in self.monitor.features]
        by_text = {specification(one): one for one in (self.monitor.reference, *own)}
        return list(by_text.values())

    def _task(self, reference: ReferenceSettings, groupings: Sequence[Grouping]) -> _Task:
        text = specification(reference)
        with self.store.read() as connection:
            stored = references.active(connection, self.monitor_id)
            parts = references.active_segments(connection, self.monitor_id)
        keys = [key for one in groupings for key in one.keys if one.columns != self._version]
        task = _Task(reference, (), volume=False)
        wanted = [
            one for one in self.monitor.features
            if specification(self.monitor.reference_of(one)) == text
        ]  # fmt: skip
        missing = tuple(
            one
            for one in wanted
            if not is_captured(self.monitor, one.name, stored)
            or (task.fixed and not _in_all(parts, keys, one.name, text))
        )
        own = specification(self.monitor.reference) == text
        return replace(
            task,
            features=missing,
            volume=own and not is_captured(self.monitor, VOLUME, stored),
        )

    @property
    def _version(self) -> tuple[str, ...]:
        return (self.monitor.version.column,) if self.monitor.version else ()

    def _groupings(self, reference: ReferenceSettings) -> tuple[Grouping, ...]:
        """Segments and versions that are counted apart; segments are looked for once, in the rows
        of the monitor's own reference or, where that has none of them, in those before the
        first window."""
        interval = self._own_rows(reference)
        with self.store.read() as connection:
            frozen = segments.load(connection, self.monitor_id)
            known = versions.load(connection, self.monitor_id)
        found = look_for_segments(self.monitor, frozen, self.source, self.info, interval)
        names = [one.version for one in known]
        if self.monitor.version is not None and not known:
            listed = self.source.levels(
                self.monitor.relation,
                self.info,
                self._version,
                interval,
                limit=_FIRST_VERSIONS,
                min_rows=self.monitor.min_rows,
            )
            names = sorted(level[0] for level in listed.levels if level[0] is not None)
        if found or (names and not known):
            with self.store.write() as connection:
                freeze_segments(connection, self.monitor_id, found, self.started_at)
                if others := left_out(found):
                    annotations.note(
                        connection, self.monitor.name, "", AnnotationKind.REFERENCE,
                        interval.start, interval.end, f"segments: {others}", self.started_at,
                    )  # fmt: skip
                for name in names if not known else ():
                    versions.note(
                        connection, self.monitor_id, name, interval.start, None, self.started_at
                    )
                    versions.hand_over(connection, self.monitor_id, name, interval.start)
                frozen = segments.load(connection, self.monitor_id)
        return segment_groupings(self.monitor, frozen) + version_grouping(self.monitor, names)

    def _own_rows(self, reference: ReferenceSettings) -> Interval:
        match reference:
            case Interval():
                return reference
            case RollingReference() | SeasonalReference() | CohortReference():
                return bootstrap(self.monitor, reference, self.now, self.watermark)
            case _:
                end = self.watermark or first_moment(self.monitor, self.now)
                return Interval(end - timedelta(days=28), end)

    def _capture(self, task: _Task, groupings: Sequence[Grouping]) -> Captured:
        begun = time.perf_counter()
        with self.store.read() as connection:
            known = axes.active(connection, self.monitor_id)
        with self.rows(task.reference) as rows:
            columns, troubles = self._axes(task, rows, known)
            there = [one for one in groupings if all(map(rows.info.column, one.columns))]
            counts = self._count(rows, columns, there)
        seconds = time.perf_counter() - begun
        if counts.rows.sum() == 0:
            return Captured(self._no_rows(task.reference, rows), seconds=seconds)
        with self.store.write() as connection:
            self._save(connection, task, rows, columns, counts)
        troubles |= {trouble.column: trouble for trouble in counts.troubles}
        return Captured(troubles=troubles, rows=int(counts.rows.sum()), seconds=seconds)

    def _joined(self, total: Captured, task: _Task, found: Captured) -> Captured:
        """What waits is the monitor's trouble if it lacks the volume, too, else its features'."""
        troubles = total.troubles | found.troubles
        if found.waiting and not task.volume:
            late = {
                f.name: ColumnTrouble(f.name, "no_reference", found.waiting) for f in task.features
            }
            troubles |= late
        retries = [one for one in (total.retry_at, found.retry_at) if one is not None]
        return Captured(
            waiting=found.waiting if task.volume else total.waiting,
            troubles=troubles,
            rows=total.rows + found.rows,
            seconds=total.seconds + found.seconds,
            retry_at=min(retries, default=None),
        )

    @contextmanager
    def rows(self, reference: ReferenceSettings) -> Iterator[ReferenceRows]:
        """Where the rows of a reference are, for as long as they are read."""
        monitor = self.monitor
        match reference:
            case Interval():
                yield ReferenceRows(self.source, monitor.relation, self.info, reference)
            case RollingReference() | SeasonalReference():
                interval = bootstrap(monitor, reference, self.now, self.watermark)
                yield ReferenceRows(self.source, monitor.relation, self.info, interval)
            case CohortReference():
                interval = bootstrap(monitor, reference, self.now, self.watermark)
                relation = cohort_relation(monitor, reference)
                yield ReferenceRows(
                    self.source, relation, self.info, interval, cohort_key(reference)
                )
            case TableReference(relation, None):
                yield ReferenceRows(self.source, relation, self.source.inspect(relation), None)
            case TableReference(relation, settings):
                assert settings is not None
                with closing(open_source(settings)) as source:
                    yield ReferenceRows(source, relation, source.inspect(relation), None)
            case FileReference():
                with closing(open_file(reference.path, dialect=self.source.dialect)) as file:
                    info = file.source.inspect(file.relation)
                    yield ReferenceRows(file.source, file.relation, info, None)

    def _axes(
        self, task: _Task, rows: ReferenceRows, known: Mapping[str, AxisRecord]
    ) -> tuple[list[ScanColumn], Troubles]:
        """Axes of the task's features. A new reference keeps an axis that exists, so that stored
        panes stay usable, unless the column is of another type by now."""
        types = {column.name: column.column_type for column in rows.info.columns}
        own = {column.name: column.column_type for column in self.info.columns}
        kept: dict[str, Axis] = {
            one.name: known[one.name].axis
            for one in task.features
            if one.name in known and known[one.name].column_type == own.get(one.name)
        }
        fresh = [one for one in task.features if one.name not in kept]
        found = rows.source.fit(rows.relation, rows.info, fresh, rows.interval) if fresh else {}
        fitted = kept | {n: a for n, a in found.items() if not isinstance(a, ColumnTrouble)}
        columns = [
            ScanColumn(name, axis, ColumnType(types[name]))
            for name, axis in fitted.items()
            if name in types
        ]
        troubles = {n: one for n, one in found.items() if isinstance(one, ColumnTrouble)}
        for name in kept.keys() - types.keys():
            message = rows.info.missing(name)
            troubles[name] = ColumnTrouble(name, "no_reference", f"reference: {message}")
        return columns, troubles

    def _count(
        self, rows: ReferenceRows, columns: Sequence[ScanColumn], groupings: Sequence[Grouping]
    ) -> PaneCounts:
        if rows.interval is None:
            plan = rows.source.plan(
                rows.relation, rows.info, columns, _UNTIMED_PANE_SECONDS, groupings=groupings
            )
            counts = rows.source.scan_all(plan)
        else:
            pane = self._pane_seconds(rows.interval)
            plan = rows.source.plan(rows.relation, rows.info, columns, pane, groupings=groupings)
            counts = rows.source.scan(plan, rows.interval, capture=True)
        # A segment without a row in the reference has a reference, too: an empty one.
        nothing = np.zeros(0, np.int64)
        empty = PaneCounts(counts.pane_seconds, nothing, nothing, {})
        every = {key: empty for one in groupings for key in one.keys}
        counts = replace(counts, segments={**every, **counts.segments})
        return with_version_keys(self.monitor, _versions_in(groupings, self._version), counts)

    def _pane_seconds(self, interval: Interval) -> int:
        """The longest panes, up to hours, that make up the reference and all windows in it; where
        panes were counted already, these."""
        if self.watermark is not None and interval.end > self.watermark - timedelta(days=1):
            return self.monitor.pane_seconds
        edges = (to_epoch(interval.start), to_epoch(interval.end))
        offsets = self.monitor.calendar.offsets()
        seconds = gcd(LONGEST_PANE_SECONDS, *edges, *self.monitor.window_seconds, *offsets)
        return seconds if seconds % self.monitor.pane_seconds == 0 else self.monitor.pane_seconds

    def _save(
        self,
        connection: Connection,
        task: _Task,
        rows: ReferenceRows,
        columns: Sequence[ScanColumn],
        counts: PaneCounts,
    ) -> None:
        monitors.lock(connection, self.monitor_id)
        counted = monitors.define(connection, self.monitor_id, definition(self.monitor))
        if changed := changed_definition(counted, self.monitor):
            raise ConfigError(changed)  # what another process noted since this one looked
        stored = references.active(connection, self.monitor_id)  # another may have been quicker
        wanted = self._save_axes(connection, rows, [c for c in columns if c.name in counts.columns])
        total = int(counts.rows.sum())
        before = stored.get(VOLUME)
        if task.volume and not is_captured(self.monitor, VOLUME, stored):
            self._reference(connection, task, rows, VOLUME, None, None, total)
        if rows.interval is not None:
            self._to_ledger(connection, rows, wanted, counts, before)
        fresh = {n: a for n, a in wanted.items() if not is_captured(self.monitor, n, stored)}
        for name, axis in fresh.items():
            panes = _expected(axis, counts.columns[name].sum(), rows.interval)
            self._reference(connection, task, rows, name, axis, panes, total)
        if task.fixed:
            self._save_segments(connection, task, rows, wanted, counts)
        self._tell(connection, [name for name in fresh if name in stored])

    def _save_axes(
        self, connection: Connection, rows: ReferenceRows, columns: Iterable[ScanColumn]
    ) -> dict[str, AxisRecord]:
        """The type is that of the monitor's own column: this is what will be counted."""
        own = {column.name: column.column_type for column in self.info.columns}
        return {
            c.name: axes.save(
                connection,
                self.monitor_id,
                c.name,
                c.axis,
                own.get(c.name, c.column_type),
                rows.interval,
                self.started_at,
            )
            for c in columns
        }

    def _to_ledger(
        self,
        connection: Connection,
        rows: ReferenceRows,
        wanted: Mapping[str, AxisRecord],
        counts: PaneCounts,
        volume: ReferenceRecord | None,
    ) -> None:
        """Where rows were deleted or came late, panes keep the rows that the volume was captured
        of."""
        assert rows.interval is not None
        total = int(counts.rows.sum())
        same = volume is not None and volume.interval == rows.interval
        if same and volume is not None and volume.rows != total and not rows.cohort:
            return
        counts = replace(counts, columns={name: counts.columns[name] for name in wanted})
        ledger.record(
            connection, self.monitor_id, wanted, counts, rows.interval, self.started_at,
            segment=rows.cohort,
        )  # fmt: skip

    def _save_segments(
        self,
        connection: Connection,
        task: _Task,
        rows: ReferenceRows,
        wanted: Mapping[str, AxisRecord],
        counts: PaneCounts,
    ) -> None:
        prediction = {one.name for one in self.monitor.features if one.prediction}
        for key, part in counts.segments.items():
            version = key.startswith(VERSION_PREFIX)
            total = int(part.rows.sum())
            if version and total < self.monitor.min_rows:
                continue
            for name, axis in wanted.items():
                if version and name not in prediction:
                    continue
                panes = part.columns[name].sum() if name in part.columns else None
                if panes is None:
                    panes = no_counts(1, axis.axis.cells)
                panes = _expected(axis, panes, rows.interval)
                self._reference(connection, task, rows, name, axis, panes, total, segment=key)

    def _reference(
        self,
        connection: Connection,
        task: _Task,
        rows: ReferenceRows,
        name: str,
        axis: AxisRecord | None,
        counts: ColumnPanes | None,
        total: int,
        *,
        segment: str = "",
    ) -> None:
        version = segment.startswith(VERSION_PREFIX)
        new = NewReference(
            column=name,
            axis=axis,
            interval=rows.interval,
            counts=counts,
            rows=total,
            segment=segment,
            specification=task.specification,
            origin=ReferenceOrigin.VERSION if version else ReferenceOrigin.CONFIG,
        )
        references.capture(connection, self.monitor_id, new, self.started_at)

    def _tell(self, connection: Connection, changed: Sequence[str]) -> None:
        """Alerts of what is compared with something else now are resolved and start anew."""
        if not changed or self.watermark is None:
            return
        message = "another reference was configured; what drifts from it is told anew"
        for name in changed:
            annotations.note(
                connection, self.monitor.name, name, AnnotationKind.REFERENCE,
                self.watermark, None, message, self.started_at,
            )  # fmt: skip
        reset_alerts(
            connection, self.monitor.name, set(changed), self.watermark, message,
            self.started_at, self.notify,
        )  # fmt: skip

    def _no_rows(self, reference: ReferenceSettings, rows: ReferenceRows) -> str:
        if isinstance(reference, Interval):
            what = f"the reference {reference}"
        elif rows.interval is not None:
            what = f"what its reference is fitted to, {rows.interval},"
        else:
            what = f"the reference in {rows.relation.table!r}"
        return (
            f"{what} of monitor {self.monitor.name!r} holds no rows; check "
            "`reference`, `timestamp` and `where`. Nothing is counted before it does"
        )


def _expected(axis: AxisRecord, panes: ColumnPanes, interval: Interval | None) -> ColumnPanes:
    """Where the axis was fitted to these very rows, its dictionary was selected by them."""
    if axis.fitted != interval:
        return panes
    return replace(panes, cells=with_expected_unseen(axis.axis, panes.cells))


def _versions_in(groupings: Iterable[Grouping], column: tuple[str, ...]) -> list[str]:
    of_versions = (one.levels for one in groupings if one.columns == column)
    return [level[0] for levels in of_versions for level in levels if level[0] is not None]


def _in_all(
    parts: Mapping[str, Mapping[str, ReferenceRecord]],
    keys: Iterable[str],
    name: str,
    text: str,
) -> bool:
    return all(
        name in parts.get(key, {}) and parts[key][name].specification == text for key in keys
    )


def _incomplete(monitor: MonitorSettings, reference: Interval) -> str:
    return (
        f"the reference {reference} of monitor {monitor.name!r} is not complete before "
        f"its end and the delay have passed"
    )
