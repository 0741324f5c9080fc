"""`driftwatch backfill`: counts a range of the past again, and says how long it takes."""

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from datetime import time as time_of_day

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from driftwatch.cli.terminal import moment, open_console, plural, show
from driftwatch.cli.usage import find_monitors, interval_of
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.evaluate.backfill import AS_USUAL, Options, Progress, run
from driftwatch.source import Source, open_source
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.window import Interval, format_duration

FINE, INTERRUPTED = 0, 130

_HOUR, _DAY = 3_600, 86_400

_LINE_SECONDS = 10.0
"""Where no terminal shows a bar, a line tells how far it is, no more often than this."""


def backfill(settings: Settings, monitor: str, *, start: str, end: str, options: Options) -> int:
    """Count a range again. The exit code: 0 when it is done, 130 when Ctrl-C ended it.

    BadParameter for a monitor or a range that is none.
    """
    (chosen,) = find_monitors(settings, [monitor])
    interval = interval_of(start, end)
    with (
        closing(open_store(settings.store_url, secrets=settings.store_secrets)) as store,
        closing(open_source(settings.sources[chosen.source])) as source,
    ):
        ensure_schema(store)
        return count_again(settings, chosen, interval, source=source, store=store, options=options)


def count_again(
    settings: Settings,
    monitor: MonitorSettings,
    interval: Interval,
    *,
    source: Source,
    store: Store,
    options: Options = AS_USUAL,
) -> int:
    """Count a range again and say so; the exit code as that of `backfill`."""
    console = open_console()
    newest: list[Progress] = []
    try:
        with _shown(console) as shown:

            def told(progress: Progress) -> None:
                if not newest:
                    _tell_begun(console, progress)
                newest[:] = [progress]
                shown(progress)

            done = run(
                monitor,
                interval,
                source=source,
                store=store,
                process_now=process_now,
                notify=settings.webhook is not None,
                options=options,
                on_progress=told,
            )
    except KeyboardInterrupt:
        until = f", counted up to {moment(newest[-1].done_until)}" if newest else ""
        show(console, f"stopped{until}; the same command goes on from there", "yellow")
        return INTERRUPTED
    _tell(console, done, allow_shrink=options.allow_shrink)
    if done.panes_changed:
        _tell_references(console, monitor, done)
    return FINE


def _tell_begun(console: Console, begun: Progress) -> None:
    if begun.went_on_from is not None:
        show(
            console,
            f"goes on from {moment(begun.went_on_from)}, begun at {moment(begun.begun_at)}; "
            "`driftwatch backfill` with --restart counts all of it again",
        )


def _tell(console: Console, done: Progress, *, allow_shrink: bool) -> None:
    span = f"[{moment(done.went_on_from or done.whole.start)}, {moment(done.until)})"
    show(
        console,
        f"counted {span} again: {_counted(done.rows_now, done.panes_now)}, "
        f"{plural(done.windows, 'window')} judged again",
    )
    if done.went_on_from is not None:
        since = f"since {moment(done.begun_at)}"
        show(console, f"in all {since}: {_counted(done.rows, done.panes_changed)}")
    if done.shrunk and not allow_shrink:
        show(
            console,
            f"{plural(done.shrunk, 'pane')} kept as they were: the log holds fewer rows of them "
            "than were counted. If these rows were deleted because they were wrong, say "
            "--allow-shrink",
            "yellow",
        )


def _tell_references(console: Console, monitor: MonitorSettings, done: Progress) -> None:
    """What was captured stays as it is, though its panes have changed."""
    for interval, columns in done.references.items():
        span = f"--from {_written(interval.start)} --to {_written(interval.end)}"
        every = len(columns) == len(monitor.features) + 1
        for column in [""] if every else [f" {shlex.quote(one)}" for one in columns]:
            show(
                console,
                f"the reference{column and ' of' + column} of {interval} stays as it was captured; "
                f"to take what is counted now: driftwatch reference capture "
                f"{shlex.quote(monitor.name)}{column} {span}",
            )


def _written(when: datetime) -> str:
    """As `--from` takes it."""
    return f"{when:%Y-%m-%d}" if when.time() == time_of_day.min else f"{when:%Y-%m-%dT%H:%M:%SZ}"


def _counted(rows: int, panes: int) -> str:
    return f"{plural(rows, 'row')}, {plural(panes, 'pane')} changed"


@contextmanager
def _shown(console: Console) -> Iterator[Callable[[Progress], None]]:
    """What shows progress: a bar on a terminal, a line now and then elsewhere."""
    if not console.is_terminal:
        yield _Lines(console).show
        return
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("counting", total=1.0, rate="")
        begun: list[datetime] = []

        def update(progress: Progress) -> None:
            begun[:] = begun or [progress.done_until]
            bar.update(task, completed=part_of(progress), rate=rate_of(progress, begun[0]))

        yield update


class _Lines:
    """Lines for what is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = time.monotonic()
        self._begun_at: datetime | None = None

    def show(self, progress: Progress) -> None:
        self._begun_at = self._begun_at or progress.done_until
        if time.monotonic() - self._shown_at < _LINE_SECONDS:
            return
        self._shown_at = time.monotonic()
        until = moment(progress.done_until)
        rate = rate_of(progress, self._begun_at)
        show(self._console, f"{part_of(progress):.0%} up to {until}, {rate}")


def part_of(progress: Progress) -> float:
    """How much of it is done, 0 to 1."""
    start = progress.whole.start
    whole = (progress.until - start).total_seconds()
    return (progress.done_until - start).total_seconds() / whole if whole else 1.0


def rate_of(progress: Progress, begun_at: datetime) -> str:
    """Rows and event time per second of this process, and how long the rest takes at that rate.

    begun_at: where this process began, in event time.

    >>> from datetime import UTC, timedelta
    >>> start, day = datetime(2026, 9, 1, tzinfo=UTC), timedelta(days=1)
    >>> whole = Interval(start, start + 4 * day)
    >>> half = Progress(whole, whole.end, start + 2 * day, rows_now=5000, seconds=10.0)
    >>> rate_of(half, start)
    '500 rows/s, 4h48m per second, 10s left'
    """
    if progress.seconds <= 0:
        return ""
    done = (progress.done_until - begun_at).total_seconds()
    left = (progress.until - progress.done_until).total_seconds()
    per_second = done / progress.seconds
    rest = f", {about(left / per_second)} left" if per_second else ""
    rows = progress.rows_now / progress.seconds
    return f"{rows:,.0f} rows/s, {about(per_second)} per second{rest}"


def about(seconds: float) -> str:
    """In two units at most.

    >>> about(17285.4), about(59.6), about(90061), about(0.2)
    ('4h48m', '1m', '1d1h', '0s')
    """
    whole = round(seconds)
    for long, unit in ((_HOUR, 60), (_DAY, _HOUR)):
        if whole >= long:
            whole -= whole % unit
    return format_duration(whole)
