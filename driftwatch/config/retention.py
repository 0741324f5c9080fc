"""How long each kind of row is kept."""

import math
from itertools import pairwise

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reading import Reading, read
from driftwatch.config.settings import RetentionSettings
from driftwatch.config.shape import DAY, RetentionShape
from driftwatch.window import format_duration

_COUNTS = ("panes", "hours", "days")
_LEAST_PANES = 2 * DAY


def read_retention(node: Node | None, problems: Problems) -> RetentionSettings:
    """The ages, with the default of what is not written or has a problem."""
    if node is None:
        return RetentionSettings()
    reading = read(RetentionShape, node, problems)
    if reading is None:
        return RetentionSettings()
    _check(reading, problems)
    shape = reading.shape
    return RetentionSettings(
        panes_seconds=shape.panes,
        hours_seconds=shape.hours,
        days_seconds=shape.days,
        results_seconds=shape.results,
        evaluations_seconds=shape.evaluations,
        events_seconds=shape.events,
        notifications_seconds=shape.notifications,
    )


def _check(reading: Reading[RetentionShape], problems: Problems) -> None:
    panes = reading.shape.panes
    if reading.sound("panes") and panes is not None and panes < _LEAST_PANES:
        node = reading.at("panes")
        problems.at(node, f"{node.shown()} is too short for late rows; keep panes at least 2d")
    for fine, coarse in pairwise(_COUNTS):
        ages = [getattr(reading.shape, key) for key in (fine, coarse)]
        early, late = (math.inf if age is None else age for age in ages)
        if reading.sound(fine, coarse) and late < early:
            words = ["forever" if age is None else format_duration(age) for age in ages]
            problems.at(
                reading.at(coarse, fine),
                f"{coarse} are kept for {words[1]}, {fine} for {words[0]}: {coarse} are made of "
                f"{fine}; keep them at least as long",
            )
