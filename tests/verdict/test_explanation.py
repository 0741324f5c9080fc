"""The sentence of each kind, and that no level enters it unless it may."""

import math

import pytest

from driftwatch.stats.affine import AffineMap, Summary
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.kind import Change, ChangeKind
from driftwatch.verdict.explanation import (
    Finding,
    NextStep,
    explain,
    explain_prediction,
    explain_volume,
)

NUMBERS = NumericAxis((-7771.0, 0.0, 7772.0))
LEVELS = CategoricalAxis(("Alice", "Bob", "Carol", "Dave"))
K = ChangeKind
EVEN = (250, 250, 250, 250, 0)
OF_LEVELS = (400, 300, 200, 100, 0, 0, 0)
NONE = Summary(math.nan, math.nan, math.nan, math.nan)


def finding(
    kind: ChangeKind,
    cells: tuple[int, ...],
    current: tuple[int, ...],
    *,
    axis: Axis = NUMBERS,
    second: ChangeKind | None = None,
    unit: AffineMap | None = None,
    summaries: tuple[Summary, Summary] | None = None,
) -> Finding:
    reference = EVEN if axis is NUMBERS else OF_LEVELS
    change = Change(kind, 0.9, second, 0.1 if second else 0.0, cells, unit)
    return Finding("x", change, axis, current, reference, summaries)


PAIR = (Summary(24.06, 12.0, -9e9, 8e9), Summary(20.0, 8.04, -9e9, 8e9))

GOLDEN = [
    (
        finding(K.MISSING_DATA, (4,), (12, 12, 12, 13, 51)),
        "x: 51 % of rows are missing (reference 0 %); the other bins keep their shape; "
        "look at the data: the pipeline before the model.",
    ),
    (
        finding(K.MISSING_DATA, (6,), (1, 9, 9, 30, 0, 0, 51), axis=LEVELS, second=K.MIX_SHIFT),
        "x: 51 % of rows are missing (reference 0 %); the other levels changed, too; "
        "look at the data: the pipeline before the model.",
    ),
    (
        finding(K.MISSING_DATA, (4,), (0, 0, 0, 0, 51)),
        "x: 100 % of rows are missing (reference 0 %); "
        "look at the data: the pipeline before the model.",
    ),
    (
        finding(K.UNSEEN_CATEGORY, (5,), (35, 27, 18, 8, 0, 12, 0), axis=LEVELS),
        "x: levels unseen in the reference hold 12 % of rows (reference 0 %); "
        "look at the data: new or renamed levels, which the model never learned.",
    ),
    (
        finding(K.UNIT_OR_SCALE, (3,), (0, 0, 0, 9, 0), unit=AffineMap(1000.0)),
        "x: values are 1000 times those of the reference; "
        "look at the data: a unit or scale that changed upstream.",
    ),
    (
        finding(K.UNIT_OR_SCALE, (3,), (0, 0, 0, 9, 0), unit=AffineMap(1 / 1.8, -32 / 1.8)),
        "x: values are 1/1.8 of (and 17.78 less than) those of the reference; "
        "look at the data: a unit or scale that changed upstream.",
    ),
    (
        finding(K.LOCATION, (0, 3), (10, 20, 30, 40, 0), summaries=PAIR),
        "x: values moved up: their mean is 24.1 (reference 20); "
        "look at the model: whether it still holds for such values.",
    ),
    (
        finding(K.LOCATION, (0, 3), (40, 30, 20, 10, 0)),
        "x: values moved down; look at the model: whether it still holds for such values.",
    ),
    (
        finding(K.LOCATION, (0, 3), (10, 20, 30, 40, 0), summaries=(NONE, NONE)),
        "x: values moved up; look at the model: whether it still holds for such values.",
    ),
    (
        finding(K.SPREAD, (0, 3), (40, 10, 10, 40, 0), summaries=PAIR),
        "x: values spread wider: their standard deviation is 12 (reference 8.04); "
        "look at the model: whether it still holds for such values.",
    ),
    (
        finding(K.SPREAD, (0, 3), (40, 10, 10, 40, 0)),
        "x: values spread otherwise about the same middle; "
        "look at the model: whether it still holds for such values.",
    ),
    (
        finding(K.TAIL, (3, 0), (30, 15, 15, 40, 0)),
        "x: 70 % of rows lie far out (reference 50 %); the inner bins keep their shape; "
        "look at the data: outliers, and where they come from.",
    ),
    (
        finding(K.SPIKE, (1,), (20, 40, 20, 20, 0)),
        "x: one bin holds 40 % of rows (reference 25 %); the others keep their shape; "
        "look at the data: a default value that is filled in upstream, or outliers of one kind.",
    ),
    (
        finding(K.SPIKE, (0,), (40, 20, 20, 20, 0)),
        "x: the lowest bin holds 40 % of rows (reference 25 %); the others keep their shape; "
        "look at the data: a default value that is filled in upstream, or outliers of one kind.",
    ),
    (
        finding(K.SPIKE, (1,), (30, 50, 15, 5, 0, 0, 0), axis=LEVELS),
        "x: one level holds 50 % of rows (reference 30 %); the others keep their shape; "
        "look at the data: a default value that is filled in upstream, or outliers of one kind.",
    ),
    (
        finding(K.MIX_SHIFT, (3, 0, 2), (10, 30, 25, 35, 0, 0, 0), axis=LEVELS),
        "x: the mix shifted: 2 levels that gained hold 60 % of rows (reference 30 %); "
        "look at the workflow: who or what is served now.",
    ),
    (
        finding(K.MIX_SHIFT, (0,), (10, 40, 30, 20, 0, 0, 0), axis=LEVELS),
        "x: the mix shifted: 1 level that lost holds 10 % of rows (reference 40 %); "
        "look at the workflow: who or what is served now.",
    ),
    (
        finding(K.MIX_SHIFT, (0, 3), (10, 20, 20, 50, 0)),
        "x: the mix shifted: 1 bin that gained holds 50 % of rows (reference 25 %); "
        "look at the workflow: who or what is served now.",
    ),
]


