"""`driftwatch check`: what each monitor will scan, by which plan, and what is in its way."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from driftwatch.cli.frozen import unheeded
from driftwatch.cli.requirements import told_by_ready, unmet
from driftwatch.cli.terminal import Cell, clean, open_console, plural, rows, show
from driftwatch.config.settings import BinMethod, FeatureSettings, Kind, MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.errors import DriftwatchError, SourceError
from driftwatch.evaluate.progress import latest_window
from driftwatch.evaluate.sentence import reference_words
from driftwatch.exposition.security import Security
from driftwatch.source import (
    ColumnType,
    KindProposal,
    RelationInfo,
    ScanColumn,
    ScanPlan,
    Source,
    open_source,
)
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import rehearse
from driftwatch.window import format_duration

FINE, FAILURE, FINDINGS = 0, 1, 3

_KIND_OF_TYPE = {
    ColumnType.NUMBER: Kind.NUMERIC,
    ColumnType.TIME: Kind.NUMERIC,
    ColumnType.BOOLEAN: Kind.CATEGORICAL,
}
"""Kinds that follow from the SQL type; text could be anything and is declared."""

_PLAIN_YAML = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_YAML_WORDS = frozenset({"true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to act on. fatal: the monitor (or the column) cannot be watched as it is."""

    text: str
    fatal: bool


def check(settings: Settings, *, offline: bool) -> int:
    """Print what would be watched. The exit code: 0 fine, 3 warnings, 1 something cannot work.

    It writes nothing, and makes no store where there is none.
    """
    console = open_console()
    path = settings.path or "the configuration"
    show(console, f"{path}: {plural(len(settings.monitors), 'monitor')}, no problem in the file")
    if offline:
        for monitor in settings.monitors:
            _heading(monitor, console)
            names = ", ".join(feature.name for feature in monitor.features)
            show(console, rows([("features  ", names)]))
        return FINE
    findings = [*_check_web(settings, console), *_check_store(settings, console)]
    for monitor in settings.monitors:
        findings += _check_monitor(settings, monitor, console)
    fatal = sum(finding.fatal for finding in findings)
    warnings = len(findings) - fatal
    show(console, f"\n{plural(fatal, 'problem')}, {plural(warnings, 'warning')}", "bold")
    return FAILURE if fatal else FINDINGS if warnings else FINE


def _check_web(settings: Settings, console: Console) -> Iterator[Finding]:
    """Whether the web configuration can be used by whoever runs this command."""
    if settings.web_config is None:
        return
    try:
        security = Security(settings.web_config, lambda _: None)
    except DriftwatchError as error:
        yield _tell(console, str(error), fatal=True, indent=0)
    else:
        users = len(security.current.users)
        who = f"for {plural(users, 'user')}" if users else "without users"
        show(console, f"web {'https' if security.encrypts else 'http'}, {who}")


def _check_store(settings: Settings, console: Console) -> Iterator[Finding]:
    """Whether the store can be used, and which configured bins it keeps as they were."""
    try:
        store = open_store(settings.store_url)
        try:
            ready = rehearse(store)
            stale = (
                [text for one in settings.monitors for text in unheeded(store, one)]
                if ready
                else []
            )
        finally:
            store.close()
    except DriftwatchError as error:
        yield _tell(console, str(error), fatal=True, indent=0)
    else:
        empty = "is empty yet: the first `serve` or `evaluate` sets it up"
        show(console, f"{store.name} {'answers' if ready else empty}")
        for text in stale:
            yield _tell(console, text, fatal=False, indent=0)


def _check_monitor(
    settings: Settings, monitor: MonitorSettings, console: Console
) -> Iterator[Finding]:
    _heading(monitor, console)
    try:
        source = open_source(settings.sources[monitor.source])
        try:
            yield from _check_source(monitor, source, console)
        finally:
            source.close()
    except DriftwatchError as error:
        yield _tell(console, str(error), fatal=True)


def _check_source(monitor: MonitorSettings, source: Source, console: Console) -> Iterator[Finding]:
    info = source.inspect(monitor.relation)
    features = monitor.features
    show(console, rows([("timestamp ", monitor.relation.timestamp or "", info.timestamp_type)]))
    if monitor.ready is not None:
        with suppress(SourceError):  # which is told below
            show(console, rows([("ready     ", told_by_ready(monitor, source))]))
    show(console, rows([_feature(feature, info) for feature in features]))
    if not info.timestamp_served:
        yield _tell(
            console,
            f"no index or partition serves {monitor.relation.timestamp!r}: each tick reads the "
            "whole table; create an index on it",
            fatal=False,
        )
    for feature in features:
        if info.column(feature.name) is None:
            yield _tell(console, info.missing(feature.name), fatal=True)
    yield from _check_kinds(monitor, info, source, console)
    yield from _check_version(monitor, info, source, console)
    plan = _plan(monitor, info, source)
    for trouble in plan.troubles:
        found = info.column(trouble.column)
        yield _tell(
            console,
            f"{trouble.column!r} is {_type(found.sql_type if found else '')}, which holds no "
            "numbers; declare `kind: categorical`, or watch a view that casts it",
            fatal=True,
        )
    _show_plan(monitor, plan, source, console)
    for one in unmet(monitor, info, source, process_now()):
        yield _tell(console, one.text, fatal=one.fatal)


