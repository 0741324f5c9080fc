"""The measured log is the same every time, in order, and as it is described."""

import numpy as np

from benchmarks.rows import COLUMNS, END, FLOATS, INTEGERS, LEVELS, LOG, blocks
from driftwatch.window import floor, to_epoch


def test_the_same_number_gives_the_same_rows() -> None:
    (one,), (again,) = list(blocks(2_000)), list(blocks(2_000))
    assert np.array_equal(one.seconds, again.seconds)
    for name, values in one.numbers.items():
        assert np.array_equal(values, again.numbers[name], equal_nan=True)
    assert {*one.numbers, *one.levels} == set(COLUMNS)


def test_rows_fill_the_seven_days_in_order() -> None:
    seconds = np.concatenate([block.seconds for block in blocks(250_000)])
    assert seconds.size == 250_000
    assert (np.diff(seconds) >= 0).all()
    assert to_epoch(LOG.start) <= seconds[0]
    assert seconds[-1] < to_epoch(LOG.end)
    per_hour = np.bincount((seconds - to_epoch(LOG.start)) // 3_600)
    assert abs(per_hour - 250_000 / 168).max() <= 2


def test_values_are_as_described() -> None:
    (block,) = blocks(100_000)
    for name in (*FLOATS, *INTEGERS):
        values = block.numbers[name]
        there = values[~np.isnan(values)]
        assert 0.018 < 1 - there.size / values.size < 0.022
        spread = np.subtract(*np.quantile(there, [0.75, 0.25]))
        assert abs(there).max() > 20 * spread, "tails are heavy"
        assert name in FLOATS or (there == np.floor(there)).all()
    assert not np.isnan(block.numbers["p"]).any()
    for name, count in LEVELS.items():
        assert block.levels[name].max() < count
    assert np.unique(block.levels["c1000"]).size > 990


def test_windows_of_every_length_end_with_the_log() -> None:
    assert all(floor(END, days * 86_400) == END for days in (1, 7, 30))
