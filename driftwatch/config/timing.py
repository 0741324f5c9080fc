"""What must fit together in time: pane, windows, reference, start, the timestamp's format."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reading import Reading
from driftwatch.config.shape import DAY, MonitorShape
from driftwatch.window import format_duration, to_epoch

EPOCH_FORMATS = ("epoch_s", "epoch_ms")
"""Timestamps that are integers: seconds or milliseconds since 1970-01-01 UTC."""


def check_timing(reading: Reading[MonitorShape], problems: Problems) -> None:
    """Tell what does not fit. What depends on a value that is wrong itself is left for later."""
    if not reading.sound("pane"):
        return
    shape = reading.shape
    if DAY % shape.pane:
        problems.at(
            reading.at("pane"),
            f"a pane of {format_duration(shape.pane)} does not divide a day; "
            "write one that does, such as 5m, 15m or 1h",
        )
        return
    if reading.sound("windows"):
        _check_windows(reading, problems)
    if reading.sound("catch_up") and shape.catch_up % shape.pane:
        _tell_multiple(reading.at("catch_up", "pane"), "catch_up", shape.catch_up, shape, problems)
    if reading.sound("reference"):
        _check_reference(reading, problems)
    if reading.sound("start") and shape.start is not None:
        _check_aligned(reading.at("start"), shape.start, shape.pane, problems)
    if reading.sound("timestamp"):
        _check_format(reading, problems)


def _tell_multiple(
    node: Node, what: str, seconds: int, shape: MonitorShape, problems: Problems
) -> None:
    problems.at(
        node,
        f"{what} ({format_duration(seconds)}) is not a multiple of the pane "
        f"({format_duration(shape.pane)}); change one of them",
    )


def _check_windows(reading: Reading[MonitorShape], problems: Problems) -> None:
    shape = reading.shape
    node = reading.at("windows", "pane")
    nodes = reading.at("windows").items or (node,) * len(shape.windows)
    for i, seconds in enumerate(shape.windows):
        if seconds % shape.pane:
            _tell_multiple(nodes[i], "a window", seconds, shape, problems)
        if seconds in shape.windows[:i]:
            problems.at(nodes[i], f"{format_duration(seconds)} is written twice; keep one")


def _check_reference(reading: Reading[MonitorShape], problems: Problems) -> None:
    reference, node = reading.shape.reference, reading.at("reference")
    if reference is None:
        return
    if reference.start >= reference.end:
        problems.at(node, "from must lie before to (which is the first moment after it)")
    for key, moment in (("from", reference.start), ("to", reference.end)):
        _check_aligned(node.get(key) or node, moment, reading.shape.pane, problems)


def _check_aligned(node: Node, moment: datetime, pane: int, problems: Problems) -> None:
    if to_epoch(moment) % pane:
        told = f"is not the start of a pane of {format_duration(pane)}; write a multiple of it"
        problems.at(node, f"{node.shown()} {told}")


def _check_format(reading: Reading[MonitorShape], problems: Problems) -> None:
    """Text is compared as text, so it must sort as time does and tell panes apart."""
    timestamp = reading.shape.timestamp
    if timestamp is None or timestamp.format is None or timestamp.format in EPOCH_FORMATS:
        return
    moments = _samples(reading.shape.pane)
    node = reading.at("timestamp").get("format") or reading.at("timestamp")
    if any(
        early >= late for early, late in pairwise(m.strftime(timestamp.format) for m in moments)
    ):
        problems.at(
            node,
            f"{node.shown()} does not sort as time does in steps of a pane; write a format from "
            "year to second such as '%Y-%m-%dT%H:%M:%SZ', or epoch_s or epoch_ms for integers",
        )


def _samples(pane: int) -> list[datetime]:
    """Ascending starts of panes around the borders of hours, half days, days, months, years."""
    borders = [
        datetime(2025, 12, 31, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 10, 12, tzinfo=UTC),
        datetime(2026, 2, 1, 10, tzinfo=UTC),
        datetime(2026, 10, 1, 13, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    ]
    starts = {
        to_epoch(border) // pane * pane + i * pane for border in borders for i in range(-2, 3)
    }
    return [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=s) for s in sorted(starts)]
