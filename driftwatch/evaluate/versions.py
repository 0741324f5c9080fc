"""The versions of a model: seen, compared with the one beside or before, handed over.

A new version is meant to predict otherwise, so it is not judged by what an older one did: first by
the version that serves beside it in the same window, or where none does, by what its predecessor
predicted last; from `handover` on by its own first days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from driftwatch.alert.policy import AlertState, Severity
from driftwatch.config.settings import FeatureSettings, MonitorSettings, RollingReference
from driftwatch.evaluate import sentence
from driftwatch.evaluate.alerts import reset_alerts
from driftwatch.evaluate.basis import Basis
from driftwatch.evaluate.compare import Compared, Look, Past
from driftwatch.evaluate.groups import MANY_VERSIONS, NO_VERSION, OTHER_VERSIONS, version_key
from driftwatch.evaluate.judge import Seen
from driftwatch.evaluate.memory import Memory
from driftwatch.evaluate.prepare import Prepared
from driftwatch.evaluate.progress import without
from driftwatch.source import Source
from driftwatch.stats.counts import ColumnPanes, PaneCounts
from driftwatch.store import annotations, ledger, references, versions
from driftwatch.store.ledger import WindowCounts
from driftwatch.store.references import NewReference, ReferenceRecord
from driftwatch.store.schema import AnnotationKind, ReferenceOrigin
from driftwatch.store.versions import VersionRow
from driftwatch.window import Interval, from_epoch, to_epoch


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A version that was not known before these rows."""

    version: str
    first_seen: datetime
    predecessor: str | None


def unknown_versions(
    monitor: MonitorSettings, prepared: Prepared, source: Source, counts: PaneCounts, scan: Interval
) -> list[str]:
    """The versions in these rows that are not counted apart yet; mostly none, without a look at
    the source."""
    others = counts.segments.get(OTHER_VERSIONS)
    if monitor.version is None or others is None or not others.rows.sum():
        return []
    listed = source.levels(
        monitor.relation,
        prepared.info,
        (monitor.version.column,),
        scan,
        limit=MANY_VERSIONS,
        min_rows=1,
    )
    known = {one.version for one in prepared.versions}
    return sorted(level[0] for level in listed.levels if level[0] and level[0] not in known)


def newcomers(
    prepared: Prepared, found: Sequence[str], counts: Sequence[PaneCounts]
) -> tuple[Newcomer, ...]:
    """When each of these versions was first seen, and what ran before: the version that was seen
    before it and has the most rows since, else the one that was seen last."""
    first = {name: _first_seen(name, counts) for name in found}
    seen = sorted((moment, name) for name, moment in first.items() if moment is not None)
    earlier = [one.version for one in prepared.versions]
    made = []
    for moment, name in seen:
        made.append(Newcomer(name, moment, _predecessor(earlier, moment, counts)))
        earlier.append(name)
    return tuple(made)


def _predecessor(
    earlier: Sequence[str], moment: datetime, counts: Sequence[PaneCounts]
) -> str | None:
    """earlier: versions in the order in which they were seen."""
    since, last = {}, {}
    for name in earlier:
        parts = _of_version(name, counts)
        before = [part.starts[(part.rows > 0) & (part.starts < to_epoch(moment))] for part in parts]
        since[name] = sum(int(part.rows[part.starts >= to_epoch(moment)].sum()) for part in parts)
        last[name] = max((int(starts.max()) for starts in before if starts.size), default=-1)
    if any(since.values()):
        return max(since, key=lambda name: since[name])
    if any(start >= 0 for start in last.values()):
        return max(last, key=lambda name: last[name])
    return earlier[-1] if earlier else None


def _of_version(name: str, counts: Sequence[PaneCounts]) -> list[PaneCounts]:
    key = version_key(name)
    return [one.segments[key] for one in counts if key in one.segments]


def _first_seen(name: str, counts: Sequence[PaneCounts]) -> datetime | None:
    starts = [
        int(part.starts[part.rows > 0][0]) for part in _of_version(name, counts) if part.rows.sum()
    ]
    return from_epoch(min(starts)) if starts else None


def note(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    found: Sequence[Newcomer],
    now: datetime,
) -> tuple[str, ...]:
    """Keep the new versions, with an annotation each; returns those that nobody kept before."""
    new = []
    for one in found:
        if versions.note(connection, monitor_id, one.version, one.first_seen, one.predecessor, now):
            new.append(one.version)
            before = f" after {one.predecessor}" if one.predecessor else ""
            annotations.note(
                connection, monitor.name, "", AnnotationKind.NEW_VERSION, one.first_seen, None,
                f"version {one.version}{before}", now,
            )  # fmt: skip
    return tuple(new)


