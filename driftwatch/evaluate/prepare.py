"""What an evaluation needs before it can count: axes, references and compiled scans.

They are made once and kept by the caller between evaluations; whatever is missing (a column
added later, a reference range that was not over yet) is captured here, alone, without touching
what is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.config.settings import CohortReference, FeatureSettings, MonitorSettings
from driftwatch.errors import ConfigError
from driftwatch.evaluate.alerts import retire
from driftwatch.evaluate.basis import Basis, basis_of
from driftwatch.evaluate.calibrate import calibrations, moves
from driftwatch.evaluate.capture import Capture, Captured
from driftwatch.evaluate.definition import changed_definition, definition
from driftwatch.evaluate.groups import version_grouping
from driftwatch.evaluate.joint import JointPlan, joint_plan
from driftwatch.evaluate.joint_capture import capture_joint
from driftwatch.evaluate.memory import Stored
from driftwatch.evaluate.progress import first_moment, lane_seconds
from driftwatch.evaluate.specification import cohort_key, cohort_relation
from driftwatch.source import ColumnType, RelationInfo, ScanColumn, ScanPlan, Source
from driftwatch.stats.counts import ColumnTrouble
from driftwatch.stats.segment import Grouping
from driftwatch.store import exclusions, monitors, references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.versions import VersionRow
from driftwatch.verdict.policy import VOLUME

CALIBRATED_FOR = timedelta(days=1)
"""Of event time: how long the windows of a moving reference stand for those that come after."""

RETRY_AFTER = timedelta(hours=1)
"""Of event time: how long until columns that could not be captured are looked at again."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Columns that are counted at the same distance behind the watermark, nearest lane first.

    seconds: that distance; plan: counts them; whole: counts them and those of nearer lanes.
    """

    seconds: int
    features: tuple[FeatureSettings, ...]
    plan: ScanPlan
    whole: ScanPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Basis):
    """One monitor, ready to scan and to be judged.

    cohorts: the same lanes of their rows, by the segment that keeps them. waiting: why the
    configured reference is not captured yet, "" if it is; until then the one that was captured
    before goes on being compared with. retry_at: event time at which to look again. stamp: changes
    when a command gives the monitor another axis or reference. captured_rows, capture_seconds: what
    this preparation asked of the source to capture the reference; a later evaluation that is handed
    this value did not spend it again. calibrate_at: the watermark from which on calibrations are
    to be made anew, None: never. joint: what is counted together with the prediction, None:
    nothing.
    """

    info: RelationInfo
    lanes: tuple[Lane, ...]
    cohorts: Mapping[str, tuple[Lane, ...]]
    troubles: Mapping[str, ColumnTrouble]
    retry_at: datetime | None
    stamp: tuple[object, ...]
    waiting: str = ""
    captured_rows: int = 0
    capture_seconds: float = 0.0
    calibrate_at: datetime | None = None
    joint: JointPlan | None = None

    def is_current(self, now: datetime, watermark: datetime | None) -> bool:
        """Whether nothing is left to be captured at `now`, or calibrated at the watermark: a
        catch-up goes over weeks in minutes."""
        if self.retry_at is not None and now >= self.retry_at:
            return False
        at = self.calibrate_at
        if at is not None and watermark is not None and watermark >= at:
            return False
        return self.has_reference

    @property
    def plan(self) -> ScanPlan:
        """What counts the rows that have just become complete."""
        return self.lanes[0].plan


def prepare(
    monitor: MonitorSettings,
    now: datetime,
    *,
    source: Source,
    store: Store,
    started_at: datetime,
    notify: bool = False,
) -> Prepared:
    """Look at the table, load what is stored, capture what is missing, compile the scan.

    now: event time; started_at: process time, noted with what is captured; notify: whether the
    webhook hears of alerts that end because they are no longer configured. ConfigError: the
    monitor reads other rows than those that are stored; then nothing is written.
    """
    _same_rows(monitor, store)
    info = source.inspect(monitor.relation)
    with store.write() as connection:
        record = monitors.ensure(connection, monitor.name, started_at)
        exclusions.sync_config(connection, monitor.name, monitor.exclusions, started_at)
        retire(connection, monitor, started_at, notify=notify)
    capture = Capture(
        monitor,
        record.id,
        info,
        source,
        store,
        now=now,
        started_at=started_at,
        watermark=record.watermark,
        notify=notify,
    )
    captured = capture.run()
    retry_at = captured.retry_at
    if retry_at is None and (captured.waiting or captured.troubles):
        retry_at = now + RETRY_AFTER
    watermark = record.watermark or first_moment(monitor, now)
    with store.read() as connection:
        made = _load(connection, monitor, record.id, info, source, captured, retry_at)
        found = calibrations(
            connection, monitor, record.id, made.axes, made.references, watermark,
            Stored(connection, monitor),
        )  # fmt: skip
    again = watermark + CALIBRATED_FOR if moves(monitor) else None
    plan = joint_plan(monitor, record.id, info, made.axes, source)
    if plan is not None:
        plan = capture_joint(plan, capture, made.references, record.scanned_from)
    return replace(made, calibrations=found, calibrate_at=again, joint=plan)


def with_versions(
    monitor: MonitorSettings, prepared: Prepared, known: Sequence[VersionRow], source: Source
) -> Prepared:
    """The same, counting these versions apart."""
    groupings = prepared.segments + version_grouping(monitor, [one.version for one in known])
    return replace(
        prepared,
        versions=tuple(known),
        lanes=_lanes(monitor, prepared.info, prepared.axes, groupings, source),
    )


def _same_rows(monitor: MonitorSettings, store: Store) -> None:
    """Counts are never added to counts of other rows. A store that does not say which rows it
    counted (older than the column) takes the present ones."""
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
        captured = known is not None and VOLUME in references.active(connection, known.id)
    if known is None or not captured:
        return
    changed = changed_definition(known.definition, monitor)
    if changed:
        raise ConfigError(changed)
    if known.definition is None:
        with store.write() as connection:
            monitors.define(connection, known.id, definition(monitor))


def _load(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    info: RelationInfo,
    source: Source,
    captured: Captured,
    retry_at: datetime | None,
) -> Prepared:
    basis = basis_of(connection, monitor, monitor_id)
    known = [one.version for one in basis.versions]
    groupings = basis.segments + version_grouping(monitor, known)
    return Prepared(
        **{one.name: getattr(basis, one.name) for one in fields(basis)},
        info=info,
        lanes=_lanes(monitor, info, basis.axes, groupings, source),
        cohorts=_cohorts(monitor, info, basis.axes, basis.segments, source),
        troubles=captured.troubles,
        retry_at=retry_at,
        stamp=references.stamp(connection, monitor_id),
        waiting=captured.waiting,
        captured_rows=captured.rows,
        capture_seconds=captured.seconds,
    )


def _lanes(
    monitor: MonitorSettings,
    info: RelationInfo,
    active: Mapping[str, AxisRecord],
    groupings: Sequence[Grouping],
    source: Source,
    cohort: CohortReference | None = None,
) -> tuple[Lane, ...]:
    """Of all columns or, of the rows of a cohort, of those that are compared with it. The lane of
    all rows is always there, even if every column comes later."""
    relation = cohort_relation(monitor, cohort) if cohort else monitor.relation
    watched = [
        one for one in monitor.features if cohort is None or monitor.reference_of(one) == cohort
    ]
    behind = {one.name: lane_seconds(monitor, one) for one in watched}
    lanes: list[Lane] = []
    nearer: list[ScanColumn] = []
    for seconds in sorted({0, *behind.values()}):
        features = tuple(one for one in watched if behind[one.name] == seconds)
        columns = [_scanned(active[one.name]) for one in features if one.name in active]
        nearer += columns
        plan, whole = (
            source.plan(relation, info, some, monitor.pane_seconds, groupings=tuple(groupings))
            for some in (columns, nearer)
        )
        lanes.append(Lane(seconds, features, plan, plan if seconds == 0 else whole))
    return tuple(lanes)


def _cohorts(
    monitor: MonitorSettings,
    info: RelationInfo,
    active: Mapping[str, AxisRecord],
    groupings: Sequence[Grouping],
    source: Source,
) -> dict[str, tuple[Lane, ...]]:
    own = (monitor.reference_of(one) for one in monitor.features)
    cohorts = {one for one in own if isinstance(one, CohortReference)}
    return {
        cohort_key(cohort): _lanes(monitor, info, active, groupings, source, cohort)
        for cohort in cohorts
    }


def _scanned(axis: AxisRecord) -> ScanColumn:
    return ScanColumn(axis.column, axis.axis, ColumnType(axis.column_type))
