"""`driftwatch explain`: a feature's reference against its current window, drawn bin by bin."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typer
from rich.console import Console
from rich.text import Text
from sqlalchemy import Connection

from driftwatch.cli.caveat import SAYS
from driftwatch.cli.picture import draw_bins
from driftwatch.cli.shown import carried_by, further, named
from driftwatch.cli.status import nothing_yet
from driftwatch.cli.terminal import STYLES, clean, moment, open_console, show
from driftwatch.cli.usage import find_feature, find_monitors, window_end, window_length
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.errors import DriftwatchError
from driftwatch.exposition.pages import ExplainRequest, PageError
from driftwatch.stats.calibration import Shortcoming
from driftwatch.store import explained, results
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import has_schema
from driftwatch.store.results import ResultBin, ResultRecord, ResultRow
from driftwatch.verdict.explained import explained_words
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import format_duration

_EXAMPLES = 3
_PAGE_WIDTH = 100
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MORE_THAN_SAMPLING = 1.005
"""An inflation below this is shown as 1."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be drawn. segment: "" for all rows; end: of the window, None for the newest."""

    monitor: MonitorSettings
    feature: str
    segment: str
    seconds: int
    end: datetime | None


@dataclass(frozen=True, slots=True)
class _Found:
    """A result with its picture. parts: the same window by segments, strongest first; flagged:
    ends of the newest windows whose pictures are kept, newest first; explained: what explains the
    drift of a prediction, in words."""

    row: ResultRow
    bins: list[ResultBin]
    parts: list[ResultRecord]
    flagged: list[datetime]
    explained: str = ""


class _NothingError(DriftwatchError):
    """There is no such result (yet)."""


def explain(
    settings: Settings,
    monitor: str,
    feature: str,
    *,
    segment: str,
    window: str | None,
    end: str | None,
) -> None:
    """Draw one result. BadParameter for what is not configured; DriftwatchError if there is none.

    It reads driftwatch's own store alone.
    """
    wanted = _wanted(settings, monitor, feature, segment, window, end)
    _draw(open_console(), wanted, _found(settings, wanted))


def explain_page(settings: Settings, asked: ExplainRequest) -> str:
    """The same as plain text, for the web server. PageError with what the command would say."""
    try:
        wanted = _wanted(
            settings, asked.monitor, asked.feature, asked.segment, asked.window, asked.end
        )
        found = _found(settings, wanted)
    except typer.BadParameter as error:
        raise PageError(404 if error.param_hint is None else 400, error.message) from error
    except _NothingError as error:
        raise PageError(404, str(error)) from error
    except DriftwatchError as error:
        raise PageError(503, str(error)) from error
    console = Console(
        file=io.StringIO(), width=_PAGE_WIDTH, color_system=None, highlight=False, markup=False,
        emoji=False, force_terminal=False, legacy_windows=False,
    )  # fmt: skip
    with console.capture() as captured:
        _draw(console, wanted, found)
    return captured.get()


def _wanted(
    settings: Settings, monitor: str, feature: str, segment: str, window: str | None,
    end: str | None,
) -> _Wanted:  # fmt: skip
    (chosen,) = find_monitors(settings, [monitor])
    name = find_feature(chosen, feature)
    return _Wanted(chosen, name, segment, window_length(chosen, window), window_end(end))


def _found(settings: Settings, wanted: _Wanted) -> _Found:
    store = open_store(settings.store_url, secrets=settings.store_secrets)
    try:
        if not has_schema(store):
            raise _NothingError(nothing_yet(store))
        with store.read() as connection:
            return _read(connection, wanted)
    finally:
        store.close()


def _read(connection: Connection, wanted: _Wanted) -> _Found:
    series = (wanted.feature, wanted.segment, wanted.seconds)
    name = wanted.monitor.name
    newest = results.latest(connection, name)
    if wanted.end is None:
        found = [one for one in newest if _series(one.row) == series]
    else:
        since = _history(connection, wanted, wanted.end - _SECOND)
        found = [one for one in since if one.row.window_end == wanted.end]
    if not found:
        raise _NothingError(_nothing(wanted, [one.row for one in newest]))
    chosen = found[-1]
    parts: list[ResultRecord] = []
    if not wanted.segment:
        parts = results.carrying(
            connection, name, wanted.feature, wanted.seconds, chosen.row.window_end
        )
    bins = results.bins_of(connection, chosen.id)
    flagged = [] if bins else _flagged(connection, wanted)
    return _Found(chosen.row, bins, parts, flagged, _explained(connection, wanted, chosen))


def _explained(connection: Connection, wanted: _Wanted, chosen: ResultRecord) -> str:
    """What the features that are watched now explain of a result of the prediction."""
    found = explained.of_result(connection, chosen.id)
    named_now = wanted.monitor.explained_by
    shares = [(one.feature, one.share) for one in found if one.feature in named_now]
    if not found:
        return ""
    if not any(one.applicable for one in found):
        return "explained by: nothing, it changed too little on ten bins to be divided up"
    flagged = explained.flagged_over(
        connection, wanted.monitor.name, wanted.seconds, chosen.row.window_end
    )
    return explained_words(shares, flagged)


