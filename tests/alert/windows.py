"""Windows in one character each, and what an alert makes of a text of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from driftwatch.alert.policy import AlertPolicy, AlertState, Severity
from driftwatch.alert.state import AlertStatus, Observation, advance

START = datetime(2013, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)

OBSERVED = {
    "c": (Severity.CRITICAL, True, True, False),
    "w": (Severity.WARNING, True, True, False),
    "-": (None, True, True, False),
    ".": (None, False, True, False),
    "?": (None, False, False, False),
    "C": (Severity.CRITICAL, True, True, False),
    "W": (Severity.WARNING, True, True, False),
    "x": (Severity.CRITICAL, True, True, True),
}
"""A window in one character: critical, warning, above clear, clear, not judged; critical and
warning, and so plainly that one is enough; excluded, though it is critical."""

NAMES = {
    "i": (AlertState.INACTIVE, None),
    "p": (AlertState.PENDING, Severity.WARNING),
    "P": (AlertState.PENDING, Severity.CRITICAL),
    "f": (AlertState.FIRING, Severity.WARNING),
    "F": (AlertState.FIRING, Severity.CRITICAL),
    "r": (AlertState.RESOLVED, None),
}
"""A state and its severity in one character; capitals are critical."""

policies = st.integers(1, 5).flatmap(
    lambda of: st.builds(AlertPolicy, k=st.integers(1, of), of=st.just(of))
)


def moment(day: int) -> datetime:
    """The midnight at which the window of this day starts."""
    return START + day * DAY


def observe(day: int, window: str, *, days: int = 1) -> Observation:
    """The window of this day, widened to so many days back from its end."""
    severity, above_clear, judged, excluded = OBSERVED[window]
    return Observation(
        moment(day + 1 - days), moment(day + 1), severity, above_clear, judged, excluded,
        plain=window.isupper(),
    )  # fmt: skip


def history(windows: str, policy: AlertPolicy) -> list[AlertStatus]:
    """The status after each window, one window a day."""
    statuses, status = [], AlertStatus()
    for day, window in enumerate(windows):
        status = advance(status, observe(day, window), policy)
        statuses.append(status)
    return statuses


def states(statuses: list[AlertStatus]) -> str:
    """The states and severities, one character each."""
    names = {name: letter for letter, name in NAMES.items()}
    return "".join(names[status.state, status.severity] for status in statuses)


def grades(status: AlertStatus) -> str:
    """The remembered windows."""
    return "".join(mark.grade for mark in status.marks)
