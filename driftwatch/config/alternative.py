"""A policy in one word of the command line, and the monitor that is judged by it."""

import math
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import MonitorSettings
from driftwatch.config.threshold import CLEAR_RATIO, largest
from driftwatch.verdict.policy import CalibratedThreshold, FixedThreshold, Measure, Policy

GRAMMAR = "MEASURE[:WARNING[,CRITICAL]][@ALPHA][:K/M]"
CONFIGURED = "configured"

_MEASURES = {
    CONFIGURED: None,
    "calibrated": Measure.EFFECT,
    "fixed": Measure.JS_DISTANCE,
    **{str(one): one for one in Measure},
}
_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
_POLICY = re.compile(
    rf"(?P<measure>[a-z_]+)"
    rf"(?::(?=[\d.,])(?P<warning>{_NUMBER})?(?:,(?P<critical>{_NUMBER}))?)?"
    rf"(?:@(?P<alpha>{_NUMBER}))?"
    rf"(?::(?P<k>\d+)/(?P<of>\d+))?"
)
_USUAL: dict[Measure, Policy] = {
    Measure.EFFECT: CalibratedThreshold(),
    Measure.JS_DISTANCE: FixedThreshold(),
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another policy. What is None stays as it is configured; measure None: all thresholds do."""

    measure: Measure | None = None
    warning: float | None = None
    critical: float | None = None
    alpha: float | None = None
    alert: AlertPolicy | None = None

    def of(self, monitor: MonitorSettings) -> MonitorSettings:
        """The monitor by this policy. ValueError: a measure without limits that none of a feature's
        are configured for."""
        features = tuple(
            replace(one, threshold=self.threshold(one.threshold)) for one in monitor.features
        )
        return replace(monitor, features=features, alert=self.alert or monitor.alert)

    def threshold(self, configured: Policy) -> Policy:
        """What takes the place of one that is configured."""
        if self.measure is None:
            return configured
        limits = (self.warning, self.critical)
        if limits == (None, None):
            known = configured if configured.measure is self.measure else _USUAL.get(self.measure)
            if known is None:
                raise ValueError(
                    f"{self.measure} has no usual limits; write them, like {self.measure}:0.1,0.2"
                )
        else:
            clear = round(CLEAR_RATIO * min(one for one in limits if one is not None), 12)
            known = (
                CalibratedThreshold(*limits, clear, _alpha(configured))
                if self.measure is Measure.EFFECT
                else FixedThreshold(self.measure, *limits, clear)
            )
        if isinstance(known, CalibratedThreshold) and self.alpha is not None:
            return replace(known, alpha=self.alpha)
        return known


def alternative(text: str) -> Alternative:
    """What a policy says. ValueError, with the remedy, for what is none.

    >>> alternative("effect:0.1,0.3@0.0001").warning, alternative("configured:1/1").alert
    (0.1, AlertPolicy(k=1, of=1))
    >>> alternative("psi:,0.25")
    Alternative(measure=<Measure.PSI: 'psi'>, warning=None, critical=0.25, alpha=None, alert=None)
    """
    found = _POLICY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no policy; write {GRAMMAR}, like effect:0.1,0.3@0.001:2/3")
    name = found["measure"]
    if name not in _MEASURES:
        near = get_close_matches(name, _MEASURES, n=1)
        there = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(_MEASURES)}"
        raise ValueError(f"{text!r}: no measure is named {name!r}; {there}")
    warning, critical, alpha = (
        None if found[one] is None else float(found[one])
        for one in ("warning", "critical", "alpha")
    )
    try:
        alert = None if found["k"] is None else AlertPolicy(int(found["k"]), int(found["of"]))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    made = Alternative(_MEASURES[name], warning, critical, alpha, alert)
    _check(text, made)
    return made


def written(policy: Policy) -> str:
    """The policy as `alternative` reads it.

    >>> written(CalibratedThreshold()), written(FixedThreshold(critical=None))
    ('effect:0.05,0.2@0.001', 'js_distance:0.1')
    """
    warning = "" if policy.warning is None else f"{policy.warning:g}"
    critical = "" if policy.critical is None else f",{policy.critical:g}"
    alpha = f"@{policy.alpha:g}" if isinstance(policy, CalibratedThreshold) else ""
    return f"{policy.measure}:{warning}{critical}{alpha}"


def _check(text: str, made: Alternative) -> None:
    limits = [one for one in (made.warning, made.critical) if one is not None]
    if made.measure is None and (limits or made.alpha is not None):
        raise ValueError(f"{text!r}: what is configured has limits and alpha of its own; name a "
                         "measure instead, like effect:0.1,0.3@0.001")  # fmt: skip
    if made.measure is None:
        return
    if made.alpha is not None and made.measure is not Measure.EFFECT:
        raise ValueError(f"{text!r}: {made.measure} is a fixed threshold, which knows no alpha")
    if any(math.isinf(one) for one in limits):
        raise ValueError(f"{text!r}: a limit is a finite number")
    if any(one > largest(made.measure) for one in limits):
        raise ValueError(
            f"{text!r}: {made.measure} is at most {largest(made.measure):.6g}, so that the limit "
            "is never reached"
        )
    try:
        if limits or made.alpha is not None:
            made.threshold(FixedThreshold())
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None


def _alpha(configured: Policy) -> float:
    if isinstance(configured, CalibratedThreshold):
        return configured.alpha
    return CalibratedThreshold().alpha
