"""What holds for every profile, and that each name is documented."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from driftwatch.compat.profiles import PROFILES
from driftwatch.stats.counts import IntArray
from driftwatch.stats.divergence import divergences, stack
from tests.docs.markdown import DOCS, fences, in_code, tables
from tests.stats.draws import count_pairs

PAGE = DOCS / "reference" / "compat.md"
OF_DISTRIBUTIONS = sorted(set(PROFILES) - {"scipy_chi2_p_value"})


def figure(name: str, current: IntArray, reference: IntArray) -> float:
    return float(PROFILES[name](current[np.newaxis], reference[np.newaxis])[0])


def test_every_profile_is_documented_and_nothing_else_is() -> None:
    rows = tables(PAGE)["The profiles"]
    assert [in_code(row[0])[0] for row in rows] == list(PROFILES)


def test_the_figures_of_the_page_are_right() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (example,) = fences(PAGE, "python")
    named: dict[str, Any] = {}
    exec(example, named)
    current, reference = named["current"], named["reference"]
    stated = re.findall(r"# array\(\[([\d.]+)\]\)", example)
    assert PROFILES["evidently_kl_levels"](current, reference) == pytest.approx(
        float(stated[0]), abs=5e-9
    )
    ours = divergences(current, reference)
    sentence = text[text.index('"JS above 0.1"') :].split("\n\n")[0]
    assert [float(one) for one in re.findall(r"\d\.\d{4}", sentence)] == pytest.approx(
        [
            PROFILES["tfdv_js"](current, reference)[0],
            ours.js[0],
            PROFILES["evidently_js_distance"](current, reference)[0],
            ours.js_distance[0],
        ],
        abs=5e-5,
    )
    assert f"{math.log(2) ** -0.5:.4f} times" in text
    assert f"0..{math.log(2) ** 0.5:.4f} " in text


def test_profiles_are_in_the_order_of_their_names() -> None:
    assert list(PROFILES) == sorted(PROFILES)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in PROFILES)


@pytest.mark.parametrize("name", PROFILES)
class TestEach:
    @settings(max_examples=30)  # of each of the profiles
    @given(pair=count_pairs())
    def test_it_is_a_number_and_not_negative(
        self, name: str, pair: tuple[IntArray, IntArray]
    ) -> None:
        assert figure(name, *pair) >= 0

    @settings(max_examples=30)
    @given(one=count_pairs(), other=count_pairs())
    def test_features_of_different_widths_do_not_touch_each_other(
        self, name: str, one: tuple[IntArray, IntArray], other: tuple[IntArray, IntArray]
    ) -> None:
        current, cells = stack([one[0], other[0]])
        reference, _ = stack([one[1], other[1]])
        together = PROFILES[name](current, reference, cells=cells)
        assert together.shape == (2,)
        alone = [figure(name, *one), figure(name, *other)]
        # The sum of a wider row may be taken in another order; a root magnifies that near 0.
        assert together**2 == pytest.approx(np.square(alone), rel=1e-9, abs=1e-13)

    def test_it_is_nan_where_a_side_has_no_rows(self, name: str) -> None:
        none, some = np.array([0, 0, 0]), np.array([3, 0, 5])
        assert np.isnan(figure(name, none, some))
        assert np.isnan(figure(name, some, none))
        assert np.isnan(figure(name, none, none))

    def test_no_features_give_no_numbers(self, name: str) -> None:
        nothing = np.zeros((0, 0), dtype=np.int64)
        assert PROFILES[name](nothing, nothing).shape == (0,)

    def test_what_is_no_count_is_refused(self, name: str) -> None:
        counts = np.array([[3, 4]])
        for wrong in (np.array([[-1, 4]]), np.array([[0.5, 4.0]]), np.array([[3, 4, 5]])):
            with pytest.raises(ValueError, match="counts are"):
                PROFILES[name](wrong, counts)


@pytest.mark.parametrize("name", OF_DISTRIBUTIONS)
class TestEachOfDistributions:
    @settings(max_examples=30)
    @given(pair=count_pairs())
    def test_equals_are_at_zero(self, name: str, pair: tuple[IntArray, IntArray]) -> None:
        counts, _ = pair
        assert figure(name, counts, 3 * counts) ** 2 == pytest.approx(0, abs=1e-14)
        # Yates' correction brings a small difference to nothing, too.
        shifted = np.array([900, 40, 60])
        assert figure(name, shifted, np.array([400, 300, 300])) > 0.1

    def test_one_cell_is_at_zero(self, name: str) -> None:
        assert figure(name, np.array([7]), np.array([9])) == 0
