"""What one evaluation reads from the source: new panes, columns that came later, panes that have
changed since they were counted. Nothing is written here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from driftwatch.config.settings import MonitorSettings
from driftwatch.errors import ScanTimeoutError, SourceTimeoutError
from driftwatch.evaluate.groups import with_version_keys
from driftwatch.evaluate.prepare import Lane, Prepared, with_versions
from driftwatch.evaluate.progress import lane_scan, merged, rechecks
from driftwatch.evaluate.versions import Newcomer, newcomers, unknown_versions
from driftwatch.source import ScanPlan, Source
from driftwatch.stats.counts import ColumnTrouble, IntArray, PaneCensus, PaneCounts
from driftwatch.store import ledger, revisions
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.revisions import Revisions
from driftwatch.store.versions import VersionRow
from driftwatch.window import Interval, floor, from_epoch, to_epoch

LATE_COMMIT = timedelta(hours=2)
"""Once an hour, changes are looked for from so long before the newest one: a transaction that
writes the time at which it began into `updated_at` is seen after later ones. It may take an hour
less than that."""

_AHEAD = timedelta(days=1)
"""Times of change farther in the future, such as 9999-12-31, are none: they would hide those that
come before them."""

_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Batch:
    """Counts of all panes of an interval. segment: where they belong in the ledger; columns:
    those that were asked for; revision: whether these panes were counted before; before: what they
    were then, None of new ones."""

    interval: Interval
    counts: PaneCounts
    segment: str = ""
    revision: bool = False
    before: Revisions | None = None


@dataclass(frozen=True, slots=True)
class Recounted:
    """Panes that were counted again.

    prepared: with versions that were not known before. batches: in the order in which they are to
    be kept. shrunk: panes that hold fewer rows in the log than were counted, and were left as they
    are.
    """

    prepared: Prepared
    batches: tuple[Batch, ...]
    shrunk: int = 0
    newcomers: tuple[Newcomer, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that were read."""
        return sum(int(one.counts.rows.sum()) for one in self.batches)

    @property
    def revised(self) -> list[Interval]:
        """Where panes of the monitor's own rows were counted again."""
        return [one.interval for one in self.batches if one.revision and not one.segment]


