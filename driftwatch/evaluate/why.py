"""What kind of change each flagged feature of one window shows, and what is said of it."""

from collections.abc import Sequence
from dataclasses import replace

from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.rows import Case, Why
from driftwatch.stats.affine import Summary
from driftwatch.stats.axis import NumericAxis
from driftwatch.stats.counts import ColumnPanes
from driftwatch.stats.joint import EXPLAINS
from driftwatch.stats.kind import Change, ChangeKind, change_kinds
from driftwatch.stats.moments import moments
from driftwatch.store.explained import ExplainedShare
from driftwatch.verdict.explanation import Finding, explain, explain_prediction
from driftwatch.verdict.harm import BREAKS, weighed
from driftwatch.verdict.judge import Judgement
from driftwatch.verdict.policy import Verdict


def changes(cases: Sequence[Case], judgements: Sequence[Judgement]) -> list[Change | None]:
    """The change of each case that is flagged, None of the others.

    Every feature is looked at by itself: it costs about a millisecond, so it is done for what is
    flagged alone.
    """
    return [
        _change(case) if judgement.flagged else None
        for case, judgement in zip(cases, judgements, strict=True)
    ]


def woken(
    cases: Sequence[Case], judgements: Sequence[Judgement], found: Sequence[Change | None]
) -> list[Judgement]:
    """The judgements as severe as the harm that is done: see `verdict.harm`. The prediction's own
    is left as it is, but for what its configuration says."""
    stays = any(
        case.feature.prediction and judgement.verdict is Verdict.OK
        for case, judgement in zip(cases, judgements, strict=True)
    )
    return [
        weighed(
            judgement,
            case.feature.severity,
            change=change.kind if change else None,
            prediction_stays=stays and not case.feature.prediction,
        )
        for case, judgement, change in zip(cases, judgements, found, strict=True)
    ]


def explained(
    monitor: MonitorSettings,
    cases: Sequence[Case],
    judgements: Sequence[Judgement],
    found: Sequence[Change | None],
    shares: Sequence[ExplainedShare] = (),
) -> list[Why | None]:
    """What is said of each case that is flagged. shares: what each feature explains of the
    prediction's change, where it was counted together with it."""
    inputs = {
        case.feature.name: judgement.flagged
        for case, judgement in zip(cases, judgements, strict=True)
        if not case.feature.prediction and judgement.verdict.judged
    }
    flagged = {name for name, is_flagged in inputs.items() if is_flagged}
    known = {one.feature: one.share for one in shares if one.applicable}
    unexplained = all(share < EXPLAINS for share in known.values())
    alone = bool(inputs) and flagged <= known.keys() and unexplained
    told = [(name, known[name]) for name in sorted(flagged & known.keys())]
    best = max(told, key=lambda one: one[1], default=None)
    return [
        None if change is None else _why(monitor, case, change, alone, best)
        for case, change in zip(cases, found, strict=True)
    ]


def _change(case: Case) -> Change | None:
    (found,) = change_kinds(
        case.panes.cells, case.compared.panes.cells, [case.axis.axis], [_summaries(case)]
    )
    return found


def _why(
    monitor: MonitorSettings,
    case: Case,
    change: Change,
    alone: bool,
    best: tuple[str, float] | None,
) -> Why:
    """alone: whether no input explains the prediction's change; best: the flagged one that explains
    most of it, and how much, None where none is known."""
    finding = Finding(
        case.feature.name,
        change,
        case.axis.axis,
        tuple(case.current.tolist()),
        tuple(case.reference.tolist()),
        _summaries(case),
    )
    if case.feature.prediction and alone and change.kind not in BREAKS:
        most = None if best is None else best[1]
        told = explain_prediction(finding, explained=most, show_levels=monitor.show_levels)
        return Why(replace(change, kind=ChangeKind.PREDICTION_ONLY, second=change.kind), told)
    return Why(
        change,
        explain(
            finding,
            show_levels=monitor.show_levels,
            made_by_prompt=case.feature.made_by_prompt,
            driver=best if case.feature.prediction and best and best[1] >= EXPLAINS else None,
        ),
    )


def _summaries(case: Case) -> tuple[Summary, Summary] | None:
    """Of the finite values now and in the reference; None where a side has none."""
    if not isinstance(case.axis.axis, NumericAxis):
        return None
    pair = _summary(case.panes), _summary(case.compared.panes)
    return pair if all(one.known for one in pair) else None


def _summary(panes: ColumnPanes) -> Summary:
    found = moments(panes)
    return Summary(
        float(found.mean[0]),
        float(found.standard_deviation[0]),
        float(panes.minimum[0]),
        float(panes.maximum[0]),
    )
