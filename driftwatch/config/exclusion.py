"""Ranges of event time that page nobody and teach nothing."""

from driftwatch.config.column import watched_names
from driftwatch.config.problem import Problems, suggestion
from driftwatch.config.reading import Reading
from driftwatch.config.settings import Exclusion
from driftwatch.config.shape import MonitorShape
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval


def read_exclusions(reading: Reading[MonitorShape], problems: Problems) -> tuple[Exclusion, ...]:
    """Those without a problem; they may overlap."""
    shapes, written = reading.shape.exclude, reading.at("exclude")
    watched = watched_names(reading.node)
    found = []
    for shape, node in zip(shapes, written.items or (), strict=False):
        if shape.start >= shape.end:
            problems.at(node, "from must lie before to (which is the first moment after it)")
            continue
        if shape.feature is not None and watched and shape.feature not in {*watched, VOLUME}:
            place = node.get("feature") or node
            near = suggestion(place.raw, [*watched.values(), VOLUME])
            problems.at(
                place,
                f"{place.shown()} is not watched by monitor {reading.at('name').shown()}; {near}",
            )
        interval = Interval(shape.start, shape.end)
        found.append(Exclusion(interval, shape.reason, shape.feature or ""))
    return tuple(found)
