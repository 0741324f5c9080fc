"""From counted panes to judged windows: kept in the ledger, summed, compared, judged.

Everything here happens in the transaction of whoever calls: an evaluation or a backfill.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from driftwatch.config.settings import Exclusion, FeatureSettings, MonitorSettings
from driftwatch.evaluate.basis import Basis
from driftwatch.evaluate.compare import (
    Compared,
    Look,
    Past,
    compared,
    learns,
    past_of,
    volume_windows,
    widened,
)
from driftwatch.evaluate.count import Batch
from driftwatch.evaluate.explained import explained_shares
from driftwatch.evaluate.grouping_columns import judge_grouping
from driftwatch.evaluate.judge import Seen, judge_windows
from driftwatch.evaluate.judged import Judged, Place
from driftwatch.evaluate.memory import Memory, Stored
from driftwatch.evaluate.prepare import Prepared
from driftwatch.evaluate.progress import due_windows, lane_scan, merged, windows_over
from driftwatch.evaluate.versions import prediction, seen_versions
from driftwatch.stats.counts import ColumnTrouble, IntArray
from driftwatch.store import ledger, revisions
from driftwatch.store.axes import AxisRecord
from driftwatch.store.explained import ExplainedShare
from driftwatch.store.ledger import WindowCounts
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, Window


@dataclass(frozen=True, slots=True)
class Due:
    """Windows that are to be judged for the features of one lane, shortest first, each length
    oldest first. volume: whether the number of rows is judged with them."""

    features: tuple[FeatureSettings, ...]
    windows: tuple[Window, ...]
    volume: bool

    def results(self, monitor: MonitorSettings) -> set[Place]:
        """Which results this leads to."""
        names = [one.name for one in self.features]
        names += [VOLUME, *monitor.grouped_by] if self.volume else []
        return {(name, one.seconds, one.interval.end) for name in names for one in self.windows}


def keep(
    connection: Connection, prepared: Prepared, batches: Sequence[Batch], now: datetime
) -> list[Interval]:
    """Write the panes; returns where panes changed that had been counted before.

    MovedError: another process has written some of them since their rows were read.
    """
    seen = {one.before for one in batches if one.before is not None}
    revisions.require_same(connection, prepared.monitor_id, seen)
    changed: list[Interval] = []
    for batch in batches:
        found = ledger.record(
            connection,
            prepared.monitor_id,
            prepared.axes,
            batch.counts,
            batch.interval,
            now,
            segment=batch.segment,
        )
        if batch.revision:
            changed += found
    return merged(changed)


def due(
    monitor: MonitorSettings, prepared: Prepared, scan: Interval, scanned_from: datetime
) -> list[Due]:
    """What the scan completed, lane by lane."""
    made = []
    for lane in prepared.lanes:
        counted = lane_scan(scan, lane.seconds, scanned_from) if lane.seconds else scan
        if counted is None:
            continue
        windows = due_windows(monitor, scanned_from=scanned_from, scan=counted)
        flat = tuple(window for _, of_length in windows for window in of_length)
        made.append(Due(lane.features, flat, volume=lane.seconds == 0))
    return made


def revised(
    monitor: MonitorSettings,
    prepared: Prepared,
    new: Sequence[Due],
    changed: Sequence[Interval],
    watermark: datetime,
    scanned_from: datetime,
) -> list[Due]:
    """The same with the windows that hold panes which have changed, to be judged again."""
    if not changed:
        return list(new)
    by_features = {one.features: one for one in new}
    made = []
    for lane in prepared.lanes:
        until = watermark - timedelta(seconds=lane.seconds)
        again = windows_over(monitor, changed, scanned_from=scanned_from, until=until)
        before = by_features.get(lane.features, Due(lane.features, (), volume=lane.seconds == 0))
        old = {window for _, of_length in again for window in of_length}
        made.append(replace(before, windows=tuple(sorted({*before.windows, *old}))))
    return made


def judge_due(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Basis,
    work: Sequence[Due],
    excluded: tuple[Exclusion, ...],
    *,
    troubles: Mapping[str, ColumnTrouble],
    scanned_from: datetime,
    now: datetime,
) -> list[Judged]:
    """Results of all that is due: of all rows, of segments, of versions."""
    judge = Judge(
        connection, monitor, prepared, excluded, troubles, scanned_from, now,
        Stored(connection, monitor),
    )  # fmt: skip
    return [one for some in work if some.windows for one in judge.all_of(some)]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges windows that were counted. memory: what was judged before."""

    connection: Connection
    monitor: MonitorSettings
    prepared: Basis
    excluded: tuple[Exclusion, ...]
    troubles: Mapping[str, ColumnTrouble]
    scanned_from: datetime
    now: datetime
    memory: Memory

    def all_of(self, work: Due) -> list[Judged]:
        """Where references learn from what was judged, one end after the other: what is flagged
        must not be learned from by the next window."""
        looks = self._looks(work.windows)
        past = past_of(self.memory, self.monitor, self.excluded, looks)
        if not learns(self.monitor):
            return self._judged(work, looks, past)
        made: list[Judged] = []
        for end in sorted({look.span.end for look in looks}):
            some = [look for look in looks if look.span.end == end]
            windows = tuple(look.window for look in some)
            found = self._judged(replace(work, windows=windows), some, past)
            for one in found:
                if self._teaches(one):
                    interval = Interval(one.row.window_start, one.row.window_end)
                    past = past.and_flagged(one.row.feature, interval)
            made += found
        return made

    def _teaches(self, one: Judged) -> bool:
        """Whether this result keeps a window from being learned from."""
        shortest = min(self.monitor.window_seconds)
        return one.row.flagged and not one.row.segment and one.row.window_seconds == shortest

    def _judged(self, work: Due, looks: Sequence[Look], past: Past) -> list[Judged]:
        seen = self._of_all_rows(work, looks, past)
        seen += self._of_segments(work, past)
        seen += self._of_versions(work, looks, past)
        judged = list(
            judge_windows(
                self.monitor, self.prepared, seen, past, troubles=self.troubles, now=self.now
            )
        )
        of_columns = [one for one in seen if one.volume is not None]
        return judged + list(
            judge_grouping(self.memory, self.monitor, of_columns, self.troubles, self.now)
        )

    def _looks(self, windows: Sequence[Window], segment: str = "") -> list[Look]:
        return widened(
            self.connection, self.monitor, self.prepared, windows,
            scanned_from=self.scanned_from, excluded=self.excluded, segment=segment,
        )  # fmt: skip

    def _of_all_rows(self, work: Due, looks: Sequence[Look], past: Past) -> list[Seen]:
        """A widened window widens its features alone: the volume is about the window itself."""
        counts = self._sums(work, [look.span for look in looks])
        references = compared(
            self.connection, self.monitor, self.prepared, work.features, looks, past
        )
        references = [
            self._in_phase(look, found) for look, found in zip(looks, references, strict=True)
        ]
        newest = _newest(work.windows)
        volumes = self._volumes(work, past)
        plain = [look.window.interval for look in looks]
        own = counts if not any(look.widened for look in looks) else self._sums(work, plain)
        made = []
        for number, look in enumerate(looks):
            if not own[number].is_whole:
                continue  # a backfill has counted a part of it only
            if work.volume:
                at_window = Look(look.window, look.window.interval)
                made.append(Seen(at_window, own[number], (), {}, volume=volumes[number]))
            made.append(
                Seen(
                    look, counts[number], work.features, references[number],
                    keep_bins=look.window in newest, shares=self._shares(look, past),
                )
            )  # fmt: skip
        return made

    def _shares(self, look: Look, past: Past) -> Callable[[], Sequence[ExplainedShare]] | None:
        if not isinstance(self.prepared, Prepared):
            return None
        return partial(explained_shares, self.connection, self.monitor, self.prepared, look, past)

    def _in_phase(self, look: Look, found: Mapping[str, Compared]) -> dict[str, Compared]:
        """Features with a season are compared with their phase of it: a window that reaches back
        over several with all of them."""
        made = dict(found)
        of_length = self.prepared.calibrations.get(look.window.seconds)
        if of_length is None:
            return made
        calendar, span = self.monitor.calendar, look.span
        inside = calendar.tumbling(span.start, span.end, look.window.seconds)
        starts = [one.interval.start for one in inside]
        for name in of_length.by_phase.keys() & found.keys():
            part = of_length.in_phase(name, starts, calendar.zone)
            if part is not None:
                panes, words = part
                made[name] = replace(
                    found[name], panes=panes, words=words + found[name].words, in_phase=True
                )
        return made

    def _sums(self, work: Due, spans: Sequence[Interval]) -> list[WindowCounts]:
        return ledger.sum_windows(
            self.connection, self.prepared.monitor_id, self._axes(work), spans
        )

    def _axes(self, work: Due) -> dict[str, AxisRecord]:
        names = (one.name for one in work.features)
        return {name: self.prepared.axes[name] for name in names if name in self.prepared.axes}

    def _volumes(self, work: Due, past: Past) -> list[IntArray]:
        if not work.volume:
            return []
        return volume_windows(self.connection, self.monitor, self.prepared, work.windows, past)

    def _of_segments(self, work: Due, past: Past) -> list[Seen]:
        settings = self.monitor.segments
        if settings is None or not self.prepared.segments:
            return []
        windows = [one for one in work.windows if one.seconds in settings.window_seconds]
        made: list[Seen] = []
        if not windows or not work.features:
            return made
        for key in self.prepared.segment_keys:
            looks = self._looks(windows, key)
            counts = ledger.sum_segments(
                self.connection, self.prepared.monitor_id, self._axes(work),
                [look.span for look in looks], [key],
            )[key]  # fmt: skip
            references = compared(
                self.connection, self.monitor, self.prepared, work.features, looks, past, key
            )
            made += (
                Seen(look, of_window, work.features, of_reference, segment=key)
                for look, of_window, of_reference in zip(looks, counts, references, strict=True)
                if of_window.rows or any(one.rows for one in of_reference.values())
            )
        return made

    def _of_versions(self, work: Due, looks: Sequence[Look], past: Past) -> list[Seen]:
        if self.monitor.version is None or prediction(self.monitor) not in work.features:
            return []
        predicted = replace(work, features=(prediction(self.monitor),))
        whole = self._sums(predicted, [look.span for look in looks])
        references = compared(
            self.connection, self.monitor, self.prepared, predicted.features, looks, past
        )
        return seen_versions(
            self.connection, self.monitor, self.prepared, looks, whole, references, self.memory
        )


def _newest(windows: Sequence[Window]) -> set[Window]:
    """The newest window of each length."""
    by_length: dict[int, Window] = {}
    for window in windows:
        known = by_length.get(window.seconds)
        if known is None or known.interval.end < window.interval.end:
            by_length[window.seconds] = window
    return set(by_length.values())
