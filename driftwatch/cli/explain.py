"""`driftwatch explain`: a feature's reference against its current window, drawn bin by bin."""

from datetime import UTC, datetime
from difflib import get_close_matches

from rich.console import Console
from rich.table import Table
from rich.text import Text

from driftwatch.cli.evaluate import find_monitors
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.errors import ConfigError, DriftwatchError
from driftwatch.store import results
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.results import ResultBin, ResultRecord, ResultRow
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import format_duration, parse_duration

_WIDTH = 36
_LONGEST_LABEL = 28
_STYLES = {"critical": "bold red", "warning": "yellow", "ok": "green"}


def explain(
    settings: Settings, monitor: str, feature: str, *, window: str | None, end: str | None
) -> None:
    """Draw one result. ConfigError for unknown names; DriftwatchError if its bins are not kept."""
    chosen = find_monitors(settings, [monitor])[0]
    _check_feature(chosen, feature)
    seconds = _window_seconds(chosen, window)
    store = open_store(settings.store_url)
    try:
        ensure_schema(store)
        record, bins = _read(store, chosen, feature, seconds, _end(end))
    finally:
        store.close()
    console = Console(highlight=False, soft_wrap=True)
    console.print(_heading(record.row))
    if bins:
        console.print(_picture(bins))
        console.print(
            Text("█ current   ░ reference   share of rows; JS: the bin's part of it", "dim")
        )
    elif feature != VOLUME and record.row.verdict.judged:
        console.print(
            "Bins are kept of the newest window and of flagged ones only; this one was neither."
        )


def _check_feature(monitor: MonitorSettings, feature: str) -> None:
    known = [VOLUME, *(one.name for one in monitor.features)]
    if feature not in known:
        near = get_close_matches(feature, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known)}"
        raise ConfigError(f"monitor {monitor.name!r} has no feature {feature!r}; {hint}")


def _window_seconds(monitor: MonitorSettings, window: str | None) -> int:
    if window is None:
        return max(monitor.window_seconds)
    try:
        seconds = parse_duration(window)
    except ValueError as error:
        raise ConfigError(f"--window: {error}") from error
    if seconds not in monitor.window_seconds:
        lengths = ", ".join(format_duration(one) for one in monitor.window_seconds)
        raise ConfigError(f"monitor {monitor.name!r} has no window of {window}; it has: {lengths}")
    return seconds


def _end(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"--end: {text!r} is not a moment; write it like 2013-02-10 or 2013-02-10T06:00Z"
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _read(
    store: Store, monitor: MonitorSettings, feature: str, seconds: int, end: datetime | None
) -> tuple[ResultRecord, list[ResultBin]]:
    with store.read() as connection:
        if end is None:
            every = results.latest(connection, monitor.name)
            found = [
                one for one in every
                if (one.row.feature, one.row.window_seconds) == (feature, seconds)
            ]  # fmt: skip
        else:
            since = datetime.fromtimestamp(end.timestamp() - 1, UTC)
            every = results.history(connection, monitor.name, feature, seconds, since)
            found = [one for one in every if one.row.window_end == end]
        if not found:
            when = "yet" if end is None else f"for the window that ends at {end:%Y-%m-%d %H:%M}Z"
            raise DriftwatchError(
                f"there is no result of {feature!r} over {format_duration(seconds)} of monitor "
                f"{monitor.name!r} {when}"
            )
        return found[-1], results.bins_of(connection, found[-1].id)


def _heading(row: ResultRow) -> Text:
    text = Text.assemble(
        (f"{row.monitor} {row.feature}", "bold"),
        f"  {format_duration(row.window_seconds)} "
        f"[{row.window_start:%Y-%m-%d %H:%M}Z, {row.window_end:%Y-%m-%d %H:%M}Z)  ",
        (str(row.verdict), _STYLES.get(row.verdict, "dim")),
        f"\n{row.message}\n",
    )
    if row.js == row.js:  # not NaN: it was compared
        text.append(
            f"JS {row.js:.4g} nats (noise {row.js_noise:.2g}, guard {row.js_guard:.2g}), "
            f"JS distance {row.js_distance:.3g}, KL(current‖reference) {row.kl:.4g} nats, "
            f"PSI {row.psi:.3g}\n"
            f"reference version {row.reference_version}: {row.reference_rows:,} rows; "
            f"{row.convention}\n"
        )
    return text


def _picture(bins: list[ResultBin]) -> Table:
    current, reference = (
        max(1, sum(one.current_rows for one in bins)),
        max(1, sum(one.reference_rows for one in bins)),
    )
    most = max(max(b.current_rows / current, b.reference_rows / reference) for b in bins)
    carried = max(one.js_contribution for one in bins)
    # Beside a value that has a bin of its own lie bins that whole numbers never reach.
    shown = [one for one in bins if one.current_rows or one.reference_rows]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("bin", overflow="ellipsis", max_width=_LONGEST_LABEL, no_wrap=True)
    table.add_column("", no_wrap=True)
    for name in ("current", "reference", "JS"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in shown:
        now, before = one.current_rows / current, one.reference_rows / reference
        # The bins that carry the drift, not every speck of it, are what the eye should find.
        style = "bold" if one.js_contribution >= 0.2 * carried and carried > 0 else ""
        table.add_row(
            Text(one.label),
            _bars(now, before, most),
            f"{now:.1%}",
            f"{before:.1%}",
            f"{one.js_contribution:.4f}",
            style=style,
        )
    return table


def _bars(now: float, before: float, most: float) -> Text:
    """Current above reference in two rows of one cell."""
    return Text(
        "█" * round(_WIDTH * now / most) + "\n" + "░" * round(_WIDTH * before / most),
        no_wrap=True,
    )
