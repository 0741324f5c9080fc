"""Recomputes the figures of docs/explanation/divergences.md."""

import re
from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pytest

from driftwatch.stats.divergence import Divergence, divergences
from driftwatch.stats.noise import noise
from driftwatch.stats.probability import LN_2, js_of_probabilities, kl_of_probabilities
from driftwatch.verdict.policy import Measure
from tests.docs.markdown import DOCS, in_code, tables

PATH = DOCS / "explanation" / "divergences.md"
PAGE = tables(PATH)
GUARD = "Fixed thresholds and their guard"
INFINITE = "Infinite KL, and what smoothing does to it"
WINDOWS, CELLS, REFERENCE_ROWS = 4_000, 20, 100_000


def test_every_measure_has_its_formula() -> None:
    measures = [in_code(row[0])[0] for row in PAGE["The measures"]]
    assert measures == [field.name for field in fields(Divergence)]
    assert set(Measure) - {Measure.EFFECT} <= set(measures)


def test_the_worked_example_is_right() -> None:
    current, reference = np.array([[0.5, 0.3, 0.2]]), np.array([[0.4, 0.4, 0.2]])
    js = float(js_of_probabilities(current, reference)[0])
    values = [
        float(kl_of_probabilities(current, reference)[0]),
        float(kl_of_probabilities(reference, current)[0]),
        js,
        js / LN_2,
        (js / LN_2) ** 0.5,
    ]
    assert [row[1] for row in PAGE["Worked by hand"]] == [f"{value:.10f}" for value in values]


def test_each_direction_has_a_number_of_its_own() -> None:
    (row,) = PAGE["Direction"]
    reference, current = (
        np.array([[float(share) for share in cell.split(" / ")]]) for cell in row[:2]
    )
    found = [
        kl_of_probabilities(current, reference),
        kl_of_probabilities(reference, current),
        js_of_probabilities(current, reference),
    ]
    assert row[2:] == [f"{float(one[0]):.3f}" for one in found]


@pytest.mark.parametrize("row", PAGE[INFINITE], ids=lambda row: str(row[0]))
def test_what_is_finite_by_smoothing_depends_on_the_rows_of_the_reference(row: list[str]) -> None:
    half = int(row[0].replace(",", "")) // 2
    found = divergences(np.array([[400, 400, 200]]), np.array([[half, half, 0]]))
    assert row[1:] == [f"{found.kl[0]:.3f}", f"{found.js_distance[0]:.3f}"]
    assert kl_of_probabilities(np.array([[0.4, 0.4, 0.2]]), np.array([[0.5, 0.5, 0.0]])) == np.inf


@pytest.mark.parametrize("row", PAGE[GUARD], ids=lambda row: str(row[0]))
def test_what_no_drift_looks_like(row: list[str]) -> None:
    stated = [float(cell.removesuffix(" %")) for cell in row]
    rows = int(stated[0])
    rng = np.random.default_rng(2013)
    even = [1 / CELLS] * CELLS
    reference = rng.multinomial(REFERENCE_ROWS, even, size=WINDOWS)
    current = rng.multinomial(rows, even, size=WINDOWS)
    found, floor = divergences(current, reference), noise(current, reference)
    assert float(found.js_distance.mean()) == pytest.approx(stated[1], abs=0.006)
    assert percent(found.js_distance > 0.1) == pytest.approx(stated[2], abs=2)
    assert percent(found.js > floor.expected_js) == pytest.approx(stated[3], abs=2)
    assert percent(found.js > floor.js_guard) == pytest.approx(stated[4], abs=0.3)


def percent(flags: npt.NDArray[np.bool_]) -> float:
    return 100 * float(flags.mean())


def test_edges_from_both_windows_let_one_value_hide_a_drift() -> None:
    rng = np.random.default_rng(2013)
    reference, current = rng.normal(0, 1, 10_000), rng.normal(2, 1, 10_000)
    absurd = np.append(current[1:], 1000.0)
    quantiles = np.quantile(reference, np.arange(1, 20) / 20)
    found = [
        js_distance(current, reference, quantiles),
        js_distance(current, reference, over_both(current, reference)),
        js_distance(absurd, reference, over_both(absurd, reference)),
    ]
    assert js_distance(absurd, reference, quantiles) == pytest.approx(found[0], abs=0.001)
    text = re.sub(r"\s+", " ", PATH.read_text("utf-8"))
    stated = re.search(
        r"JS distance of ([\d.]+) on quantiles .* both windows it is ([\d.]+) as well, "
        r".* then it is ([\d.]+[\d])",
        text,
    )
    assert stated is not None
    assert [float(one) for one in stated.groups()] == [round(one, 2) for one in found]


def over_both(
    current: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    both = np.concatenate([current, reference])
    return np.linspace(both.min(), both.max(), 21)[1:-1]


def js_distance(
    current: npt.NDArray[np.float64],
    reference: npt.NDArray[np.float64],
    edges: npt.NDArray[np.float64],
) -> float:
    counts = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=edges.size + 1)
        for values in (current, reference)
    ]
    return float(divergences(counts[0][np.newaxis], counts[1][np.newaxis]).js_distance[0])
