"""`driftwatch explain`: a feature's reference against its current window, drawn bin by bin."""

from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from driftwatch.cli.status import nothing_yet
from driftwatch.cli.terminal import STYLES, clean, moment, open_console, show
from driftwatch.cli.usage import find_feature, find_monitors, window_end, window_length
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.errors import DriftwatchError
from driftwatch.store import results
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import has_schema
from driftwatch.store.results import ResultBin, ResultRecord, ResultRow
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import format_duration

_BAR_WIDTH = 40
_LEAST_BAR_WIDTH = 10
_LABEL_WIDTH = 28
_NUMBERS_WIDTH = 32
_CARRIES = 0.2
"""A bin stands out when it adds at least this part of what the largest one adds."""


def explain(
    settings: Settings, monitor: str, feature: str, *, window: str | None, end: str | None
) -> None:
    """Draw one result. BadParameter for what is not configured; DriftwatchError if there is none.

    It reads driftwatch's own store alone.
    """
    (chosen,) = find_monitors(settings, [monitor])
    feature, seconds = find_feature(chosen, feature), window_length(chosen, window)
    moment_asked = window_end(end)
    store = open_store(settings.store_url)
    try:
        if not has_schema(store):
            raise DriftwatchError(nothing_yet(store))
        record, bins = _read(store, chosen, feature, seconds, moment_asked)
    finally:
        store.close()
    _draw(open_console(), record.row, bins)


def _read(
    store: Store, monitor: MonitorSettings, feature: str, seconds: int, end: datetime | None
) -> tuple[ResultRecord, list[ResultBin]]:
    with store.read() as connection:
        if end is None:
            found = [
                one for one in results.latest(connection, monitor.name)
                if (one.row.feature, one.row.window_seconds) == (feature, seconds)
            ]  # fmt: skip
        else:
            since = end - timedelta(seconds=1)
            every = results.history(connection, monitor.name, feature, seconds, since)
            found = [one for one in every if one.row.window_end == end]
        if not found:
            raise DriftwatchError(_nothing(monitor, feature, seconds, end))
        return found[-1], results.bins_of(connection, found[-1].id)


def _nothing(monitor: MonitorSettings, feature: str, seconds: int, end: datetime | None) -> str:
    length = format_duration(seconds)
    what = f"there is no result of {feature!r} over {length} of monitor {monitor.name!r}"
    if end is None:
        return f"{what} yet; `driftwatch status` shows how far it has counted"
    return (
        f"{what} for a window that ends at {moment(end)}; windows of {length} end at whole "
        f"multiples of it, in UTC, and `driftwatch status` shows how far it has counted"
    )


def _draw(console: Console, row: ResultRow, bins: list[ResultBin]) -> None:
    span = f"[{moment(row.window_start)}, {moment(row.window_end)})"
    title = Text.assemble(
        (f"{row.monitor} {clean(row.feature)}", "bold"),
        f"  {format_duration(row.window_seconds)} {span}  ",
        (str(row.verdict), STYLES[row.verdict]),
    )
    show(console, title)
    show(console, clean(row.message))
    if row.js == row.js:  # not NaN: it was compared
        show(console, _divergences(row))
    if bins and row.rows:
        show(console, "")
        show(console, _picture(console, bins))
        now, before, both = bar_marks(console)
        legend = f"{now} current  {before} reference  {both} both: shares of rows"
        show(console, f"{legend}. JS: the bin's part of it, nats.", "dim")
    elif row.feature != VOLUME and row.verdict.judged:
        show(
            console,
            "Bins are kept of the newest window and of flagged ones only; this one was neither.",
        )


def _divergences(row: ResultRow) -> str:
    return (
        f"JS {row.js:.4g} nats (noise {row.js_noise:.2g}, guard {row.js_guard:.2g}), "
        f"JS distance {row.js_distance:.3g}, KL(current‖reference) {row.kl:.4g} nats, "
        f"PSI {row.psi:.3g}\n"
        f"current {row.rows:,} rows, reference (version {row.reference_version}) "
        f"{row.reference_rows:,} rows"
    )


def _picture(console: Console, bins: list[ResultBin]) -> Table:
    current = max(1, sum(one.current_rows for one in bins))
    reference = max(1, sum(one.reference_rows for one in bins))
    most = max(max(b.current_rows / current, b.reference_rows / reference) for b in bins)
    carried = max(one.js_contribution for one in bins)
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
    for name in ("current", "reference", "JS"):
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
