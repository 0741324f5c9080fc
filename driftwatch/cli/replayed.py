"""What replays led to, in words and pictures: one policy, or two side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from driftwatch.alert.policy import Severity
from driftwatch.cli.raised import raised_table, short
from driftwatch.cli.shown import named
from driftwatch.cli.terminal import clean, columns, plural, show
from driftwatch.cli.timeline import axis, cells, drawn, legend, width_of
from driftwatch.config.alternative import written
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.raised import Raised, Series
from driftwatch.evaluate.replay import Replay
from driftwatch.window import format_duration

MOST_SERIES = 15
"""Further ones are summed up in one line."""

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one series, or of several together."""

    raised: int = 0
    flagged: int = 0
    judged: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.raised + other.raised, self.flagged + other.flagged, self.judged + other.judged
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One policy: its letter, how it was asked for, and what it led to."""

    letter: str
    asked: str
    replay: Replay
    raised: Mapping[Series, Sequence[Raised]]
    tallies: Mapping[Series, Tally]

    @classmethod
    def of(cls, letter: str, asked: str, replay: Replay) -> "Side":
        raised: dict[Series, list[Raised]] = {}
        for one in replay.raised:
            raised.setdefault(one.series, []).append(one)
        tallies = {
            series: Tally(
                len(raised.get(series, ())),
                sum(one.flagged for one in found),
                sum(one.verdict.judged for one in found),
            )
            for series, found in replay.findings.items()
        }
        return cls(letter, asked, replay, raised, tallies)

    def tally(self, some: Sequence[Series]) -> Tally:
        return sum((self.tallies.get(one, Tally()) for one in some), Tally())


def tell(console: Console, sides: Sequence[Side]) -> None:
    """Counts, the worst series, their picture, every alert."""
    first = sides[0].replay
    span = f"{short(first.whole.start)} to {short(first.whole.end)}"
    show(console, clean(f"{first.monitor.name}, {span}, judged again from stored counts"), "bold")
    for side in sides:
        policy = _policy(side.replay.monitor)
        show(console, f"{side.letter}  {clean(side.asked)}: {policy}")
    for line in _left_out(first):
        show(console, line)
    show(console, "")
    show(console, _counts(sides))
    ordered = _ordered(sides)
    worst = [one for one in ordered if _weight(sides, one) > (0, 0)][:MOST_SERIES]
    show(console, "")
    show(console, _by_series(sides, worst, ordered))
    if worst:
        show(console, "")
        _picture(console, sides, worst)
    show(console, "")
    raised_table(console, [(side.letter, side.replay) for side in sides])


def _policy(monitor: MonitorSettings) -> str:
    """Thresholds, the most frequent first, and what an alert takes."""
    by_policy: dict[str, list[str]] = {}
    for feature in monitor.features:
        by_policy.setdefault(written(feature.threshold), []).append(feature.name)
    (usual, _), *others = sorted(by_policy.items(), key=lambda one: -len(one[1]))
    parts = [usual]
    for policy, names in others:
        of = clean(names[0]) if len(names) == 1 else plural(len(names), "feature")
        parts.append(f"{of} {policy}")
    return f"{', '.join(parts)}; alert {monitor.alert.k}/{monitor.alert.of}"


def _left_out(replay: Replay) -> Iterator[str]:
    for one in replay.left_out:
        length = format_duration(one.seconds)
        if one.coarser:
            yield (
                f"left out: {plural(one.coarser, 'window')} of {length}, of whose time counts are "
                "kept by longer panes alone (see `retention`)"
            )
        if one.uncounted:
            yield (
                f"left out: {plural(one.uncounted, 'window')} of {length}, which were not counted "
                "whole, or are not kept; `driftwatch backfill` counts what the log still has"
            )


def _counts(sides: Sequence[Side]) -> Table:
    table = _right(columns("", *(side.letter for side in sides)), 1)
    for severity in (Severity.CRITICAL, Severity.WARNING):
        counts = (sum(one.severity is severity for one in side.replay.raised) for side in sides)
        table.add_row(f"{severity} alerts", *(f"{one:,}" for one in counts))
    table.add_row("days with an alert firing", *(_firing_days(side.replay) for side in sides))
    table.add_row("windows flagged, of all features", *(_share(side) for side in sides))
    return table


def _share(side: Side) -> str:
    whole = side.tally(list(side.tallies))
    share = f" ({whole.flagged / whole.judged:.2%})" if whole.judged else ""
    return f"{whole.flagged:,} of {whole.judged:,}{share}"


def _firing_days(replay: Replay) -> str:
    """Days (UTC) of the range in which something fires."""
    whole, days = replay.whole, set()
    for one in replay.raised:
        moment_of = max(one.fired_at, whole.start)
        end = min(one.ended_at or whole.end, whole.end)
        while moment_of < end:
            days.add(moment_of.date())
            moment_of = moment_of.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    return f"{len(days):,} of {-(-whole.seconds // _DAY):,}"


def _weight(sides: Sequence[Side], series: Series) -> tuple[int, int]:
    found = sum((side.tally([series]) for side in sides), Tally())
    return found.raised, found.flagged


def _ordered(sides: Sequence[Side]) -> list[Series]:
    """Worst first: by alerts, then by what is flagged."""
    known = sorted({series for side in sides for series in side.replay.findings})
    return sorted(known, key=lambda one: _weight(sides, one), reverse=True)


def _by_series(sides: Sequence[Side], shown: Sequence[Series], every: Sequence[Series]) -> Table:
    if len(sides) > 1:
        heads = [f"{side.letter} {what}" for side in sides for what in ("alerts", "flagged")]
    else:
        heads = ["alerts", "flagged"]
    table = _right(columns("feature", "window", *heads, "judged"), 2)
    for series in shown:
        name = clean(named(series.feature, series.segment))
        table.add_row(name, format_duration(series.seconds), *_numbers(sides, [series]))
    rest = [one for one in every if one not in set(shown)]
    if rest:
        table.add_row(f"{len(rest):,} other" if shown else "all", "", *_numbers(sides, rest))
    return table


def _numbers(sides: Sequence[Side], some: Sequence[Series]) -> list[str]:
    found = [side.tally(some) for side in sides]
    numbers = [number for one in found for number in (one.raised, one.flagged)]
    return [f"{number:,}" for number in (*numbers, found[0].judged)]


def _right(table: Table, first: int) -> Table:
    for column in table.columns[first:]:
        column.justify = "right"
    return table


def _picture(console: Console, sides: Sequence[Side], shown: Sequence[Series]) -> None:
    labels = [
        f"{clean(named(one.feature, one.segment))} {format_duration(one.seconds)}" for one in shown
    ]
    whole = sides[0].replay.whole
    letters = [side.letter for side in sides] if len(sides) > 1 else [""]
    beside = max(map(len, labels)) + 2 + max(map(len, letters)) + 2
    windows = max(1, whole.seconds // min(one.seconds for one in shown))
    width = width_of(console, beside, windows)
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_row("", "", axis(whole, width), style="bold")
    for label, series in zip(labels, shown, strict=True):
        for side, letter in zip(sides, letters, strict=True):
            found = side.replay.findings.get(series, ())
            row = cells(whole, found, side.raised.get(series, ()), width)
            table.add_row(label if side is sides[0] else "", letter, drawn(console, row))
    show(console, table)
    show(console, legend(console, whole, width), "dim")
