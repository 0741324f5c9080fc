"""Layout: aligned, wrapped within a cell on a terminal, plain and whole elsewhere."""

import io

from rich.console import Console
from rich.text import Text

from driftwatch.cli.terminal import clean, open_console, rows, show

LONG = "a sentence that is much longer than the terminal is wide, in many words"


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system="standard")


def printed(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_the_widest_cell_wraps_within_itself() -> None:
    console = terminal(40)
    show(console, rows([("label", LONG), ("other label", "short")]))
    lines = printed(console)
    assert max(map(len, lines)) <= 40
    assert lines[0].startswith("  label        a sentence")
    assert lines[1].startswith(" " * 15)
    assert lines[-1].rstrip() == "  other label  short"


def test_elsewhere_a_line_is_a_line() -> None:
    console = Console(file=io.StringIO(), width=100_000)
    show(console, rows([("label", Text(LONG * 3, "red")), ("other label", "short")], indent=0))
    show(console, LONG * 3, "bold")
    assert printed(console) == [f"label        {LONG * 3}", "other label  short", LONG * 3]


def test_lines_between_are_kept() -> None:
    console = Console(file=io.StringIO(), width=100_000)
    show(console, "above\n\nbelow")
    assert printed(console) == ["above", "", "below"]


def test_what_is_no_terminal_has_no_edge() -> None:
    assert open_console().width > 10_000


def test_control_characters_and_markup_are_only_text() -> None:
    console = terminal(60)
    show(console, rows([("[bold]x[/bold]", "a\x1b[31mb\nc\x07")]))
    (line,) = printed(console)
    assert line.rstrip() == r"  [bold]x[/bold]  a\x1b[31mb\nc\x07"
    assert clean("Zürich\u202e") == "Zürich\\u202e", "what turns the writing round"