@dataclass(frozen=True, slots=True)
class Counted:
    """All that an evaluation has read of the panes of `scan` and, where they have changed, of
    earlier ones.

    fresh: rows in `scan`; updated_until: the newest change of a row that was read, None without
    such a column.
    """

    scan: Interval
    read: Recounted
    fresh: int
    updated_until: datetime | None = None
    troubles: Mapping[str, ColumnTrouble] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counter:
    """Reads one monitor's source. watermark: up to where it was counted before, None: not at all;
    scanned_from: where that began, or begins now."""

    monitor: MonitorSettings
    prepared: Prepared
    source: Source
    store: Store
    watermark: datetime | None
    scanned_from: datetime
    updated_until: datetime | None = None

    def count(self, scan: Interval, now: datetime, early: Sequence[Interval] = ()) -> Counted:
        """The new panes, later columns of earlier panes, and panes that have changed by now (event
        time); early: panes that were counted before their time."""
        new = self._new(scan)
        counter = replace(self, prepared=new.read.prepared)
        later, stale = counter.later(scan)
        aged = rechecks(self.monitor, scan, self.watermark, self.scanned_from)
        changed, shrunk = counter.rechecked(merged([*aged, *early]), scan.end)
        updated, until = counter.updated(scan, now)
        again = counter.recount(merged([*stale, *changed, *updated]), scan.end)
        troubles = dict(new.troubles)
        for batch in later:
            troubles |= {one.column: one for one in batch.counts.troubles}
        read = replace(
            new.read,
            batches=(*new.read.batches, *later, *again.batches),
            shrunk=shrunk + again.shrunk,
        )
        return replace(new, read=read, updated_until=until, troubles=troubles)

    def recount(
        self, intervals: Iterable[Interval], watermark: datetime, *, allow_shrink: bool = False
    ) -> Recounted:
        """Count panes again, with every column that is complete at this watermark. A pane never
        shrinks unless it is allowed: a log that expires must not empty what was counted."""
        batches: list[Batch] = []
        shrunk = 0
        for interval in intervals:
            before = self._revisions(interval)
            read = [
                replace(batch, revision=True, before=before)
                for key, lanes in self._lanes()
                for part, lane in _by_lane(lanes, interval, watermark)
                for batch in self._batches(key, self.read(lane.whole, part), part)
            ]
            for batch in read:
                kept, fewer = ([batch], 0) if allow_shrink else self._grown(batch)
                batches += kept
                shrunk += fewer
        return Recounted(self.prepared, tuple(batches), shrunk=shrunk)

    def recount_all(
        self, step: Interval, watermark: datetime, *, allow_shrink: bool = False
    ) -> Recounted:
        """The same of an interval in which versions may be found that were never seen."""
        again = self.recount([step], watermark, allow_shrink=allow_shrink)
        counts = [one.counts for one in again.batches if not one.segment]
        names = {
            name
            for one in counts
            for name in unknown_versions(self.monitor, self.prepared, self.source, one, step)
        }
        if not names:
            return again
        apart = self._apart(sorted(names))
        again = apart.recount([step], watermark, allow_shrink=allow_shrink)
        counts = [one.counts for one in again.batches if not one.segment]
        found = newcomers(self.prepared, sorted(names), counts)
        return replace(
            again, prepared=_knowing(self.prepared, apart.prepared, found), newcomers=found
        )

    def _new(self, scan: Interval) -> Counted:
        """The panes that have just become complete, with versions that have just appeared."""
        counts = self.read(self.prepared.plan, scan)
        prepared = self.prepared
        found: tuple[Newcomer, ...] = ()
        names = unknown_versions(self.monitor, prepared, self.source, counts, scan)
        if names:
            apart = self._apart(names)
            counts = apart.read(apart.prepared.plan, scan)
            found = newcomers(prepared, names, [counts])
            prepared = _knowing(prepared, apart.prepared, found)
        batches = [Batch(scan, counts)]
        for key, lanes in prepared.cohorts.items():
            batches += self._batches(key, self.read(lanes[0].plan, scan), scan)
        read = Recounted(prepared, tuple(batches), newcomers=found)
        troubles = {one.column: one for one in counts.troubles}
        return Counted(scan, read, int(counts.rows.sum()), troubles=troubles)

    def _apart(self, names: Sequence[str]) -> "Counter":
        """The same, with these versions counted by themselves."""
        rows = [VersionRow.unseen(name) for name in names]
        known = (*self.prepared.versions, *rows)
        return replace(
            self, prepared=with_versions(self.monitor, self.prepared, known, self.source)
        )

    def later(self, scan: Interval) -> tuple[list[Batch], list[Interval]]:
        """Columns of lanes behind the watermark; and panes whose rows are others by now, so that
        all of their columns are to be counted together again."""
        batches: list[Batch] = []
        stale: list[Interval] = []
        for key, lanes in self._lanes():
            for lane in lanes[1:]:
                interval = lane_scan(scan, lane.seconds, self.scanned_from)
                if interval is None or not lane.plan.columns:
                    continue
                before = self._revisions(interval)
                counts = self.read(lane.plan, interval)
                differs = _differing_rows(counts, self._held(interval, {}, key))
                stale += _intervals(differs, self.monitor.pane_seconds)
                batches += (
                    replace(batch, before=before)
                    for one, found in _parts(counts, interval, differs, self.monitor.pane_seconds)
                    for batch in self._batches(key, found, one)
                )
        return batches, stale

    def rechecked(
        self, intervals: Iterable[Interval], watermark: datetime
    ) -> tuple[list[Interval], int]:
        """Panes of these that hold more rows or values than were counted, and how many hold fewer
        rows."""
        intervals = list(intervals)
        grown: list[Interval] = []
        shrunk = 0
        for key, lanes in self._lanes():
            of_lane: dict[int, list[Interval]] = {}
            for interval in intervals:
                for part, lane in _by_lane(lanes, interval, watermark):
                    of_lane.setdefault(lane.seconds, []).append(part)
            for lane in lanes:
                for starts, fewer in self._changes(lane.whole, of_lane.get(lane.seconds, []), key):
                    grown += _intervals(starts, self.monitor.pane_seconds)
                    shrunk += fewer
        return grown, shrunk

    def _changes(
        self, plan: ScanPlan, intervals: Sequence[Interval], segment: str
    ) -> Iterator[tuple[IntArray, int]]:
        if not intervals:
            return
        axes = {one.name: self.prepared.axes[one.name] for one in plan.columns}
        pane_seconds = self.monitor.pane_seconds
        censuses = self.source.census(plan, intervals)
        with self.store.read() as connection:
            held_in = [
                ledger.census(
                    connection, self.prepared.monitor_id, axes, interval, pane_seconds,
                    segment=segment,
                )
                for interval in intervals
            ]  # fmt: skip
        for interval, found, held in zip(intervals, censuses, held_in, strict=True):
            log = _spread(found, interval, pane_seconds)
            at = np.searchsorted(log.starts, held.starts)
            fewer = log.rows[at] < held.rows
            differs = log.rows[at] > held.rows
            for name, present in held.present.items():
                if name in log.present:
                    differs |= log.present[name][at] != present
            yield held.starts[differs & ~fewer], int(fewer.sum())

    def updated(self, scan: Interval, now: datetime) -> tuple[list[Interval], datetime | None]:
        """Panes with rows that were changed since the last look."""
        if self.monitor.relation.updated_at is None:
            return [], None
        end = self.watermark or scan.end
        if self.scanned_from >= end:
            return [], None
        whole, since = Interval(self.scanned_from, end), self.updated_until
        looked = since
        if since and floor(scan.start, _HOUR) != floor(scan.end, _HOUR):
            looked = max(since - LATE_COMMIT, from_epoch(0))
        starts: set[int] = set()
        newest = [since or from_epoch(0)]
        for _, lanes in self._lanes():
            found, until = self.source.updated_panes(
                lanes[0].plan, whole, looked, before=now + _AHEAD
            )
            starts |= set(found)
            newest += [until] if until else []
        until = max(min(one, now) for one in newest)
        if since is None:
            # What was changed before the first look was counted as it is now.
            return [], until
        return _intervals(np.array(sorted(starts), np.int64), self.monitor.pane_seconds), until

    def _lanes(self) -> list[tuple[str, tuple[Lane, ...]]]:
        """Those of the monitor's own rows and of each cohort, by the segment that keeps them."""
        return [("", self.prepared.lanes), *self.prepared.cohorts.items()]

    def _grown(self, batch: Batch) -> tuple[list[Batch], int]:
        """The batch without panes that hold fewer rows than the ledger, and how many these are."""
        held = self._held(batch.interval, {}, batch.segment)
        fewer = held.starts[_rows_at(batch.counts, held.starts) < held.rows]
        parts = _parts(batch.counts, batch.interval, fewer, self.monitor.pane_seconds)
        return [replace(batch, interval=one, counts=found) for one, found in parts], fewer.size

    def _held(
        self, interval: Interval, axes: Mapping[str, AxisRecord], segment: str = ""
    ) -> PaneCensus:
        with self.store.read() as connection:
            return ledger.census(
                connection, self.prepared.monitor_id, axes, interval, self.monitor.pane_seconds,
                segment=segment,
            )  # fmt: skip

    def _revisions(self, interval: Interval) -> Revisions:
        """What its panes are before their rows are read."""
        with self.store.read() as connection:
            return revisions.look(
                connection, self.prepared.monitor_id, interval, self.monitor.pane_seconds
            )

    def _batches(self, key: str, counts: PaneCounts, interval: Interval) -> list[Batch]:
        """Counts as they are kept: those of a cohort, and of its segments, under keys of their
        own."""
        if not key:
            return [Batch(interval, counts)]
        parts = {f"{key} {segment}": part for segment, part in counts.segments.items()}
        whole = {key: replace(counts, segments={}), **parts}
        return [Batch(interval, found, segment) for segment, found in whole.items()]

    def read(self, plan: ScanPlan, interval: Interval) -> PaneCounts:
        try:
            counts = self.source.scan(plan, interval)
        except SourceTimeoutError as error:
            raise ScanTimeoutError(str(error), scan_seconds=interval.seconds) from error
        known = [one.version for one in self.prepared.versions]
        return with_version_keys(self.monitor, known, counts)


