"""The alerts that replays raised, oldest first, and which of two policies raised them."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from driftwatch.alert.policy import AlertKind
from driftwatch.cli.shown import named
from driftwatch.cli.terminal import STYLES, clean, columns, moment, plural, show
from driftwatch.evaluate.raised import Raised
from driftwatch.evaluate.replay import Replay
from driftwatch.window import format_duration

_MOST_ALERTS = 40
"""On a terminal; elsewhere all are listed."""

Line = tuple[str, Raised]
"""Who raised it."""


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
    for by, one in shown:
        severity = Text(str(one.severity), STYLES[one.severity])
        about = _about(one)
        until = "fires still" if one.ended_at is None else short(one.ended_at)
        cells = (severity, about, short(one.fired_at), until, _peak(one))
        table.add_row(*[by] * (len(replays) > 1), *cells)
    show(console, table)
    if len(shown) < len(lines):
        show(console, f"... and {len(lines) - len(shown):,} more lines; --feature, --from and --to "
                      "choose, and a pipe gets all")  # fmt: skip


def _alone(_: str, replay: Replay) -> Iterator[Line]:
    return (("", one) for one in replay.raised)


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
            yield f"both: {first}" if b else f"{first} only", a
        if b is not None:
            yield f"both: {second}" if a else f"{second} only", b


def _meet(one: Raised, two: Raised) -> bool:
    """Whether they are about the same, at the same time."""
    if one.key != two.key:
        return False
    before = two.ended_at is not None and two.ended_at <= one.fired_at
    after = one.ended_at is not None and one.ended_at <= two.fired_at
    return not (before or after)


def _summary(lines: Sequence[Line], letters: Sequence[str]) -> str:
    both = sum(by == f"both: {letters[0]}" for by, _ in lines)
    alone = (
        f"{letter} alone {sum(by == f'{letter} only' for by, _ in lines):,}" for letter in letters
    )
    return f"Both raise {plural(both, 'alert')}, {', '.join(alone)}."


def _about(one: Raised) -> str:
    key = one.key
    kind = "" if key.kind in (AlertKind.DRIFT, AlertKind.VOLUME) else f" {key.kind}"
    return f"{clean(named(key.feature, key.segment))} {format_duration(key.window_seconds)}{kind}"


def _peak(one: Raised) -> str:
    """The value that was furthest off, in the unit of its threshold, and when its window began."""
    if one.peak is None or not math.isfinite(one.peak.value):
        return ""
    unit = " x median" if one.key.kind is AlertKind.VOLUME else ""
    return f"{one.peak.value:.3g}{unit} on {short(one.peak.window.start)}"


def short(when: datetime) -> str:
    """A moment; a midnight (UTC) by its date alone, for many of them stand in one line.

    >>> from datetime import UTC
    >>> short(datetime(2013, 2, 9, tzinfo=UTC)), short(datetime(2013, 2, 9, 6, tzinfo=UTC))
    ('2013-02-09', '2013-02-09 06:00Z')
    """
    return moment(when).removesuffix(" 00:00Z")
