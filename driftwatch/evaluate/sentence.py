"""One plain sentence about a result. It names numbers, never a level or a value of the data."""

import math

from driftwatch.config.settings import (
    CohortReference,
    FileReference,
    ReferenceSettings,
    RollingReference,
    SeasonalReference,
    TableReference,
)
from driftwatch.verdict.judge import Judgement
from driftwatch.verdict.policy import Measure, Policy, Reason, Verdict
from driftwatch.window import Interval

_NAMES = {
    Measure.JS: "JS divergence (nats)",
    Measure.JS_DISTANCE: "JS distance",
    Measure.KL: "KL(current‖reference) (nats)",
    Measure.KL_REVERSE: "KL(reference‖current) (nats)",
    Measure.PSI: "PSI",
    Measure.HELLINGER: "Hellinger distance",
    Measure.TOTAL_VARIATION: "total variation",
    Measure.L_INFINITY: "L-infinity distance",
    Measure.KS: "KS on bins",
    Measure.EFFECT: "effect",
}
_ONLY_A_WARNING = {
    Reason.PREDICTION_STAYS: "a warning, as the prediction stays where it was",
    Reason.AT_MOST_WARNING: "a warning, as is configured",
}
NO_REST = "nearly every row has a version"
"""Why nobody is told any more of rows without one."""

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_CHANGE_OF_CLOCK_SECONDS = 3_600


def drift(
    feature: str,
    judgement: Judgement,
    limits: Policy,
    *,
    rows: int,
    min_rows: int,
    missing: tuple[float, float],
    constant: bool = False,
) -> str:
    """missing: the share of missing rows now and in the reference; constant: the reference holds
    one value, so that any other shows and nothing else can.

    >>> found = Judgement(Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, 0.41, above_clear=True)
    >>> from driftwatch.verdict.policy import FixedThreshold
    >>> drift("delay", found, FixedThreshold(), rows=930, min_rows=100, missing=(0.51, 0.02))
    'delay: JS distance 0.41 reaches critical 0.2 over 930 rows; 51 % missing (reference 2 %)'
    """
    if judgement.reason is Reason.EMPTY_WINDOW:
        return empty(feature)
    if judgement.reason is Reason.TOO_FEW_ROWS:
        return f"{feature}: {rows:,} rows are too few to judge (min_rows is {min_rows:,})"
    if judgement.reason is Reason.NO_REFERENCE:
        return f"{feature}: {rows:,} rows, and none of the reference to compare them with"
    if judgement.reason is Reason.NO_ORDERED_VALUES:
        return f"{feature}: no numeric values in the window, so that KS has nothing to compare"
    value = f"{_NAMES[limits.measure]} {judgement.value:.3g}"
    if limits.measure is Measure.EFFECT:
        value += " sigma"
    found = f"{feature}: {value} {_found(judgement, limits)}"
    note = "; the reference holds one value only" if constant else ""
    return f"{found} over {rows:,} rows{_missing(*missing)}{note}"


def volume(rows: int, judgement: Judgement) -> str:
    """The judgement's value is rows over the median of the reference's own windows.

    >>> volume(1200, Judgement(Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, 0.25, above_clear=True))
    'volume: 1,200 rows are 0.25 times the median window of the reference (critical)'
    """
    if judgement.reason is Reason.EMPTY_WINDOW:
        return "volume: no rows in the window"
    if judgement.reason is Reason.FEW_REFERENCE_WINDOWS:
        return f"volume: {rows:,} rows; the reference holds too few windows of this length"
    flagged = judgement.verdict in (Verdict.WARNING, Verdict.CRITICAL)
    note = f" ({judgement.verdict.value})" if flagged else ""
    times = f"{judgement.value:.3g} times the median window of the reference"
    return f"volume: {rows:,} rows are {times}{note}"


def empty(feature: str) -> str:
    return f"{feature}: no rows in the window"


def not_scanned(feature: str) -> str:
    return (
        f"{feature}: not counted in all of the window (it was added, or could not be read, in the "
        f"middle of it)"
    )


def notes(span: Interval | None, excluded: str) -> str:
    """What is said after a result: on how much a widened window was judged (span: all of it, None
    if it was not widened), and why nobody is told of it ("" if somebody may be).

    >>> notes(None, "black week")
    '; excluded: black week'
    """
    parts = (widened(span) if span else "", f"excluded: {excluded}" if excluded else "")
    return "".join(f"; {part}" for part in parts if part)


