"""Storing panes: only what is new or differs, and beside it what was counted of other columns."""

from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.store.packs import Packs, no_packs, put, relaid, union
from driftwatch.store.panes import Block, Stored, read_packs, upsert

Mask = npt.NDArray[np.bool_]


def store(connection: Connection, block: Block, now: datetime) -> IntArray:
    """Store what is new or differs; returns the starts at which a pane of any segment changed.

    Columns that the block does not have keep what was counted of them, where the pane has rows. A
    changed pane's revision grows by one. Sums and sums of squares that differ by less than 1e-9 of
    their size do not differ: a store adds in any order.
    """
    rows = block.rows.ravel()
    known = np.full(rows.size, -1, np.int64)
    found = [
        stored
        for stored in read_packs(
            connection, block.monitor_id, block.seconds, block.segments, block.starts
        )
        if stored.starts.size
    ]
    for stored in found:
        known[block.number(stored)] = stored.rows
    changed = (rows != known) & ((known >= 0) | (rows > 0) | block.noted.ravel())
    packs, differs = _merged(block, found)
    changed |= differs & (rows > 0)
    index = np.flatnonzero(changed)
    upsert(connection, block, packs.at(index), index, now)
    starts: IntArray = block.starts[changed.reshape(block.rows.shape).any(axis=0)]
    return starts


def _merged(block: Block, found: list[Stored]) -> tuple[Packs, Mask]:
    """The packs as they are to be stored, and which of them differ from what is."""
    decoded = [(block.number(one)[index], packs) for one in found for index, packs in one.decoded()]
    new = block.packs
    if decoded:
        merged = no_packs(len(new.counts), union([new.layout, *(one.layout for _, one in decoded)]))
        for index, packs in decoded:
            put(merged, packs, index)
        differs = _differs(new, relaid(merged, new.layout))
        put(merged, new, slice(None))
    else:
        differs = (new.counts != 0).any(axis=1)
        merged = new
    empty = block.rows.ravel() == 0
    if not empty.any():
        return merged, differs
    kept = merged.counts * ~empty[:, None]
    return Packs(merged.layout, kept, merged.moments), differs


def _differs(new: Packs, old: Packs) -> Mask:
    size = np.sqrt(old.moments[:, 1]) * np.sqrt(old.column_rows()[:, list(old.layout.numeric)])
    size[~np.isfinite(size)] = 0.0  # the sum of |x| is at most this
    margins = np.zeros_like(old.moments)
    margins[:, 0] = size
    margins[:, 1] = old.moments[:, 1]
    found: Mask = (new.counts != old.counts).any(axis=1)
    return found | ~_near(new.moments, old.moments, margins).all(axis=(1, 2))


def _near(new: FloatArray, old: FloatArray, size: FloatArray) -> Mask:
    margin = np.nan_to_num(1e-9 * size, nan=0.0, posinf=0.0)
    near: Mask = np.isclose(new, old, rtol=0.0, atol=margin, equal_nan=True)
    return near
