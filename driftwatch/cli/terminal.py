"""Where the commands print: a person's terminal, or a pipe that gets plain, whole lines."""

import sys
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "critical": "bold red",
    "warning": "yellow",
    "ok": "green",
    "no_data": "magenta",
    "learning": "dim",
    "error": "magenta",
}
"""Of verdicts and severities."""

_ENDLESS = 100_000
"""Columns of what is no terminal: nothing is wrapped or cut for it."""

Cell = Text | str


def harmless_streams() -> None:
    """Never fail for a character that the terminal's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def open_console(*, stderr: bool = False) -> Console:
    """Standard output (or standard error) as it is now."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _ENDLESS
    return console


def show(console: Console, what: Table | Cell, style: str = "") -> None:
    """Print what wraps at the edge of a terminal, or is one plain line each elsewhere."""
    content = Text(what, style) if isinstance(what, str) else what
    if console.is_terminal:
        console.print(content, overflow="fold")
        return
    with console.capture() as captured:
        console.print(content, overflow="fold")
    # Cells are filled up with spaces, which would wrap in whatever shows the text later.
    for line in captured.get().splitlines():
        console.print(Text(line.rstrip()), soft_wrap=True)


def rows(lines: Sequence[Sequence[Cell]], *, indent: int = 2) -> Table:
    """Lines of cells, aligned; where it is too narrow, the widest column wraps within itself."""
    table = Table.grid(padding=(0, 2, 0, 0))
    if indent:
        table.add_column(width=indent - 2)
    for _ in range(max((len(line) for line in lines), default=0)):
        table.add_column(overflow="fold")
    for line in lines:
        cells = [_cell(cell) for cell in line]
        table.add_row(*(["", *cells] if indent else cells))
    return table


def columns(*names: str) -> Table:
    """An empty table of lines below these headings; what is too wide wraps within its cell."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def clean(text: str) -> str:
    r"""The text with control characters written out: what the data holds moves no cursor.

    >>> clean("a\tb\x1b[2J"), clean("Zürich, 東京")
    ('a\\tb\\x1b[2J', 'Zürich, 東京')
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def moment(when: datetime | None) -> str:
    """A moment in UTC, to the second; midnights and whole minutes without what is zero.

    >>> from datetime import UTC, datetime
    >>> moment(datetime(2013, 2, 10, tzinfo=UTC)), moment(datetime(2013, 2, 10, 6, 30, tzinfo=UTC))
    ('2013-02-10 00:00Z', '2013-02-10 06:30Z')
    >>> moment(datetime(2013, 2, 10, 6, 30, 5, tzinfo=UTC)), moment(None)
    ('2013-02-10 06:30:05Z', 'never')
    """
    if when is None:
        return "never"
    return f"{when:%Y-%m-%d %H:%M:%S}Z" if when.second else f"{when:%Y-%m-%d %H:%M}Z"


def plural(count: int, noun: str) -> str:
    """
    >>> plural(1, "monitor"), plural(1200, "row"), plural(0, "window")
    ('1 monitor', '1,200 rows', '0 windows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _cell(cell: Cell) -> Text:
    if isinstance(cell, str):
        return Text(clean(cell))
    text = cell.copy()
    text.plain = clean(text.plain)
    return text