def _series(row: ResultRow) -> tuple[str, str, int]:
    return row.feature, row.segment, row.window_seconds


def _flagged(connection: Connection, wanted: _Wanted) -> list[datetime]:
    every = _history(connection, wanted, _FIRST)
    return [one.row.window_end for one in reversed(every) if one.row.flagged][:_EXAMPLES]


def _history(connection: Connection, wanted: _Wanted, since: datetime) -> list[ResultRecord]:
    return results.history(
        connection,
        wanted.monitor.name,
        wanted.feature,
        wanted.seconds,
        since,
        segment=wanted.segment,
    )


def _nothing(wanted: _Wanted, newest: list[ResultRow]) -> str:
    known = [one for one in newest if one.feature == wanted.feature]
    segments = sorted({one.segment for one in known})
    length = format_duration(wanted.seconds)
    of = named(wanted.feature, wanted.segment)
    what = f"there is no result of {of!r} over {length} of monitor {wanted.monitor.name!r}"
    if wanted.segment and wanted.segment not in segments:
        there = ", ".join(repr(one) for one in segments if one)
        return f"{what}; its segments are: {there}" if there else f"{what}; it has no segments yet"
    if wanted.end is None:
        others = sorted({one.window_seconds for one in known if one.segment == wanted.segment})
        shorter = ", ".join(format_duration(one) for one in others)
        there = f"there is one over {shorter}, see --window; " if shorter else ""
        return f"{what} yet; {there}`driftwatch status` shows how far it has counted"
    return (
        f"{what} for a window that ends at {moment(wanted.end)}; windows of {length} end at whole "
        f"multiples of it, in {wanted.monitor.calendar.zone}, and `driftwatch status` shows how "
        "far it has counted"
    )


def _draw(console: Console, wanted: _Wanted, found: _Found) -> None:
    row = found.row
    span = f"[{moment(row.window_start)}, {moment(row.window_end)})"
    title = Text.assemble(
        (f"{row.monitor} {clean(named(row.feature, row.segment))}", "bold"),
        f"  {format_duration(row.window_seconds)} {span}  ",
        (str(row.verdict), STYLES[row.verdict]),
    )
    show(console, title)
    show(console, clean(row.message))
    if row.js == row.js:  # not NaN: it was compared
        show(console, _divergences(row))
    for line in _beside(found):
        show(console, clean(line))
    if found.bins and row.rows:
        show(console, "")
        draw_bins(console, found.bins)
    elif row.feature != VOLUME and row.verdict.judged:
        show(console, _no_picture(wanted, found))


def _beside(found: _Found) -> Iterator[str]:
    """What the sentence of a result does not say."""
    row = found.row
    if more := further(row):
        yield more
    if row.compared_with:
        yield f"compared with: {row.compared_with}"
    if row.alpha == row.alpha and row.verdict.judged:  # no NaN: its threshold is calibrated
        yield (
            f"p {row.p_value:.2g} (alpha {row.alpha:g}); {_own_windows(row)}; so many rows can "
            f"show an effect of {row.detectable_effect:.2g} sigma or more"
        )
    for caveat in row.caveats.split():
        yield f"caveat: {caveat}: {SAYS[Shortcoming(caveat)]}"
    if found.explained:
        yield found.explained
    if parts := carried_by(found.parts):
        yield f"{parts}; `--segment` draws one of them"


def _own_windows(row: ResultRow) -> str:
    """What was learned from the windows of the reference, if it has any."""
    if Shortcoming.NO_WINDOWS in row.caveats.split():
        return "sampling alone is what is usual"
    if row.inflation < _MORE_THAN_SAMPLING:
        return "the reference's own windows differ no more than by sampling alone"
    # A result of a store that did not keep the wobble yet has none.
    wobble = f" (they wobble by {row.wobble:.2g} sigma)" if row.wobble == row.wobble else ""
    return (
        f"the reference's own windows differ {row.inflation:.3g} times as much as by sampling "
        f"alone{wobble}"
    )


def _no_picture(wanted: _Wanted, found: _Found) -> str:
    kept = (
        "its picture is not kept: only those of the newest window and of flagged ones are"
        if not wanted.segment
        else "its picture is not kept: of a segment, only those of flagged windows are"
    )
    if found.flagged:
        ends = ", ".join(moment(end).replace(" ", "T") for end in found.flagged)
        return f"{kept}. To see one, give --end one of {ends}" + (
            "" if wanted.end is None or wanted.segment else ", or leave it out"
        )
    if wanted.end is not None and not wanted.segment:
        return f"{kept}. To see the newest, leave --end out; no window was flagged"
    return f"{kept}, and none was flagged"


def _divergences(row: ResultRow) -> str:
    return (
        f"JS {row.js:.4g} nats (noise {row.js_noise:.2g}, guard {row.js_guard:.2g}), "
        f"JS distance {row.js_distance:.3g}, KL(current‖reference) {row.kl:.4g} nats, "
        f"PSI {row.psi:.3g}\n"
        f"current {row.rows:,} rows, reference (version {row.reference_version}) "
        f"{row.reference_rows:,} rows"
    )
