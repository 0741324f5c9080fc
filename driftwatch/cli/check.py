"""`driftwatch check`: what each monitor will scan, by which plan, and what is in its way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from driftwatch.config.settings import BinMethod, FeatureSettings, Kind, MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.errors import DriftwatchError
from driftwatch.evaluate.progress import latest_complete
from driftwatch.source import (
    ColumnType,
    KindProposal,
    RelationInfo,
    ScanColumn,
    Source,
    open_source,
)
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import look
from driftwatch.window import format_duration

FINE, FAILURE, FINDINGS = 0, 1, 3

_KIND_OF_TYPE = {
    ColumnType.NUMBER: Kind.NUMERIC,
    ColumnType.TIME: Kind.NUMERIC,
    ColumnType.BOOLEAN: Kind.CATEGORICAL,
}
"""Kinds that follow from the SQL type; text could be anything and is declared."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to act on. fatal: the monitor (or the column) cannot be watched as it is."""

    text: str
    fatal: bool


def check(settings: Settings, *, offline: bool) -> int:
    """Print what would be watched. The exit code: 0 fine, 3 warnings, 1 something cannot work."""
    console = Console(highlight=False, soft_wrap=True)
    path = settings.path or "the configuration"
    console.print(Text(f"{path}: {len(settings.monitors)} monitors, no problem in the file"))
    if offline:
        for monitor in settings.monitors:
            console.print(_heading(monitor))
            console.print(Text(f"  features    {', '.join(f.name for f in monitor.features)}"))
        return FINE
    findings = list(_check_store(settings, console))
    for monitor in settings.monitors:
        findings += _check_monitor(settings, monitor, console)
    fatal = sum(finding.fatal for finding in findings)
    warnings = len(findings) - fatal
    console.print(Text(f"\n{fatal} problems, {warnings} warnings", style="bold"))
    return FAILURE if fatal else FINDINGS if warnings else FINE


def _check_store(settings: Settings, console: Console) -> Iterator[Finding]:
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            found = look(connection)
    except DriftwatchError as error:
        yield _tell(console, str(error), fatal=True)
    else:
        state = (
            "is empty: the first `serve` or `evaluate` sets it up" if found.is_empty else "answers"
        )
        console.print(Text(f"store {store.name} {state}"))
    finally:
        store.close()


def _check_monitor(
    settings: Settings, monitor: MonitorSettings, console: Console
) -> Iterator[Finding]:
    console.print(_heading(monitor))
    source = open_source(settings.sources[monitor.source])
    try:
        yield from _check_source(monitor, source, console)
    except DriftwatchError as error:
        yield _tell(console, str(error), fatal=True)
    finally:
        source.close()


def _check_source(monitor: MonitorSettings, source: Source, console: Console) -> Iterator[Finding]:
    info = source.inspect(monitor.relation)
    console.print(Text(f"  timestamp   {monitor.relation.timestamp} ({info.timestamp_type})"))
    if not info.timestamp_served:
        yield _tell(
            console,
            f"no index or partition serves {monitor.relation.timestamp!r}: each tick reads the "
            "whole table; create an index on it",
            fatal=False,
        )
    undeclared = []
    for feature in monitor.features:
        line, finding = _feature(feature, info)
        console.print(line)
        if finding is not None:
            undeclared.append(feature)
            yield _tell(console, finding, fatal=True)
    present = [f for f in undeclared if info.column(f.name) is not None]
    if present:
        _propose(source.suggest_kinds(monitor.relation, info, [f.name for f in present]), console)
    _show_plan(monitor, info, source, console)


def _heading(monitor: MonitorSettings) -> Text:
    schema = f"{monitor.relation.schema}." if monitor.relation.schema else ""
    windows = ", ".join(format_duration(seconds) for seconds in monitor.window_seconds)
    return Text.assemble(
        ("\nmonitor ", "bold"),
        (monitor.name, "bold"),
        f" ({monitor.place})\n"
        f"  scans       {schema}{monitor.relation.table} of source {monitor.source}, in panes of "
        f"{format_duration(monitor.pane_seconds)} every {format_duration(monitor.every_seconds)}\n"
        f"  where       {monitor.relation.where or '(all rows)'}\n"
        f"  windows     {windows}, judged {format_duration(monitor.delay_seconds)} after they "
        f"end\n"
        f"  reference   {monitor.reference}",
    )


def _feature(feature: FeatureSettings, info: RelationInfo) -> tuple[Text, str | None]:
    """One line about a feature, and what is wrong with it."""
    column = info.column(feature.name)
    name = f"  {'prediction' if feature.prediction else 'feature':12}{feature.name}"
    if column is None:
        return Text(name, style="red"), info.missing(feature.name)
    kind = feature.kind or _KIND_OF_TYPE.get(column.column_type)
    line = f"{name} ({column.sql_type or 'no declared type'})"
    if kind is None:
        finding = (
            f"{feature.name!r} is {column.sql_type or 'of no declared type'}: its kind is never "
            "guessed; declare `kind: categorical` or `kind: numeric`"
        )
        return Text(line, style="red"), finding
    return Text(f"{line}: {kind}, {_bins(feature, kind)}"), None


def _bins(feature: FeatureSettings, kind: Kind) -> str:
    if kind is Kind.CATEGORICAL:
        return f"the {feature.levels} most frequent levels"
    if feature.binning.method is BinMethod.EXPLICIT:
        return f"{len(feature.binning.edges)} edges of yours"
    return f"{feature.binning.count} {feature.binning.method} bins"


def _propose(proposals: Sequence[KindProposal], console: Console) -> None:
    console.print(Text("  proposal to accept, under `features:`", style="bold"))
    for one in proposals:
        console.print(Text(f"    - {{name: {one.column}, kind: {one.kind}}}   # {one.reason}"))


def _show_plan(
    monitor: MonitorSettings, info: RelationInfo, source: Source, console: Console
) -> None:
    """The store's own plan of a tick: the newest pane, with stand-in axes of one cell."""
    columns = [
        ScanColumn(feature.name, _stand_in(feature, column.column_type), column.column_type)
        for feature in monitor.features
        if (column := info.column(feature.name)) is not None
        and (feature.kind or _KIND_OF_TYPE.get(column.column_type)) is not None
    ]
    plan = source.plan(monitor.relation, info, columns, monitor.pane_seconds)
    pane = latest_complete(monitor, process_now(), monitor.pane_seconds)
    console.print(Text("  plan of a tick, as the store tells it", style="bold"))
    for line in source.explain(plan, pane):
        console.print(Text(f"    {line}", style="dim"))


def _stand_in(feature: FeatureSettings, column_type: ColumnType) -> Axis:
    if (feature.kind or _KIND_OF_TYPE.get(column_type)) is Kind.CATEGORICAL:
        return CategoricalAxis(())
    scale = Scale.TIME if column_type is ColumnType.TIME else Scale.NUMBER
    return NumericAxis((0.0,), scale)


def _tell(console: Console, text: str, *, fatal: bool) -> Finding:
    word, style = ("problem", "bold red") if fatal else ("warning", "yellow")
    console.print(Text(f"  {word}: {text}", style=style))
    return Finding(text, fatal)
