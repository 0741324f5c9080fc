"""Packs: the counts of all columns of one pane in one value, and many of them at once as arrays.

A pack is one byte of format, then the payload; bit 7 of that byte says that the payload is not
deflated (zlib), which is rare. The payload, little-endian:

- uint32: number of columns, width (bytes per count: 1, 2, 4 or 8), the axis id of each column,
  ascending, and of each column 2 * cells + 1 where it has moments (numeric axes), else 2 * cells;
- the cells of every column, then the rows with +-Inf of the columns with moments;
- float64: the sums of those columns, their sums of squares, minima and maxima.

Counts and floats are laid down by planes: all first bytes, all second bytes, and so on, which
deflates better. A column without rows in the pane has no place in its pack.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from driftwatch.errors import StoreError
from driftwatch.stats.counts import ColumnPanes, FloatArray, IntArray

FORMAT = 1
_PLAIN = 0x80
_LEVEL = 6
_TYPES = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}
_MOMENTS = 4

Counts = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a pack holds: axis ids, ascending, their cells, and whether they have moments.

    Counts are one vector of `size`: the cells of all columns (`edges` says where each begins, and
    the end), then the infinite rows of those with moments.
    """

    axis_ids: tuple[int, ...]
    cells: tuple[int, ...]
    numeric: tuple[bool, ...]
    edges: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", np.concatenate(([0], np.cumsum(self.cells, dtype=int))))

    @property
    def size(self) -> int:
        return int(self.edges[-1]) + self.moments

    @property
    def moments(self) -> int:
        """How many columns have moments."""
        return sum(self.numeric)

    def only(self, kept: npt.NDArray[np.bool_]) -> "Layout":
        """These columns of it."""
        index = np.flatnonzero(kept).tolist()
        return layout_of((self.axis_ids[n], self.cells[n], self.numeric[n]) for n in index)


EMPTY = Layout((), (), ())


def layout_of(columns: Iterable[tuple[int, int, bool]]) -> Layout:
    """The layout of columns (axis id, cells, whether it has moments), in any order."""
    ordered = sorted(columns)
    if not ordered:
        return EMPTY
    axis_ids, cells, numeric = zip(*ordered, strict=True)
    return Layout(axis_ids, cells, numeric)


def union(layouts: Sequence[Layout]) -> Layout:
    """All columns of these layouts."""
    distinct = list(dict.fromkeys(layouts))
    if len(distinct) == 1:
        return distinct[0]
    columns = {
        (axis_id, cells, numeric)
        for one in distinct
        for axis_id, cells, numeric in zip(one.axis_ids, one.cells, one.numeric, strict=True)
    }
    return layout_of(columns)


@dataclass(frozen=True, slots=True)
class Packs:
    """Counts of P panes in one layout: counts, shape (P, layout.size), and moments, shape
    (P, 4, layout.moments): sums, sums of squares, minima, maxima."""

    layout: Layout
    counts: Counts
    moments: FloatArray

    def at(self, index: IntArray | npt.NDArray[np.bool_] | slice) -> "Packs":
        return Packs(self.layout, self.counts[index], self.moments[index])

    def column_rows(self) -> IntArray:
        """Rows per pane and column: the sum of its cells, shape (P, columns)."""
        edges = self.layout.edges
        if not self.layout.axis_ids:
            return np.zeros((len(self.counts), 0), np.int64)
        cells = self.counts[:, : edges[-1]]
        sums: IntArray = np.add.reduceat(cells, edges[:-1], axis=1, dtype=np.int64)
        return sums

    def columns(self) -> dict[int, ColumnPanes]:
        """The counts by axis id."""
        found: dict[int, ColumnPanes] = {}
        edges, moments = self.layout.edges.tolist(), 0
        nothing = np.zeros(len(self.counts), np.int64)
        none = no_moments(len(self.counts), 1)
        for number, axis_id in enumerate(self.layout.axis_ids):
            infinite, four = nothing, none[:, :, 0]
            if self.layout.numeric[number]:
                infinite = self.counts[:, edges[-1] + moments].astype(np.int64)
                four = self.moments[:, :, moments]
                moments += 1
            cells = self.counts[:, edges[number] : edges[number + 1]].astype(np.int64)
            found[axis_id] = ColumnPanes(
                cells, infinite, four[:, 0], four[:, 1], four[:, 2], four[:, 3]
            )
        return found


