"""What hypothesis draws: pairs of counts."""

import numpy as np
from hypothesis import strategies as st

from driftwatch.stats.counts import FloatArray, IntArray


@st.composite
def count_pairs(
    draw: st.DrawFn, *, max_cells: int = 12, max_rows: int = 1000
) -> tuple[IntArray, IntArray]:
    """Current and reference counts of shape (K,), each with at least one row."""
    width = draw(st.integers(1, max_cells))
    row = st.lists(st.integers(0, max_rows), min_size=width, max_size=width).filter(any)
    return np.array(draw(row), dtype=np.int64), np.array(draw(row), dtype=np.int64)


def shares(counts: IntArray) -> FloatArray:
    return np.asarray(counts / counts.sum())


def equal_shares(current: IntArray, reference: IntArray) -> bool:
    """Whether both are one distribution, decided on integers."""
    return bool(np.all(current * reference.sum() == reference * current.sum()))
