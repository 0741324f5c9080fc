"""The rows of `joint_count`: one per hour, or per day, with all features in one pack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.stats.coarse import coarse
from driftwatch.stats.counts import IntArray
from driftwatch.store.axes import AxisRecord
from driftwatch.store.dialect import insert_into
from driftwatch.store.packs import (
    EMPTY,
    Layout,
    Packs,
    decode,
    encode,
    layout_of,
    no_moments,
    no_packs,
    put,
    union,
)
from driftwatch.store.panes import PORTION, portions
from driftwatch.store.schema import joint_count

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class JointAxes:
    """The axes of a monitor's prediction and of the features that are counted with it, by name."""

    monitor_id: int
    prediction: AxisRecord
    features: Mapping[str, AxisRecord]

    def shape(self, name: str) -> tuple[int, int]:
        """Coarse cells of a feature and of the prediction."""
        return coarse(self.features[name].axis).cells, coarse(self.prediction.axis).cells

    def packs(self, cells: Mapping[str, IntArray], hours: int) -> Packs:
        """Counts by name, shape (hours, Kx, Ky), as packs.

        ValueError: counts of another shape than the axes say.
        """
        if not cells:
            return no_packs(hours, EMPTY)
        flat = {}
        for name, table in cells.items():
            if table.shape != (hours, *self.shape(name)):
                raise ValueError(f"joint counts of {name!r} have shape {table.shape}")
            flat[self.features[name].id] = table.reshape(hours, -1)
        layout = layout_of((axis_id, one.shape[1], False) for axis_id, one in flat.items())
        counts = np.concatenate([flat[axis_id] for axis_id in layout.axis_ids], axis=1)
        return Packs(layout, counts, no_moments(hours, 0))

    def cells(self, packs: Packs) -> dict[str, IntArray]:
        """Packs as counts by name, shape (hours, Kx, Ky); other columns are left out."""
        edges, at = packs.layout.edges.tolist(), position(packs.layout)
        return {
            name: packs.counts[:, edges[at[one.id]] : edges[at[one.id] + 1]]
            .astype(np.int64)
            .reshape(-1, *self.shape(name))
            for name, one in self.features.items()
            if one.id in at
        }


@dataclass(frozen=True, slots=True)
class Level:
    """Which rows are meant: of one monitor, one axis of its prediction, one length."""

    monitor_id: int
    prediction_axis_id: int
    seconds: int

    @property
    def where(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            joint_count.c.monitor_id == self.monitor_id,
            joint_count.c.prediction_axis_id == self.prediction_axis_id,
            joint_count.c.seconds == self.seconds,
        )


@dataclass(frozen=True, slots=True)
class Hours:
    """Rows of one level. rows: -1 where there is none, shape (P,); packs: P of them; present:
    whether each column of the packs was counted, shape (P, columns)."""

    rows: IntArray
    packs: Packs

    @property
    def present(self) -> "np.typing.NDArray[np.bool_]":
        return self.packs.column_rows() > 0


def position(layout: Layout) -> dict[int, int]:
    """Axis ids, and the number of their column."""
    return {axis_id: number for number, axis_id in enumerate(layout.axis_ids)}


def read_hours(connection: Connection, level: Level, starts: IntArray) -> Hours:
    """What is stored at these starts, ascending."""
    statement = sa.select(joint_count.c.start, joint_count.c.rows, joint_count.c.counts).where(
        level.where, joint_count.c.start.in_(sa.bindparam("starts", expanding=True))
    )
    found = [
        tuple(row)
        for portion in portions(starts, PORTION)
        for row in connection.execute(statement, {"starts": portion.tolist()})
    ]
    rows = np.full(starts.size, -1, np.int64)
    rows[np.searchsorted(starts, [one[0] for one in found])] = [one[1] for one in found]
    held = [(start, blob) for start, _, blob in found if blob is not None]
    at = np.searchsorted(starts, [start for start, _ in held])
    decoded = decode([blob for _, blob in held])
    packs = no_packs(starts.size, union([one.layout for _, one in decoded]) if decoded else EMPTY)
    for index, some in decoded:
        put(packs, some, at[index])
    return Hours(rows, packs)


def write_hours(
    connection: Connection, level: Level, starts: Sequence[int], hours: Hours, now: datetime
) -> None:
    """Store these rows, instead of what is there."""
    if not starts:
        return
    insert = insert_into(connection, joint_count)
    statement = insert.on_conflict_do_update(
        index_elements=list(joint_count.primary_key),
        set_={name: insert.excluded[name] for name in ("rows", "scanned_at", "counts")},
    )
    blobs = encode(hours.packs)
    connection.execute(
        statement,
        [
            {
                "monitor_id": level.monitor_id,
                "prediction_axis_id": level.prediction_axis_id,
                "seconds": level.seconds,
                "start": start,
                "rows": rows,
                "scanned_at": now,
                "counts": blob if rows else None,
            }
            for start, rows, blob in zip(starts, hours.rows.tolist(), blobs, strict=True)
        ],
    )
