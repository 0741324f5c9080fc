"""Judging the stored past again, by any policy, as a daemon that was never late would have done.

The counts are those of the ledger, and the code is the daemon's. Nothing is written, no source is
asked: what was judged, and the alerts that came of it, are remembered here alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.alert.policy import AlertKind
from driftwatch.alert.state import AlertKey, AlertStatus, reset, transition
from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.errors import ConfigError
from driftwatch.evaluate.alerts import OF_A_REFERENCE, Change, moved_by
from driftwatch.evaluate.basis import Basis, basis_of
from driftwatch.evaluate.calibrate import OfLength, calibrations, moves
from driftwatch.evaluate.compare import learns
from driftwatch.evaluate.eras import Era, eras
from driftwatch.evaluate.history import History
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.keep import Due, Judge
from driftwatch.evaluate.prepare import CALIBRATED_FOR
from driftwatch.evaluate.progress import due_windows, lane_seconds
from driftwatch.evaluate.raised import Finding, Raised, Series, raised
from driftwatch.store import ledger
from driftwatch.store.engine import Store
from driftwatch.window import Interval, Window, floor

_TOGETHER = 200
"""Windows that are judged together where none depends on what was found in another."""

_DAY = 86_400

_KINDS = (AlertKind.DRIFT, AlertKind.VOLUME, AlertKind.NO_DATA)
"""Whether a column could be counted is no matter of a policy."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Windows of one length that cannot be judged again. coarser: because their counts are kept in
    longer panes only; uncounted: because not all of them was counted, or is still there."""

    seconds: int
    coarser: int
    uncounted: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What a policy would have led to in `whole`. findings: of windows that end in it, oldest
    first; raised: alerts that fired in it, oldest first. Columns that could not be counted are no
    matter of a policy: their alerts are not among them."""

    monitor: MonitorSettings
    whole: Interval
    findings: Mapping[Series, Sequence[Finding]]
    raised: tuple[Raised, ...]
    left_out: tuple[LeftOut, ...]


