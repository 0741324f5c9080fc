"""Two distributions, drawn bin by bin on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from driftwatch.cli.terminal import clean, show
from driftwatch.store.results import ResultBin

_BAR_WIDTH = 40
_LEAST_BAR_WIDTH = 10
_LABEL_WIDTH = 28
_NUMBERS_WIDTH = 40
_CARRIES = 0.2
"""A bin stands out when it adds at least this part of what the largest one adds."""


def draw_bins(
    console: Console, bins: Sequence[ResultBin], names: tuple[str, str] = ("current", "reference")
) -> None:
    """Shares of rows by bin, and what each adds to JS. names: of the two sides."""
    show(console, _picture(console, bins, names))
    now, before, both = bar_marks(console)
    legend = f"{now} {names[0]}  {before} {names[1]}  {both} both: shares of rows"
    of_p = " p: of the bin alone." if any(one.p_value == one.p_value for one in bins) else ""
    show(console, f"{legend}. JS: the bin's part of it, nats.{of_p}", "dim")


def _picture(console: Console, bins: Sequence[ResultBin], names: tuple[str, str]) -> Table:
    current = max(1, sum(one.current_rows for one in bins))
    reference = max(1, sum(one.reference_rows for one in bins))
    most = max(max(b.current_rows / current, b.reference_rows / reference) for b in bins)
    carried = max(one.js_contribution for one in bins)
    tested = any(one.p_value == one.p_value for one in bins)  # no NaN
    # Beside a value that has a bin of its own lie bins that whole numbers never reach.
    shown = [one for one in bins if one.current_rows or one.reference_rows]
    labels = [clean(one.label) or '""' for one in shown]
    longest = max(map(len, labels), default=0)
    if console.is_terminal:
        longest = min(longest, _LABEL_WIDTH)
    room = console.width - longest - _NUMBERS_WIDTH
    width = max(_LEAST_BAR_WIDTH, min(_BAR_WIDTH, room))
    marks = bar_marks(console)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("bin", overflow="ellipsis", max_width=max(longest, 3), no_wrap=True)
    table.add_column("", no_wrap=True, width=width)
    for name in (*names, "JS", *(["p"] if tested else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for one, label in zip(shown, labels, strict=True):
        now, before = one.current_rows / current, one.reference_rows / reference
        # The bins that carry the drift, not every speck of it, are what the eye should find.
        stands_out = one.js_contribution >= _CARRIES * carried > 0
        table.add_row(
            Text(label),
            bars(round(width * now / most), round(width * before / most), marks),
            f"{now:.1%}",
            f"{before:.1%}",
            f"{one.js_contribution:.4f}",
            *([f"{one.p_value:.1g}"] if tested else []),
            style="bold" if stands_out else "",
        )
    return table


def bar_marks(console: Console) -> tuple[str, str, str]:
    """What bars are made of: current alone, reference alone, both."""
    return ("+", "-", "#") if console.options.ascii_only else ("▀", "▄", "█")


def bars(current: int, reference: int, marks: tuple[str, str, str]) -> str:
    """Two bars in one line: current in its upper half, reference in its lower.

    >>> marks = ("▀", "▄", "█")
    >>> bars(5, 2, marks), bars(1, 3, marks), bars(0, 0, marks)
    ('██▀▀▀', '█▄▄', '')
    """
    alone, other, both = marks
    shared = min(current, reference)
    return both * shared + alone * (current - shared) + other * (reference - shared)
