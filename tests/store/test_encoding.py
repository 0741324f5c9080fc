"""Counts survive being packed, in the smallest width, and unknown bytes are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from driftwatch.errors import StoreError
from driftwatch.store.encoding import VERSION, cells_of, decode, encode

COUNT = st.one_of(
    st.integers(0, 300), st.integers(0, 70_000), st.integers(0, 2**33), st.integers(0, 2**63 - 1)
)
COUNTS = hnp.arrays(np.int64, st.tuples(st.integers(0, 12), st.integers(1, 60)), elements=COUNT)


@given(COUNTS)
def test_round_trip(counts: np.ndarray) -> None:
    blobs = encode(counts)
    back = decode(blobs, counts.shape[1])
    assert back.dtype == np.int64
    assert back.tolist() == counts.tolist()
    assert all(cells_of(blob) == counts.shape[1] for blob in blobs)


@pytest.mark.parametrize(
    ("largest", "width"),
    [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**32 - 1, 4), (2**32, 8)],
)
def test_each_pane_takes_the_smallest_width_that_holds_it(largest: int, width: int) -> None:
    small, other = encode(np.array([[0, 1, 2], [largest, 0, 7]]))
    assert len(small) == 1 + 3
    assert len(other) == 1 + 3 * width


def test_bytes_are_stated() -> None:
    assert encode(np.array([[1, 2, 513]])) == [bytes([0x12, 1, 0, 2, 0, 1, 2])]


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        encode(np.array([[1, -1]]))


@pytest.mark.parametrize("head", [0x01, (VERSION + 1) * 16 + 1, VERSION * 16 + 3, 0xFF])
def test_unknown_version_or_width_is_refused(head: int) -> None:
    blob = bytes([head, 1, 2, 3])
    with pytest.raises(StoreError, match=rf"encoding {head:#04x}, which this release does not"):
        decode([encode(np.array([[1, 2, 3]]))[0], blob], 3)
    with pytest.raises(StoreError, match="does not know"):
        cells_of(blob)


@pytest.mark.parametrize("blob", [b"\x11\x01\x02", b"\x11\x01\x02\x03\x04", b""])
def test_bytes_of_another_length_are_refused(blob: bytes) -> None:
    with pytest.raises(StoreError, match="restore the store from a backup"):
        decode([blob], 3)


def test_no_blobs_are_no_rows() -> None:
    assert decode([], 5).shape == (0, 5)