def replay(
    monitor: MonitorSettings,
    history: History,
    *,
    store: Store,
    seconds: int | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Replay:
    """Judge the windows of the history by the thresholds of this monitor, and move its alerts.

    seconds: windows of this length alone; where references learn from what was judged, the shortest
    windows are judged, too. on_progress: told the share of the time that is done, now and then.
    ConfigError: the monitor has no reference yet.
    """
    if monitor.segments is not None and not monitor.segments.page:
        monitor = replace(monitor, segments=None)  # they explain alerts, and make none
    with store.read() as connection:
        basis = basis_of(connection, monitor, history.monitor_id)
        if not basis.has_reference:
            raise ConfigError(
                f"monitor {monitor.name!r} has no reference yet, so that nothing can be judged; "
                "`driftwatch status` says what it waits for"
            )
        known = eras(connection, monitor, basis)
    begun = history.judged_from(monitor)
    replayer = _Replayer(monitor, history, seconds)
    for era, until in zip(known, [*(one.since for one in known[1:]), None], strict=True):
        for moment in replayer.judge_era(era, until or history.asked.end, store):
            on_progress((moment - begun) / (history.asked.end - begun))
    return replayer.replay(store)


@dataclass(frozen=True, slots=True)
class _Memory:
    """What was judged in this replay. windows: flagged ones of the shortest length by feature."""

    alerts: dict[AlertKey, AlertStatus] = field(default_factory=dict)
    windows: dict[str, list[Interval]] = field(default_factory=dict)

    def flagged(self, since: datetime, until: datetime) -> Mapping[str, Sequence[Interval]]:
        return {
            feature: [one for one in some if one.end > since and one.start < until]
            for feature, some in self.windows.items()
        }

    def statuses(self) -> Mapping[AlertKey, AlertStatus]:
        return self.alerts


class _Replayer:
    """One policy on its way through one history."""

    def __init__(self, monitor: MonitorSettings, history: History, seconds: int | None) -> None:
        self._monitor = monitor
        self._history = history
        self._begin = history.judged_from(monitor)
        self._asked = monitor.window_seconds if seconds is None else (seconds,)
        self._memory = _Memory()
        self._findings: dict[Series, list[Finding]] = {}
        self._changes: list[Change] = []
        self._skipped: set[Window] = set()
        self._calibrations: Mapping[int, OfLength] = {}
        self._calibrate_at: datetime | None = None
        lanes: dict[int, list[FeatureSettings]] = {0: []}
        for feature in monitor.features:
            lanes.setdefault(lane_seconds(monitor, feature), []).append(feature)
        self._lanes = {behind: tuple(lanes[behind]) for behind in sorted(lanes)}

    def judge_era(self, era: Era, until: datetime, store: Store) -> Iterator[datetime]:
        """All that becomes due in it, up to its end; how far it is, step by step."""
        until = min(until, self._history.asked.end)
        since = max(self._begin, era.since or self._begin)
        if since >= until:
            return
        self._reset(era)
        watermark = self._calibrate_at = since
        for moment, work in self._work(since, until):
            with store.read() as connection:
                basis = self._calibrated(connection, era.basis, watermark)
                self._judge(connection, basis, work, moment)
            watermark = moment
            yield moment

    def replay(self, store: Store) -> Replay:
        asked = self._history.asked
        ended = {
            series: [one for one in found if asked.start < one.window.end]
            for series, found in self._findings.items()
            if series.seconds in self._asked
        }
        told = [
            one
            for one in raised(self._changes, self._findings, of=self._monitor.alert.of)
            if one.key.window_seconds in self._asked
            and (one.ended_at is None or one.ended_at > asked.start)
        ]
        with store.read() as connection:
            left_out = tuple(self._left_out(connection))
        return Replay(self._monitor, asked, ended, tuple(told), left_out)

    def _reset(self, era: Era) -> None:
        """Alerts of what is compared with something else now begin anew."""
        for key, status in self._memory.alerts.items():
            renewed = {(key.feature, ""), (key.feature, key.segment)} & era.renewed
            if renewed and key.kind in OF_A_REFERENCE and era.since is not None:
                after = reset(status, era.since)
                changed = transition(status, after)
                self._memory.alerts[key] = after
                if changed is not None:
                    self._changes.append(Change(key, changed, "compared with something else"))

    def _work(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, list[Due]]]:
        """What is judged together, and how far it moves the watermark: one moment after the other
        where what was found in one window decides how the next one is judged."""
        one_by_one = learns(self._monitor) or self._monitor.version is not None
        due = [one for one in self._due(until) if since < one[0]]
        begin = 0
        while begin < len(due):
            end = begin + (1 if one_by_one else min(_TOGETHER, len(due) - begin))
            while end < len(due) and due[end][0] == due[end - 1][0]:
                end += 1
            yield due[end - 1][0], self._together(due[begin:end])
            begin = end

    def _due(self, until: datetime) -> list[tuple[datetime, int, Window]]:
        """When each window is judged, for which lane; in that order."""
        needed = {
            *self._asked,
            *([min(self._monitor.window_seconds)] if learns(self._monitor) else []),
        }
        found = []
        for behind in self._lanes:
            last = until - timedelta(seconds=behind)
            if self._begin >= last:
                continue
            scan = Interval(self._begin, last)
            for seconds, windows in due_windows(self._monitor, scanned_from=self._begin, scan=scan):
                if seconds in needed:
                    found += [(one.interval.end + (until - last), behind, one) for one in windows]
        return sorted(found)

    def _together(self, due: Sequence[tuple[datetime, int, Window]]) -> list[Due]:
        by_lane: dict[int, list[Window]] = {}
        for _, behind, window in due:
            by_lane.setdefault(behind, []).append(window)
        return [
            Due(self._lanes[behind], tuple(sorted(windows)), volume=behind == 0)
            for behind, windows in sorted(by_lane.items())
        ]

    def _calibrated(self, connection: Connection, basis: Basis, watermark: datetime) -> Basis:
        """The basis with calibrations as the daemon has them then."""
        if self._calibrate_at is not None and watermark >= self._calibrate_at:
            self._calibrations = calibrations(
                connection, self._monitor, basis.monitor_id, basis.axes, basis.references,
                watermark, self._memory,
            )  # fmt: skip
            self._calibrate_at = watermark + CALIBRATED_FOR if moves(self._monitor) else None
        return replace(basis, calibrations=self._calibrations)

    def _judge(
        self, connection: Connection, basis: Basis, work: Sequence[Due], now: datetime
    ) -> None:
        judge = Judge(
            connection, self._monitor, basis, self._history.excluded, {},
            self._history.counted.start, now, self._memory,
        )  # fmt: skip
        judged = [one for some in work for one in judge.all_of(some)]
        moved, changes = moved_by(self._monitor, self._memory.alerts, judged, kinds=_KINDS)
        self._memory.alerts.update(moved)
        self._changes += changes
        self._remember(judged)
        there = {(one.row.window_seconds, one.row.window_end) for one in judged}
        wanted = {window for some in work for window in some.windows}
        self._skipped |= {one for one in wanted if (one.seconds, one.interval.end) not in there}

    def _remember(self, judged: Iterable[Judged]) -> None:
        shortest = min(self._monitor.window_seconds)
        for one in judged:
            row = one.row
            window = Interval(row.window_start, row.window_end)
            series = Series(row.feature, row.segment, row.window_seconds)
            finding = Finding(window, row.verdict, row.value)
            self._findings.setdefault(series, []).append(finding)
            plain = not row.segment and not row.excluded
            if row.flagged and plain and row.window_seconds == shortest:
                self._memory.windows.setdefault(row.feature, []).append(window)

    def _left_out(self, connection: Connection) -> Iterator[LeftOut]:
        """Of windows that end in the range; whole days tell whether finer counts were folded."""
        for seconds in sorted({one.seconds for one in self._skipped}):
            windows = [
                one.interval
                for one in sorted(self._skipped)
                if one.seconds == seconds and one.interval.end > self._history.asked.start
            ]
            days = [_whole_days(one) for one in windows]
            rows = ledger.window_rows(connection, self._history.monitor_id, days)
            coarser = sum(one is not None for one in rows)
            if windows:
                yield LeftOut(seconds, coarser, len(windows) - coarser)


def _whole_days(one: Interval) -> Interval:
    return Interval(floor(one.start, _DAY), floor(one.end + timedelta(seconds=_DAY - 1), _DAY))