def _by_lane(
    lanes: Sequence[Lane], interval: Interval, watermark: datetime
) -> list[tuple[Interval, Lane]]:
    """The parts of an interval, each with the farthest lane that has passed it."""
    parts: list[tuple[Interval, Lane]] = []
    end = interval.end
    for near, far in zip(lanes, (*lanes[1:], None), strict=True):
        start = interval.start
        if far is not None:
            passed = watermark - timedelta(seconds=far.seconds)
            start = max(start, min(passed, end))
        if start < end:
            parts.append((Interval(start, end), near))
            end = start
    return parts


def _knowing(before: Prepared, apart: Prepared, found: Sequence[Newcomer]) -> Prepared:
    """What counts these versions apart, knowing since when each of them serves."""
    rows = [VersionRow(one.version, one.first_seen, one.predecessor) for one in found]
    return replace(apart, versions=(*before.versions, *rows))


def _spread(census: PaneCensus, interval: Interval, pane_seconds: int) -> PaneCensus:
    """With panes that have no rows."""
    starts = np.arange(to_epoch(interval.start), to_epoch(interval.end), pane_seconds)
    at = np.searchsorted(starts, census.starts)
    present = {}
    for name, values in census.present.items():
        present[name] = np.zeros(starts.size, np.int64)
        present[name][at] = values
    rows = np.zeros(starts.size, np.int64)
    rows[at] = census.rows
    return PaneCensus(pane_seconds, starts, rows, present)