@pytest.mark.parametrize(("found", "sentence"), GOLDEN)
def test_the_sentence_of_each_kind(found: Finding, sentence: str) -> None:
    assert explain(found).sentence == sentence


def test_every_kind_has_a_sentence() -> None:
    told = {found.change.kind for found, _ in GOLDEN}
    assert set(ChangeKind) - told == {K.VOLUME, K.PREDICTION_ONLY}
    assert explain_volume(5, 2.0).next_step is NextStep.WORKFLOW


def test_a_prediction_that_an_input_explains_is_looked_for_there() -> None:
    moved, sentence = next(one for one in GOLDEN if one[0].change.kind is K.LOCATION)
    told = explain(moved, driver=("dep_delay", 0.93))
    assert told.next_step is NextStep.DATA
    assert told.sentence == (
        f"{sentence.partition('; look at')[0]}, and dep_delay explains 93 % of it; "
        "look at the data: what moved dep_delay."
    )
    broken, _ = next(one for one in GOLDEN if one[0].change.kind is K.MISSING_DATA)
    assert explain(broken, driver=("dep_delay", 0.93)).sentence.endswith("before the model.")


def test_a_prediction_that_no_input_explains() -> None:
    moved, sentence = next(one for one in GOLDEN if one[0].change.kind is K.LOCATION)
    said = sentence.partition("; look at")[0]
    told = explain_prediction(moved, explained=None)
    assert told.next_step is NextStep.MODEL
    assert told.sentence == (
        f"{said}, and no input is flagged; "
        "look at the model: its version and serving, or an input that is not watched."
    )
    assert "no flagged input explains more than 8 % of it" in (
        explain_prediction(moved, explained=0.08).sentence
    )


@pytest.mark.parametrize("found", [found for found, _ in GOLDEN])
def test_no_level_and_no_limit_enters_unless_allowed(found: Finding) -> None:
    sentence = explain(found).sentence
    private = [*LEVELS.levels, "7771", "7772", "9e+09", "8e+09", "9,000", "8,000"]
    assert not [text for text in private if text in sentence]


def test_levels_are_named_if_they_may_be() -> None:
    found = finding(K.MIX_SHIFT, (3, 0, 2), (10, 30, 25, 35, 0, 0, 0), axis=LEVELS)
    sentence = explain(found, show_levels=True).sentence
    assert '2 levels that gained, "Dave", "Carol", hold ' in sentence
    assert "Alice" not in sentence
    spike = explain(finding(K.SPIKE, (1,), (20, 40, 20, 20, 0)), show_levels=True).sentence
    assert 'one bin, "[-7771, 0)", holds 40 % of rows (reference ' in spike


def test_named_levels_are_few_short_and_on_one_line() -> None:
    axis = CategoricalAxis(("a\nb", "c" * 500, "d", "e", "f"))
    change = Change(K.MIX_SHIFT, 0.9, None, 0.0, (0, 1, 2, 3))
    found = Finding("x", change, axis, (9, 9, 9, 9, 0, 0, 0, 0), (1, 1, 1, 1, 9, 0, 0, 0))
    sentence = explain(found, show_levels=True).sentence
    assert "\n" not in sentence
    assert '"a\\nb"' in sentence
    assert f'"{"c" * 39}…", "d" and 1 more' in sentence


def test_a_column_made_by_a_prompt_is_looked_for_there_unless_its_data_are_at_fault() -> None:
    moved = finding(K.LOCATION, (0, 3), (10, 20, 30, 40, 0))
    found = explain(moved, made_by_prompt=True)
    assert found.next_step is NextStep.RETRIEVAL_OR_PROMPT
    assert found.sentence.endswith(
        "look at the retrieval or prompt: what they were given, and which version ran."
    )
    missing = finding(K.MISSING_DATA, (4,), (12, 12, 12, 13, 51))
    assert explain(missing, made_by_prompt=True).next_step is NextStep.DATA


def test_what_is_no_finding_is_refused() -> None:
    change = Change(K.SPIKE, 0.9, None, 0.0, (1,))
    with pytest.raises(ValueError, match="5 cells"):
        Finding("x", change, NUMBERS, (1, 2), EVEN)
    with pytest.raises(ValueError, match="without rows"):
        Finding("x", change, NUMBERS, (0,) * 5, EVEN)
    with pytest.raises(ValueError, match="the axis has not"):
        Finding("x", Change(K.SPIKE, 0.9, None, 0.0, (7,)), NUMBERS, EVEN, EVEN)
    with pytest.raises(ValueError, match="do not show volume"):
        explain(finding(K.VOLUME, (), EVEN))
