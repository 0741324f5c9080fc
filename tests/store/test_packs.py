"""Counts and moments survive being packed, many layouts at once; unknown bytes are refused."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.errors import StoreError
from driftwatch.stats.counts import ColumnPanes
from driftwatch.store.packs import (
    EMPTY,
    Layout,
    Packs,
    decode,
    encode,
    layout_of,
    no_moments,
    no_packs,
    packs_of,
    put,
    relaid,
    union,
)

COUNT = st.one_of(
    st.integers(0, 3), st.integers(0, 70_000), st.integers(0, 2**33), st.integers(0, 2**53)
)
DOUBLE = st.floats(allow_nan=True, allow_infinity=True, width=64)
LAYOUT = st.dictionaries(
    st.integers(1, 2**31), st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6
).map(lambda columns: layout_of((axis_id, *rest) for axis_id, rest in columns.items()))


@st.composite
def packs(draw: st.DrawFn) -> Packs:
    layout = draw(LAYOUT)
    panes = draw(st.integers(0, 5))
    counts = draw(st.lists(COUNT, min_size=panes * layout.size, max_size=panes * layout.size))
    size = panes * 4 * layout.moments
    moments = draw(st.lists(DOUBLE, min_size=size, max_size=size))
    return Packs(
        layout,
        np.array(counts, np.int64).reshape(panes, layout.size),
        np.array(moments, np.float64).reshape(panes, 4, layout.moments),
    )


def columns(one: Packs) -> dict[int, ColumnPanes]:
    return one.columns()


@given(packs())
def test_round_trip(given_packs: Packs) -> None:
    """What has rows comes back, bit by bit; a column without rows is not stored."""
    blobs = encode(given_packs)
    held = given_packs.column_rows() > 0
    assert [blob is not None for blob in blobs] == held.any(axis=1).tolist()
    back = np.zeros_like(held)
    numbers = [number for number, blob in enumerate(blobs) if blob is not None]
    for index, found in decode([blob for blob in blobs if blob is not None]):
        panes = np.array(numbers)[index]
        for axis_id, column in found.columns().items():
            back[panes, given_packs.layout.axis_ids.index(axis_id)] = True
            wanted = columns(given_packs)[axis_id].at(panes)
            assert column.cells.tolist() == wanted.cells.tolist()
            assert column.infinite.tolist() == wanted.infinite.tolist()
            for name in ("total", "total_squares", "minimum", "maximum"):
                np.testing.assert_array_equal(getattr(column, name), getattr(wanted, name))
    assert back.tolist() == held.tolist()


@given(packs(), LAYOUT)
def test_another_layout_keeps_what_both_have(given_packs: Packs, other: Layout) -> None:
    both = union([given_packs.layout, layout_of((i + 2**32, 3, True) for i in other.axis_ids)])
    wider = relaid(given_packs, both)
    again = relaid(wider, given_packs.layout)
    assert again.counts.tolist() == given_packs.counts.tolist()
    np.testing.assert_array_equal(again.moments, given_packs.moments)
    assert wider.counts.sum(dtype=object) == given_packs.counts.sum(dtype=object)
    added = [n for n, axis_id in enumerate(both.axis_ids) if axis_id > 2**32 - 1]
    assert not wider.column_rows()[:, added].any()


def test_put_overwrites_the_columns_that_both_have() -> None:
    into = no_packs(2, layout_of([(1, 2, True), (5, 3, False)]))
    one = ColumnPanes(
        np.array([[3, 4]]), np.array([1]), np.array([2.0]), np.array([8.0]),
        np.array([-1.0]), np.array([6.0]),
    )  # fmt: skip
    put(into, packs_of({1: one}, layout_of([(1, 2, True)])), np.array([1]))
    assert into.counts.tolist() == [[0, 0, 0, 0, 0, 0], [3, 4, 0, 0, 0, 1]]
    assert into.moments[1, :, 0].tolist() == [2.0, 8.0, -1.0, 6.0]
    assert np.isnan(into.moments[0, 2:]).all()


def test_bytes_are_stated() -> None:
    layout = layout_of([(7, 3, True)])
    moments = np.array([[[1.0], [2.0], [0.5], [-2.0]]])
    (blob,) = encode(Packs(layout, np.array([[1, 0, 513, 2]]), moments))
    assert blob is not None
    numbers = b"\x01\0\0\0\x02\0\0\0\x07\0\0\0\x07\0\0\0"
    counts = bytes([1, 0, 1, 2, 0, 0, 2, 0])
    doubles = np.array([1.0, 2.0, 0.5, -2.0], "<f8").view(np.uint8).reshape(4, 8).T.tobytes()
    assert blob[0] in (0x01, 0x81)
    payload = zlib.decompress(blob[1:]) if blob[0] == 1 else blob[1:]
    assert payload == numbers + counts + doubles
    for form in (b"\x81" + payload, b"\x01" + zlib.compress(payload)):
        ((_, found),) = decode([form])
        assert found.counts.tolist() == [[1, 0, 513, 2]]


def test_a_wide_pane_takes_little() -> None:
    """200 columns of 23 cells with 170 rows each: the moments are most of it."""
    rng = np.random.default_rng(1)
    layout = layout_of((n, 23, True) for n in range(200))
    cells = rng.multinomial(170, np.full(23, 1 / 23), 200).ravel()
    counts = np.concatenate([cells, np.zeros(200, np.int64)])[None]
    (blob,) = encode(Packs(layout, counts, rng.normal(size=(1, 4, 200))))
    assert blob is not None
    assert len(blob) < 200 * (23 * 8 + 4 * 8) / 4
    (without,) = encode(Packs(layout, counts, np.zeros((1, 4, 200))))
    assert without is not None
    assert len(without) < 23 * 200


def test_nothing_is_nothing() -> None:
    assert encode(no_packs(2, EMPTY)) == [None, None]
    assert decode([]) == []
    assert no_moments(0, 2).shape == (0, 4, 2)


def test_negative_counts_are_refused() -> None:
    layout = layout_of([(1, 2, False)])
    with pytest.raises(ValueError, match="not negative"):
        encode(Packs(layout, np.array([[1, -1]]), no_moments(1, 0)))


@pytest.mark.parametrize("blob", [b"", b"\x02\x01\x02", b"\x00", b"\x82abc"])
def test_an_unknown_format_is_refused(blob: bytes) -> None:
    with pytest.raises(StoreError, match=r"format 0x.*, which this release does not know"):
        decode([blob])


def test_damaged_bytes_are_refused() -> None:
    layout = layout_of([(1, 2, True)])
    (blob,) = encode(Packs(layout, np.array([[1, 2, 0]]), no_moments(1, 1)))
    assert blob is not None
    payload = zlib.decompress(blob[1:]) if blob[0] == 1 else blob[1:]
    for broken in (
        b"\x01" + payload,
        b"\x81" + payload[:-1],
        b"\x81" + payload[:7],
        b"\x81",
        b"\x81" + b"\x01\0\0\0\x03" + payload[5:],
    ):
        with pytest.raises(StoreError, match="restore the store from a backup"):
            decode([broken])
