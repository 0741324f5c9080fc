"""The alert state: a pure machine that windows of one length move forward, and may correct."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from driftwatch.alert.policy import AlertKind, AlertPolicy, AlertState, Severity

_GRADE_OF = {Severity.WARNING: "w", Severity.CRITICAL: "c"}
_FLAGGED_AT_ONCE = frozenset({"W", "C"})
_FLAGGED = _FLAGGED_AT_ONCE.union(_GRADE_OF.values())
_ABOVE_CLEAR = "-"
_CLEAR = "."
_GRADES = frozenset({*_FLAGGED, _ABOVE_CLEAR, _CLEAR})


@dataclass(frozen=True, slots=True, order=True)
class AlertKey:
    """What one alert is about. segment: "" for all rows."""

    monitor: str
    feature: str
    segment: str
    window_seconds: int
    kind: AlertKind


@dataclass(frozen=True, slots=True)
class Mark:
    """What one judged window said. grade: "w" or "c" flagged, "W" or "C" so plainly that one window
    is enough, "-" above clear, "." clear."""

    window_start: datetime
    window_end: datetime
    grade: str

    def __post_init__(self) -> None:
        if self.grade not in _GRADES:
            raise ValueError(f"unknown grade {self.grade!r}; they are {sorted(_GRADES)}")

    @property
    def flagged(self) -> bool:
        return self.grade in _FLAGGED


@dataclass(frozen=True, slots=True)
class Observation:
    """What one window says to an alert.

    window_start: where it really starts, before its nominal start if it was widened. severity: that
    of a flagged window, None of one that is not; above_clear: it would keep a firing alert firing
    (every flagged window does); judged False: the window says nothing, neither for nor against, and
    severity and above_clear are ignored. plain: this window alone is enough to fire, if it is
    flagged. excluded: whatever it says, nobody is to be told, and what
    was said before it is over. cap: the severity is this at most.
    """

    window_start: datetime
    window_end: datetime
    severity: Severity | None
    above_clear: bool
    judged: bool
    excluded: bool = False
    cap: Severity | None = None
    plain: bool = False

    def __post_init__(self) -> None:
        for moment in (self.window_start, self.window_end):
            if moment.tzinfo is None:
                raise ValueError(f"{moment!r} has no time zone; moments are aware and UTC")
        if self.window_start >= self.window_end:
            raise ValueError(f"a window starts before it ends, not at {self.window_start}")

    @property
    def mark(self) -> Mark:
        """What the alert remembers of it, if it was judged."""
        grade = _ABOVE_CLEAR if self.above_clear else _CLEAR
        if self.severity is not None:
            capped = Severity.WARNING in (self.severity, self.cap)
            grade = _GRADE_OF[Severity.WARNING if capped else self.severity]
            grade = grade.upper() if self.plain else grade
        return Mark(self.window_start, self.window_end, grade)


@dataclass(frozen=True, slots=True)
class Phase:
    """A state and since when.

    severity: the highest of the windows that count while pending or firing, None otherwise.
    since: while pending or firing, the start of the first of the flagged windows that led to it;
    otherwise the end of the window (or the moment) at which the state began. fired_at: end of the
    window at which firing began, kept while resolved.
    """

    state: AlertState = AlertState.INACTIVE
    severity: Severity | None = None
    since: datetime | None = None
    fired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What the windows came to that are too old to be judged again.

    marks: the disjoint ones of them that may still count, newest last; until: none of them ends
    later, and no window that ends here or earlier changes anything any more.
    """

    phase: Phase = Phase()
    marks: tuple[Mark, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """All that an alert remembers. state, severity, since, fired_at: see `Phase`.

    window_end: of the newest window that was looked at, judged or not. marks: of the last `of`
    judged windows, which may be judged again, newest last. settled: what was before them.
    """

    state: AlertState = AlertState.INACTIVE
    severity: Severity | None = None
    since: datetime | None = None
    fired_at: datetime | None = None
    window_end: datetime | None = None
    marks: tuple[Mark, ...] = ()
    settled: Settled = Settled()

    @property
    def phase(self) -> Phase:
        return Phase(self.state, self.severity, self.since, self.fired_at)


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert's state or severity, when the newest window ended at `window_end`."""

    window_end: datetime
    from_state: AlertState
    to_state: AlertState
    from_severity: Severity | None
    to_severity: Severity | None


def advance(status: AlertStatus, observation: Observation, policy: AlertPolicy) -> AlertStatus:
    """The status after one more window, or after a window that was judged again.

    A window that ends after all others counts as it comes:

    - One that was not judged changes nothing but `window_end`.
    - Not firing: firing at `k` flagged of the last `of` windows (at once if k = 1, or if the window
      says so plainly); else pending from the first flagged one for as long as one of them counts;
      else inactive.
    - Firing goes on while at least `k` of the last `of` are flagged or above clear (of what fired
      at once: until the next clear window), then resolved.
    - Resolved is left at the next clear or flagged window.
    - One that starts before the end of the newest that counts (it was widened) counts in its place,
      so that only disjoint windows are ever counted.
    - An excluded one ends what goes on, and nothing before it counts any more.

    The severity is the highest of the flagged windows that count; windows that are only above clear
    keep what it was.

    Any other window corrects what it said before. One of the last `of` judged windows, or one
    between them that was not judged before, is put in its place, and the state becomes what it had
    been if all had come so; older ones change nothing. Doing it twice is doing it once. What fired
    and by the correction does not fire is resolved until the next window comes.

    >>> from datetime import UTC, timedelta
    >>> policy, status = AlertPolicy(k=2, of=3), AlertStatus()
    >>> for day in (8, 9):
    ...     start = datetime(2013, 2, day, tzinfo=UTC)
    ...     flagged = Observation(start, start + timedelta(days=1), Severity.WARNING, True, True)
    ...     status = advance(status, flagged, policy)
    ...     print(status.state, "since", status.since.date())
    pending since 2013-02-08
    firing since 2013-02-08
    """
    if status.window_end is not None and observation.window_end <= status.window_end:
        return _correct(status, observation, policy)
    if status.window_end is None:
        status = replace(status, settled=replace(status.settled, until=observation.window_start))
    if observation.excluded:
        return reset(status, observation.window_end)
    if not observation.judged:
        return replace(status, window_end=observation.window_end)
    counted = status.settled.marks
    for mark in (*status.marks, observation.mark):
        counted = _count(counted, mark, policy)
    phase = _step(status.phase, counted, policy)
    marks = (*status.marks, observation.mark)
    return _remembered(phase, observation.window_end, marks, status.settled, policy)


def reset(status: AlertStatus, at: datetime) -> AlertStatus:
    """The status after a change on purpose at `at`: what fires is resolved, what is pending is
    inactive, and no window that ended by `at`, or was looked at before, counts any more."""
    end = at if status.window_end is None else max(at, status.window_end)
    phase = _ended(status.phase, end)
    return _status(phase, end, (), Settled(phase, (), end))


def transition(before: AlertStatus, after: AlertStatus) -> Transition | None:
    """What changed between two statuses of one alert; None if state and severity are the same."""
    if (before.state, before.severity) == (after.state, after.severity):
        return None
    if after.window_end is None:
        raise ValueError("an alert changes at a window, and this status has seen none")
    return Transition(
        window_end=after.window_end,
        from_state=before.state,
        to_state=after.state,
        from_severity=before.severity,
        to_severity=after.severity,
    )


def _correct(status: AlertStatus, observation: Observation, policy: AlertPolicy) -> AlertStatus:
    """A window judged again: the remembered ones are counted anew from what is settled."""
    end, settled = observation.window_end, status.settled
    if settled.until is None or end <= settled.until:
        return status
    marks = tuple(mark for mark in status.marks if mark.window_end != end)
    if observation.excluded:
        before = _settle(settled, (mark for mark in marks if mark.window_end < end), policy)
        settled = Settled(_ended(before.phase, end), (), end)
        marks = tuple(mark for mark in marks if mark.window_end > end)
    elif observation.judged:
        marks = tuple(sorted((*marks, observation.mark), key=lambda mark: mark.window_end))
    if (marks, settled) == (status.marks, status.settled):
        return status
    assert status.window_end is not None, "something was looked at before it is corrected"
    corrected = _settle(settled, marks, policy).phase
    phase = _as_told(status, corrected)
    return _remembered(phase, status.window_end, marks, settled, policy)


def _as_told(status: AlertStatus, corrected: Phase) -> Phase:
    """Whoever was told that it fires is to hear that it does not, whatever should have been."""
    if corrected.state in (AlertState.FIRING, AlertState.RESOLVED):
        return corrected
    if status.state is AlertState.FIRING:
        return _ended(status.phase, status.window_end)
    return status.phase if status.state is AlertState.RESOLVED else corrected


def _ended(phase: Phase, at: datetime | None) -> Phase:
    if phase.state is AlertState.FIRING:
        return Phase(AlertState.RESOLVED, None, since=at, fired_at=phase.fired_at)
    return Phase(since=at) if phase.state is AlertState.PENDING else phase


def _remembered(
    phase: Phase,
    window_end: datetime,
    marks: tuple[Mark, ...],
    settled: Settled,
    policy: AlertPolicy,
) -> AlertStatus:
    """The status with the last `of` windows; older ones are settled."""
    settled = _settle(settled, marks[: -policy.of], policy)
    return _status(phase, window_end, marks[-policy.of :], settled)


def _status(
    phase: Phase, window_end: datetime, marks: tuple[Mark, ...], settled: Settled
) -> AlertStatus:
    return AlertStatus(
        state=phase.state,
        severity=phase.severity,
        since=phase.since,
        fired_at=phase.fired_at,
        window_end=window_end,
        marks=marks,
        settled=settled,
    )


def _settle(settled: Settled, marks: Iterable[Mark], policy: AlertPolicy) -> Settled:
    """What more windows, in their order, come to."""
    for mark in marks:
        counted = _count(settled.marks, mark, policy)
        settled = Settled(_step(settled.phase, counted, policy), counted, mark.window_end)
    return settled


def _count(marks: tuple[Mark, ...], newest: Mark, policy: AlertPolicy) -> tuple[Mark, ...]:
    """The last `of` disjoint windows after one more. One that overlaps the newest stands in its
    place, up to the same end: else windows that are widened ever anew would never count twice."""
    if marks and newest.window_start < marks[-1].window_end:
        last = marks[-1]
        start = last.window_start if last.flagged and newest.flagged else newest.window_start
        marks = (*marks[:-1], Mark(start, last.window_end, newest.grade))
    else:
        marks = (*marks, newest)
    return marks[-policy.of :]


def _step(phase: Phase, marks: tuple[Mark, ...], policy: AlertPolicy) -> Phase:
    """The phase after the newest of the windows that count."""
    state = _next_state(phase.state, "".join(mark.grade for mark in marks), policy)
    severity = _severity(state, marks, before=phase.severity)
    if state is phase.state:
        return replace(phase, severity=severity)
    newest = marks[-1]
    if state is AlertState.FIRING:
        since = next(mark.window_start for mark in marks if mark.flagged)
        return Phase(state, severity, since, fired_at=newest.window_end)
    if state is AlertState.PENDING:
        return Phase(state, severity, newest.window_start)
    fired_at = phase.fired_at if state is AlertState.RESOLVED else None
    return Phase(state, None, newest.window_end, fired_at)


def _next_state(state: AlertState, grades: str, policy: AlertPolicy) -> AlertState:
    flagged = sum(grade in _FLAGGED for grade in grades)
    if state is AlertState.FIRING:
        kept = len(grades) - grades.count(_CLEAR)
        plain = grades[-1] != _CLEAR and not _FLAGGED_AT_ONCE.isdisjoint(grades)
        return AlertState.FIRING if plain or kept >= policy.k else AlertState.RESOLVED
    if grades[-1] in _FLAGGED:
        plain = grades[-1] in _FLAGGED_AT_ONCE
        return AlertState.FIRING if plain or flagged >= policy.k else AlertState.PENDING
    if state is AlertState.PENDING and flagged:
        return AlertState.PENDING
    if state is AlertState.RESOLVED and grades[-1] == _ABOVE_CLEAR:
        return AlertState.RESOLVED
    return AlertState.INACTIVE


def _severity(
    state: AlertState, marks: tuple[Mark, ...], *, before: Severity | None
) -> Severity | None:
    if state not in (AlertState.PENDING, AlertState.FIRING):
        return None
    for severity in (Severity.CRITICAL, Severity.WARNING):
        if any(mark.grade.lower() == _GRADE_OF[severity] for mark in marks):
            return severity
    return before
