"""What must fit together in time: pane, windows, zone, ages, start, the timestamp's format."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.config.reading import Reading
from driftwatch.config.reference import check_aligned
from driftwatch.config.shape import DAY, MINUTE, MonitorShape, TimestampShape
from driftwatch.window import Calendar, format_duration, to_epoch

EPOCH_FORMATS = ("epoch_s", "epoch_ms")
"""Timestamps that are integers: seconds or milliseconds since 1970-01-01 UTC."""

_PANES = (60 * MINUTE, 30 * MINUTE, 15 * MINUTE, 5 * MINUTE)
"""Those that are proposed where a zone has no whole hours."""


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
        _check_widen(reading, problems)
    if reading.sound("catch_up") and shape.catch_up % shape.pane:
        _tell_multiple(reading.at("catch_up", "pane"), "catch_up", shape.catch_up, shape, problems)
    if reading.sound("recheck"):
        _check_recheck(reading, problems)
    if reading.sound("zone"):
        _check_zone(reading.at("zone"), shape.zone, shape.pane, problems)
    if reading.sound("start") and shape.start is not None:
        check_aligned(reading.at("start"), shape.start, shape.pane, problems)
    if reading.sound("timestamp") and shape.timestamp is not None:
        timestamp = reading.at("timestamp")
        node = timestamp.get("zone") or timestamp
        _check_zone(node, shape.timestamp.zone, shape.pane, problems)
        _check_format(reading, problems)


def recheck_seconds(shape: MonitorShape) -> tuple[int, ...]:
    """The ages that are written, or those of the default ones that are multiples of the pane."""
    if "recheck" in shape.model_fields_set:
        return tuple(shape.recheck)
    return tuple(age for age in shape.recheck if age % shape.pane == 0)


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
        # Both leave the beginnings of days where they are.
        elif shape.zone != "UTC" and reading.sound("zone") and DAY % seconds and seconds % DAY:
            problems.at(
                nodes[i],
                f"a window of {format_duration(seconds)} in {shape.zone}: but for UTC, a window "
                "divides a day or is whole days; write one such as 6h, 12h, 1d or 7d",
            )


def _check_widen(reading: Reading[MonitorShape], problems: Problems) -> None:
    shape = reading.shape
    if shape.widen is None or not reading.sound("widen"):
        return
    if shape.widen % shape.pane:
        _tell_multiple(reading.at("widen"), "widen", shape.widen, shape, problems)
    shortest = min(shape.windows)
    if shape.widen < shortest:
        problems.at(
            reading.at("widen"),
            f"widen ({format_duration(shape.widen)}) is below the shortest window "
            f"({format_duration(shortest)}), so no window could be widened; write a longer one",
        )


def _check_recheck(reading: Reading[MonitorShape], problems: Problems) -> None:
    shape, written = reading.shape, reading.at("recheck")
    if "recheck" not in shape.model_fields_set:
        return
    nodes = written.items or (written,) * len(shape.recheck)
    for node, age in zip(nodes, shape.recheck, strict=True):
        if age % shape.pane:
            _tell_multiple(node, "an age", age, shape, problems)
    if any(early >= late for early, late in pairwise(shape.recheck)):
        problems.at(written, "ages must rise; sort them, each once")


def _check_zone(node: Node, zone: str, pane: int, problems: Problems) -> None:
    """The hours of a zone must begin with a pane."""
    offsets = Calendar(zone).offsets()
    odd = sorted(offset for offset in offsets if offset % pane)
    if odd:
        fitting = [one for one in _PANES if not any(offset % one for offset in offsets)]
        advice = " or ".join(format_duration(one) for one in fitting[:2]) or "less"
        problems.at(
            node,
            f"{zone} is {format_duration(abs(odd[0]))} from UTC, which is not a multiple of the "
            f"pane ({format_duration(pane)}); a pane of {advice} works",
        )


def _check_format(reading: Reading[MonitorShape], problems: Problems) -> None:
    """Text is compared as text, so it must sort as time does and tell panes apart."""
    timestamp = reading.shape.timestamp
    if timestamp is None or timestamp.format is None:
        return
    _check_zone_fits(reading, timestamp, problems)
    if timestamp.format in EPOCH_FORMATS:
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


def _check_zone_fits(
    reading: Reading[MonitorShape], timestamp: TimestampShape, problems: Problems
) -> None:
    """A zone is for timestamps that say none themselves."""
    form = timestamp.format or ""
    says_utc = form in EPOCH_FORMATS or form.endswith(("Z", "%z", "%:z"))
    if says_utc and timestamp.zone != "UTC":
        node = reading.at("timestamp")
        written = node.get("format") or node
        problems.at_key(
            node.get("zone") or node,
            f"timestamps of the format {written.shown()} say UTC themselves; remove zone",
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
