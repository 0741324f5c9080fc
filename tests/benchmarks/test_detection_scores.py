"""The peers' fast equivalents: worked by hand, and beside scipy's own functions."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.detection.draws import Rows
from benchmarks.detection.peer_scores import (
    ALIBI,
    PEERS,
    Prepared,
    histogram,
    kolmogorov,
    prepared,
    wasserstein,
)
from driftwatch.stats.counts import FloatArray, IntArray

HALVES = np.array([0.0, 0.0, 2.0, 2.0])
"""Mean 1, standard deviation 1."""


def score(name: str, window: Rows, reference: Prepared | IntArray) -> float:
    return float(PEERS[name].scores([window], reference)[0])


def test_wasserstein_by_hand() -> None:
    """Of the window 1, 5 the lower half of the rows moved by 1, the upper by 3: 2 on the mean."""
    assert wasserstein(np.array([1.0, 5.0]), prepared(HALVES)) == pytest.approx(2.0)
    assert wasserstein(np.array([0.0, 2.0]), prepared(HALVES)) == 0.0


def test_wasserstein_divides_by_no_less_than_a_thousandth() -> None:
    assert wasserstein(np.array([1.0]), prepared(np.array([0.0, 0.0]))) == pytest.approx(1000.0)


def test_kolmogorov_by_hand() -> None:
    """At 1 all of the window lies below and half of the reference."""
    assert kolmogorov(np.array([0.5, 1.0]), prepared(HALVES)) == pytest.approx(0.5)
    assert kolmogorov(np.array([0.0, 0.0, 0.0, 2.0]), prepared(HALVES)) == pytest.approx(0.25)
    assert kolmogorov(np.array([-1.0, 2.0, 2.0, 2.0]), prepared(HALVES)) == pytest.approx(0.25)


def drawn(random: np.random.Generator, rows: int, kind: str) -> FloatArray:
    values = random.normal(0.3, 1.0, rows) if kind == "smooth" else random.poisson(2, rows) * 1.0
    return np.sort(values)


@pytest.mark.parametrize("kind", ["smooth", "tied"])
@pytest.mark.parametrize(("n", "m"), [(7, 100), (100, 7), (64, 64), (90, 400)])
def test_distances_are_scipys(kind: str, n: int, m: int) -> None:
    random = np.random.default_rng(n)
    for _ in range(20):
        window, values = drawn(random, n, kind), drawn(random, m, kind)
        reference = prepared(values)
        distance = stats.wasserstein_distance(values, window) / values.std()
        assert wasserstein(window, reference) == pytest.approx(distance, rel=1e-9)
        found = stats.ks_2samp(values, window, method="asymp")
        assert kolmogorov(window, reference) == pytest.approx(found.statistic, abs=1e-12)
        if abs(found.pvalue - 0.05) > 1e-6:
            assert (score(ALIBI, window, reference) > 1) == (found.pvalue < 0.05)
        edges = np.histogram_bin_edges(values, bins="doane")
        assert histogram(window, edges).tolist() == np.histogram(window, edges)[0].tolist()


def test_evidently_counts_few_values_one_by_one() -> None:
    """0.5, 0.5 and 0.25, 0.5, 0.25 (3 was never seen): JS in nats by hand."""
    reference, window = prepared(np.array([1.0, 1.0, 2.0, 2.0])), np.array([1.0, 2.0, 2.0, 3.0])
    q, p = [0.5, 0.5, 0.0], [0.25, 0.5, 0.25]
    js = sum(
        (a * math.log(2 * a / (a + b)) if a else 0) + (b * math.log(2 * b / (a + b)) if b else 0)
        for a, b in zip(p, q, strict=True)
    )
    found = score("Evidently JS", window, reference)
    assert found == pytest.approx(math.sqrt(js / 2))
    psi = 0.25 * math.log(2) + 0.2499 * math.log(2500)
    assert score("Evidently PSI", window, reference) == pytest.approx(psi)


def test_nannyml_has_one_more_bin_for_what_lies_outside() -> None:
    """Nothing of the window lies in the reference's bins: the distance is 1."""
    reference = prepared(np.linspace(0.0, 1.0, 50))
    assert score("NannyML JS", np.array([7.0, 8.0]), reference) == pytest.approx(1.0)


def test_nannyml_learns_its_limit_from_the_references_own_windows() -> None:
    windows = [np.array([0, 4]), np.array([4, 0])]
    reference = np.array([4, 4])
    each = score("NannyML JS", windows[0], reference)
    assert 0 < each < 1
    assert PEERS["NannyML JS"].limit_of(windows, reference) == pytest.approx(each)
    assert PEERS["Evidently JS"].limit_of(windows, reference) == 0.1


def test_levels_of_alibi_detect_are_scipys_chi_square() -> None:
    window, reference = np.array([30, 10, 5]), np.array([200, 150, 30])
    p = stats.chi2_contingency(np.stack([window, reference])).pvalue
    assert score(ALIBI, window, reference) == pytest.approx(0.05 / p)