def _check_kinds(
    monitor: MonitorSettings, info: RelationInfo, source: Source, console: Console
) -> Iterator[Finding]:
    """Proposes kinds of columns that need one, and doubts categories that look like identifiers."""
    undeclared, categories = [], []
    for feature in monitor.features:
        column = info.column(feature.name)
        if column is None:
            continue
        kind = _kind(feature, column.column_type)
        if kind is None:
            undeclared.append(feature.name)
        elif kind is Kind.CATEGORICAL and column.column_type is ColumnType.TEXT:
            categories.append(feature.name)
    for name in undeclared:
        column = info.column(name)
        sql_type = _type(column.sql_type if column else "")
        yield _tell(
            console,
            f"{name!r} is {sql_type}: its kind is never guessed; declare `kind: categorical` or "
            "`kind: numeric`",
            fatal=True,
        )
    if undeclared:
        _propose(source.suggest_kinds(monitor.relation, info, undeclared), console)
    for one in source.suggest_kinds(monitor.relation, info, categories):
        if one.kind is None:
            yield _tell(
                console,
                f"leave {one.column!r} out unless its values repeat: {one.reason}",
                fatal=False,
            )


def _check_version(
    monitor: MonitorSettings, info: RelationInfo, source: Source, console: Console
) -> Iterator[Finding]:
    """Doubts a version that looks like an identifier."""
    found = info.column(monitor.version.column) if monitor.version else None
    if found is None or found.column_type is not ColumnType.TEXT:
        return
    (one,) = source.suggest_kinds(monitor.relation, info, [found.name])
    if one.kind is None:
        yield _tell(
            console,
            f"{one.column!r} does not look like a version of the model: {one.reason}; each value "
            "is a release to driftwatch",
            fatal=False,
        )


def _heading(monitor: MonitorSettings, console: Console) -> None:
    schema = f"{monitor.relation.schema}." if monitor.relation.schema else ""
    windows = ", ".join(format_duration(seconds) for seconds in monitor.window_seconds)
    late = format_duration(monitor.delay_seconds)
    show(console, Text(f"\nmonitor {clean(monitor.name)} ({monitor.place})", "bold"))
    show(
        console,
        rows(
            [
                (
                    "scans     ",
                    f"{schema}{monitor.relation.table} of source {monitor.source}, in panes of "
                    f"{format_duration(monitor.pane_seconds)}, every "
                    f"{format_duration(monitor.every_seconds)}",
                ),
                ("where", monitor.relation.where or "(all rows)"),
                ("windows", f"{windows}, judged {late} after they end{_clock(monitor)}"),
                ("reference", reference_words(monitor.reference, None)),
            ]
        ),
    )


def _clock(monitor: MonitorSettings) -> str:
    zone = monitor.calendar.zone
    return "" if zone == "UTC" else f", by the clock of {zone}"


def _feature(feature: FeatureSettings, info: RelationInfo) -> tuple[Cell, ...]:
    """Its line: what it is and how it will be counted."""
    label = "prediction" if feature.prediction else "feature   "
    column = info.column(feature.name)
    if column is None:
        return label, Text(feature.name, "red"), Text("missing", "red"), ""
    kind = _kind(feature, column.column_type)
    if kind is None:
        return label, Text(feature.name, "red"), _type(column.sql_type), Text("undeclared", "red")
    return label, feature.name, _type(column.sql_type), f"{kind}, {_bins(feature, kind)}"


def _kind(feature: FeatureSettings, column_type: ColumnType) -> Kind | None:
    return feature.kind or _KIND_OF_TYPE.get(column_type)


def _type(sql_type: str) -> str:
    return sql_type or "of no declared type"


def _bins(feature: FeatureSettings, kind: Kind) -> str:
    if kind is Kind.CATEGORICAL:
        return f"the {plural(feature.levels, 'most frequent level')}"
    if feature.binning.method is BinMethod.EXPLICIT:
        return f"{plural(len(feature.binning.edges), 'edge')} of yours"
    return f"{feature.binning.count} {feature.binning.method} bins"


def _propose(proposals: list[KindProposal], console: Console) -> None:
    show(console, "  proposal to accept, under `features:`", "bold")
    lines: list[tuple[Cell, ...]] = []
    for one in proposals:
        name = _yaml(one.column)
        line = f"- {{name: {name}, kind: {one.kind}}}" if one.kind else f"# leave out {name}"
        lines.append((line, Text(f"# {one.reason}", "dim")))
    show(console, rows(lines, indent=4))


def _yaml(name: str) -> str:
    plain = _PLAIN_YAML.fullmatch(name) and name.lower() not in _YAML_WORDS
    # What is interpolated doubles its dollars.
    return name if plain else json.dumps(name, ensure_ascii=False).replace("$", "$$")


def _plan(monitor: MonitorSettings, info: RelationInfo, source: Source) -> ScanPlan:
    """The plan of a tick, with stand-in axes of one cell."""
    columns = [
        ScanColumn(feature.name, _stand_in(kind, column.column_type), column.column_type)
        for feature in monitor.features
        if (column := info.column(feature.name)) is not None
        and (kind := _kind(feature, column.column_type)) is not None
    ]
    return source.plan(monitor.relation, info, columns, monitor.pane_seconds)


def _stand_in(kind: Kind, column_type: ColumnType) -> Axis:
    if kind is Kind.CATEGORICAL:
        return CategoricalAxis(())
    return NumericAxis((0.0,), Scale.TIME if column_type is ColumnType.TIME else Scale.NUMBER)


def _show_plan(monitor: MonitorSettings, plan: ScanPlan, source: Source, console: Console) -> None:
    """The store's own plan of the newest pane."""
    pane = latest_window(monitor, process_now(), monitor.pane_seconds).interval
    lines = source.explain(plan, pane)
    show(console, "  plan of a tick, as the source tells it", "bold")
    show(console, rows([(Text(line, "dim"),) for line in lines], indent=4))


def _tell(console: Console, text: str, *, fatal: bool, indent: int = 2) -> Finding:
    word, style = ("problem:", "bold red") if fatal else ("warning:", "yellow")
    show(console, rows([(Text(word, style), Text(text, style))], indent=indent))
    return Finding(text, fatal)
