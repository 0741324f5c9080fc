"""Who is woken: a table of cases."""

import pytest

from driftwatch.stats.kind import ChangeKind
from driftwatch.verdict.harm import BREAKS, SeverityRule, weighed
from driftwatch.verdict.judge import Judgement
from driftwatch.verdict.policy import Reason, Verdict

R = SeverityRule


def judgement(verdict: Verdict) -> Judgement:
    return Judgement(verdict, Reason.ABOVE_THRESHOLD, 0.5, above_clear=True, plain=True)


@pytest.mark.parametrize(
    ("rule", "change", "stays", "verdict", "reason"),
    [
        (R.BY_HARM, ChangeKind.LOCATION, True, "warning", "prediction_stays"),
        (R.BY_HARM, None, True, "warning", "prediction_stays"),
        (R.BY_HARM, ChangeKind.LOCATION, False, "critical", "above_threshold"),
        (R.BY_HARM, ChangeKind.MISSING_DATA, True, "critical", "above_threshold"),
        (R.BY_HARM, ChangeKind.UNSEEN_CATEGORY, True, "critical", "above_threshold"),
        (R.BY_HARM, ChangeKind.UNIT_OR_SCALE, True, "critical", "above_threshold"),
        (R.BY_HARM, ChangeKind.SPIKE, True, "warning", "prediction_stays"),
        (R.BY_LIMIT, ChangeKind.LOCATION, True, "critical", "above_threshold"),
        (R.WARNING, ChangeKind.MISSING_DATA, False, "warning", "at_most_warning"),
    ],
)
def test_what_a_critical_limit_is_worth(
    rule: SeverityRule, change: ChangeKind | None, stays: bool, verdict: str, reason: str
) -> None:
    found = weighed(judgement(Verdict.CRITICAL), rule, change=change, prediction_stays=stays)
    assert (found.verdict.value, found.reason.value) == (verdict, reason)
    assert found.above_clear
    assert found.plain, "it fires as soon as it did"


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.WARNING, Verdict.LEARNING])
@pytest.mark.parametrize("rule", R)
def test_nothing_else_is_touched(verdict: Verdict, rule: SeverityRule) -> None:
    before = judgement(verdict)
    found = weighed(before, rule, change=ChangeKind.LOCATION, prediction_stays=True)
    assert found == before


def test_what_breaks_is_no_drift_of_the_world() -> None:
    assert {one.value for one in BREAKS} == {"missing_data", "unseen_category", "unit_or_scale"}
