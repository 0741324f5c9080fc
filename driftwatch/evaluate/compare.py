"""What each window is compared with: counts that were captured once, or sums of the ledger that
move with the window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.config.settings import (
    CohortReference,
    Exclusion,
    FeatureSettings,
    MonitorSettings,
    ReferenceSettings,
    RollingReference,
    SeasonalReference,
)
from driftwatch.evaluate import sentence
from driftwatch.evaluate.basis import Basis
from driftwatch.evaluate.memory import Memory
from driftwatch.evaluate.progress import merged, without
from driftwatch.evaluate.repeated import REPEATED, cut_by, repeated_in
from driftwatch.evaluate.specification import cohort_key
from driftwatch.stats.counts import ColumnPanes, IntArray
from driftwatch.store import ledger
from driftwatch.store.schema import ReferenceOrigin
from driftwatch.verdict.judge import MIN_REFERENCE_WINDOWS
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, Window, from_epoch, to_epoch

VOLUME_SPAN = timedelta(days=28)
"""Where the reference has no time of its own, the volume is compared with the windows of so long
before."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The reference of one feature in one window. panes: its counts as one pane; version: of the
    stored reference; words: what it is, for people; in_phase: whether it is its part in the phase
    of the window."""

    panes: ColumnPanes
    version: int
    words: str
    in_phase: bool = False

    @property
    def cells(self) -> IntArray:
        """Shape (cells,)."""
        found: IntArray = self.panes.cells[0]
        return found

    @property
    def rows(self) -> int:
        return int(self.cells.sum())


@dataclass(frozen=True, slots=True)
class Look:
    """A window to be judged, and the interval that is summed for it: longer where the window alone
    holds too few rows."""

    window: Window
    span: Interval

    @property
    def widened(self) -> bool:
        return self.span != self.window.interval


@dataclass(frozen=True, slots=True)
class Past:
    """What moving references leave out. flagged: by feature, windows of the shortest length.
    repeated: what the log's own clock showed twice, so that its rows are all in the first half."""

    excluded: tuple[Exclusion, ...] = ()
    repeated: tuple[Interval, ...] = ()
    flagged: Mapping[str, Sequence[Interval]] = field(default_factory=dict)

    def and_flagged(self, feature: str, interval: Interval) -> "Past":
        """With one more flagged window."""
        known = (*self.flagged.get(feature, ()), interval)
        return replace(self, flagged={**self.flagged, feature: known})

    def left_out(self, feature: str, accepted: Interval | None = None) -> list[Interval]:
        """accepted: what was flagged in it is right, and what lies before it is not any more."""
        excluded = [one.interval for one in self.excluded if one.feature in ("", feature)]
        excluded += self.repeated
        flagged = self.flagged.get(feature, ())
        if accepted is None:
            return merged([*excluded, *flagged])
        still = [piece for one in flagged for piece in without(one, [accepted])]
        return merged([Interval(from_epoch(0), accepted.start), *excluded, *still])

    def reason(self, feature: str, span: Interval) -> str:
        """Why a window pages nobody: the first exclusion that it touches, or a repeated hour that
        it cuts; "" if it may."""
        for one in self.excluded:
            touches = one.interval.start < span.end and span.start < one.interval.end
            if one.feature in ("", feature) and touches:
                return one.reason
        return REPEATED if cut_by(span, self.repeated) else ""


def learns(monitor: MonitorSettings) -> bool:
    """Whether something is compared with what learns from windows that were judged before."""
    return bool(learned_from(monitor))


def learned_from(monitor: MonitorSettings) -> timedelta:
    """How far back the monitor learns from windows that were judged: as far as a moving reference
    of a column reaches, or what the volume is compared with where its reference is no range."""
    of_columns = (reach_of(monitor.reference_of(one)) for one in monitor.features)
    return max(_volume_reach(monitor), *of_columns)


def _volume_reach(monitor: MonitorSettings) -> timedelta:
    if isinstance(monitor.reference, Interval):
        return timedelta()
    return reach_of(monitor.reference) or VOLUME_SPAN


