"""Limits as the file writes them, to policies of verdict."""

import math

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, nearest, suggestion
from driftwatch.config.reading import read, tell_wrong_kind
from driftwatch.config.shape import LimitsShape
from driftwatch.stats.effect import EFFECT_MAX
from driftwatch.verdict.policy import (
    CalibratedThreshold,
    FixedThreshold,
    Measure,
    Policy,
    VolumeThreshold,
)

CLEAR_RATIO = 0.8
"""Where `clear` lies when it is not written: this share of the way up to the lowest limit."""

_LARGEST = {
    Measure.JS: math.log(2),
    Measure.JS_DISTANCE: 1.0,
    Measure.HELLINGER: 1.0,
    Measure.TOTAL_VARIATION: 1.0,
    Measure.L_INFINITY: 1.0,
    Measure.KS: 1.0,
    Measure.EFFECT: EFFECT_MAX,
}


def policy(node: Node, alpha: float, problems: Problems) -> Policy | None:
    """`{effect: {warning: 0.05, critical: 0.2}}` is calibrated at `alpha`, and the same of a
    divergence is a fixed threshold; None when a problem was told."""
    if node.mapping is None:
        tell_wrong_kind(node, "dict_type", problems)
        return None
    known = [str(measure) for measure in Measure]
    strange = [(name, child) for name, child in node.mapping.items() if name not in known]
    for name, child in strange:
        problems.at_key(child, f"unknown measure; {_suggestion(name, known)}")
    if strange:
        return None
    if len(node.mapping) != 1:
        given = " or ".join(node.mapping) or f"one of {', '.join(known)}"
        problems.at(node, f"one measure at a time decides a verdict; keep {given}")
        return None
    ((name, child),) = node.mapping.items()
    return _limited(Measure(name), alpha, child, problems)


def volume_threshold(node: Node, problems: Problems) -> VolumeThreshold | None:
    """`{warning: 2, critical: 4}`, factors from the median; None when a problem was told."""
    reading = read(LimitsShape, node, problems)
    if reading is None or reading.broken:
        return None
    shape = reading.shape
    lowest = _lowest(shape)
    clear = shape.clear or round(1 + CLEAR_RATIO * (lowest - 1), 12)
    try:
        return VolumeThreshold(shape.warning, shape.critical, clear)
    except ValueError as error:
        problems.at(node, f"{error}; write them like {{warning: 2, critical: 4}}")
        return None


def largest(measure: Measure) -> float:
    """What no limit of a measure may exceed: it would never be reached."""
    return _LARGEST.get(measure, math.inf)


def _limited(measure: Measure, alpha: float, node: Node, problems: Problems) -> Policy | None:
    reading = read(LimitsShape, node, problems)
    if reading is None or reading.broken:
        return None
    shape = reading.shape
    most = largest(measure)
    for key in ("warning", "critical"):
        limit = getattr(shape, key)
        if limit is not None and limit > most:
            told = f"is never reached: {measure} is at most {most:.6g}; write a lower limit"
            problems.at(reading.at(key), told)
    clear = shape.clear or round(CLEAR_RATIO * _lowest(shape), 12)
    try:
        if measure is Measure.EFFECT:
            return CalibratedThreshold(shape.warning, shape.critical, clear, alpha)
        return FixedThreshold(measure, shape.warning, shape.critical, clear)
    except ValueError as error:
        problems.at(node, f"{error}; write them like {{warning: 0.1, critical: 0.2}}")
        return None


def _suggestion(word: str, known: list[str]) -> str:
    """The measure that looks most like the word, and those that it abbreviates: `jsd`."""
    meant = [name for name in known if _abbreviates(word.casefold(), name)]
    near = nearest(word, known)
    both = list(dict.fromkeys([*([near] if near else []), *meant]))
    if not both or len(both) > 3:
        return suggestion(word, known)
    return f"did you mean {' or '.join(repr(name) for name in both)}?"


def _abbreviates(word: str, name: str) -> bool:
    """Whether the letters of a short word stand in the name, in their order, from its first on."""
    letters = iter(name)
    return 1 < len(word) <= 4 and word[0] == name[0] and all(one in letters for one in word)


def _lowest(shape: LimitsShape) -> float:
    limits = [limit for limit in (shape.warning, shape.critical) if limit is not None]
    return min(limits, default=math.inf)