def until_hand_over(monitor: MonitorSettings, prepared: Prepared, scan: Interval) -> Interval:
    """The scan up to where the next version may be handed over, so that a catch-up judges what
    comes after it as a daemon that was never late."""
    if monitor.version is None:
        return scan
    span = timedelta(seconds=monitor.version.handover_seconds)
    ends = [scan.end, scan.start + span]
    for one in prepared.versions:
        if one.handed_over_at is None and one.first_seen <= scan.start:
            ends.append(one.first_seen + ((scan.start - one.first_seen) // span + 1) * span)
    return Interval(scan.start, min(ends))


def hand_over(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Prepared,
    watermark: datetime,
    past: Past,
    now: datetime,
    *,
    notify: bool,
) -> bool:
    """Give each version that has served for long enough its own first days as its reference; where
    these hold too few rows, as of a canary, as many times as many days as it takes."""
    if monitor.version is None:
        return False
    span = timedelta(seconds=monitor.version.handover_seconds)
    due = [
        one
        for one in prepared.versions
        if one.handed_over_at is None and one.first_seen + span <= watermark
    ]
    done = False
    for one in due:
        for times in range(1, (watermark - one.first_seen) // span + 1):
            whole = Interval(one.first_seen, one.first_seen + times * span)
            if _hand_over(connection, monitor, prepared, one, whole, past, now, notify=notify):
                done = True
                break
    return done


def _hand_over(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Prepared,
    version: VersionRow,
    whole: Interval,
    past: Past,
    now: datetime,
    *,
    notify: bool,
) -> bool:
    key = version_key(version.version)
    feature = prediction(monitor)
    axis = prepared.axes.get(feature.name)
    if axis is None:
        return False
    pieces = without(whole, past.left_out(feature.name))
    (found,) = ledger.sum_pieces(
        connection, prepared.monitor_id, {feature.name: axis}, [pieces], segment=key
    )
    if found.rows < monitor.min_rows:
        return False
    references.capture(
        connection,
        prepared.monitor_id,
        NewReference(
            column=feature.name,
            axis=axis,
            interval=whole,
            counts=found.columns[feature.name],
            rows=found.rows,
            segment=key,
            origin=ReferenceOrigin.VERSION,
            note=f"the first {sentence.span(whole.seconds)} of version {version.version}",
        ),
        now,
    )
    versions.hand_over(connection, prepared.monitor_id, version.version, whole.end)
    message = f"version {version.version} is compared with its own first days now"
    annotations.note(
        connection, monitor.name, feature.name, AnnotationKind.HAND_OVER, whole.end, None,
        message, now,
    )  # fmt: skip
    reset_alerts(
        connection, monitor.name, {feature.name}, whole.end, message, now, notify, segment=key
    )
    return True


def prediction(monitor: MonitorSettings) -> FeatureSettings:
    """The watched output of the model."""
    return next(feature for feature in monitor.features if feature.prediction)


def seen_versions(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Basis,
    looks: Sequence[Look],
    whole: Sequence[WindowCounts],
    references: Sequence[Mapping[str, Compared]],
    memory: Memory,
) -> list[Seen]:
    """The windows of every version that served in them, and those of the rows that have none.

    whole: counts of all rows of each window; references: what all rows are compared with, which is
    what a version is compared with that has neither a predecessor nor days of its own.
    """
    feature = prediction(monitor)
    axis = prepared.axes.get(feature.name)
    if axis is None or not looks:
        return []
    axes = {feature.name: axis}
    spans = [look.span for look in looks]
    keys = [version_key(one.version) for one in prepared.versions]
    counts = ledger.sum_segments(connection, prepared.monitor_id, axes, spans, keys) if keys else {}
    before = _before(connection, monitor, prepared)
    firing = _firing(memory, feature.name)
    made = []
    for version in prepared.versions:
        key = version_key(version.version)
        for number, look in enumerate(looks):
            own = counts[key][number]
            if not own.rows and key not in firing:
                continue
            compared = _compared(prepared, version, feature, number, counts, before, monitor)
            cap = None if _own(prepared, version, feature) else Severity.WARNING
            if compared is None:
                compared = references[number].get(feature.name)
                cap = Severity.WARNING if version.predecessor else None
            made.append(
                Seen(
                    look=look,
                    counts=own,
                    features=(feature,),
                    compared={feature.name: compared} if compared else {},
                    segment=key,
                    keep_bins=look is looks[-1],
                    excluded="" if own.rows else sentence.not_serving(version.version),
                    cap=cap,
                )
            )
    for number, look in enumerate(looks):
        rest = _rest(whole[number], [counts[key][number] for key in keys], feature.name)
        enough = rest.rows >= monitor.min_rows
        if enough or NO_VERSION in firing:
            past = _past_of_rest(connection, monitor, prepared, look, keys, feature)
            with_what = references[number] if past is None else {feature.name: past}
            excluded = "" if enough else sentence.NO_REST
            made.append(
                Seen(look, rest, (feature,), with_what, segment=NO_VERSION, excluded=excluded)
            )
    return made


def _past_of_rest(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Basis,
    look: Look,
    keys: Sequence[str],
    feature: FeatureSettings,
) -> Compared | None:
    """The reference of the rows that have no version, where there were enough of them in it: they
    may never have had one, and be of another kind. None: the reference of all rows serves."""
    record = prepared.references.get(feature.name)
    reference = monitor.reference_of(feature)
    if record is None:
        return None
    if isinstance(reference, RollingReference):
        interval = Interval(look.span.start - timedelta(seconds=reference.seconds), look.span.start)
    elif isinstance(reference, Interval) and record.interval is not None:
        interval = record.interval
    else:
        return None
    axes = {feature.name: prepared.axes[feature.name]}
    sums = ledger.sum_segments(connection, prepared.monitor_id, axes, [interval], ["", *keys])
    (whole,), *parts = sums.values()
    rest = _rest(whole, [one for (one,) in parts], feature.name)
    if rest.rows < monitor.min_rows or rest.column_rows[feature.name] != rest.rows:
        return None
    panes = rest.columns[feature.name]
    panes = replace(panes, cells=np.maximum(panes.cells, 0))
    return Compared(panes, record.version, sentence.without_version(str(interval)))


def _rest(whole: WindowCounts, parts: Sequence[WindowCounts], name: str) -> WindowCounts:
    """What no version that is counted apart has: rows without one, with an empty one, of versions
    beyond the newest, or all of them while the column is not there."""
    rows = whole.rows - sum(part.rows for part in parts)
    panes = whole.columns[name]
    own = [part.columns[name] for part in parts if name in part.columns]
    unknown = np.full(1, np.nan)
    left = ColumnPanes(
        cells=panes.cells - sum(one.cells for one in own),
        infinite=panes.infinite - sum(one.infinite for one in own),
        total=panes.total - sum(one.total for one in own),
        total_squares=panes.total_squares - sum(one.total_squares for one in own),
        minimum=unknown,
        maximum=unknown,
    )
    counted = whole.column_rows[name] - sum(part.column_rows[name] for part in parts)
    return WindowCounts(whole.interval, rows, whole.scanned_seconds, {name: left}, {name: counted})


def _firing(memory: Memory, feature: str) -> set[str]:
    """Versions that no longer serve are looked at once more, so that their alerts can end."""
    going = (AlertState.FIRING, AlertState.PENDING)
    return {
        key.segment
        for key, status in memory.statuses().items()
        if key.feature == feature and status.state in going
    }


def _own(prepared: Basis, version: VersionRow, feature: FeatureSettings) -> ReferenceRecord | None:
    """Its own reference; None, too, for one that was counted in bins which are no longer used."""
    found = prepared.segment_references.get(version_key(version.version), {}).get(feature.name)
    if found is None or found.axis_id != prepared.axes[feature.name].id:
        return None
    return found


def _compared(
    prepared: Basis,
    version: VersionRow,
    feature: FeatureSettings,
    number: int,
    counts: Mapping[str, Sequence[WindowCounts]],
    before: Mapping[str, WindowCounts],
    monitor: MonitorSettings,
) -> Compared | None:
    own = _own(prepared, version, feature)
    if own is not None and own.counts is not None:
        assert own.interval is not None, "a version's reference is made of its own rows"
        words = sentence.own_reference(own.interval.seconds)
        if own.origin is not ReferenceOrigin.VERSION:
            words = str(own.interval)
        return Compared(own.counts, own.version, words)
    if version.predecessor is None:
        return None
    main = prepared.references.get(feature.name)
    reference_version = main.version if main else 0
    beside = counts.get(version_key(version.predecessor))
    if beside is not None and beside[number].rows >= monitor.min_rows:
        words = sentence.beside(version.predecessor)
        return Compared(beside[number].columns[feature.name], reference_version, words)
    earlier = before.get(version.version)
    if earlier is None or not earlier.rows:
        return None
    words = sentence.before(version.predecessor)
    return Compared(earlier.columns[feature.name], reference_version, words)


def _before(
    connection: Connection, monitor: MonitorSettings, prepared: Basis
) -> dict[str, WindowCounts]:
    """By version, what its predecessor predicted in the days before it came."""
    assert monitor.version is not None
    feature = prediction(monitor)
    axes = {feature.name: prepared.axes[feature.name]}
    span = timedelta(seconds=max(monitor.version.handover_seconds, *monitor.window_seconds))
    found = {}
    for version in prepared.versions:
        if version.predecessor is None or _own(prepared, version, feature):
            continue
        interval = Interval(version.first_seen - span, version.first_seen)
        (counts,) = ledger.sum_windows(
            connection, prepared.monitor_id, axes, [interval],
            segment=version_key(version.predecessor),
        )  # fmt: skip
        found[version.version] = counts
    return found
