"""What calibrated verdicts could not rest on, in words, for `driftwatch status` and `explain`."""

from collections.abc import Iterable, Iterator

from rich.text import Text

from driftwatch.cli.terminal import Cell
from driftwatch.stats.calibration import Shortcoming
from driftwatch.store.results import ResultRow
from driftwatch.window import format_duration

SAYS = {
    Shortcoming.NO_WINDOWS: "the reference has no windows: sampling alone is what is usual",
    Shortcoming.FEW_WINDOWS: "the reference has fewer than 30 windows of this length",
    Shortcoming.CARRIED: "what is usual is known of a shorter length of window only",
    Shortcoming.SHORT_REFERENCE: "the reference has fewer than ten times the rows of a window",
    Shortcoming.SHORTER_THAN_SEASON: "the reference is shorter than a season, or has a trend",
    Shortcoming.ONE_YEAR: "the reference holds each time of year once",
    Shortcoming.CONSTANT: "the reference holds one value: any other is drift",
}

_MANY = 4
"""More features than this are counted, not named."""


def caveats(monitor: str, rows: Iterable[ResultRow]) -> Iterator[tuple[Cell, ...]]:
    """One line for each caveat of the judged rows; features and lengths that share it stand in it.

    Rows that were not judged have a reason of their own.
    """
    same: dict[str, list[str]] = {}
    for row in rows:
        if row.verdict.judged:
            name = f"{row.feature} ({format_duration(row.window_seconds)})"
            for caveat in row.caveats.split():
                same.setdefault(caveat, []).append(name)
    for caveat, names in same.items():
        more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
        says = SAYS[Shortcoming(caveat)]
        yield Text(caveat, "dim"), f"{monitor} {', '.join(names[:_MANY])}{more}", says