def widened(span: Interval) -> str:
    """Where a window reached back to have rows enough.

    >>> from datetime import UTC, datetime
    >>> widened(Interval(datetime(2013, 2, 5, tzinfo=UTC), datetime(2013, 2, 9, tzinfo=UTC)))
    'judged on 4 days'
    """
    return f"judged on {length(span.seconds)}"


def length(seconds: int) -> str:
    """A length in the largest unit that it is a whole number of; whole days though the clock was
    changed in them.

    >>> length(7 * 86400), length(36 * 3600), length(86400)
    ('7 days', '36 hours', '1 day')
    """
    days = round(seconds / 86_400)
    if days > 1 and abs(seconds - days * 86_400) <= _CHANGE_OF_CLOCK_SECONDS:
        seconds = days * 86_400
    unit, of_unit = next(found for found in _UNITS if seconds % found[1] == 0)
    count = seconds // of_unit
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def span(seconds: int) -> str:
    """The same, to be put after "the" or "the first".

    >>> span(7 * 86400), span(86400)
    ('7 days', 'day')
    """
    return length(seconds).removeprefix("1 ")


def reference_words(reference: ReferenceSettings, interval: Interval | None) -> str:
    """What a feature is compared with. interval: the range that was captured, where it is another
    than the configured one.

    >>> reference_words(RollingReference(28 * 86400), None)
    'the 28 days before'
    """
    match reference:
        case RollingReference():
            return f"the {span(reference.seconds)} before"
        case SeasonalReference():
            weeks = "week" if reference.weeks == 1 else f"{reference.weeks} weeks"
            return f"the same hours of the {weeks} before"
        case CohortReference():
            return f"the cohort {reference.where}"
        case TableReference():
            return _relation_words(reference)
        case FileReference():
            return f"the file {reference.path}"
        case _:
            return str(interval or reference)


def _relation_words(reference: TableReference) -> str:
    relation = reference.relation
    if relation.query is not None:
        return relation.table
    name = f"{relation.schema}.{relation.table}" if relation.schema else relation.table
    return f"the table {name}"


def beside(version: str) -> str:
    """A version that is compared with one that serves in the same window.

    >>> beside("v1")
    'version v1, beside it'
    """
    return f"version {version}, beside it"


def before(version: str) -> str:
    """A version that is compared with one that served before it.

    >>> before("v1")
    'version v1, before it'
    """
    return f"version {version}, before it"


def own_reference(seconds: int) -> str:
    """A version that is compared with its own beginning, of so many seconds.

    >>> own_reference(7 * 86400)
    'its own first 7 days'
    """
    return f"its own first {span(seconds)}"


def told_apart_again(column: str) -> str:
    """Of a column by which rows are told apart, which could not be read for a while.

    >>> told_apart_again("country")
    'country: rows are told apart by it again'
    """
    return f"{column}: rows are told apart by it again"


def without_version(interval: str) -> str:
    """What rows without a version are compared with, where there were such rows before.

    >>> without_version("the week before")
    'rows without a version in the week before'
    """
    return f"rows without a version in {interval}"


def not_serving(version: str) -> str:
    """Why nobody is told any more of a version.

    >>> not_serving("v1")
    'version v1 served no rows'
    """
    return f"version {version} served no rows"


def _found(judgement: Judgement, limits: Policy) -> str:
    if judgement.verdict is Verdict.CRITICAL:
        return f"reaches critical {limits.critical:g}"
    if judgement.reason in _ONLY_A_WARNING:
        return f"reaches critical {limits.critical:g} ({_ONLY_A_WARNING[judgement.reason]})"
    if judgement.verdict is Verdict.WARNING:
        return f"reaches warning {limits.warning:g}"
    if judgement.reason is Reason.WITHIN_NOISE:
        if limits.measure is Measure.EFFECT:
            return "is above its limit, but sampling and the reference's own changes could do that"
        return "is above its limit, but sampling alone could do that"
    return "is within its limits"


def _missing(now: float, before: float) -> str:
    if math.isnan(now) or math.isnan(before) or abs(now - before) < 0.01:
        return ""
    return f"; {now:.0%} missing (reference {before:.0%})".replace("%", " %")
