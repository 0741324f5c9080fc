"""From what travels to counts per slice, and from slices to panes."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np

from driftwatch.source.link import Row
from driftwatch.source.statement import DIGITS, INFINITE_CELLS, ScanColumn
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray

_POWERS = 10 ** np.arange(DIGITS - 1, -1, -1, dtype=np.int64)
_ZERO = ord("0")


class Tally:
    """The counts of some columns, slice after slice; `panes` puts slices of one pane together."""

    def __init__(self, dialect: str, columns: Sequence[ScanColumn]) -> None:
        self._columns = columns
        self._offsets = [0, *accumulate(column.outcomes for column in columns)]
        self._decode = {"postgresql": self._digits, "sqlite": self._characters}[dialect]
        self._texts = len(columns) if dialect == "postgresql" else 1
        self._code_offsets = np.array(self._offsets[:-1], np.int64) - 1
        self._slices: list[int] = []
        self._rows: list[int] = []
        self._cells: list[IntArray] = []
        self._moments: list[Sequence[object]] = []

    def add(self, records: Iterable[Row], *, first: int = 0) -> None:
        """Rows of the statement: slice (counted from `first`), rows, counts, moments."""
        for number, rows, *rest in records:
            if rows == 0 or number is None:  # None: a text that is no timestamp
                continue
            self._slices.append(first + int(number))
            self._rows.append(rows)
            self._cells.append(self._decode(rest[: self._texts]))
            self._moments.append(rest[self._texts :])

    def panes(self, slices_per_pane: int) -> tuple[IntArray, IntArray, dict[str, ColumnPanes]]:
        """Pane numbers ascending, their rows, and the counts of each column."""
        if not self._slices:
            empty = np.zeros(0, np.int64)
            return empty, empty, {column.name: _no_panes(column) for column in self._columns}
        order = np.argsort(self._slices, kind="stable")
        panes = np.asarray(self._slices, np.int64)[order] // slices_per_pane
        begins = np.flatnonzero(np.diff(panes, prepend=-1))
        rows = np.add.reduceat(np.asarray(self._rows, np.int64)[order], begins)
        cells = np.add.reduceat(np.stack(self._cells)[order], begins, axis=0)
        moments = _merged(np.array(self._moments, dtype=np.float64)[order], begins)
        found, position = {}, 0
        for column, begin in zip(self._columns, self._offsets, strict=False):
            own = cells[:, begin : begin + column.outcomes]
            found[column.name] = _column(column, own, moments[:, position : position + 4])
            position += 4 * column.numeric
        return panes[begins], rows, found

    def _digits(self, texts: Sequence[str]) -> IntArray:
        """PostgreSQL: twelve decimal digits per cell, so from the last column's last cell on."""
        pairs = zip(reversed(texts), reversed(self._columns), strict=True)
        padded = "".join(text.zfill(DIGITS * column.outcomes) for text, column in pairs)
        digits = np.frombuffer(padded.encode(), np.uint8).reshape(-1, DIGITS)
        return ((digits - _ZERO) @ _POWERS)[::-1]

    def _characters(self, texts: Sequence[str]) -> IntArray:
        """SQLite: one character per row and column, its code the cell plus one."""
        text = texts[0]
        try:
            codes = np.frombuffer(text.encode("latin-1"), np.uint8)
        except UnicodeEncodeError:
            codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
        cells = codes.reshape(-1, len(self._columns) or 1) + self._code_offsets
        return np.bincount(cells.ravel(), minlength=self._offsets[-1])


def _merged(moments: FloatArray, begins: IntArray) -> FloatArray:
    """Sum, sum of squares, minimum, maximum (in this order, per column) of slices as of panes."""
    empty = np.isnan(moments[:, 2::4])  # a slice without finite values has no minimum
    merged = np.empty((len(begins), moments.shape[1]))
    for offset in (0, 1):
        sums = np.where(empty, 0.0, moments[:, offset::4])
        merged[:, offset::4] = np.add.reduceat(sums, begins, axis=0)
    merged[:, 2::4] = np.fmin.reduceat(moments[:, 2::4], begins, axis=0)
    merged[:, 3::4] = np.fmax.reduceat(moments[:, 3::4], begins, axis=0)
    return merged


def _column(column: ScanColumn, outcomes: IntArray, moments: FloatArray) -> ColumnPanes:
    """The outcomes of infinite values fall into the outer bins, and are counted apart."""
    cells = outcomes[:, : column.axis.cells].copy()
    if not column.numeric:
        zeros, none = np.zeros(len(cells)), np.full(len(cells), np.nan)
        return ColumnPanes(cells, np.zeros(len(cells), np.int64), zeros, zeros, none, none)
    negative, positive = outcomes[:, -INFINITE_CELLS], outcomes[:, -1]
    cells[:, 0] += negative
    cells[:, column.axis.missing - 1] += positive
    return ColumnPanes(cells, negative + positive, *np.ascontiguousarray(moments.T))


def _no_panes(column: ScanColumn) -> ColumnPanes:
    return _column(column, np.zeros((0, column.outcomes), np.int64), np.zeros((0, 4)))
