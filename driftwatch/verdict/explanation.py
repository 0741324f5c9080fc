"""One plain sentence on what a flagged feature shows, with where to look next.

It is made of counts, means and deviations. No level, and no limit of a bin, enters it unless
`show_levels` allows that: levels are private.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from driftwatch.stats.affine import AffineMap, Summary
from driftwatch.stats.axis import Axis, NumericAxis
from driftwatch.stats.kind import Change, ChangeKind

_SHOWN = 3
_LONGEST_LABEL = 40


class NextStep(StrEnum):
    """Where to look next: a closed list, so that it may become a label."""

    DATA = "data"
    MODEL = "model"
    RETRIEVAL_OR_PROMPT = "retrieval_or_prompt"
    WORKFLOW = "workflow"


_PLACES = {step: step.value.replace("_", " ") for step in NextStep}


@dataclass(frozen=True, slots=True)
class Explanation:
    sentence: str
    next_step: NextStep


@dataclass(frozen=True, slots=True)
class Finding:
    """One flagged feature: its change, rows per cell of its axis now and in the reference, and the
    summaries of its finite values (None: it has none). ValueError if the counts do not fit the axis
    or a side has no rows."""

    feature: str
    change: Change
    axis: Axis
    current: tuple[int, ...]
    reference: tuple[int, ...]
    summaries: tuple[Summary, Summary] | None = None

    def __post_init__(self) -> None:
        if not len(self.current) == len(self.reference) == self.axis.cells:
            raise ValueError(
                f"an axis of {self.axis.cells} cells needs so many counts on each side"
            )
        if not (sum(self.current) and sum(self.reference)):
            raise ValueError("without rows on both sides there is nothing to explain")
        if any(not 0 <= cell < self.axis.cells for cell in self.change.cells):
            raise ValueError(f"the change is carried by cells that the axis has not: {self.change}")

    def shares(self, cells: Sequence[int]) -> tuple[float, float]:
        """Which share of all rows the cells hold, now and in the reference."""
        now, before = (sum(side[cell] for cell in cells) for side in (self.current, self.reference))
        return now / sum(self.current), before / sum(self.reference)

    def gained(self) -> tuple[int, ...]:
        """Those of the cells that carry the change whose share grew, strongest first."""
        return tuple(c for c in self.change.cells if self.shares([c])[0] > self.shares([c])[1])


def explain(
    finding: Finding,
    *,
    show_levels: bool = False,
    made_by_prompt: bool = False,
    driver: tuple[str, float] | None = None,
) -> Explanation:
    """What the feature shows, in one sentence.

    show_levels: whether up to three levels, or limits of bins, may be named; made_by_prompt:
    whether retrieval or a prompt makes this column (a length, a similarity): then a change that is
    no defect of the data is looked for there; driver: of a prediction, the flagged input that
    explains most of its change, and how much (0..1): then that one is looked at. ValueError for a
    kind that no feature's counts show; see `explain_volume` and `explain_prediction`.

    >>> change = Change(ChangeKind.MISSING_DATA, 0.99, None, 0.0, (3,))
    >>> axis = NumericAxis((0.0, 60.0))
    >>> explain(Finding("dep_delay", change, axis, (5, 40, 4, 51), (10, 80, 8, 2))).sentence
    'dep_delay: 51 % of rows are missing (reference 2 %); the other bins keep their shape; \
look at the data: the pipeline before the model.'
    """
    kind = finding.change.kind
    if kind not in _WORDS:
        raise ValueError(f"the counts of a feature do not show {kind.value}")
    words, hint, step = _WORDS[kind]
    if made_by_prompt and kind not in _DEFECTS:
        step, hint = NextStep.RETRIEVAL_OR_PROMPT, "what they were given, and which version ran"
    said = words(finding, _named(finding) if show_levels else "")
    if driver is not None:
        said = f"{said}, and {driver[0]} explains {_percent(driver[1])} of it"
        if kind not in _DEFECTS:
            step, hint = NextStep.DATA, f"what moved {driver[0]}"
    return _explanation(finding.feature, said, step, hint)


def explain_volume(rows: int, times: float) -> Explanation:
    """times: rows over the median window of the reference.

    >>> explain_volume(1200, 0.25).sentence
    'volume: 1,200 rows are 0.25 times the median window of the reference; \
look at the workflow: who sends rows, and whether all of them arrive.'
    """
    said = f"{rows:,} rows are {times:.3g} times the median window of the reference"
    hint = "who sends rows, and whether all of them arrive"
    return _explanation("volume", said, NextStep.WORKFLOW, hint)


def explain_prediction(
    finding: Finding, *, explained: float | None, show_levels: bool = False
) -> Explanation:
    """A prediction that moved while no flagged input explains it. explained: the largest explained
    share of an input (0..1), None where there are no joint counts: then no input is flagged.

    >>> change = Change(ChangeKind.LOCATION, 0.9, None, 0.0, (0,))
    >>> score = Finding("score", change, NumericAxis((0.5, 0.7)), (5, 10, 85, 0), (50, 40, 10, 0))
    >>> explain_prediction(score, explained=0.08).sentence
    'score: values moved up, and no flagged input explains more than 8 % of it; look at the model: \
its version and serving, or an input that is not watched.'
    """
    words, _, _ = _WORDS[finding.change.kind]
    said = words(finding, _named(finding) if show_levels else "")
    said = (
        f"{said}, and no input is flagged"
        if explained is None
        else (f"{said}, and no flagged input explains more than {_percent(explained)} of it")
    )
    hint = "its version and serving, or an input that is not watched"
    return _explanation(finding.feature, said, NextStep.MODEL, hint)


def _explanation(feature: str, said: str, step: NextStep, hint: str) -> Explanation:
    return Explanation(f"{feature}: {said}; look at the {_PLACES[step]}: {hint}.", step)


def _missing(finding: Finding, _: str) -> str:
    said = f"{_hold(finding, [finding.axis.missing], 'of rows are missing')}"
    cells = "bins" if isinstance(finding.axis, NumericAxis) else "levels"
    if sum(finding.current) == finding.current[finding.axis.missing]:
        return said
    if finding.change.second is None:
        return f"{said}; the other {cells} keep their shape"
    return f"{said}; the other {cells} changed, too"


def _unseen(finding: Finding, _: str) -> str:
    now, before = finding.shares(finding.change.cells)
    return f"levels unseen in the reference hold {_percent(now)} of rows ({_before(before)})"


def _unit(finding: Finding, _: str) -> str:
    return f"values are {_map_words(finding.change.unit or AffineMap())} those of the reference"


def _map_words(unit: AffineMap) -> str:
    """
    >>> [_map_words(one) for one in (AffineMap(1000), AffineMap(1 / 60), AffineMap(1.8, 32))]
    ['1000 times', '1/60 of', '1.8 times (and 32 more than)']
    """
    times = f"{unit.factor:.6g} times" if unit.factor >= 1 else f"1/{1 / unit.factor:.6g} of"
    if not unit.offset:
        return times
    more = f"{abs(unit.offset):.4g} {'more' if unit.offset > 0 else 'less'} than"
    return more if unit.factor == 1 else f"{times} (and {more})"


def _location(finding: Finding, _: str) -> str:
    pair = finding.summaries
    if pair and pair[0].known and pair[1].known:
        way = "up" if pair[0].mean > pair[1].mean else "down"
        mean, before = _number(pair[0].mean), _number(pair[1].mean)
        return f"values moved {way}: their mean is {mean} (reference {before})"
    return f"values moved {'up' if _moved_up(finding) else 'down'}"


def _moved_up(finding: Finding) -> bool:
    """Whether a current value more often exceeds one of the reference than the reverse."""
    now, before = (np.array(side[:-1], float) for side in (finding.current, finding.reference))
    below = np.cumsum(before) - before
    above = before.sum() - before - below
    return bool(now @ (below - above) > 0)


def _spread(finding: Finding, _: str) -> str:
    pair = finding.summaries
    if pair and pair[0].known and pair[1].known:
        now, before = (one.standard_deviation for one in pair)
        way = "wider" if now > before else "narrower"
        numbers = f"{_number(now)} (reference {_number(before)})"
        return f"values spread {way}: their standard deviation is {numbers}"
    return "values spread otherwise about the same middle"


def _tail(finding: Finding, _: str) -> str:
    cells = finding.gained()
    return f"{_hold(finding, cells, 'of rows lie far out')}; the inner bins keep their shape"


def _spike(finding: Finding, named: str) -> str:
    cell = finding.change.cells[0]
    now, before = finding.shares([cell])
    what = "one level"
    if isinstance(finding.axis, NumericAxis):
        ends = {0: "the lowest bin", len(finding.axis.edges): "the highest bin"}
        what = ends.get(cell, "one bin")
    what += f", {named}," if named else ""
    return f"{what} holds {_percent(now)} of rows ({_before(before)}); the others keep their shape"


def _mix(finding: Finding, named: str) -> str:
    cells = finding.gained() or finding.change.cells
    now, before = finding.shares(cells)
    one, many = ("bin", "bins") if isinstance(finding.axis, NumericAxis) else ("level", "levels")
    count = f"1 {one} that" if len(cells) == 1 else f"{len(cells)} {many} that"
    verb = "gained" if now > before else "lost"
    verb += f", {named}," if named else ""
    holds = "holds" if len(cells) == 1 else "hold"
    return f"the mix shifted: {count} {verb} {holds} {_percent(now)} of rows ({_before(before)})"


def _named(finding: Finding) -> str:
    """The labels of the cells that a sentence is about, as quoted text of bounded length."""
    labels = finding.axis.labels()
    cells = finding.gained() or finding.change.cells
    shown = [json.dumps(_short(labels[cell]), ensure_ascii=False) for cell in cells[:_SHOWN]]
    more = f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else ""
    return ", ".join(shown) + more


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def _hold(finding: Finding, cells: Sequence[int], what: str) -> str:
    now, before = finding.shares(cells)
    return f"{_percent(now)} {what} ({_before(before)})"


def _before(share: float) -> str:
    return f"reference {_percent(share)}"


def _percent(share: float) -> str:
    """Whole percent, tenths where whole ones would hide that something is there or left.

    >>> [_percent(share) for share in (0, 0.0001, 0.004, 0.51, 0.996, 0.99999, 1)]
    ['0 %', 'under 0.1 %', '0.4 %', '51 %', '99.6 %', 'over 99.9 %', '100 %']
    """
    if 0 < share < 0.0005:
        return "under 0.1 %"
    if 0.9995 < share < 1:
        return "over 99.9 %"
    fine = 0 < share < 0.0095 or 0.9905 < share < 1
    return f"{100 * share:.1f} %" if fine else f"{100 * share:.0f} %"


def _number(value: float) -> str:
    """Three significant digits, whole numbers from 1,000 on.

    >>> [_number(x) for x in (0.012345, 20.04, 24312.7, 0.0, -3.5e12)]
    ['0.0123', '20', '24,313', '0', '-3.5e+12']
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


