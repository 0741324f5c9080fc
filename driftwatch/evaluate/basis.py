"""What windows are judged by: bins, references and what is usual. All of it lies in the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.calibrate import OfLength
from driftwatch.evaluate.groups import segment_groupings
from driftwatch.evaluate.repeated import cut_by, repeated_in
from driftwatch.stats.counts import IntArray
from driftwatch.stats.segment import Grouping
from driftwatch.store import axes, ledger, references, segments, versions
from driftwatch.store.axes import AxisRecord
from driftwatch.store.references import ReferenceRecord
from driftwatch.store.versions import VersionRow
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """One monitor, ready to be judged.

    references: of all rows; segment_references: of segments and versions, by segment and feature.
    reference_rows: of a range, the rows of its own windows by their length (for the volume).
    calibrations: by the length of windows.
    """

    monitor_id: int
    axes: Mapping[str, AxisRecord]
    references: Mapping[str, ReferenceRecord]
    segment_references: Mapping[str, Mapping[str, ReferenceRecord]]
    segments: tuple[Grouping, ...]
    versions: tuple[VersionRow, ...]
    reference_rows: Mapping[int, IntArray] = field(default_factory=dict)
    calibrations: Mapping[int, OfLength] = field(default_factory=dict)

    @property
    def has_reference(self) -> bool:
        """Whether there is anything to compare with: else nothing is counted."""
        return VOLUME in self.references

    @property
    def segment_keys(self) -> tuple[str, ...]:
        return tuple(key for grouping in self.segments for key in grouping.keys)


def basis_of(connection: Connection, monitor: MonitorSettings, monitor_id: int) -> Basis:
    """What is in use now, without calibrations."""
    watched = {feature.name for feature in monitor.features}
    known = references.active(connection, monitor_id)
    active = axes.active(connection, monitor_id)
    return Basis(
        monitor_id=monitor_id,
        axes={name: axis for name, axis in active.items() if name in watched},
        references=known,
        segment_references=references.active_segments(connection, monitor_id),
        segments=segment_groupings(monitor, segments.load(connection, monitor_id)),
        versions=tuple(versions.load(connection, monitor_id)),
        reference_rows=reference_rows(connection, monitor, monitor_id, known.get(VOLUME)),
    )


def reference_rows(
    connection: Connection,
    monitor: MonitorSettings,
    monitor_id: int,
    captured: ReferenceRecord | None,
) -> dict[int, IntArray]:
    """The range that was captured, which is another one while that of the configuration waits."""
    if not isinstance(monitor.reference, Interval) or captured is None or captured.interval is None:
        return {}
    made = {}
    whole = captured.interval
    repeated = repeated_in(monitor, whole)
    for seconds in monitor.window_seconds:
        windows = monitor.calendar.tumbling(whole.start, whole.end, seconds)
        intervals = [one.interval for one in windows if not cut_by(one.interval, repeated)]
        rows = ledger.window_rows(connection, monitor_id, intervals)
        made[seconds] = np.array([one for one in rows if one is not None], np.int64)
    return made
