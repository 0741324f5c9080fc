"""What was found window after window, drawn as one line of characters per series and policy."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import IntEnum

from rich.console import Console
from rich.text import Text

from driftwatch.evaluate.raised import Finding, Raised
from driftwatch.window import Interval

_LEAST_CELLS, _MOST_CELLS, _OF_A_PIPE = 20, 120, 72
_BETWEEN_LABELS = 3


class Mark(IntEnum):
    """What one cell shows: the worst of the windows in it."""

    NOTHING = 0
    UNJUDGED = 1
    OK = 2
    FLAGGED = 3
    FIRING = 4


_STYLES = {Mark.UNJUDGED: "dim", Mark.OK: "green", Mark.FLAGGED: "yellow", Mark.FIRING: "bold red"}


def marks_of(console: Console) -> dict[Mark, str]:
    """The character of each mark, in what the terminal can show."""
    signs = " ?.o#" if console.options.ascii_only else " ░·▄█"
    return dict(zip(Mark, signs, strict=True))


def legend(console: Console, whole: Interval, width: int) -> str:
    signs = marks_of(console)
    words = {Mark.OK: "not flagged", Mark.FLAGGED: "flagged", Mark.FIRING: "alert fires",
             Mark.UNJUDGED: "not judged"}  # fmt: skip
    parts = [f"{signs[mark]} {word}" for mark, word in words.items()]
    return f"{'  '.join(parts)}; a character is {_length(whole.seconds / width)}"


def _length(seconds: float) -> str:
    """
    >>> _length(86_400.0), _length(500_000.0), _length(5_400.0)
    ('1 day', '5.8 days', '1.5 hours')
    """
    unit, name = (86_400, "day") if seconds >= 86_400 else (3_600, "hour")
    return f"{seconds / unit:.2g} {name}{'' if seconds == unit else 's'}"


def width_of(console: Console, beside: int, windows: int) -> int:
    """How many cells fit beside so many characters; never more than there are windows."""
    room = console.width - beside if console.is_terminal else _OF_A_PIPE
    return max(1, min(windows, max(_LEAST_CELLS, min(room, _MOST_CELLS))))


def cells(
    whole: Interval, findings: Sequence[Finding], raised: Iterable[Raised], width: int
) -> list[Mark]:
    """One mark per equal part of the whole. A window fills the parts whose middle it holds, or the
    one that holds its own."""
    alerts = list(raised)
    row = [Mark.NOTHING] * width
    step = (whole.end - whole.start) / width
    for one in findings:
        mark = Mark.OK if one.verdict.judged else Mark.UNJUDGED
        if any(_fires(alert, one.window.end) for alert in alerts):
            mark = Mark.FIRING
        elif one.flagged:
            mark = Mark.FLAGGED
        first = _ceil((one.window.start - whole.start) / step - 0.5)
        last = _ceil((one.window.end - whole.start) / step - 0.5) - 1
        if first > last:
            middle = one.window.start + (one.window.end - one.window.start) / 2
            first = last = int((middle - whole.start) / step)
        for at in range(max(0, first), min(width - 1, last) + 1):
            row[at] = max(row[at], mark)
    return row


def drawn(console: Console, row: Sequence[Mark]) -> Text:
    signs, text = marks_of(console), Text()
    for mark in row:
        text.append(signs[mark], _STYLES.get(mark, ""))
    return text


def axis(whole: Interval, width: int) -> str:
    """Dates (of less than four days: times, too) above the cells in which they lie.

    >>> from datetime import UTC
    >>> axis(Interval(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 3, 2, tzinfo=UTC)), 30)
    '01-01   01-17   02-02   02-18'
    """
    pattern = "%m-%d" if whole.end - whole.start >= timedelta(days=4) else "%d %H:%M"
    step = (whole.end - whole.start) / width
    length = len(f"{whole.start:{pattern}}")
    text = ""
    for at in range(0, width - length + 1, length + _BETWEEN_LABELS):
        text = text.ljust(at) + f"{_at(whole, step, at):{pattern}}"
    return text


def _at(whole: Interval, step: timedelta, cell: int) -> datetime:
    return whole.start + step * cell


def _fires(alert: Raised, end: datetime) -> bool:
    return alert.fired_at <= end and (alert.ended_at is None or end < alert.ended_at)


def _ceil(value: float) -> int:
    return -int(-value // 1)
