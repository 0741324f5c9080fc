"""`driftwatch reference`: what columns are compared with, and every version of it."""

from collections.abc import Iterable, Sequence
from contextlib import closing

from rich.console import Console
from rich.text import Text

from driftwatch.cli.backfill import FINE, count_again
from driftwatch.cli.picture import draw_bins
from driftwatch.cli.rebased import tell_rebased
from driftwatch.cli.status import nothing_yet
from driftwatch.cli.terminal import clean, columns, moment, open_console, plural, rows, show
from driftwatch.cli.usage import find_feature, find_monitors, interval_of
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.errors import DriftwatchError
from driftwatch.evaluate.reference_commands import (
    Request,
    activate,
    capture_again,
    choose,
    estimate,
)
from driftwatch.evaluate.reference_diff import Difference, difference, mean, missing_ratio
from driftwatch.source import open_source
from driftwatch.store import axes, monitors, references
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema, has_schema
from driftwatch.store.references import ReferenceRecord


def list_references(settings: Settings, monitor: str) -> None:
    """Every version of every column. DriftwatchError if there is none yet."""
    (chosen,) = find_monitors(settings, [monitor])
    every, _ = _read(settings, chosen, None)
    console = open_console()
    whole = [one for one in every if not one.segment]
    table = columns("column", "version", "", "origin", "rows", "axis", "range", "captured", "note")
    for one in whole:
        table.add_row(
            Text(one.column),
            str(one.version),
            Text("active", "green") if one.active else "",
            str(one.origin),
            f"{one.rows:,}",
            "" if one.axis_version is None else str(one.axis_version),
            _range(one),
            moment(one.created_at),
            clean(one.note),
        )
    show(console, table)
    parts = {one.segment for one in every if one.segment}
    if parts:
        show(console, f"and of {plural(len(parts), 'segment')}, captured with these")


def show_reference(settings: Settings, monitor: str, column: str, version: int | None) -> None:
    """One reference, bin by bin."""
    (chosen,) = find_monitors(settings, [monitor])
    column = find_feature(chosen, column)
    every, stored = _read(settings, chosen, column)
    record = _pick(chosen, column, every, version)
    console = open_console()
    state = "active" if record.active else "not active"
    title = f"{chosen.name} {clean(column)}  reference version {record.version} ({state})"
    show(console, title, "bold")
    axis = "" if record.axis_version is None else f", axis version {record.axis_version}"
    show(console, f"{plural(record.rows, 'row')} of {_range(record)}{axis}")
    note = f": {clean(record.note)}" if record.note else ""
    show(console, f"captured {moment(record.created_at)} by {record.origin}{note}")
    if record.counts is None or record.axis_id is None:
        return
    cells = record.counts.cells[0]
    total = max(1, int(cells.sum()))
    labels = stored[record.axis_id].axis.labels()
    lines = [
        (clean(label) or '""', f"{int(count):>12,}", f"{count / total:>7.1%}")
        for label, count in zip(labels, cells, strict=False)
        if count
    ]
    show(console, rows([("bin", f"{'rows':>12}", f"{'share':>7}"), *lines], indent=0))


def diff_references(
    settings: Settings, monitor: str, first: int, second: int, column: str | None
) -> None:
    """How far two versions are apart, column by column."""
    (chosen,) = find_monitors(settings, [monitor])
    name = find_feature(chosen, column) if column else None
    every, stored = _read(settings, chosen, name)
    pairs = list(_pairs(every, first, second))
    if not pairs:
        raise DriftwatchError(_no_pair(chosen, name, first, second, every))
    console = open_console()
    for one, other in pairs:
        _tell_difference(console, difference(one, other, stored.get(one.axis_id or 0)))


def capture_reference(
    settings: Settings,
    monitor: str,
    column: str | None,
    *,
    start: str,
    end: str,
    refit: bool,
    reason: str,
) -> int:
    """Make a range the reference. The exit code: 0, or that of an interrupted count of what the
    new bins need. DriftwatchError where it cannot be."""
    (chosen,) = find_monitors(settings, [monitor])
    name = find_feature(chosen, column) if column else None
    wanted = Request(
        chosen, choose(chosen, name, refit=refit), interval_of(start, end), reason, refit
    )
    console = open_console()
    with (
        closing(open_store(settings.store_url)) as store,
        closing(open_source(settings.sources[chosen.source])) as source,
    ):
        ensure_schema(store)
        if refit:
            _tell_estimate(console, wanted, store)
        found = capture_again(
            wanted,
            source=source,
            store=store,
            now=process_now(),
            notify=settings.webhook is not None,
        )
        where = "the ledger" if found.from_ledger else "the source"
        tell_rebased(console, found, f"of {wanted.interval}, counted by {where}")
        if found.again is None:
            return FINE
        return count_again(settings, chosen, found.again, source=source, store=store)


