"""From changes of alerts to the alerts that somebody would have been told of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.alert.state import AlertKey
from driftwatch.evaluate.alerts import Change
from driftwatch.verdict.policy import VOLUME, Verdict
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """What is judged window after window. segment: "" for all rows."""

    feature: str
    segment: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What one window led to. value: in the unit of its measure, NaN where there is none."""

    window: Interval
    verdict: Verdict
    value: float

    @property
    def flagged(self) -> bool:
        return self.verdict in (Verdict.WARNING, Verdict.CRITICAL)


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert, from the end of the window at which it fired to that at which it ended (None: it
    fires still). severity: the highest that it had; peak: the flagged window that was furthest off,
    None where no value decides."""

    key: AlertKey
    fired_at: datetime
    ended_at: datetime | None
    severity: Severity
    peak: Finding | None = None

    @property
    def series(self) -> Series:
        return Series(self.key.feature, self.key.segment, self.key.window_seconds)


def raised(
    changes: Iterable[Change], findings: Mapping[Series, Sequence[Finding]], *, of: int
) -> list[Raised]:
    """Every alert that fired, in the order in which they did.

    changes: oldest first for each alert; of: how many windows an alert looks at.
    """
    open_: dict[AlertKey, Raised] = {}
    made = []
    for change in changes:
        moved, key = change.transition, change.key
        known = open_.pop(key, None)
        if moved.to_state is AlertState.FIRING:
            severity = moved.to_severity or Severity.WARNING
            if known is None:
                open_[key] = Raised(key, moved.window_end, None, severity)
            else:
                highest = max(known.severity, severity, key=_rank)
                open_[key] = Raised(key, known.fired_at, None, highest)
        elif known is not None:
            made.append(Raised(key, known.fired_at, moved.window_end, known.severity))
    made += open_.values()
    made.sort(key=lambda one: (one.fired_at, one.key))
    return [_with_peak(one, findings.get(one.series, ()), of) for one in made]


def _rank(severity: Severity) -> int:
    return list(Severity).index(severity)


def _with_peak(one: Raised, findings: Sequence[Finding], of: int) -> Raised:
    if one.key.kind not in (AlertKind.DRIFT, AlertKind.VOLUME):
        return one
    since = one.fired_at - timedelta(seconds=of * one.key.window_seconds)
    seen = [
        finding
        for finding in findings
        if finding.flagged
        and since < finding.window.end
        and (one.ended_at is None or finding.window.end < one.ended_at)
    ]
    peak = max(seen, key=lambda finding: _distance(one.key.feature, finding.value), default=None)
    return Raised(one.key, one.fired_at, one.ended_at, one.severity, peak)


def _distance(feature: str, value: float) -> float:
    """How far off; a factor of the volume counts both ways."""
    return max(value, 1 / value) if feature == VOLUME and value > 0 else value
