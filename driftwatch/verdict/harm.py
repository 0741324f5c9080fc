"""Who is woken: whether a drift that is large enough to be critical does harm."""

from dataclasses import replace
from enum import StrEnum

from driftwatch.stats.kind import ChangeKind
from driftwatch.verdict.judge import Judgement
from driftwatch.verdict.policy import Reason, Verdict

BREAKS = frozenset({ChangeKind.MISSING_DATA, ChangeKind.UNSEEN_CATEGORY, ChangeKind.UNIT_OR_SCALE})
"""Changes that are no drift of the world but a defect of the data, whatever the prediction says."""


class SeverityRule(StrEnum):
    """What a feature's critical limit is worth."""

    BY_HARM = "by_harm"
    """Critical where it does harm, as far as is known; else a warning."""
    BY_LIMIT = "by_limit"
    """Critical wherever the limit is reached."""
    WARNING = "warning"
    """Never more than a warning."""


def weighed(
    judgement: Judgement,
    rule: SeverityRule,
    *,
    change: ChangeKind | None,
    prediction_stays: bool,
) -> Judgement:
    """The judgement of a feature, no more severe than the harm that it does.

    By harm, a critical feature is a warning if the prediction is known to stay where it was, unless
    the data broke (`BREAKS`). prediction_stays: the prediction was judged on the same rows and was
    not flagged; False as well where nothing is known of it: then the limit decides.

    >>> from driftwatch.verdict.policy import Reason, Verdict
    >>> found = Judgement(Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, 0.4, above_clear=True)
    >>> [weighed(found, SeverityRule.BY_HARM, change=kind, prediction_stays=True).verdict.value
    ...  for kind in (ChangeKind.LOCATION, ChangeKind.MISSING_DATA)]
    ['warning', 'critical']
    """
    if judgement.verdict is not Verdict.CRITICAL or rule is SeverityRule.BY_LIMIT:
        return judgement
    if rule is SeverityRule.WARNING:
        return replace(judgement, verdict=Verdict.WARNING, reason=Reason.AT_MOST_WARNING)
    if prediction_stays and change not in BREAKS:
        return replace(judgement, verdict=Verdict.WARNING, reason=Reason.PREDICTION_STAYS)
    return judgement