def activate_reference(settings: Settings, monitor: str, version: int, column: str | None) -> int:
    """Compare with an older version again; the exit code as above. DriftwatchError if there is
    none."""
    (chosen,) = find_monitors(settings, [monitor])
    name = find_feature(chosen, column) if column else None
    with (
        closing(open_store(settings.store_url)) as store,
        closing(open_source(settings.sources[chosen.source])) as source,
    ):
        ensure_schema(store)
        found = activate(
            chosen,
            version,
            name,
            store=store,
            now=process_now(),
            notify=settings.webhook is not None,
        )
        tell_rebased(open_console(), found, "in use again")
        if found.again is None:
            return FINE
        return count_again(settings, chosen, found.again, source=source, store=store)


def _read(
    settings: Settings, monitor: MonitorSettings, column: str | None
) -> tuple[list[ReferenceRecord], dict[int, AxisRecord]]:
    """Every version, and the axes of them. DriftwatchError if there is none."""
    with closing(open_store(settings.store_url)) as store:
        if not has_schema(store):
            raise DriftwatchError(nothing_yet(store))
        with store.read() as connection:
            known = monitors.find(connection, monitor.name)
            every = references.history(connection, known.id, column) if known else []
            stored = axes.by_id(connection, {one.axis_id for one in every if one.axis_id})
    if not every:
        what = f"column {column!r} of monitor" if column else "monitor"
        raise DriftwatchError(
            f"{what} {monitor.name!r} has no reference yet; `driftwatch status` says why"
        )
    return every, stored


def _pick(
    monitor: MonitorSettings, column: str, every: Sequence[ReferenceRecord], version: int | None
) -> ReferenceRecord:
    whole = [one for one in every if not one.segment]
    for one in whole:
        if one.active if version is None else one.version == version:
            return one
    there = ", ".join(str(one.version) for one in whole)
    raise DriftwatchError(
        f"column {column!r} of monitor {monitor.name!r} has no "
        + (f"reference of version {version}" if version else "active reference")
        + f"; there are: {there}"
    )


def _pairs(
    every: Iterable[ReferenceRecord], first: int, second: int
) -> Iterable[tuple[ReferenceRecord, ReferenceRecord]]:
    by_column: dict[str, dict[int, ReferenceRecord]] = {}
    for one in every:
        if not one.segment:
            by_column.setdefault(one.column, {})[one.version] = one
    for versions in by_column.values():
        if first in versions and second in versions:
            yield versions[first], versions[second]


def _no_pair(
    monitor: MonitorSettings,
    column: str | None,
    first: int,
    second: int,
    every: Iterable[ReferenceRecord],
) -> str:
    there = ", ".join(map(str, sorted({one.version for one in every if not one.segment})))
    what = f"column {column!r}" if column else "no column"
    return (
        f"monitor {monitor.name!r}: {what} has {'not ' if column else ''}both versions {first} and "
        f"{second}; there are: {there}"
    )


def _tell_difference(console: Console, found: Difference) -> None:
    first, second = found.first, found.second
    show(
        console,
        f"{clean(first.column)}  version {first.version} ({_range(first)}) and {second.version} "
        f"({_range(second)})",
        "bold",
    )
    table = columns("", f"version {first.version}", f"version {second.version}")
    table.add_row("  rows", f"{first.rows:,}", f"{second.rows:,}")
    if first.counts is not None and second.counts is not None:
        table.add_row("  missing", f"{missing_ratio(first):.1%}", f"{missing_ratio(second):.1%}")
        if mean(first) == mean(first) or mean(second) == mean(second):  # not NaN: numeric
            table.add_row("  mean", f"{mean(first):.6g}", f"{mean(second):.6g}")
    show(console, table)
    if found.divergence is not None:
        d = found.divergence
        show(
            console,
            f"  JS {d.js:.4g} nats, JS distance {d.js_distance:.3g}, "
            f"KL({second.version}‖{first.version}) {d.kl:.4g} nats, PSI {d.psi:.3g}",
        )
        draw_bins(console, found.bins, (f"version {second.version}", f"version {first.version}"))
    elif first.axis_id != second.axis_id:
        show(console, "  their bins are not the same, so that they cannot be compared bin by bin")


def _tell_estimate(console: Console, wanted: Request, store: Store) -> None:
    expected = estimate(wanted, store)
    about = "" if expected.rows is None else f", about {plural(expected.rows, 'row')}"
    show(console, f"reads {wanted.interval} to fit new bins and to count it{about}")
    show(
        console,
        f"then counts {expected.again} again, {plural(expected.again_rows, 'row')}: windows under "
        "way need it in the new bins",
    )


def _range(record: ReferenceRecord) -> str:
    if record.interval is None:
        return "all rows"
    return f"[{moment(record.interval.start)}, {moment(record.interval.end)})"
