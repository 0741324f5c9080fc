"""What joint counts need before a window can be explained: those of the reference, and hours that
passed before they were asked for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import gcd

from driftwatch.config.settings import (
    CohortReference,
    MonitorSettings,
    RollingReference,
    SeasonalReference,
)
from driftwatch.errors import SourceTimeoutError
from driftwatch.evaluate.capture import Capture
from driftwatch.evaluate.joint import JointLane, JointPlan, joint_columns, keep_joint, read_hours
from driftwatch.evaluate.progress import first_moment, merged
from driftwatch.evaluate.specification import reference_of, specification
from driftwatch.stats.counts import JointCounts
from driftwatch.store import joint
from driftwatch.store.references import ReferenceRecord
from driftwatch.window import Interval, floor, from_epoch, to_epoch

_HOUR, _DAY = 3_600, 86_400


def moves(monitor: MonitorSettings, prediction: str) -> bool:
    """Whether the reference of the prediction is summed anew for each window."""
    reference = reference_of(monitor, prediction)
    return isinstance(reference, RollingReference | SeasonalReference | CohortReference)


def capture_joint(
    plan: JointPlan,
    capture: Capture,
    active: Mapping[str, ReferenceRecord],
    scanned_from: datetime | None,
) -> JointPlan:
    """Count what is lacking, each part in a transaction of its own; the plan with a note of what
    took too long."""
    notes = []
    try:
        _reference(plan, capture, active.get(plan.prediction))
    except SourceTimeoutError as error:
        notes.append(f"the reference: {error}")
    for lane in plan.lanes:
        try:
            _earlier_hours(plan, lane, capture, scanned_from)
        except SourceTimeoutError as error:
            notes.append(f"earlier hours: {error}")
    told = f"not counted together with {plan.prediction}: {'; '.join(notes)}" if notes else ""
    return replace(plan, note=told)


def _reference(plan: JointPlan, capture: Capture, record: ReferenceRecord | None) -> None:
    """The rows of a reference that was captured once, counted for features that lack it."""
    monitor, axes = capture.monitor, plan.axes
    if record is None or record.axis_id != axes.prediction.id or moves(monitor, plan.prediction):
        return
    with capture.store.read() as connection:
        known = joint.of_reference(connection, axes, record.id)
    lacking = {name: axis for name, axis in axes.features.items() if name not in known}
    if not lacking:
        return
    own = replace(plan, axes=replace(axes, features=lacking))
    counts = _count_reference(own, capture, record)
    if counts is None or not counts.rows.size:
        return
    cells = {name: table.sum(axis=0) for name, table in counts.features.items()}
    rows = int(counts.rows.sum())
    with capture.store.write() as connection:
        joint.save_reference(connection, own.axes, record.id, cells, rows, capture.started_at)


def _count_reference(
    plan: JointPlan, capture: Capture, record: ReferenceRecord
) -> JointCounts | None:
    """None where nobody knows any more which rows it was made of, or none of its columns is there.

    A range is one of the monitor's own rows, also where it is an earlier one that serves still, or
    that of a change that was accepted.
    """
    reference = record.interval or reference_of(capture.monitor, plan.prediction)
    if record.interval is None and record.specification != specification(reference):
        return None
    with capture.rows(reference) as rows:
        seconds = _DAY
        if rows.interval is not None:
            seconds = gcd(_HOUR, to_epoch(rows.interval.start), to_epoch(rows.interval.end))
        types = {one.name: one.column_type for one in rows.info.columns}
        columns = joint_columns(plan.axes, types)
        names = {one.name for one in columns}
        if plan.prediction not in names or len(names) == 1:
            return None
        made = rows.source.plan(rows.relation, rows.info, columns, seconds)
        return rows.source.joint(made, plan.prediction, rows.interval, capture=True)


def _earlier_hours(
    plan: JointPlan, lane: JointLane, capture: Capture, scanned_from: datetime | None
) -> None:
    """Hours of windows that are not over yet, and of a reference that moves, which were not
    counted: it was not asked for then, or a feature was added. What cannot be counted now, because
    its column is gone, is not waited for."""
    for interval in _lacking(plan, lane, capture, scanned_from):
        batches = list(read_hours(plan, lane, capture.source, interval, capture=True))
        with capture.store.write() as connection:
            keep_joint(connection, batches, capture.started_at)


def _lacking(
    plan: JointPlan, lane: JointLane, capture: Capture, scanned_from: datetime | None
) -> list[Interval]:
    monitor, hour = capture.monitor, plan.seconds
    broken = {trouble.column for trouble in lane.plan.troubles}
    features = {name: one for name, one in lane.axes.features.items() if name not in broken}
    if plan.prediction in broken or not features:
        return []
    watermark = capture.watermark or first_moment(monitor, capture.now)
    end = lane.until(watermark, hour)
    starts = [end - _reach(monitor, plan.prediction)]
    if scanned_from is not None:
        longest = max(*monitor.window_seconds, monitor.widen_seconds or 0) + _HOUR
        starts.append(max(scanned_from, end - timedelta(seconds=longest)))
    start = floor(min(starts), hour)
    if start >= end:
        return []
    with capture.store.read() as connection:
        axes = replace(lane.axes, features=features)
        found = joint.not_counted(connection, axes, Interval(start, end), hour)
    return merged(Interval(from_epoch(one), from_epoch(one + hour)) for one in found)


def _reach(monitor: MonitorSettings, prediction: str) -> timedelta:
    match reference_of(monitor, prediction):
        case RollingReference(seconds):
            return timedelta(seconds=seconds)
        case SeasonalReference(weeks):
            return timedelta(weeks=weeks)
        case _:
            return timedelta(0)
