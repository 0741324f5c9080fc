"""What could be found: sample-size tables, simulation, and its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from driftwatch.stats.detectable import POWER, detectable_effect
from driftwatch.stats.effect import EFFECT_MAX
from tests.stats.test_effect import of_normal, pearson


@pytest.mark.parametrize(("rows", "shift"), [(393, 0.2), (64, 0.5)])
def test_the_contrast_needs_the_rows_of_the_table(rows: int, shift: float) -> None:
    """Cohen, A Power Primer (1992), table 2: t test, 5 %, power 0.8; ranks keep 3/pi of rows."""
    found = detectable_effect(
        current_rows=rows * np.pi / 3,
        reference_rows=rows * np.pi / 3,
        cells=1,
        omnibus_alpha=0.05,
        location_alpha=0.05,
    )
    assert found == pytest.approx(shift, rel=0.02)


@pytest.mark.parametrize(("rows", "shift"), [(785, 0.1), (87, 0.3), (31, 0.5)])
def test_the_omnibus_needs_the_rows_of_the_table(rows: int, shift: float) -> None:
    """Cohen (1992), table 2: chi-square with one degree of freedom, w² N = nt d² as m grows."""
    found = detectable_effect(
        current_rows=rows, reference_rows=1e12, cells=2, omnibus_alpha=0.05, cv2=2.0
    )
    assert found == pytest.approx(shift, rel=0.03)


def test_four_of_five_windows_show_it() -> None:
    random = np.random.default_rng(8)
    rows = 1_000
    shift = detectable_effect(
        current_rows=rows, reference_rows=30 * rows, cells=24, omnibus_alpha=1e-3
    )
    current = random.multinomial(rows, of_normal(float(shift)), size=4_000)
    reference = random.multinomial(30 * rows, of_normal(0.0), size=4_000)
    statistic, freedom = pearson(current, reference)
    p = special.gammaincc(freedom / 2, statistic / 2)
    assert (p <= 1e-3).mean() == pytest.approx(POWER, abs=0.06)


@given(
    st.integers(100, 10**6),
    st.integers(2, 60),
    st.floats(1e-9, 0.1),
    st.floats(1, 100),
    st.floats(0, 2),
)
def test_a_wobbling_reference_hides_more(
    rows: int, cells: int, alpha: float, phi: float, cv2: float
) -> None:
    def needed(phi: float, cv2: float, rows: int = rows, alpha: float = alpha) -> float:
        return float(
            detectable_effect(
                current_rows=rows,
                reference_rows=10 * rows,
                cells=cells,
                omnibus_alpha=alpha,
                phi=phi,
                cv2=cv2,
            )
        )

    assert 0 < needed(1.0, 0.0) <= needed(phi, 0.0) <= needed(phi, cv2) * (1 + 1e-9)
    assert needed(phi, cv2) <= EFFECT_MAX
    assert needed(phi, cv2, rows=2 * rows) <= needed(phi, cv2)
    assert needed(phi, cv2, alpha=alpha / 2) >= needed(phi, cv2)


def test_many_features_at_once_and_those_that_show_nothing() -> None:
    found = detectable_effect(
        current_rows=[600, 600, 0, 600],
        reference_rows=[18_000, 18_000, 18_000, 0],
        cells=[24, 1, 24, 24],
        omnibus_alpha=[4e-4] * 4,
        location_alpha=[1e-4, 0.0, 1e-4, 1e-4],
        location_rms=[1.0, 1.0, 1.0, 3.0],
    )
    assert found[:2].round(3).tolist() == [0.201, EFFECT_MAX]
    assert np.isnan(found[2:]).all()