def no_moments(panes: int, columns: int) -> FloatArray:
    """Moments of no values: zeros, and NaN for minimum and maximum."""
    moments = np.zeros((panes, _MOMENTS, columns))
    moments[:, 2:] = np.nan
    return moments


def no_packs(panes: int, layout: Layout) -> Packs:
    """Panes in which nothing was counted."""
    counts = np.zeros((panes, layout.size), np.int64)
    return Packs(layout, counts, no_moments(panes, layout.moments))


def packs_of(columns: Mapping[int, ColumnPanes], layout: Layout) -> Packs:
    """The packs of these columns, at least one; the layout has just their axis ids."""
    panes = [columns[axis_id] for axis_id in layout.axis_ids]
    some = [one for one, has in zip(panes, layout.numeric, strict=True) if has]
    counts = [one.cells for one in panes] + [one.infinite[:, None] for one in some]
    four = [
        [one.total for one in some],
        [one.total_squares for one in some],
        [one.minimum for one in some],
        [one.maximum for one in some],
    ]
    moments = np.array(four).transpose(2, 0, 1) if some else no_moments(len(counts[0]), 0)
    return Packs(layout, np.concatenate(counts, axis=1), np.ascontiguousarray(moments))


@dataclass(frozen=True, slots=True)
class Places:
    """Where the columns that two layouts share lie in the vectors of each."""

    counts_from: IntArray
    counts_to: IntArray
    moments_from: IntArray
    moments_to: IntArray


@lru_cache(maxsize=256)
def places(source: Layout, target: Layout) -> Places:
    """Where the columns of `target` are in `source`; those that it does not hold are left out."""
    where = {axis_id: number for number, axis_id in enumerate(source.axis_ids)}
    shared = [
        (where[axis_id], number)
        for number, axis_id in enumerate(target.axis_ids)
        if axis_id in where
    ]
    old, new = [pair[0] for pair in shared], [pair[1] for pair in shared]
    old_moments, new_moments = _moments_at(source, old), _moments_at(target, new)
    return Places(
        np.concatenate([_cells_at(source, old), old_moments + source.edges[-1]]),
        np.concatenate([_cells_at(target, new), new_moments + target.edges[-1]]),
        old_moments,
        new_moments,
    )


def _cells_at(layout: Layout, columns: Sequence[int]) -> IntArray:
    ranges = [np.arange(layout.edges[n], layout.edges[n + 1]) for n in columns]
    return np.concatenate([np.zeros(0, np.int64), *ranges])


def _moments_at(layout: Layout, columns: Sequence[int]) -> IntArray:
    before = np.cumsum(layout.numeric, dtype=np.int64) - 1
    return np.array([before[n] for n in columns if layout.numeric[n]], np.int64)


def relaid(packs: Packs, layout: Layout) -> Packs:
    """The same counts in another layout: columns that it lacks go, new ones are not counted."""
    if packs.layout == layout:
        return packs
    result = no_packs(len(packs.counts), layout)
    put(result, packs, slice(None))
    return result


def put(into: Packs, packs: Packs, at: IntArray | slice) -> None:
    """Overwrite panes of `into` by these packs: the columns that both have."""
    index = np.arange(len(into.counts))[at][:, None]
    where = places(packs.layout, into.layout)
    into.counts[index, where.counts_to] = packs.counts[:, where.counts_from]
    for moment in range(_MOMENTS):
        into.moments[index, moment, where.moments_to] = packs.moments[:, moment, where.moments_from]


def encode(packs: Packs) -> list[bytes | None]:
    """One pack per pane; None where no column has rows.

    >>> layout = layout_of([(7, 3, False)])
    >>> packs = Packs(layout, np.array([[1, 0, 2], [0, 0, 0]]), no_moments(2, 0))
    >>> blob, nothing = encode(packs)
    >>> (_, found), = decode([blob])
    >>> found.layout == layout, found.counts.tolist(), nothing
    (True, [[1, 0, 2]], None)
    """
    if packs.counts.size and int(packs.counts.min()) < 0:
        raise ValueError("counts are not negative")
    blobs: list[bytes | None] = [None] * len(packs.counts)
    for index, layout in _by_presence(packs):
        if not layout.axis_ids:
            continue
        some = relaid(packs.at(index), layout)
        largest = some.counts.max(axis=1)
        widths = 1 << np.searchsorted([0xFF, 0xFFFF, 0xFFFFFFFF], largest)
        for width in np.unique(widths).tolist():
            chosen = np.flatnonzero(widths == width)
            for number, blob in zip(
                index[chosen].tolist(), _blobs(some.at(chosen), width), strict=True
            ):
                blobs[number] = blob
    return blobs


