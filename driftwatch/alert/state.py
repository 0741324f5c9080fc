"""The alert state: a pure machine that disjoint windows of one length move forward."""

from dataclasses import dataclass, replace
from datetime import datetime

from driftwatch.alert.policy import AlertKind, AlertPolicy, AlertState, Severity

_MARK_OF = {Severity.WARNING: "w", Severity.CRITICAL: "c"}
_ABOVE_CLEAR = "-"
_CLEAR = "."
_MARKS = frozenset({*_MARK_OF.values(), _ABOVE_CLEAR, _CLEAR})


@dataclass(frozen=True, slots=True, order=True)
class AlertKey:
    """What one alert is about. segment: "" for all rows."""

    monitor: str
    feature: str
    segment: str
    window_seconds: int
    kind: AlertKind


@dataclass(frozen=True, slots=True)
class Observation:
    """What one window says to an alert.

    severity: that of a flagged window, None of one that is not; above_clear: it would keep a firing
    alert firing (every flagged window does); judged False: the window says nothing, neither for nor
    against, and severity and above_clear are ignored.
    """

    window_end: datetime
    severity: Severity | None
    above_clear: bool
    judged: bool

    def __post_init__(self) -> None:
        if self.window_end.tzinfo is None:
            raise ValueError(f"{self.window_end!r} has no time zone; moments are aware and UTC")

    @property
    def mark(self) -> str:
        """One character for the alert's memory: "w" or "c" flagged, "-" above clear, "." clear."""
        if self.severity is not None:
            return _MARK_OF[self.severity]
        return _ABOVE_CLEAR if self.above_clear else _CLEAR


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """All that an alert remembers.

    severity: the highest of the remembered windows while pending or firing, None otherwise.
    since: end of the window at which `state` began; fired_at: of the one at which firing began,
    kept while resolved; window_end: of the last window that was looked at, judged or not.
    marks: one character per judged window, newest last, see `Observation.mark`.
    """

    state: AlertState = AlertState.INACTIVE
    severity: Severity | None = None
    since: datetime | None = None
    fired_at: datetime | None = None
    window_end: datetime | None = None
    marks: str = ""

    def __post_init__(self) -> None:
        if not _MARKS.issuperset(self.marks):
            raise ValueError(f"unknown marks in {self.marks!r}; they are {sorted(_MARKS)}")


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert's state or severity, at the window that made it."""

    window_end: datetime
    from_state: AlertState
    to_state: AlertState
    from_severity: Severity | None
    to_severity: Severity | None


def advance(status: AlertStatus, observation: Observation, policy: AlertPolicy) -> AlertStatus:
    """The status after one more window; windows come in the order of their ends, and are disjoint.

    - A window that does not end after the last one changes nothing, so that doing it twice is doing
      it once. A window that was not judged changes nothing but `window_end`.
    - Not firing: firing at `k` flagged of the last `of` judged windows (at once if k = 1); else
      pending from the first flagged one for as long as one of them is remembered; else inactive.
    - Firing goes on while at least `k` of the last `of` are flagged or above clear, then resolved.
    - Resolved is left at the next clear or flagged window.

    The severity is the highest of the remembered flagged windows; windows that are only above clear
    keep what it was.

    >>> from datetime import UTC
    >>> policy, status = AlertPolicy(k=2, of=3), AlertStatus()
    >>> for day in (8, 9):
    ...     window_end = datetime(2013, 2, day, tzinfo=UTC)
    ...     flagged = Observation(window_end, Severity.WARNING, above_clear=True, judged=True)
    ...     status = advance(status, flagged, policy)
    ...     print(status.state, status.marks)
    pending w
    firing ww
    """
    if status.window_end is not None and observation.window_end <= status.window_end:
        return status
    if not observation.judged:
        return replace(status, window_end=observation.window_end)
    marks = (status.marks + observation.mark)[-policy.of :]
    state = _next_state(status.state, marks, policy)
    changed = state is not status.state
    return AlertStatus(
        state=state,
        severity=_severity(state, marks, before=status.severity),
        since=observation.window_end if changed else status.since,
        fired_at=_fired_at(state, status, observation, changed=changed),
        window_end=observation.window_end,
        marks=marks,
    )


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


def _next_state(state: AlertState, marks: str, policy: AlertPolicy) -> AlertState:
    flagged = sum(mark in _MARK_OF.values() for mark in marks)
    if state is AlertState.FIRING:
        kept = len(marks) - marks.count(_CLEAR)
        return AlertState.FIRING if kept >= policy.k else AlertState.RESOLVED
    if flagged >= policy.k and marks[-1] in _MARK_OF.values():
        return AlertState.FIRING
    if marks[-1] in _MARK_OF.values():
        return AlertState.PENDING
    if state is AlertState.PENDING and flagged:
        return AlertState.PENDING
    if state is AlertState.RESOLVED and marks[-1] == _ABOVE_CLEAR:
        return AlertState.RESOLVED
    return AlertState.INACTIVE


def _severity(state: AlertState, marks: str, *, before: Severity | None) -> Severity | None:
    if state not in (AlertState.PENDING, AlertState.FIRING):
        return None
    for severity in (Severity.CRITICAL, Severity.WARNING):
        if _MARK_OF[severity] in marks:
            return severity
    return before


def _fired_at(
    state: AlertState, status: AlertStatus, observation: Observation, *, changed: bool
) -> datetime | None:
    if state is AlertState.FIRING:
        return observation.window_end if changed else status.fired_at
    return status.fired_at if state is AlertState.RESOLVED else None
