"""One plain sentence about a result. It names numbers, never a level or a value of the data."""

import math

from driftwatch.verdict.judge import Judgement
from driftwatch.verdict.policy import FixedThreshold, Measure, Reason, Verdict

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
}


def drift(
    feature: str,
    judgement: Judgement,
    limits: FixedThreshold,
    *,
    rows: int,
    min_rows: int,
    missing: tuple[float, float],
    constant: bool = False,
) -> str:
    """missing: the share of missing rows now and in the reference; constant: the reference holds
    one value, so that any other shows and nothing else can.

    >>> found = Judgement(Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, 0.41, above_clear=True)
    >>> drift("delay", found, FixedThreshold(), rows=930, min_rows=100, missing=(0.51, 0.02))
    'delay: JS distance 0.41 reaches critical 0.2 over 930 rows; 51 % missing (reference 2 %)'
    """
    if judgement.reason is Reason.EMPTY_WINDOW:
        return empty(feature)
    if judgement.reason is Reason.TOO_FEW_ROWS:
        return f"{feature}: {rows:,} rows are too few to judge (min_rows is {min_rows:,})"
    if judgement.reason is Reason.NO_ORDERED_VALUES:
        return f"{feature}: no numeric values in the window, so that KS has nothing to compare"
    found = f"{feature}: {_NAMES[limits.measure]} {judgement.value:.3g} {_found(judgement, limits)}"
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


def _found(judgement: Judgement, limits: FixedThreshold) -> str:
    if judgement.verdict is Verdict.CRITICAL:
        return f"reaches critical {limits.critical:g}"
    if judgement.verdict is Verdict.WARNING:
        return f"reaches warning {limits.warning:g}"
    if judgement.reason is Reason.WITHIN_NOISE:
        return "is above its limit, but sampling alone could do that"
    return "is within its limits"


def _missing(now: float, before: float) -> str:
    if math.isnan(now) or math.isnan(before) or abs(now - before) < 0.01:
        return ""
    return f"; {now:.0%} missing (reference {before:.0%})".replace("%", " %")
