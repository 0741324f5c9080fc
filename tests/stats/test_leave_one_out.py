"""Each window against the rest of its phase, features under keys of their own beside others."""

from dataclasses import fields

import numpy as np

from driftwatch.stats.counts import IntArray
from driftwatch.stats.leave_one_out import Comparisons, LeftOut, left_out
from driftwatch.stats.season import SeasonKey


def of(counts: IntArray) -> LeftOut:
    hours = np.arange(len(counts))
    return left_out(
        counts,
        ordered=np.ones(counts.shape[1], np.bool_),
        cells=np.full(counts.shape[1], counts.shape[2]),
        phases={SeasonKey.NONE: hours * 0, SeasonKey.HOUR: hours % 24},
    )


def test_a_feature_is_compared_under_its_own_key_whatever_is_beside_it() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(20, (240, 2, 6))
    by_day = (np.arange(240) % 24 < 12)[:, np.newaxis] * np.array([30, 0, 0, 0, 0, 10])
    counts[:, 1] += by_day
    both = of(counts)
    assert both.key.tolist() == [0, 1]
    for feature in range(2):
        alone = of(counts[:, [feature]])
        for one in fields(Comparisons):
            here = getattr(both.comparisons, one.name)[:, [feature]]
            np.testing.assert_array_equal(here, getattr(alone.comparisons, one.name))
