"""From what travels to counts per slice, and from slices to panes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from driftwatch.source.link import Row
from driftwatch.source.statement import DIGITS, ScanColumn
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray

_POWERS = 10 ** np.arange(DIGITS - 1, -1, -1, dtype=np.int64)


@dataclass(slots=True)
class Tally:
    """The counts of some columns, slice after slice; `panes` puts slices of one pane together."""

    dialect: str
    columns: Sequence[ScanColumn]
    indices: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    cells: list[list[IntArray]] = field(default_factory=list)
    moments: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, records: Iterable[Row], *, first: int = 0) -> None:
        """Rows of the statement: slice (counted from `first`), rows, counts, moments."""
        for slice_, rows, *rest in records:
            if rows == 0 or slice_ is None:  # None: a text that is no timestamp
                continue
            self.indices.append(first + int(slice_))
            self.rows.append(rows)
            self.cells.append(_DECODERS[self.dialect](rest, self.columns))
            width = 1 if self.dialect == "sqlite" else len(self.columns)
            self.moments.append(tuple(rest[width:]))

    def panes(self, slices_per_pane: int) -> tuple[IntArray, IntArray, dict[str, ColumnPanes]]:
        """Pane numbers ascending, their rows, and the counts of each column."""
        panes, position = np.unique(
            np.asarray(self.indices, dtype=np.int64) // slices_per_pane, return_inverse=True
        )
        rows = np.zeros(len(panes), np.int64)
        np.add.at(rows, position, np.asarray(self.rows, np.int64))
        numeric = [column.name for column in self.columns if column.numeric]
        moments = np.array(self.moments, dtype=np.float64).reshape(len(position), len(numeric), 4)
        found = {}
        for index, column in enumerate(self.columns):
            cells = np.zeros((len(panes), column.outcomes), np.int64)
            np.add.at(cells, position, [one[index] for one in self.cells])
            own = moments[:, numeric.index(column.name)] if column.numeric else None
            found[column.name] = _column(column, cells, own, position)
        return panes, rows, found


def _column(
    column: ScanColumn, outcomes: IntArray, moments: FloatArray | None, position: IntArray
) -> ColumnPanes:
    """Fold the two outcomes of infinite values into the outer bins; add the moments per pane."""
    panes = len(outcomes)
    infinite = np.zeros(panes, np.int64)
    sums = np.zeros((2, panes))
    extremes = np.full((2, panes), np.nan)
    cells = outcomes[:, : column.axis.cells].copy()
    if moments is not None:
        negative, positive = outcomes[:, -2], outcomes[:, -1]
        infinite = negative + positive
        cells[:, 0] += negative
        cells[:, column.axis.missing - 1] += positive
        filled = ~np.isnan(moments[:, 2])  # a slice without finite values has no minimum
        for row in (0, 1):
            np.add.at(sums[row], position[filled], moments[filled, row])
        np.fmin.at(extremes[0], position, moments[:, 2])
        np.fmax.at(extremes[1], position, moments[:, 3])
    return ColumnPanes(
        cells=cells,
        infinite=infinite,
        total=sums[0],
        total_squares=sums[1],
        minimum=extremes[0],
        maximum=extremes[1],
    )


def _digits(values: Sequence[str], columns: Sequence[ScanColumn]) -> list[IntArray]:
    """PostgreSQL: twelve decimal digits per cell, the first cell last."""
    found = []
    for text, column in zip(values, columns, strict=False):
        padded = text.zfill(DIGITS * column.outcomes).encode()
        digits = np.frombuffer(padded, np.uint8).reshape(column.outcomes, DIGITS)
        found.append(((digits - 48) @ _POWERS)[::-1])
    return found


def _characters(values: Sequence[str], columns: Sequence[ScanColumn]) -> list[IntArray]:
    """SQLite: one character per column and row, its code the cell plus one."""
    text = values[0]
    if not columns:
        return []
    try:
        codes = np.frombuffer(text.encode("latin-1"), np.uint8)
    except UnicodeEncodeError:
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    table = codes.reshape(-1, len(columns))
    return [
        np.bincount(table[:, index], minlength=column.outcomes + 1)[1:]
        for index, column in enumerate(columns)
    ]


_DECODERS = {"postgresql": _digits, "sqlite": _characters}
