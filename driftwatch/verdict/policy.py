"""The words of a verdict, and the policies: calibrated, or a fixed threshold of one divergence."""

from dataclasses import dataclass
from enum import StrEnum

VOLUME = "@volume"
"""The feature that every monitor has: rows per window. Configured features never start with @."""


class Verdict(StrEnum):
    """What was found of one feature in one window. Grey (the last three) is not green."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"
    LEARNING = "learning"
    ERROR = "error"

    @property
    def judged(self) -> bool:
        return self in (Verdict.OK, Verdict.WARNING, Verdict.CRITICAL)


class Reason(StrEnum):
    """Why a verdict is what it is; a closed list, so that it may become a label."""

    WITHIN_THRESHOLD = "within_threshold"
    ABOVE_THRESHOLD = "above_threshold"
    WITHIN_NOISE = "within_noise"
    """Above the threshold, but sampling alone (of volume: the reference's own windows) could do it:
    not flagged."""
    PREDICTION_STAYS = "prediction_stays"
    """Critical by its limit, but the prediction stays where it was and no data broke: a warning."""
    AT_MOST_WARNING = "at_most_warning"
    """Critical by its limit, but the configuration makes it a warning."""
    EMPTY_WINDOW = "empty_window"
    TOO_FEW_ROWS = "too_few_rows"
    NO_REFERENCE = "no_reference"
    NO_ORDERED_VALUES = "no_ordered_values"
    """The measure is KS, and the column has no numeric values in the window."""
    FEW_REFERENCE_WINDOWS = "few_reference_windows"
    NOT_SCANNED = "not_scanned"
    """The column was not counted in (all of) the window."""
    COLUMN_MISSING = "column_missing"
    TYPE_CHANGED = "type_changed"
    UNREADABLE = "unreadable"
    ALL_MISSING = "all_missing"
    TOO_MANY_LEVELS = "too_many_levels"


class Measure(StrEnum):
    """A divergence that a threshold may limit."""

    JS = "js"
    JS_DISTANCE = "js_distance"
    KL = "kl"
    KL_REVERSE = "kl_reverse"
    PSI = "psi"
    HELLINGER = "hellinger"
    TOTAL_VARIATION = "total_variation"
    L_INFINITY = "l_infinity"
    KS = "ks"
    EFFECT = "effect"
    """No divergence: the shift of a normal distribution, in standard deviations, that has the same
    JS (`stats.effect`). What limits it is calibrated; all others are fixed thresholds."""


@dataclass(frozen=True, slots=True)
class CalibratedThreshold:
    """Flagged is what is real and far.

    Real: the p-value of the window, in the light of how the reference's own windows vary, is at
    most `alpha` (shared over the lengths of window), and is a discovery among all features of the
    window. Far: the effect reaches a limit, in equivalent standard deviations. A level that is None
    is never reached. clear: a firing alert ends only when the effect has fallen below it.
    """

    warning: float | None = 0.05
    critical: float | None = 0.2
    clear: float = 0.04
    alpha: float = 0.001

    def __post_init__(self) -> None:
        _check_limits(self.warning, self.critical, self.clear)
        if not 0 < self.alpha <= 0.05:
            raise ValueError(f"alpha lies in (0, 0.05], not {self.alpha}")

    @property
    def measure(self) -> Measure:
        return Measure.EFFECT


@dataclass(frozen=True, slots=True)
class FixedThreshold:
    """Limits of one divergence. A level that is None is never reached.

    clear: a firing alert ends only when the measure has fallen below it.
    """

    measure: Measure = Measure.JS_DISTANCE
    warning: float | None = 0.1
    critical: float | None = 0.2
    clear: float = 0.08

    def __post_init__(self) -> None:
        if self.measure is Measure.EFFECT:
            raise ValueError("an effect is limited by a calibrated threshold")
        _check_limits(self.warning, self.critical, self.clear)


Policy = CalibratedThreshold | FixedThreshold
"""What a feature may be judged by."""


@dataclass(frozen=True, slots=True)
class VolumeThreshold:
    """Limits of a window's rows as a factor from the median of the reference's own windows.

    A factor f is reached at rows >= f x median and at rows <= median / f.
    """

    warning: float | None = 2.0
    critical: float | None = 4.0
    clear: float = 1.8

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.warning, self.critical) if limit is not None]
        if not limits:
            raise ValueError("a threshold needs a warning or a critical limit")
        if any(limit <= 1 for limit in limits) or self.clear <= 1:
            raise ValueError("factors of volume are above 1")
        if limits != sorted(limits) or self.clear > limits[0]:
            raise ValueError("the order must be clear <= warning <= critical")


def _check_limits(warning: float | None, critical: float | None, clear: float) -> None:
    limits = [limit for limit in (warning, critical) if limit is not None]
    if not limits:
        raise ValueError("a threshold needs a warning or a critical limit")
    if any(limit <= 0 for limit in limits) or clear <= 0:
        raise ValueError("limits are positive")
    if limits != sorted(limits):
        raise ValueError(f"warning ({warning}) must not exceed critical ({critical})")
    if clear > limits[0]:
        raise ValueError(f"clear ({clear}) must not exceed the lowest limit ({limits[0]})")
