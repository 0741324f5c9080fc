"""Pages of the detection benchmark: who is in them, and targets that can be missed."""

import numpy as np
import pytest

from benchmarks.detection import accuracy, delay, many, no_drift, power, seasons
from benchmarks.detection.__main__ import PARTS, RESULTS
from benchmarks.detection.page import Page, Target
from benchmarks.detection.peer_scores import PEERS
from benchmarks.detection.regimes import REGIMES
from benchmarks.detection.scored import NAMES, OURS
from benchmarks.detection.worlds import MARGINALS, SHIFTS

WEEK = 168


def tables_of(page: Page) -> list[list[str]]:
    """The first cell of every row of every table."""
    return [
        [line.split(" | ")[0].strip("|* ") for line in text.splitlines() if line.startswith("|")]
        for _, text in page.sections
    ]


@pytest.mark.parametrize("part", PARTS)
def test_the_page_of_each_part_is_committed_and_linked(part: str) -> None:
    page = RESULTS / f"detection-{part}.md"
    assert "| target | measured | met |" in page.read_text("utf-8")
    readme = (RESULTS.parent / "README.md").read_text("utf-8")
    assert f"(results/{page.name})" in readme


def test_without_drift_everybody_is_beside_us() -> None:
    plan = no_drift.Plan((100,), 1, 20, 1, 5, 1_000)
    own, beside = tables_of(no_drift.measure(plan, peers=True, seed=1))
    assert own[2:] == list(MARGINALS)
    assert beside[2:] == list(NAMES)


def test_one_cell_with_too_many_flags_is_a_target_missed() -> None:
    fine = no_drift.Flags(1000, 1, 5)
    plan = no_drift.Plan((100, 300), 1, 1000, 0, 0, 0)
    cells = {(name, rows): fine for name in MARGINALS for rows in plan.rows}
    assert [one.met for one in no_drift.targets(cells)] == [True, True]
    cells["uniform", 300] = no_drift.Flags(1000, 4, 13)
    first, second = no_drift.targets(cells)
    assert (first.met, second.met) == (False, True)
    assert first.measured == "at most 0.40 % (uniform, n = 300)"


def test_seasons_have_a_line_for_each_regime() -> None:
    plan = seasons.Plan(2 * WEEK, 24, 2, 4, 1)
    own, beside = tables_of(seasons.measure(plan, peers=True, seed=1))
    assert own[2:] == beside[2:] == list(REGIMES)


def test_many_features_of_everybody() -> None:
    page = many.measure(many.Plan(1, 10, 5), peers=True, seed=1)
    assert tables_of(page)[0][2:] == [OURS, *PEERS]
    assert len(page.targets) == 2


def test_power_says_where_a_peer_is_better() -> None:
    plan = power.Plan((300,), 1, 100, 10)
    page = power.measure(plan, peers=True, seed=1)
    means, behind, by_shift = tables_of(page)
    assert means[3 : 3 + len(NAMES)] == list(NAMES)
    assert len(by_shift) == 2 + len(SHIFTS)
    better = page.targets[1]
    assert better.met == (behind == [])
    if not better.met:
        assert better.measured.startswith(f"{len(behind) - 2} of 30; ")


def test_a_median_that_is_off_is_a_target_missed() -> None:
    near = accuracy.Effect(truth=0.3, median=0.31, mean=0.31, low=0.2, high=0.4)
    far = accuracy.Effect(truth=0.3, median=0.27, mean=0.31, low=0.2, high=0.4)
    assert near.off == pytest.approx(0.5)
    assert far.off == pytest.approx(1.5)
    assert accuracy.Effect(2.0, 2.1, 2.1, 2.0, 2.2).off == pytest.approx(1.0)


def test_a_shift_of_a_whole_sigma_fires_in_the_first_hour() -> None:
    """However the hour of the week falls; without drift nothing fires."""
    plan = delay.Plan(2 * WEEK, WEEK, 3, WEEK)
    found = delay.delays(plan, np.random.default_rng(2), shift=1.0)
    assert found.alarmed.tolist() == found.flagged.tolist() == [1.0] * 3
    assert found.by_length["1 h"] == 1.0
    assert 1 <= found.by_length["6 h"] <= 6
    assert found.false_per_1000_hours == 0.0


def test_a_page_shows_what_was_missed() -> None:
    page = Page("Title", "About.", (Target("much", "little", met=False),), (("Head", "Text."),))
    assert page.text() == (
        "# Title\n\nAbout.\n\n| target | measured | met |\n| --- | --- | --- |\n"
        "| much | little | **no** |\n\n## Head\n\nText."
    )