def past_of(
    memory: Memory,
    monitor: MonitorSettings,
    excluded: tuple[Exclusion, ...],
    looks: Sequence[Look],
) -> Past:
    """What is to be left out of the references of these windows: flagged windows and, for as long
    as an alert on a column's drift fires, all that came since it fired."""
    if not looks:
        return Past(excluded)
    reach = learned_from(monitor)
    first, last = (pick(look.span.start for look in looks) for pick in (min, max))
    end = max(look.span.end for look in looks)
    repeated = repeated_in(monitor, Interval(first - max(reach, VOLUME_SPAN), end))
    if not learns(monitor):
        return Past(excluded, repeated)
    flagged = memory.flagged(first - reach, last)
    left_out = {feature: list(intervals) for feature, intervals in flagged.items()}
    for key, status in memory.statuses().items():
        firing = status.state is AlertState.FIRING and key.kind is AlertKind.DRIFT
        if firing and not key.segment and status.fired_at and status.fired_at < last:
            left_out.setdefault(key.feature, []).append(Interval(status.fired_at, last))
    return Past(excluded, repeated, left_out)


def reach_of(reference: ReferenceSettings) -> timedelta:
    """How far back a reference looks that learns from windows that were judged."""
    match reference:
        case RollingReference():
            return timedelta(seconds=reference.seconds)
        case SeasonalReference():
            return timedelta(weeks=reference.weeks)
        case _:
            return timedelta(0)


def compared(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Basis,
    features: Sequence[FeatureSettings],
    looks: Sequence[Look],
    past: Past,
    segment: str = "",
) -> list[dict[str, Compared]]:
    """For each window the references of these features, those that have one."""
    made: list[dict[str, Compared]] = [{} for _ in looks]
    moving: dict[tuple[str, tuple[tuple[Interval, ...], ...]], list[FeatureSettings]] = {}
    for feature in features:
        if feature.name not in prepared.axes or feature.name not in prepared.references:
            continue
        reference = monitor.reference_of(feature)
        if isinstance(reference, RollingReference | SeasonalReference | CohortReference):
            pieces = tuple(
                tuple(reference_pieces(monitor, prepared, feature, look, past)) for look in looks
            )
            moving.setdefault((_kept_in(reference, segment), pieces), []).append(feature)
        else:
            _fixed(monitor, prepared, feature, segment, made)
    for (kept_in, pieces), some in moving.items():
        axes = {one.name: prepared.axes[one.name] for one in some}
        sums = ledger.sum_pieces(connection, prepared.monitor_id, axes, pieces, segment=kept_in)
        for number, found in enumerate(sums):
            for one in some:
                made[number][one.name] = Compared(
                    found.columns[one.name],
                    prepared.references[one.name].version,
                    sentence.reference_words(monitor.reference_of(one), None),
                )
    return made


def _fixed(
    monitor: MonitorSettings,
    prepared: Basis,
    feature: FeatureSettings,
    segment: str,
    made: Sequence[dict[str, Compared]],
) -> None:
    records = prepared.segment_references.get(segment, {}) if segment else prepared.references
    record = records.get(feature.name)
    if record is None or record.counts is None:
        return
    if record.axis_id != prepared.axes[feature.name].id:
        return  # counted in other bins
    reference = monitor.reference_of(feature)
    if record.interval is not None:
        reference = record.interval  # an earlier one serves while that of the configuration waits
    words = sentence.reference_words(reference, record.interval)
    found = Compared(record.counts, record.version, words)
    for of_window in made:
        of_window[feature.name] = found


def _kept_in(reference: ReferenceSettings, segment: str) -> str:
    """The segment of the ledger that holds the reference of a segment."""
    if not isinstance(reference, CohortReference):
        return segment
    return f"{cohort_key(reference)} {segment}".rstrip()


def reference_pieces(
    monitor: MonitorSettings,
    prepared: Basis,
    feature: FeatureSettings,
    look: Look,
    past: Past,
) -> list[Interval]:
    """The intervals that are added up as the reference of one window."""
    reference = monitor.reference_of(feature)
    if isinstance(reference, CohortReference):
        return [look.span]
    taken = past.left_out(feature.name, _accepted(prepared, feature.name))
    if isinstance(reference, RollingReference):
        start = look.span.start - timedelta(seconds=reference.seconds)
        return without(Interval(start, look.span.start), taken)
    assert isinstance(reference, SeasonalReference)
    whole = [
        monitor.calendar.weeks_before(Window(look.window.seconds, look.span), weeks).interval
        for weeks in range(1, reference.weeks + 1)
    ]
    return [piece for one in merged(whole) for piece in without(one, taken)]


