"""The mapped reference is that of the mapped values, and units are found by their moments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.affine import (
    UNITS,
    AffineMap,
    Summary,
    mapped,
    quantile,
    unit_map,
    within,
)

NONE = Summary(math.nan, math.nan, math.nan, math.nan)
UNIFORM = Summary(5.0, 10 / math.sqrt(12), 0.0, 10.0)
EDGES = np.arange(1.0, 10.0)
TENTHS = np.full(10, 0.1)


@given(st.floats(0.2, 5), st.floats(-20, 20))
def test_of_evenly_spread_values_the_map_is_exact(factor: float, offset: float) -> None:
    expected = np.clip((EDGES - offset) / factor / 10, 0, 1)
    found = mapped(TENTHS, EDGES, UNIFORM, AffineMap(factor, offset))
    assert np.cumsum(found)[:-1] == pytest.approx(expected)
    assert found.sum() == pytest.approx(1)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12).filter(any))
def test_the_identity_changes_nothing(counts: list[int]) -> None:
    p = np.array(counts) / sum(counts)
    edges = np.arange(1.0, len(counts))
    extent = Summary(1.0, 1.0, -1.0, len(counts) + 1.0)
    assert mapped(p, edges, extent, AffineMap()) == pytest.approx(p)


def test_a_value_with_a_bin_of_its_own_stays_one_value() -> None:
    """Half of the rows are 0, half lie evenly in [0, 10): times 1000 the zeros stay zeros."""
    edges = np.array([0.0, math.nextafter(0, 1), 5.0])
    extent = Summary(2.5, 3.2, 0.0, 10.0)
    found = mapped(np.array([0.0, 0.5, 0.25, 0.25]), edges, extent, AffineMap(1000.0))
    assert found == pytest.approx(np.array([0, 0.5, 0.00025, 0.49975]))
    moved = mapped(np.array([0.0, 0.5, 0.25, 0.25]), edges, extent, AffineMap(offset=6.0))
    assert moved == pytest.approx(np.array([0, 0, 0, 1]))


def test_without_extremes_open_bins_end_at_the_outer_edges() -> None:
    found = mapped(np.array([0.2, 0.6, 0.2]), np.array([0.0, 1.0]), NONE, AffineMap(offset=0.5))
    assert found == pytest.approx(np.array([0.0, 0.5, 0.5]))


def test_quantiles_lie_on_the_line() -> None:
    assert quantile(TENTHS, EDGES, UNIFORM, 0.25) == pytest.approx(2.5)
    assert quantile(TENTHS, EDGES, UNIFORM, 0.5) == pytest.approx(5)


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_found(unit: AffineMap) -> None:
    random = np.random.default_rng(6)
    before = random.gamma(9, 7, 100_000)
    now = unit.offset + unit.factor * random.gamma(9, 7, 2_000)
    found = unit_map(summary(now), summary(before), current_rows=2_000, reference_rows=100_000)
    assert found == unit


@pytest.mark.parametrize(
    "values", [lambda x: x + 40, lambda x: 63 + 3 * (x - 63), lambda x: 1.3 * x, lambda x: x * 0]
)
def test_what_is_no_unit_is_none(values: "np.ufunc") -> None:
    random = np.random.default_rng(7)
    before, now = random.gamma(9, 7, 100_000), values(random.gamma(9, 7, 2_000))
    rows = {"current_rows": 2_000, "reference_rows": 100_000}
    assert unit_map(summary(now), summary(before), **rows) is None


def test_without_moments_no_unit_is_told() -> None:
    assert unit_map(NONE, UNIFORM, current_rows=5, reference_rows=5) is None
    assert unit_map(UNIFORM, NONE, current_rows=5, reference_rows=5) is None


def test_within_asks_both_ends() -> None:
    assert within(UNIFORM, UNIFORM, AffineMap())
    assert within(Summary(5, 1, -1.0, 11.0), UNIFORM, AffineMap())
    assert not within(Summary(5, 1, -1.1, 10.0), UNIFORM, AffineMap())
    assert not within(Summary(5, 1, 0.0, 11.1), UNIFORM, AffineMap())
    assert not within(NONE, UNIFORM, AffineMap())


@pytest.mark.parametrize(("factor", "offset"), [(0.0, 0.0), (-1.0, 0.0), (1.0, math.inf)])
def test_what_is_no_map_is_refused(factor: float, offset: float) -> None:
    with pytest.raises(ValueError, match="factor above 0"):
        AffineMap(factor, offset)


def test_an_inverse_leads_back() -> None:
    back = AffineMap(1.8, 32).inverse
    assert back.offset + back.factor * 212 == pytest.approx(100)


def summary(values: "np.typing.NDArray[np.float64]") -> Summary:
    return Summary(values.mean(), values.std(), values.min(), values.max())
