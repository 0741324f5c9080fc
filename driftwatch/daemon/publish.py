"""From the store's latest results to what `/metrics` shows of one monitor."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from driftwatch.alert.policy import AlertState, Severity
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.groups import NO_VERSION, segment_groupings
from driftwatch.exposition.reading import (
    AlertReading,
    FeatureReading,
    MonitorReading,
    ReferenceReading,
    SegmentReading,
    VersionReading,
)
from driftwatch.exposition.render import MonitorBlocks, render
from driftwatch.stats.segment import ALL_ROWS, segment_key
from driftwatch.store import evaluations, snapshot
from driftwatch.store.engine import Store
from driftwatch.store.results import ResultRow
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.verdict.policy import VOLUME, Verdict

_FLAGGED = (Verdict.WARNING, Verdict.CRITICAL)

VERSIONS_SHOWN = 10
"""Newest versions of a model that are shown; older ones are in the store."""

VERSION_COLUMN = "version"
"""The word for the version in the keys of segments, whatever its column is called."""


class Publisher:
    """Makes one monitor's blocks of samples from what is stored and configured now.

    Values are shown until `fresh_for` after the last success was heard of, one's own or that of
    another process on the same store, or after the start of the daemon, so that a restart shows
    them before its first evaluation. An evaluation that found nothing to do is a success, too,
    though the store has no row of it.

    steady_now: process time that no setting of the wall clock moves.
    """

    def __init__(
        self,
        store: Store,
        monitor: MonitorSettings,
        *,
        fresh_for: timedelta,
        steady_now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._monitor = monitor
        self._fresh_for = fresh_for
        self._steady_now = steady_now
        self._heard = steady_now()
        self._stored: datetime | None = None
        self._shown: frozenset[str] = frozenset()

    def succeeded(self) -> None:
        """An evaluation of this monitor ended well just now."""
        self._heard = self._steady_now()

    def publish(self, *, room: int) -> MonitorBlocks:
        """The blocks as they are now, with at most so many series of features; see `Page.room`.
        StoreError: the store cannot be read."""
        with self._store.read() as connection:
            found = snapshot.read(connection, self._monitor.name)
        if found.last_success != self._stored:
            self._stored = found.last_success
            self._heard = self._steady_now()
        made = render(
            reading(found, self._monitor, expires_at=self._heard + self._fresh_for),
            max_series=min(room, self._monitor.max_series),
            before=self._shown,
        )
        self._shown = made.features
        return made


def last_times(store: Store, monitor: str) -> tuple[datetime | None, datetime | None]:
    """When an evaluation of this monitor last succeeded, and when one last ended."""
    with store.read() as connection:
        success = evaluations.last_success(connection, monitor)
        last = evaluations.last(connection, monitor)
    return (
        None if success is None else success.finished_at,
        None if last is None else last.finished_at,
    )


def reading(
    found: MonitorSnapshot, monitor: MonitorSettings, *, expires_at: datetime | None
) -> MonitorReading:
    """What is exposed of a snapshot: only features and windows that are configured now.

    Values are those of all rows. Of segments their number and how many drift; of versions when
    they were first seen; of both the alerts that are not at rest.
    """
    watched = [
        one.row for one in found.results if monitor.watches(one.row.feature, one.row.window_seconds)
    ]
    shares = _explained(found, monitor)
    of_all = [row for row in watched if row.segment == ALL_ROWS]
    versions = _versions(found, monitor)
    return MonitorReading(
        monitor=monitor.name,
        source=monitor.source,
        features=tuple(
            _feature(row, monitor, shares.get((row.feature, row.window_seconds), math.nan))
            for row in of_all
        ),
        alerts=tuple(_alerts(found, monitor, versions)),
        references=tuple(
            ReferenceReading(feature=name, created_at=one.created_at, rows=one.rows)
            for name, one in found.references.items()
            if name == VOLUME or monitor.watches(name, monitor.window_seconds[0])
        ),
        watermark=found.watermark,
        expires_at=expires_at,
        labels=monitor.labels,
        versions=versions,
        segments=len(_segments(found, monitor)) if monitor.segments else None,
        of_segments=tuple(_of_segments(found, monitor, watched)),
        excluded=_excluded(of_all),
        extra_metrics=frozenset(monitor.extra_metrics),
    )


def _versions(found: MonitorSnapshot, monitor: MonitorSettings) -> tuple[VersionReading, ...]:
    newest = found.versions[-VERSIONS_SHOWN:] if monitor.version else ()
    return tuple(VersionReading(one.version, one.first_seen) for one in newest)


def _alerts(
    found: MonitorSnapshot, monitor: MonitorSettings, versions: Iterable[VersionReading]
) -> Iterator[AlertReading]:
    """All alerts of all rows. Of a part of the rows those that are not at rest: of the versions
    that are shown, and of segments where they page."""
    parts = {segment_key([VERSION_COLUMN], [one.version]) for one in versions}
    if monitor.version:
        parts.add(NO_VERSION)
    if monitor.segments and monitor.segments.page:
        parts |= _segments(found, monitor)
    for one in found.alerts:
        key, state = one.key, one.status.state
        at_work = key.segment in parts and state in (AlertState.PENDING, AlertState.FIRING)
        if monitor.watches(key.feature, key.window_seconds) and (
            key.segment == ALL_ROWS or at_work
        ):
            yield AlertReading(
                feature=key.feature,
                window_seconds=key.window_seconds,
                kind=key.kind,
                state=state,
                severity=one.status.severity,
                segment=key.segment,
                since=one.status.since,
            )


def _segments(found: MonitorSnapshot, monitor: MonitorSettings) -> set[str]:
    """The keys of all segments that are counted, those of "other" with them."""
    groupings = segment_groupings(monitor, found.segments)
    return {key for grouping in groupings for key in grouping.keys}


def _of_segments(
    found: MonitorSnapshot, monitor: MonitorSettings, watched: Iterable[ResultRow]
) -> Iterator[SegmentReading]:
    if monitor.segments is None:
        return
    parts = _segments(found, monitor)
    drifting: Counter[tuple[str, int]] = Counter()
    for row in watched:
        if row.segment in parts and row.window_seconds in monitor.segments.window_seconds:
            drifting[row.feature, row.window_seconds] += row.verdict in _FLAGGED
    for (feature, seconds), count in drifting.items():
        yield SegmentReading(feature, seconds, count)


def _excluded(rows: Iterable[ResultRow]) -> tuple[str, ...]:
    """The features of which a latest window is excluded; "" before them where all are."""
    features = list(dict.fromkeys(row.feature for row in rows))
    excluded = {row.feature for row in rows if row.excluded}
    found = tuple(feature for feature in features if feature in excluded)
    return ("", *found) if found and len(found) == len(features) else found


def _explained(found: MonitorSnapshot, monitor: MonitorSettings) -> dict[tuple[str, int], float]:
    """What each feature explains of the latest window of the prediction, by its length."""
    return {
        (share.feature, one.row.window_seconds): share.share
        for one in found.results
        if one.row.flagged and one.row.segment == ALL_ROWS
        for share in found.explained.get(one.id, ())
        if share.applicable and share.feature in monitor.explained_by
    }


def _feature(row: ResultRow, monitor: MonitorSettings, explained_share: float) -> FeatureReading:
    volume = row.feature == VOLUME
    return FeatureReading(
        feature=row.feature,
        window_seconds=row.window_seconds,
        window_start=row.window_start,
        window_end=row.window_end,
        verdict=row.verdict,
        reason=row.reason,
        rows=row.rows,
        measure="volume" if volume or row.measure is None else row.measure.value,
        value=row.value,
        thresholds=_limits(row, monitor),
        effect=row.effect,
        detectable_effect=row.detectable_effect,
        inflation=row.inflation,
        wobble=row.wobble,
        p_value=row.p_value,
        caveats=tuple(row.caveats.split()),
        change=row.change,
        next_step=row.next_step,
        explained_share=explained_share,
        js=row.js,
        js_distance=row.js_distance,
        js_noise=row.js_noise,
        kl=row.kl,
        missing_ratio=_share(row.missing_rows, row.rows, counted=row.axis_version is not None),
        unseen_ratio=_share(row.unseen_rows, row.rows, counted=row.axis_version is not None),
    )


def _limits(row: ResultRow, monitor: MonitorSettings) -> dict[Severity, float]:
    """The limits that hold now: of the volume from the configuration, of a feature its result's."""
    if row.feature == VOLUME:
        found = {
            Severity.WARNING: monitor.volume.warning,
            Severity.CRITICAL: monitor.volume.critical,
        }
        return {severity: limit for severity, limit in found.items() if limit is not None}
    stored = {Severity.WARNING: row.threshold_warning, Severity.CRITICAL: row.threshold_critical}
    return {severity: limit for severity, limit in stored.items() if not math.isnan(limit)}


def _share(part: int, rows: int, *, counted: bool) -> float:
    return part / rows if rows and counted else math.nan
