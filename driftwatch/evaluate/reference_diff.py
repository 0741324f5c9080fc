"""How far two references of a column are apart, and which bins carry it."""

from dataclasses import dataclass

import numpy as np

from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.contribution import js_contribution
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.divergence import Divergence, divergences, stack
from driftwatch.stats.moments import moments
from driftwatch.store.axes import AxisRecord
from driftwatch.store.references import ReferenceRecord
from driftwatch.store.results import ResultBin


@dataclass(frozen=True, slots=True)
class Difference:
    """divergence: of the second (as current) from the first, None where there are no bins or they
    are not the same; bins: the second's rows as current, with what each adds to JS."""

    first: ReferenceRecord
    second: ReferenceRecord
    divergence: Divergence | None = None
    bins: tuple[ResultBin, ...] = ()


def difference(
    first: ReferenceRecord, second: ReferenceRecord, axis: AxisRecord | None
) -> Difference:
    """axis: of the first, None for the volume."""
    if axis is None or first.counts is None or second.counts is None:
        return Difference(first, second)
    if first.axis_id != second.axis_id:
        return Difference(first, second)
    current, cells = stack([second.counts.cells[0]])
    reference, _ = stack([first.counts.cells[0]])
    ordered = np.array([isinstance(axis.axis, NumericAxis)])
    found = divergences(current, reference, cells=cells, ordered=ordered)
    (parts,) = js_contribution(current, reference, cells)
    return Difference(first, second, found.at(0), bins_of(axis, current[0], reference[0], parts))


def bins_of(
    axis: AxisRecord,
    current: IntArray,
    reference: IntArray,
    parts: FloatArray,
) -> tuple[ResultBin, ...]:
    """One bin per cell of the axis."""
    cells = zip(axis.axis.labels(), current, reference, parts, strict=False)
    return tuple(
        ResultBin(number, label, int(now), int(before), float(part))
        for number, (label, now, before, part) in enumerate(cells)
    )


def missing_ratio(record: ReferenceRecord) -> float:
    """The share of missing rows; NaN without rows or bins."""
    if record.counts is None:
        return float("nan")
    cells = record.counts.cells[0]
    return float(cells[-1] / cells.sum()) if cells.sum() else float("nan")


def mean(record: ReferenceRecord) -> float:
    """Of the finite values; NaN where there are none."""
    return float("nan") if record.counts is None else float(moments(record.counts).mean[0])
