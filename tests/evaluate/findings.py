"""Results as an evaluation would find them, made by hand."""

from datetime import timedelta
from typing import Any

from driftwatch.alert.policy import Severity
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.alerts import Change, advance_alerts
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.notify import enqueue_changes
from driftwatch.store import monitors, results
from driftwatch.store.engine import Store
from driftwatch.store.results import ResultRow
from driftwatch.verdict.policy import Measure, Reason, Verdict
from tests.evaluate.log import day
from tests.evaluate.world import DAY

_VERDICTS = {
    "c": (Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True),
    "w": (Verdict.WARNING, Reason.ABOVE_THRESHOLD, True),
    "-": (Verdict.OK, Reason.WITHIN_THRESHOLD, True),
    ".": (Verdict.OK, Reason.WITHIN_THRESHOLD, False),
    "?": (Verdict.LEARNING, Reason.TOO_FEW_ROWS, False),
    "0": (Verdict.NO_DATA, Reason.EMPTY_WINDOW, False),
    "!": (Verdict.ERROR, Reason.COLUMN_MISSING, False),
    "/": (Verdict.LEARNING, Reason.NOT_SCANNED, False),
    "n": (Verdict.LEARNING, Reason.NO_REFERENCE, False),
}
"""A result in one character."""


def found(
    number: float,
    word: str,
    feature: str = "x",
    *,
    seconds: int = DAY,
    days: float | None = None,
    cap: Severity | None = None,
    expected: bool = True,
    **changes: Any,
) -> Judged:
    """What was found in the window that ends at this day; days: how far it reaches back."""
    verdict, reason, above_clear = _VERDICTS[word]
    length = timedelta(seconds=seconds) if days is None else timedelta(days=days)
    usual: dict[str, Any] = {
        "monitor": "m",
        "feature": feature,
        "window_seconds": seconds,
        "window_start": day(number) - length,
        "window_end": day(number),
        "rows": 0 if word == "0" else 930,
        "measure": None if feature.startswith("@") else Measure.JS_DISTANCE,
        "value": 0.25 if above_clear else 0.05,
        "threshold_warning": 0.1,
        "threshold_critical": 0.2,
        "verdict": verdict,
        "reason": reason,
        "message": f"{feature} on day {number:g}: {word}",
        "evaluated_at": day(30),
    }
    return Judged(ResultRow(**{**usual, **changes}), (), above_clear, expected=expected, cap=cap)


def history(first: float, words: str, feature: str = "x", **changes: Any) -> list[Judged]:
    """One result a day; the first window ends at day `first`."""
    return [found(first + at, word, feature, **changes) for at, word in enumerate(words)]


def take(
    store: Store, monitor: MonitorSettings, judged: list[Judged], *, notify: bool = True
) -> list[Change]:
    """What an evaluation does with its results."""
    with store.write() as connection:
        monitors.ensure(connection, monitor.name, day(30))
        results.upsert(connection, [one.row for one in judged])
        changes = advance_alerts(
            connection, monitor, judged, day(30), due={one.place for one in judged}
        )
        if notify:
            enqueue_changes(connection, monitor.name, day(30))
    return changes