def _accepted(prepared: Basis, name: str) -> Interval | None:
    """What a change was accepted of."""
    record = prepared.references[name]
    return record.interval if record.origin is ReferenceOrigin.ACCEPT else None


def volume_windows(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Basis,
    windows: Sequence[Window],
    past: Past,
) -> list[IntArray]:
    """For each window the rows of the windows that its volume is compared with: those of the
    reference, or of what lies before it. A season of too few weeks to tell how much the volume
    varies is compared with all windows of these weeks."""
    if isinstance(monitor.reference, Interval):
        nothing = np.zeros(0, np.int64)
        return [prepared.reference_rows.get(window.seconds, nothing) for window in windows]
    taken = past.left_out(VOLUME, _accepted(prepared, VOLUME))
    chosen = [_earlier_windows(monitor, window, taken) for window in windows]
    wanted = sorted({one for of_window in chosen for one in of_window})
    found = ledger.window_rows(connection, prepared.monitor_id, wanted)
    rows = dict(zip(wanted, found, strict=True))
    counted = ([rows[one] for one in of_window] for of_window in chosen)
    return [
        np.array([one for one in of_window if one is not None], np.int64) for of_window in counted
    ]


def _earlier_windows(
    monitor: MonitorSettings, window: Window, taken: Sequence[Interval]
) -> list[Interval]:
    reference, start = monitor.reference, window.interval.start
    if isinstance(reference, SeasonalReference) and reference.weeks >= MIN_REFERENCE_WINDOWS:
        weeks = range(1, reference.weeks + 1)
        earlier = [monitor.calendar.weeks_before(window, one).interval for one in weeks]
    else:
        span = _volume_reach(monitor)
        tumbling = monitor.calendar.tumbling(start - span, start, window.seconds)
        earlier = [one.interval for one in tumbling]
    return [one for one in earlier if without(one, taken) == [one]]


def widened(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Basis,
    windows: Sequence[Window],
    *,
    scanned_from: datetime,
    excluded: Sequence[Exclusion] = (),
    segment: str = "",
) -> list[Look]:
    """Windows with fewer than `min_rows` reach back by whole windows until they have as many, at
    most over `widen`, not before the first window, and not into what is excluded for all features:
    else a day that is excluded would silence the days after it."""
    plain = [Look(window, window.interval) for window in windows]
    if monitor.widen_seconds is None or not windows:
        return plain
    reach = timedelta(seconds=monitor.widen_seconds)
    barred = Past(tuple(one for one in excluded if not one.feature))
    looks = []
    for seconds in {window.seconds for window in windows}:
        own = [window for window in windows if window.seconds == seconds]
        first = max(scanned_from, own[0].interval.start - reach)
        before = monitor.calendar.tumbling(first, own[-1].interval.end, seconds)
        every = [one.interval for one in before]
        found = ledger.window_rows(connection, prepared.monitor_id, every, segment=segment)
        rows = dict(zip(every, found, strict=True))
        looks += [_widened(window, every, rows, monitor, barred) for window in own]
    by_window = {look.window: look for look in looks}
    return [by_window[window] for window in windows]


def _widened(
    window: Window,
    every: Sequence[Interval],
    rows: Mapping[Interval, int | None],
    monitor: MonitorSettings,
    barred: Past,
) -> Look:
    assert monitor.widen_seconds is not None
    total, start = rows.get(window.interval) or 0, window.interval.start
    for earlier in reversed([one for one in every if one.end <= start]):
        counted = rows[earlier]
        span = to_epoch(window.interval.end) - to_epoch(earlier.start)
        if total >= monitor.min_rows or counted is None or span > monitor.widen_seconds:
            break
        if barred.reason("", earlier):
            break
        total, start = total + counted, earlier.start
    if total < monitor.min_rows:
        start = window.interval.start
    return Look(window, Interval(start, window.interval.end))
