"""Half-open UTC intervals, and how panes and windows are aligned."""

from driftwatch.window.calendar import UTC, Calendar, Window
from driftwatch.window.duration import format_duration, parse_duration
from driftwatch.window.interval import ORIGIN, Interval, floor, from_epoch, to_epoch, tumbling

__all__ = [
    "ORIGIN",
    "UTC",
    "Calendar",
    "Interval",
    "Window",
    "floor",
    "format_duration",
    "from_epoch",
    "parse_duration",
    "to_epoch",
    "tumbling",
]
