"""A column of many rare levels, in which nothing changes, is not flagged."""

from dataclasses import replace

import numpy as np

from tests.evaluate.log import rows
from tests.evaluate.world import REFERENCE, K, World, X

LEVELS = 3_000


def test_levels_that_the_reference_saw_once_or_twice_are_expected_to_be_new(
    small_empty_world: World,
) -> None:
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, LEVELS + 1)
    shares /= shares.sum()

    def rare(_: str | None) -> str:
        return f"level {rng.choice(LEVELS, p=shares)}"

    start, end = REFERENCE
    small_empty_world.live(rows(start, end + 5, k=rare))
    small_empty_world.configure(features=(X, replace(K, levels=10)))
    small_empty_world.catch_up(end + 5)
    assert {verdict for verdict, _ in small_empty_world.verdicts("k")} == {"ok"}
