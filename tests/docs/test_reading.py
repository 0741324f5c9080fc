"""docs/explanation/reading-a-result.md reads every reason, caveat and kind as the code says it."""

import math

import pytest

from driftwatch.evaluate import sentence
from driftwatch.stats.affine import AffineMap, Summary
from driftwatch.stats.axis import CategoricalAxis, NumericAxis
from driftwatch.stats.calibration import Shortcoming
from driftwatch.stats.effect import js_of_sigmas
from driftwatch.stats.kind import Change, ChangeKind
from driftwatch.stats.probability import LN_2
from driftwatch.verdict.explanation import (
    Finding,
    explain,
    explain_prediction,
    explain_volume,
)
from driftwatch.verdict.judge import DISCOVERY_RATE, PLAIN_P, Judgement
from driftwatch.verdict.policy import (
    CalibratedThreshold,
    FixedThreshold,
    Measure,
    Reason,
    Verdict,
)
from tests.docs.markdown import DOCS, in_code, tables

PATH = DOCS / "explanation" / "reading-a-result.md"
PAGE = tables(PATH)
CALIBRATED = DOCS / "explanation" / "calibrated-verdicts.md"
BY_EFFECT, BY_KS = CalibratedThreshold(), FixedThreshold(Measure.KS)
NUMBERS = NumericAxis((0.0, 1.0, 2.0))
LEVELS = CategoricalAxis(("UA", "AA", "B6", "DL"))


def judged(verdict: Verdict, reason: Reason, value: float, rows: int) -> str:
    found = Judgement(verdict, reason, value, above_clear=False)
    limits = BY_KS if reason is Reason.NO_ORDERED_VALUES else BY_EFFECT
    return sentence.drift("delay", found, limits, rows=rows, min_rows=100, missing=(0, 0))


MESSAGES = {
    reason: judged(verdict, reason, value, rows)
    for reason, verdict, value, rows in (
        (Reason.WITHIN_THRESHOLD, Verdict.OK, 0.02, 930),
        (Reason.WITHIN_NOISE, Verdict.OK, 0.14, 120),
        (Reason.ABOVE_THRESHOLD, Verdict.CRITICAL, 0.41, 930),
        (Reason.PREDICTION_STAYS, Verdict.WARNING, 0.41, 930),
        (Reason.AT_MOST_WARNING, Verdict.WARNING, 0.41, 930),
        (Reason.EMPTY_WINDOW, Verdict.NO_DATA, math.nan, 0),
        (Reason.TOO_FEW_ROWS, Verdict.LEARNING, math.nan, 40),
        (Reason.NO_REFERENCE, Verdict.LEARNING, math.nan, 930),
        (Reason.NO_ORDERED_VALUES, Verdict.NO_DATA, math.nan, 930),
    )
} | {
    Reason.FEW_REFERENCE_WINDOWS: sentence.volume(
        930, Judgement(Verdict.LEARNING, Reason.FEW_REFERENCE_WINDOWS, math.nan, False)
    ),
    Reason.NOT_SCANNED: sentence.not_scanned("delay"),
}


@pytest.mark.parametrize("judged", [True, False])
def test_every_reason_is_read_with_what_is_said_then(judged: bool) -> None:
    rows = PAGE[f"Reasons of what was {'' if judged else 'not '}judged"]
    told = {Reason(in_code(row[0])[0]): row for row in rows}
    grey = {one for one in Reason if list(Reason).index(one) >= _FIRST_GREY}
    assert set(told) == (set(Reason) - grey if judged else grey)
    for reason, (_, example, reading) in told.items():
        assert reading
        assert example
        if reason in MESSAGES:
            assert in_code(example) == [MESSAGES[reason]]


_FIRST_GREY = list(Reason).index(Reason.EMPTY_WINDOW)


def test_every_caveat_is_read() -> None:
    assert sorted(in_code(row[0])[0] for row in PAGE["Caveats"]) == sorted(Shortcoming)


K = ChangeKind
PAIR = (Summary(24.06, 12.0, -9e9, 8e9), Summary(20.0, 8.0, -9e9, 8e9))
NUMERIC = (25, 25, 25, 25, 0)


def numeric(
    kind: ChangeKind,
    current: tuple[int, ...],
    cells: tuple[int, ...],
    *,
    reference: tuple[int, ...] = NUMERIC,
    unit: AffineMap | None = None,
) -> Finding:
    change = Change(kind, 0.9, None, 0.0, cells, unit)
    return Finding("delay", change, NUMBERS, current, reference, PAIR)


def levels(
    kind: ChangeKind, current: tuple[int, ...], reference: tuple[int, ...], cells: tuple[int, ...]
) -> Finding:
    return Finding("carrier", Change(kind, 0.9, None, 0.0, cells), LEVELS, current, reference)


FINDINGS = [
    numeric(K.MISSING_DATA, (12, 12, 12, 13, 51), (4,), reference=(24, 25, 24, 25, 2)),
    levels(K.UNSEEN_CATEGORY, (28, 20, 20, 20, 0, 12, 0), (39, 20, 20, 20, 0, 1, 0), (5,)),
    numeric(K.UNIT_OR_SCALE, (50, 50, 0, 0, 0), (0, 1), unit=AffineMap(1 / 60)),
    numeric(K.SPIKE, (20, 40, 20, 20, 0), (1,)),
    numeric(K.TAIL, (2, 40, 48, 10, 0), (0, 3), reference=(1, 45, 50, 4, 0)),
    numeric(K.LOCATION, (10, 20, 30, 40, 0), (3, 0)),
    numeric(K.SPREAD, (40, 10, 10, 40, 0), (0, 3)),
    levels(K.MIX_SHIFT, (25, 20, 20, 35, 0, 0, 0), (40, 20, 20, 20, 0, 0, 0), (3, 0)),
]


def test_every_kind_of_change_is_told_in_its_sentence() -> None:
    said = {one.change.kind: explain(one).sentence for one in FINDINGS}
    said[K.VOLUME] = explain_volume(1200, 0.25).sentence
    score = Finding(
        "p_late", Change(K.LOCATION, 0.9, None, 0.0, (3,)), NUMBERS, (10, 20, 30, 40, 0), NUMERIC
    )
    said[K.PREDICTION_ONLY] = explain_prediction(score, explained=None).sentence
    rows = PAGE["Kinds of change, and where to look"]
    assert {K(in_code(row[0])[0]): in_code(row[1])[0] for row in rows} == said
    assert set(said) == set(K)


def test_the_rulers_beside_an_effect_are_right() -> None:
    rows = tables(CALIBRATED)["Is it far?"]
    assert rows
    for sigmas, _, js_distance in rows:
        found = math.sqrt(float(js_of_sigmas(float(sigmas))) / LN_2)
        digits = len(js_distance.partition(".")[2])
        assert round(found, digits) == float(js_distance)


def test_the_numbers_of_the_rules_are_those_of_the_code() -> None:
    text = CALIBRATED.read_text("utf-8")
    assert f"{PLAIN_P:.6f} or less" in text
    assert BY_EFFECT.alpha == 0.001
    assert (BY_EFFECT.warning, BY_EFFECT.critical) == (0.05, 0.2)
    lengths, features = 2, 80
    assert "0.00006 or less" in text
    assert round(DISCOVERY_RATE / lengths / features, 5) == 0.00006
