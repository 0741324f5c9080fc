"""Counts as bytes: versioned, little-endian, in the smallest width that holds the largest count.

The first byte is `version * 16 + width` (width in bytes: 1, 2, 4 or 8), then follow the cells. A
pane of 22 cells with fewer than 256 rows per cell takes 23 bytes.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from driftwatch.errors import StoreError
from driftwatch.stats.counts import IntArray

VERSION = 1
_TYPES = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}


def encode(counts: IntArray) -> list[bytes]:
    """One blob per row of counts (shape (P, K), none negative).

    >>> encode(np.array([[1, 0, 255], [1, 0, 256]])) == [b"\\x11\\x01\\x00\\xff", (
    ...     b"\\x12\\x01\\x00\\x00\\x00\\x00\\x01")]
    True
    """
    panes, cells = counts.shape
    if counts.size and int(counts.min()) < 0:
        raise ValueError("counts are not negative")
    largest = counts.max(axis=1, initial=0)
    widths = 1 << np.searchsorted([0xFF, 0xFFFF, 0xFFFFFFFF], largest)
    blobs = [b""] * panes
    for width in np.unique(widths).tolist():
        index = np.flatnonzero(widths == width)
        size = 1 + width * cells
        packed = np.empty((index.size, size), np.uint8)
        packed[:, 0] = VERSION * 16 + width
        narrow = np.ascontiguousarray(counts[index].astype(_TYPES[width]))
        packed[:, 1:] = narrow.view(np.uint8).reshape(index.size, width * cells)
        joined = packed.tobytes()
        for at, row in enumerate(index.tolist()):
            blobs[row] = joined[at * size : (at + 1) * size]
    return blobs


def decode(blobs: Sequence[bytes], cells: int) -> IntArray:
    """The counts of all blobs, shape (len(blobs), cells).

    StoreError: a blob of an unknown version, or one that does not hold `cells` counts.

    >>> decode(encode(np.array([[1, 0, 255], [1, 0, 256]])), 3).tolist()
    [[1, 0, 255], [1, 0, 256]]
    """
    counts = np.empty((len(blobs), cells), np.int64)
    heads = np.frombuffer(b"".join([blob[:1] for blob in blobs]), np.uint8)
    if heads.size != len(blobs):
        raise StoreError("stored counts are empty bytes; restore the store from a backup")
    for head in np.unique(heads).tolist():
        width = _width(head)
        index = np.flatnonzero(heads == head)
        chosen = [blobs[at] for at in index.tolist()]
        counts[index] = _matrix(chosen, width, cells)
    return counts


def cells_of(blob: bytes) -> int:
    """How many cells a blob holds.

    >>> cells_of(encode(np.array([[1, 0, 256]]))[0])
    3
    """
    return (len(blob) - 1) // _width(blob[0])


def _width(head: int) -> int:
    version, width = divmod(head, 16)
    if version != VERSION or width not in _TYPES:
        raise StoreError(
            f"stored counts have encoding {head:#04x}, which this release does not know; "
            "run the release that wrote them, or a newer one"
        )
    return width


def _matrix(blobs: list[bytes], width: int, cells: int) -> npt.NDArray[np.int64]:
    size = 1 + width * cells
    if any(len(blob) != size for blob in blobs):
        raise StoreError(
            f"stored counts do not have {cells} cells as their axis says; "
            "restore the store from a backup"
        )
    packed = np.frombuffer(b"".join(blobs), np.uint8).reshape(len(blobs), size)
    return np.ascontiguousarray(packed[:, 1:]).view(_TYPES[width]).astype(np.int64)
