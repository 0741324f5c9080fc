"""Features counted together with the prediction, hour by hour, for monitors that ask for it.

An hour is counted once, when the watermark has passed it, and again when one of its panes was. The
source is read before, and the counts are kept in, the transaction that moves the watermark.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import gcd

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.errors import SourceTimeoutError
from driftwatch.evaluate.progress import lane_seconds, merged
from driftwatch.source import ColumnType, RelationInfo, ScanColumn, ScanPlan, Source
from driftwatch.stats.coarse import coarse
from driftwatch.stats.counts import JointCounts
from driftwatch.store import joint
from driftwatch.store.axes import AxisRecord
from driftwatch.store.joint_rows import JointAxes
from driftwatch.window import Interval, floor

_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class JointLane:
    """Features that are counted at the same distance (seconds) behind the watermark: that of the
    feature or of the prediction, whichever comes later."""

    seconds: int
    axes: JointAxes
    plan: ScanPlan

    def until(self, watermark: datetime, hour: int) -> datetime:
        """Up to where hours of this lane are complete."""
        return floor(watermark - timedelta(seconds=self.seconds), hour)


@dataclass(frozen=True, slots=True)
class JointPlan:
    """What is counted together. seconds: of an hour, or what stands for it; axes: of all lanes;
    note: why earlier hours or the reference could not be counted, "" if they were."""

    prediction: str
    seconds: int
    axes: JointAxes
    lanes: tuple[JointLane, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class JointBatch:
    """Counts of all hours of an interval, of the features of one lane."""

    interval: Interval
    lane: JointLane
    counts: JointCounts


@dataclass(frozen=True, slots=True)
class JointRead:
    """note: what could not be counted and why, "" if all was."""

    batches: tuple[JointBatch, ...] = ()
    note: str = ""


NOTHING = JointRead()


def joint_seconds(monitor: MonitorSettings) -> int:
    """The length of an "hour": what all windows are made of, at most an hour, unless panes are
    longer."""
    seconds = gcd(_HOUR, *monitor.window_seconds, *monitor.calendar.offsets())
    return seconds if seconds % monitor.pane_seconds == 0 else monitor.pane_seconds


def joint_plan(
    monitor: MonitorSettings,
    monitor_id: int,
    info: RelationInfo,
    active: Mapping[str, AxisRecord],
    source: Source,
) -> JointPlan | None:
    """None where it is not asked for, or as long as the prediction or all features lack an axis."""
    features = [one for one in monitor.features if one.name in monitor.explained_by]
    features = [one for one in features if one.name in active]
    own = next((one for one in monitor.features if one.prediction), None)
    if own is None or own.name not in active or not features:
        return None
    nearest = lane_seconds(monitor, own)
    behind = {one.name: max(nearest, lane_seconds(monitor, one)) for one in features}
    hour, lanes = joint_seconds(monitor), []
    for seconds in sorted(set(behind.values())):
        names = [name for name, distance in behind.items() if distance == seconds]
        axes = JointAxes(monitor_id, active[own.name], {name: active[name] for name in names})
        columns = joint_columns(axes)
        lanes.append(JointLane(seconds, axes, source.plan(monitor.relation, info, columns, hour)))
    every = {name: active[name] for name in behind}
    whole = JointAxes(monitor_id, active[own.name], every)
    return JointPlan(own.name, hour, whole, tuple(lanes))


def joint_columns(
    axes: JointAxes, types: Mapping[str, ColumnType] | None = None
) -> list[ScanColumn]:
    """The prediction and the features on their coarse axes. types: of columns of another relation
    than that to which the axes belong; a column that it has not is left out."""
    made = []
    for one in (axes.prediction, *axes.features.values()):
        if types is None:
            made.append(ScanColumn(one.column, coarse(one.axis), ColumnType(one.column_type)))
        elif one.column in types:
            made.append(ScanColumn(one.column, coarse(one.axis), types[one.column]))
    return made


def read_joint(
    plan: JointPlan | None,
    source: Source,
    watermark: datetime,
    scan: Interval | None,
    again: Iterable[Interval],
) -> JointRead:
    """The hours that the watermark passes with a scan, and those of panes that were counted again.

    watermark: after the scan. What takes too long is given up: it must not hold the monitor.
    """
    if plan is None:
        return NOTHING
    again = list(again)
    batches: list[JointBatch] = []
    late: list[str] = []
    for lane in plan.lanes:
        for interval in _hours(lane, plan.seconds, watermark, scan, again):
            try:
                batches += read_hours(plan, lane, source, interval)
            except SourceTimeoutError as error:
                late.append(f"{interval}: {error}")
    note = f"not counted together with {plan.prediction}: {'; '.join(late)}" if late else ""
    return JointRead(tuple(batches), note)


def read_hours(
    plan: JointPlan, lane: JointLane, source: Source, interval: Interval, *, capture: bool = False
) -> Iterator[JointBatch]:
    """The hours of an interval; nothing while the prediction cannot be counted."""
    counts = source.joint(lane.plan, plan.prediction, interval, capture=capture)
    if all(trouble.column != plan.prediction for trouble in counts.troubles):
        yield JointBatch(interval, lane, counts)


def keep_joint(
    connection: Connection,
    batches: Sequence[JointBatch],
    now: datetime,
    *,
    allow_shrink: bool = False,
) -> None:
    """Write them."""
    for one in batches:
        joint.record(
            connection, one.lane.axes, one.counts, one.interval, now, allow_shrink=allow_shrink
        )


def _hours(
    lane: JointLane,
    hour: int,
    watermark: datetime,
    scan: Interval | None,
    again: Sequence[Interval],
) -> list[Interval]:
    until = lane.until(watermark, hour)
    found = []
    if scan is not None:
        found.append((lane.until(scan.start, hour), lane.until(scan.end, hour)))
    for interval in again:
        end = floor(interval.end - timedelta(seconds=1), hour) + timedelta(seconds=hour)
        found.append((floor(interval.start, hour), end))
    spans = [(start, min(end, until)) for start, end in found]
    return merged(Interval(start, end) for start, end in spans if start < end)
