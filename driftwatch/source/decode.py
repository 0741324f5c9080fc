"""From what travels to counts per slice and segment, and from slices to panes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from driftwatch.source.link import Row
from driftwatch.source.statement import DIGITS, INFINITE_CELLS, ScanColumn
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray
from driftwatch.stats.segment import Grouping

_POWERS = 10 ** np.arange(DIGITS - 1, -1, -1, dtype=np.int64)
_ZERO = ord("0")
_CODES_AT_ONCE = 1_000_000
"""Characters of SQLite that are widened to integers at a time."""

_Codes = npt.NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True)
class Counted:
    """Pane numbers, ascending, their rows, and the counts of each column; the same of each segment
    that has rows, by its key."""

    panes: IntArray
    rows: IntArray
    columns: dict[str, ColumnPanes]
    segments: "dict[str, Counted]" = field(default_factory=dict)


class Tally:
    """The counts of some columns, slice after slice; `counted` puts slices of one pane together.

    The records of the statement are: slice, a number for each grouping, rows, counts, moments.
    """

    def __init__(
        self, dialect: str, columns: Sequence[ScanColumn], groupings: Sequence[Grouping] = ()
    ) -> None:
        self._columns, self._groupings = columns, groupings
        self._offsets = [0, *accumulate(column.outcomes for column in columns)]
        self._take = {"postgresql": self._take_digits, "sqlite": self._take_characters}[dialect]
        self._digits_of = [DIGITS * column.outcomes for column in reversed(columns)]
        self._code_offsets = np.array(self._offsets[:-1], np.int64) - 1
        self._parts = [_Part() for _ in groupings] or [_Part()]

    def add(self, records: Iterable[Row], *, first: int = 0) -> int:
        """Take the records of some slices, counted from `first`. How many rows of the log it is."""
        return self._take(records, first)

    def counted(self, slices_per_pane: int) -> Counted:
        """All rows, which are the sums over the segments of any grouping, and the segments."""
        width = 4 * sum(column.numeric for column in self._columns)
        sums = [
            part.sums(slices_per_pane, cells=self._offsets[-1], moments=width)
            for part in self._parts
        ]
        whole = sums[0].of_all_segments() if self._groupings else sums[0]
        segments: dict[str, Counted] = {}
        for grouping, found in zip(self._groupings, sums, strict=False):
            segments |= self._segments(grouping, found)
        return Counted(whole.panes, whole.rows, self._split(whole), segments)

    def _segments(self, grouping: Grouping, sums: "_Sums") -> dict[str, Counted]:
        """Those with rows that have a key: a rest that is not counted has none."""
        columns, keys, found = self._split(sums), grouping.keys, {}
        begins = np.searchsorted(sums.numbers, np.arange(len(keys) + 1)).tolist()
        for key, begin, end in zip(keys, begins, begins[1:], strict=False):
            if begin < end:
                own = slice(begin, end)
                counts = {name: panes.at(own) for name, panes in columns.items()}
                found[key] = Counted(sums.panes[own], sums.rows[own], counts)
        return found

    def _split(self, sums: "_Sums") -> dict[str, ColumnPanes]:
        """The counts of each column."""
        found, position = {}, 0
        for column, begin in zip(self._columns, self._offsets, strict=False):
            own = sums.cells[:, begin : begin + column.outcomes]
            found[column.name] = _column(column, own, sums.moments[:, position : position + 4])
            position += 4 * column.numeric
        return found

    def _take_digits(self, records: Iterable[Row], first: int) -> int:
        """PostgreSQL: a record belongs to the one grouping of which it has a number."""
        groupings, columns, log_rows = len(self._groupings), len(self._columns), 0
        for slice_, *record in records:
            numbers, rows, rest = record[:groupings], record[groupings], record[groupings + 1 :]
            if rows == 0 or slice_ is None:  # None: a text that is no timestamp
                continue
            which = next((i for i, number in enumerate(numbers) if number is not None), 0)
            part = self._parts[which]
            part.slices.append(first + int(slice_))
            part.numbers.append(numbers[which] if numbers else 0)
            part.rows.append(rows)
            part.cells.append(self._digits(rest[:columns]))
            part.moments.append(rest[columns:])
            log_rows += rows if which == 0 else 0
        return log_rows

    def _digits(self, texts: Sequence[str]) -> IntArray:
        """Twelve decimal digits per cell, so from the last column's last cell on."""
        pairs = zip(reversed(texts), self._digits_of, strict=True)
        return counts_of_digits("".join(text.zfill(digits) for text, digits in pairs))

    def _take_characters(self, records: Iterable[Row], first: int) -> int:
        """SQLite: the records of a slice stand together, one for each cross of the segments."""
        groupings, log_rows = len(self._groupings), 0
        for slice_, found in groupby(records, key=itemgetter(0)):
            crosses = [record[1:] for record in found if record[1 + groupings]]
            if slice_ is None or not crosses:
                continue
            rows = np.array([record[groupings] for record in crosses], np.int64)
            codes = self._codes("".join(record[groupings + 1] for record in crosses))
            moments = np.array([record[groupings + 2 :] for record in crosses], np.float64)
            for which, part in enumerate(self._parts):
                numbers = np.array([record[which] if groupings else 0 for record in crosses])
                segments, places = np.unique(numbers, return_inverse=True)
                order, begins = _runs(places)
                part.slices += [first + slice_] * len(segments)
                part.numbers += segments.tolist()
                part.rows += np.add.reduceat(rows[order], begins).tolist()
                part.cells += list(self._cells(codes, np.repeat(places, rows), len(segments)))
                part.moments += list(_sum_moments(moments[order], begins))
            log_rows += int(rows.sum())
        return log_rows

    def _codes(self, text: str) -> _Codes:
        """One character per row and column, its code the cell plus one."""
        try:
            codes: _Codes = np.frombuffer(text.encode("latin-1"), np.uint8)
        except UnicodeEncodeError:
            codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        return codes.reshape(-1, len(self._columns) or 1)

    def _cells(self, codes: _Codes, places: IntArray, segments: int) -> IntArray:
        """Rows by segment and cell. places: of each row's segment among so many segments."""
        width = self._offsets[-1]
        counts = np.zeros(segments * width, np.int64)
        step = max(1, _CODES_AT_ONCE // codes.shape[1])
        for begin in range(0, len(codes), step):
            cells = codes[begin : begin + step] + self._code_offsets
            if segments > 1:
                cells += width * places[begin : begin + step, np.newaxis]
            counts += np.bincount(cells.ravel(), minlength=counts.size)
        return counts.reshape(segments, width)


def counts_of_digits(padded: str) -> IntArray:
    """Counts of twelve decimal digits each, the last one first.

    >>> counts_of_digits("000000000007000000000123").tolist()
    [123, 7]
    """
    digits = np.frombuffer(padded.encode(), np.uint8).reshape(-1, DIGITS)
    counts: IntArray = ((digits - _ZERO) @ _POWERS)[::-1]
    return counts


@dataclass(slots=True)
class _Part:
    """What came of one grouping: slice, number of the segment, rows, cells, moments. There may be
    many entries of one slice and segment."""

    slices: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    cells: list[IntArray] = field(default_factory=list)
    moments: list[Sequence[object]] = field(default_factory=list)

    def sums(self, slices_per_pane: int, *, cells: int, moments: int) -> "_Sums":
        entries = len(self.slices)
        return _summed(
            np.array(self.numbers, np.int64),
            np.array(self.slices, np.int64) // slices_per_pane,
            np.array(self.rows, np.int64),
            np.array(self.cells, np.int64).reshape(entries, cells),
            np.array(self.moments, np.float64).reshape(entries, moments),
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """One entry for each segment and pane with rows, ordered by these."""

    numbers: IntArray
    panes: IntArray
    rows: IntArray
    cells: IntArray
    moments: FloatArray

    def of_all_segments(self) -> "_Sums":
        none = np.zeros_like(self.numbers)
        return _summed(none, self.panes, self.rows, self.cells, self.moments)


def _summed(
    numbers: IntArray, panes: IntArray, rows: IntArray, cells: IntArray, moments: FloatArray
) -> _Sums:
    if not rows.size:
        return _Sums(numbers, panes, rows, cells, moments)
    order, begins = _runs(numbers, panes)
    return _Sums(
        numbers[order][begins],
        panes[order][begins],
        np.add.reduceat(rows[order], begins),
        np.add.reduceat(cells[order], begins, axis=0),
        _sum_moments(moments[order], begins),
    )


def _runs(*keys: IntArray) -> tuple[IntArray, IntArray]:
    """The order of entries by these keys, the first one first, and where each run of equal ones
    begins in it."""
    order = np.lexsort(keys[::-1])
    changes = np.any([np.diff(key[order]) != 0 for key in keys], axis=0)
    return order, np.concatenate(([0], np.flatnonzero(changes) + 1))


def _sum_moments(moments: FloatArray, begins: IntArray) -> FloatArray:
    """Sum, sum of squares, minimum, maximum (in this order, per column) of runs of entries."""
    empty = np.isnan(moments[:, 2::4])  # an entry without finite values has no minimum
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
