"""The log that everything is measured on: seeded rows of a model's predictions over 7 days.

21 watched columns: 12 floats and 4 integers with heavy tails, 2 % of each NULL; 4 categoricals of
5, 50, 1,000 and 50,000 levels, skewed as levels are; one prediction. Rows come in the order of
their time, as a log grows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.window import Interval, from_epoch, to_epoch

SEED = 20_130_208
BLOCK_ROWS = 100_000

DAY = 86_400
END = from_epoch((4 + 97 * 210) * DAY)
"""A moment at which windows of 1 hour, 1, 7 and 30 days all end: they tumble from Monday,
1970-01-05, and 7 and 30 days meet every 210 days."""

LOG = Interval(END - timedelta(days=7), END)

FLOATS = tuple(f"x{index:02d}" for index in range(12))
INTEGERS = tuple(f"n{index}" for index in range(4))
LEVELS: Mapping[str, int] = {"c5": 5, "c50": 50, "c1000": 1_000, "c50000": 50_000}
PREDICTION = "p"
NUMBERS = (*FLOATS, *INTEGERS, PREDICTION)
COLUMNS = (*FLOATS, *INTEGERS, *LEVELS, PREDICTION)
NULL_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows, in the order of time. seconds: since 1970, shape (R,); numbers: NaN is NULL;
    levels: the number of the level, 0 being the most frequent."""

    seconds: IntArray
    numbers: Mapping[str, FloatArray]
    levels: Mapping[str, IntArray]

    @property
    def rows(self) -> int:
        return int(self.seconds.size)


def blocks(rows: int) -> Iterator[Block]:
    """The log of so many rows: the same rows for the same number, always."""
    done = 0
    while done < rows:
        random = np.random.default_rng([SEED, rows, done])
        size = min(BLOCK_ROWS, rows - done)
        # Each row has its own part of the 7 days, so that blocks join in order.
        places = (np.arange(done, done + size) + random.random(size)) / rows
        seconds = to_epoch(LOG.start) + (places * LOG.seconds).astype(np.int64)
        yield Block(seconds, _numbers(random, size), _levels(random, size))
        done += size


def level_text(column: str, level: int) -> str:
    """The text of a level; all of a column have one width.

    >>> level_text("c50", 7)
    'c50-00007'
    """
    return f"{column}-{level:05d}"


def _numbers(random: np.random.Generator, size: int) -> dict[str, FloatArray]:
    numbers: dict[str, FloatArray] = {}
    for index, name in enumerate(FLOATS):
        if index % 2:
            numbers[name] = random.lognormal(mean=index / 4, sigma=1.5, size=size)
        else:
            numbers[name] = random.standard_t(df=2.5, size=size) * (index + 1)
    for index, name in enumerate(INTEGERS):
        numbers[name] = np.floor(random.pareto(1.5, size=size) * 10**index)
    for name in (*FLOATS, *INTEGERS):
        numbers[name][random.random(size) < NULL_SHARE] = np.nan
    numbers[PREDICTION] = random.beta(2, 5, size=size)
    return numbers


def _levels(random: np.random.Generator, size: int) -> dict[str, IntArray]:
    return {
        name: np.floor(count * random.random(size) ** 2).astype(np.int64)
        for name, count in LEVELS.items()
    }
