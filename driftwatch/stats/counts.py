"""Counts: what leaves the store. A window's counts are the sum of its panes' counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ColumnPanes:
    """Counts of one column over P panes, and the moments of its finite values.

    cells: rows per cell, shape (P, axis.cells); infinite: rows with +-Inf (they are also in the
    outer bins), shape (P,); total and total_squares: sum and sum of squares of finite values,
    0 where there are none; minimum and maximum: NaN where there are none; all of shape (P,).
    Categorical columns have no moments: zeros and NaN.
    """

    cells: IntArray
    infinite: IntArray
    total: FloatArray
    total_squares: FloatArray
    minimum: FloatArray
    maximum: FloatArray

    def __post_init__(self) -> None:
        panes = self.cells.shape[0]
        for array in (self.infinite, self.total, self.total_squares, self.minimum, self.maximum):
            if array.shape != (panes,):
                raise ValueError(f"moments must have shape ({panes},), not {array.shape}")

    def at(self, index: npt.NDArray[np.bool_] | IntArray | slice) -> "ColumnPanes":
        """Some of the panes, by their numbers, by a mask or as a slice."""
        return ColumnPanes(
            self.cells[index],
            self.infinite[index],
            self.total[index],
            self.total_squares[index],
            self.minimum[index],
            self.maximum[index],
        )

    def sum(self) -> "ColumnPanes":
        """All panes as one: shape (1, cells). The sum of no panes is all zeros; one of values near
        the largest number may be infinite, or NaN."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = self.total.sum(keepdims=True)
            total_squares = self.total_squares.sum(keepdims=True)
        return ColumnPanes(
            cells=self.cells.sum(axis=0, keepdims=True),
            infinite=self.infinite.sum(keepdims=True),
            total=total,
            total_squares=total_squares,
            minimum=np.array([_finite(np.fmin, self.minimum)]),
            maximum=np.array([_finite(np.fmax, self.maximum)]),
        )


def together(some: Sequence[ColumnPanes]) -> ColumnPanes:
    """Several panes of one column as one: shape (1, cells). At least one."""
    parts = (
        np.concatenate([getattr(one, part.name) for one in some]) for part in fields(ColumnPanes)
    )
    return ColumnPanes(*parts).sum()


@dataclass(frozen=True, slots=True)
class ColumnTrouble:
    """Why one column could not be scanned or fitted; the other columns were.

    reason is from a closed list: "column_missing", "type_changed", "unreadable", "all_missing",
    "too_many_levels", "no_reference".
    """

    column: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PaneCounts:
    """What one scan brings home: counts per pane and column. Panes without rows are left out.

    starts: epoch seconds of the panes with rows, ascending, shape (P,); rows: all rows of each
    pane, shape (P,); columns: one `ColumnPanes` with P panes per column that was scanned.
    segments: the same counts per segment, by its key, each with its own starts; all rows are not
    among them.
    """

    pane_seconds: int
    starts: IntArray
    rows: IntArray
    columns: Mapping[str, ColumnPanes]
    troubles: tuple[ColumnTrouble, ...] = field(default=())
    segments: Mapping[str, "PaneCounts"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.starts.shape != self.rows.shape:
            raise ValueError("starts and rows must have one shape")
        for name, panes in self.columns.items():
            if panes.cells.shape[0] != self.starts.shape[0]:
                raise ValueError(f"column {name!r} has {panes.cells.shape[0]} panes")


@dataclass(frozen=True, slots=True)
class PaneCensus:
    """How much is in each pane, without its distribution: what tells that a pane has changed.

    starts: epoch seconds of the panes with rows, ascending, shape (P,); rows: shape (P,); present:
    rows that are not missing, per column, shape (P,), counted as a scan counts them.
    """

    pane_seconds: int
    starts: IntArray
    rows: IntArray
    present: Mapping[str, IntArray]


@dataclass(frozen=True, slots=True)
class JointCounts:
    """Rows by the bin of a feature and that of the prediction, on coarse axes.

    seconds: the length of an interval that is counted as one; starts: epoch seconds of those with
    rows, ascending, shape (P,); rows: all rows of each, shape (P,); features: by name, shape
    (P, Kx, Ky): Kx cells of the feature, Ky of the prediction.
    """

    seconds: int
    starts: IntArray
    rows: IntArray
    features: Mapping[str, IntArray]
    troubles: tuple[ColumnTrouble, ...] = field(default=())


def _finite(reduce: np.ufunc, values: FloatArray) -> float:
    return float(reduce.reduce(values)) if values.size else float("nan")