def _by_presence(packs: Packs) -> Iterator[tuple[IntArray, Layout]]:
    """Panes that have rows in the same columns, and the layout of these columns."""
    present = packs.column_rows() > 0
    if present.all():
        yield np.arange(len(present)), packs.layout
        return
    kinds, kind_of = np.unique(present, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds):
        yield np.flatnonzero(kind_of.ravel() == number), packs.layout.only(kind)


def _blobs(packs: Packs, width: int) -> Iterator[bytes]:
    layout = packs.layout
    shape = [2 * cells + has for cells, has in zip(layout.cells, layout.numeric, strict=True)]
    head = np.array([len(layout.axis_ids), width, *layout.axis_ids, *shape], "<u4").tobytes()
    counts = _planes(packs.counts.astype(_TYPES[width]))
    floats = _planes(packs.moments.astype("<f8").reshape(len(packs.counts), -1))
    for body in np.concatenate([counts, floats], axis=1):
        payload = head + body.tobytes()
        deflated = zlib.compress(payload, _LEVEL)
        if len(deflated) < len(payload):
            yield bytes([FORMAT]) + deflated
        else:
            yield bytes([FORMAT | _PLAIN]) + payload


def _planes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Rows of numbers as rows of bytes: first bytes first."""
    panes, numbers = values.shape
    width = values.dtype.itemsize
    single = np.ascontiguousarray(values).view(np.uint8).reshape(panes, numbers, width)
    return single.transpose(0, 2, 1).reshape(panes, numbers * width)


def _unplaned(planes: npt.NDArray[np.uint8], dtype: str) -> npt.NDArray[Any]:
    width = np.dtype(dtype).itemsize
    single = planes.reshape(len(planes), width, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(single).view(dtype)[:, :, 0]


def decode(blobs: Sequence[bytes]) -> list[tuple[IntArray, Packs]]:
    """The packs, those of one layout together, with their numbers among `blobs`.

    Counts keep the width in which they are stored: add them up as int64.

    StoreError: a pack of an unknown format, or one that is damaged.
    """
    heads: dict[bytes, list[int]] = {}
    payloads = [_payload(blob) for blob in blobs]
    for number, payload in enumerate(payloads):
        columns = int.from_bytes(payload[:4], "little")
        heads.setdefault(payload[: 8 + 8 * columns], []).append(number)
    return [
        (np.array(numbers), _read(head, [payloads[n] for n in numbers]))
        for head, numbers in heads.items()
    ]


def _payload(blob: bytes) -> bytes:
    if blob[:1] == bytes([FORMAT]):
        try:
            return zlib.decompress(memoryview(blob)[1:])
        except zlib.error as error:
            raise StoreError(
                "stored counts are damaged; restore the store from a backup"
            ) from error
    if blob[:1] == bytes([FORMAT | _PLAIN]):
        return blob[1:]
    raise StoreError(
        f"stored counts have format 0x{blob[:1].hex()}, which this release does not know; "
        "run the release that wrote them, or a newer one"
    )


def _read(head: bytes, payloads: Sequence[bytes]) -> Packs:
    width, layout = _head(head)
    cut = len(head) + layout.size * width
    size = cut + 8 * _MOMENTS * layout.moments
    if any(len(payload) != size for payload in payloads):
        raise StoreError("stored counts are damaged; restore the store from a backup")
    table = np.frombuffer(b"".join(payloads), np.uint8).reshape(len(payloads), size)
    counts = _unplaned(table[:, len(head) : cut], _TYPES[width])
    moments = _unplaned(table[:, cut:], "<f8") if layout.moments else no_moments(len(payloads), 0)
    return Packs(layout, counts, moments.reshape(len(payloads), _MOMENTS, layout.moments))


@lru_cache(maxsize=256)
def _head(head: bytes) -> tuple[int, Layout]:
    numbers = np.frombuffer(head, "<u4").tolist() if len(head) % 4 == 0 else []
    columns = numbers[0] if numbers else 0
    if not columns or len(numbers) != 2 + 2 * columns or numbers[1] not in _TYPES:
        raise StoreError("stored counts are damaged; restore the store from a backup")
    ids, shape = numbers[2 : 2 + columns], numbers[2 + columns :]
    layout = Layout(
        tuple(ids), tuple(one // 2 for one in shape), tuple(one % 2 == 1 for one in shape)
    )
    return numbers[1], layout
