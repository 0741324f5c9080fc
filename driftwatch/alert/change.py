"""One change of an alert, as it is told: the JSON body of a notification and its sentence.

It is made where alerts change and stored before it is sent, so it lives beside the alert. It holds
numbers and the names that the user configured; a level only where `show_levels` allows it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.window import format_duration

PAYLOAD_VERSION = 1
"""Grows when a key changes its meaning or goes; a new key does not change it."""

Payload = Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One change of the state or severity of an alert, at the end of a window.

    since: of firing, the start of the first of the flagged windows that led to it; of resolved, the
    end of the window (or the moment) at which it ended. value is in the unit of `measure` (volume:
    rows over the median of the reference's own windows) and NaN where nothing was judged; threshold
    is the limit of the severity, None where there is none. For kinds no_data and column measure is
    "rows". reason: the word beside the newest verdict, "" without one; widened: on how much was
    judged, where a window was widened; note: why an alert ended that no window ended;
    change, next_step, explanation: the kind of change of a flagged newest window, where to look,
    and both in a sentence, "" else.
    """

    monitor: str
    feature: str
    segment: str
    window_seconds: int
    kind: AlertKind
    state: AlertState
    severity: Severity | None
    since: datetime
    window_end: datetime
    measure: str
    value: float
    threshold: float | None
    rows: int
    reason: str = ""
    widened: str = ""
    note: str = ""
    change: str = ""
    next_step: str = ""
    explanation: str = ""


def payload(change: AlertChange) -> Payload:
    """The JSON object that is posted. (monitor, feature, segment, window, kind, window_end, state)
    names the change: a receiver that sees it twice was sent it twice."""
    return {
        "version": PAYLOAD_VERSION,
        "monitor": change.monitor,
        "feature": change.feature,
        "segment": change.segment,
        "window": format_duration(change.window_seconds),
        "kind": change.kind.value,
        "state": change.state.value,
        "severity": change.severity.value if change.severity else None,
        "since": _iso(change.since),
        "window_end": _iso(change.window_end),
        "measure": change.measure,
        "value": change.value if math.isfinite(change.value) else None,
        "threshold": change.threshold,
        "rows": change.rows,
        "reason": change.reason or None,
        "change": change.change or None,
        "next_step": change.next_step or None,
        "explanation": change.explanation or None,
        "message": message(change),
    }


def encode(body: Payload) -> bytes:
    """The payload as UTF-8 JSON, keys in their order."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def message(change: AlertChange) -> str:
    """The change in one plain sentence.

    >>> from datetime import UTC
    >>> end = datetime(2013, 2, 9, tzinfo=UTC)
    >>> message(AlertChange("delay-model", "dep_delay", "", 86400, AlertKind.DRIFT,
    ...     AlertState.FIRING, Severity.CRITICAL, end, end, "js_distance", 0.5123, 0.2, 930))
    'delay-model: dep_delay drifts (critical) over 1d up to 2013-02-09T00:00:00Z: js_distance \
0.512, limit 0.2, 930 rows.'
    """
    feature = f"{change.feature}[{change.segment}]" if change.segment else change.feature
    over = f"over {format_duration(change.window_seconds)}"
    if change.note:
        end = _iso(change.window_end)
        ended = f"the {change.kind} alert of {feature} {over} ended at {end}"
        return f"{change.monitor}: {ended}: {change.note}."
    severity = f" ({change.severity})" if change.severity else ""
    what = _PHRASES[change.kind, change.state is AlertState.FIRING].format(feature=feature)
    if change.state not in (AlertState.FIRING, AlertState.RESOLVED):
        what = f"the {change.kind} alert of {feature} is {change.state}"
    widened = f" ({change.widened})" if change.widened else ""
    over = f"{over}{widened} up to {_iso(change.window_end)}"
    said = f"{change.monitor}: {what}{severity} {over}: {_numbers(change)}."
    return f"{said} {change.explanation}" if change.explanation else said


_PHRASES = {
    (AlertKind.DRIFT, True): "{feature} drifts",
    (AlertKind.DRIFT, False): "{feature} no longer drifts",
    (AlertKind.VOLUME, True): "the number of rows is unusual",
    (AlertKind.VOLUME, False): "the number of rows is usual again",
    (AlertKind.NO_DATA, True): "{feature} has no data",
    (AlertKind.NO_DATA, False): "{feature} has data again",
    (AlertKind.COLUMN, True): "{feature} is not counted",
    (AlertKind.COLUMN, False): "{feature} is counted again",
}
_OF_ROWS = (AlertKind.NO_DATA, AlertKind.COLUMN)
"""Kinds that no divergence decides."""


def _numbers(change: AlertChange) -> str:
    parts = []
    if change.kind is AlertKind.COLUMN and change.state is AlertState.FIRING and change.reason:
        parts.append(change.reason)
    if change.kind not in _OF_ROWS and change.reason and math.isnan(change.value):
        parts.append(f"the newest window is not judged ({change.reason})")
    if change.kind not in _OF_ROWS and math.isfinite(change.value):
        parts.append(f"{change.measure.replace('volume', 'rows / median')} {change.value:.3g}")
        if change.threshold is not None:
            parts.append(f"limit {change.threshold:g}")
    parts.append(f"{change.rows} rows")
    return ", ".join(parts)


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
