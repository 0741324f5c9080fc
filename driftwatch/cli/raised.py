"""The alerts that replays raised, oldest first, and which of two policies raised them."""

import math
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from driftwatch.alert.policy import AlertKind
from driftwatch.cli.shown import named
from driftwatch.cli.terminal import STYLES, clean, columns, moment, plural, show
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.raised import Raised
from driftwatch.evaluate.replay import Replay
from driftwatch.window import format_duration

_MOST_ALERTS = 40
"""On a terminal; elsewhere all are listed."""

Line = tuple[str, Raised, MonitorSettings]
"""Who raised it, and by which thresholds."""


def raised_table(console: Console, replays: Sequence[tuple[str, Replay]]) -> None:
    """replays: by their letters. What both raise stands in two lines, one below the other."""
    lines = list(_compared(replays) if len(replays) > 1 else _alone(*replays[0]))
    if not lines:
        show(console, "No alert fires.")
        return
    if len(replays) > 1:
        show(console, _summary(lines, [letter for letter, _ in replays]))
    shown = lines[:_MOST_ALERTS] if console.is_terminal else lines
    table = columns(*["by"] * (len(replays) > 1), "severity", "feature", "from", "to", "peak")
    for by, one, monitor in shown:
        severity = Text(str(one.severity), STYLES[one.severity])
        about = _about(one)
        until = "fires still" if one.ended_at is None else moment(one.ended_at)
        cells = (severity, about, moment(one.fired_at), until, _peak(one, monitor))
        table.add_row(*[by] * (len(replays) > 1), *cells)
    show(console, table)
    if len(shown) < len(lines):
        show(console, f"... and {len(lines) - len(shown):,} more lines; --feature, --from and --to "
                      "choose, and a pipe gets all")  # fmt: skip


def _alone(_: str, replay: Replay) -> Iterator[Line]:
    return (("", one, replay.monitor) for one in replay.raised)


def _compared(replays: Sequence[tuple[str, Replay]]) -> Iterator[Line]:
    (first, mine), (second, other) = replays
    pairs: list[tuple[Raised | None, Raised | None]] = []
    left = list(other.raised)
    for one in mine.raised:
        same = next((two for two in left if _meet(one, two)), None)
        if same is not None:
            left.remove(same)
        pairs.append((one, same))
    pairs += [(None, two) for two in left]
    pairs.sort(key=lambda pair: min(one.fired_at for one in pair if one is not None))
    for a, b in pairs:
        if a is not None:
            yield f"both: {first}" if b else f"{first} only", a, mine.monitor
        if b is not None:
            yield f"both: {second}" if a else f"{second} only", b, other.monitor


def _meet(one: Raised, two: Raised) -> bool:
    """Whether they are about the same, at the same time."""
    if one.key != two.key:
        return False
    before = two.ended_at is not None and two.ended_at <= one.fired_at
    after = one.ended_at is not None and one.ended_at <= two.fired_at
    return not (before or after)


def _summary(lines: Sequence[Line], letters: Sequence[str]) -> str:
    both = sum(by == f"both: {letters[0]}" for by, _, _ in lines)
    alone = (
        f"{letter} alone {sum(by == f'{letter} only' for by, _, _ in lines):,}"
        for letter in letters
    )
    return f"Both raise {plural(both, 'alert')}, {', '.join(alone)}."


def _about(one: Raised) -> str:
    key = one.key
    kind = "" if key.kind in (AlertKind.DRIFT, AlertKind.VOLUME) else f" {key.kind}"
    return f"{clean(named(key.feature, key.segment))} {format_duration(key.window_seconds)}{kind}"


def _peak(one: Raised, monitor: MonitorSettings) -> str:
    """The value that was furthest off, and the window of it."""
    if one.peak is None or not math.isfinite(one.peak.value):
        return ""
    measures = {feature.name: str(feature.threshold.measure) for feature in monitor.features}
    measure = measures.get(one.key.feature, "rows / median")
    start = moment(one.peak.window.start).removesuffix(" 00:00Z")
    return f"{measure} {one.peak.value:.3g} ({start})"