def _rows_at(counts: PaneCounts, starts: IntArray) -> IntArray:
    rows = np.zeros(starts.size, np.int64)
    if counts.starts.size:
        at = np.searchsorted(counts.starts, starts).clip(max=counts.starts.size - 1)
        here = counts.starts[at] == starts
        rows[here] = counts.rows[at[here]]
    return rows


def _differing_rows(counts: PaneCounts, held: PaneCensus) -> IntArray:
    found: IntArray = held.starts[_rows_at(counts, held.starts) != held.rows]
    return found


def _intervals(starts: IntArray, pane_seconds: int) -> list[Interval]:
    return merged(
        Interval(from_epoch(start), from_epoch(start + pane_seconds)) for start in starts.tolist()
    )


def _parts(
    counts: PaneCounts, interval: Interval, left_out: IntArray, pane_seconds: int
) -> list[tuple[Interval, PaneCounts]]:
    """The interval and its counts without some panes."""
    if not left_out.size:
        return [(interval, counts)]
    starts = np.arange(to_epoch(interval.start), to_epoch(interval.end), pane_seconds)
    kept = _intervals(np.setdiff1d(starts, left_out), pane_seconds)
    return [(one, within(counts, one)) for one in kept]


def within(counts: PaneCounts, interval: Interval) -> PaneCounts:
    """The counts of the panes inside an interval."""
    start, end = to_epoch(interval.start), to_epoch(interval.end)
    chosen = (counts.starts >= start) & (counts.starts < end)
    return replace(
        counts,
        starts=counts.starts[chosen],
        rows=counts.rows[chosen],
        columns={name: panes.at(chosen) for name, panes in counts.columns.items()},
        segments={key: within(part, interval) for key, part in counts.segments.items()},
    )