_Words = Callable[[Finding, str], str]
"""Of a finding and the labels of the cells that it is about, "" where they may not be named."""
_WORDS: dict[ChangeKind, tuple[_Words, str, NextStep]] = {
    ChangeKind.MISSING_DATA: (_missing, "the pipeline before the model", NextStep.DATA),
    ChangeKind.UNSEEN_CATEGORY: (
        _unseen,
        "new or renamed levels, which the model never learned",
        NextStep.DATA,
    ),
    ChangeKind.UNIT_OR_SCALE: (_unit, "a unit or scale that changed upstream", NextStep.DATA),
    ChangeKind.SPIKE: (
        _spike,
        "a default value that is filled in upstream, or outliers of one kind",
        NextStep.DATA,
    ),
    ChangeKind.TAIL: (_tail, "outliers, and where they come from", NextStep.DATA),
    ChangeKind.LOCATION: (
        _location,
        "whether it still holds for such values",
        NextStep.MODEL,
    ),
    ChangeKind.SPREAD: (_spread, "whether it still holds for such values", NextStep.MODEL),
    ChangeKind.MIX_SHIFT: (_mix, "who or what is served now", NextStep.WORKFLOW),
}
_DEFECTS = (ChangeKind.MISSING_DATA, ChangeKind.UNSEEN_CATEGORY, ChangeKind.UNIT_OR_SCALE)
