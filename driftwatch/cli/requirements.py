"""What `check` holds against the source besides features: references, columns, `ready`."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from driftwatch.cli.terminal import moment
from driftwatch.config.settings import (
    CohortReference,
    FileReference,
    MonitorSettings,
    ReferenceSettings,
    RelationSettings,
    TableReference,
)
from driftwatch.errors import DriftwatchError, SourceError
from driftwatch.evaluate.progress import target
from driftwatch.evaluate.specification import Moving, bootstrap, specification
from driftwatch.source import RelationInfo, Source, open_source
from driftwatch.source.file import open_file
from driftwatch.window import Interval

NOT_READY = "the log does not say that it is complete"


class Unmet(NamedTuple):
    """What is not as the monitor needs it. fatal: it, or a column, cannot be watched so."""

    text: str
    fatal: bool


def told_by_ready(monitor: MonitorSettings, source: Source) -> str:
    """What the log says of itself, in words. SourceError: `ready` says nothing of use."""
    if monitor.ready is None:
        return "(the delay alone tells)"
    found = source.ready_until(monitor.ready, monitor.relation)
    if found is True:
        return "the log is complete, as far as the delay says"
    return NOT_READY if found is False else f"the log is complete up to {moment(found)}"


def unmet(
    monitor: MonitorSettings, info: RelationInfo, source: Source, now: datetime
) -> Iterator[Unmet]:
    """What is in the monitor's way, apart from the columns that it counts."""
    yield from _columns(monitor, info)
    yield from _zone(monitor, info)
    yield from _ready(monitor, source)
    for reference, names in _references(monitor):
        try:
            yield from _reference(monitor, reference, names, info, source, now)
        except DriftwatchError as error:
            yield Unmet(f"reference: {error}", fatal=True)


def _columns(monitor: MonitorSettings, info: RelationInfo) -> Iterator[Unmet]:
    relation = monitor.relation
    wanted = [("updated_at", relation.updated_at), ("partition", relation.partition)]
    wanted.append(("version", monitor.version.column if monitor.version else None))
    if monitor.segments is not None:
        for group in monitor.segments.groups:
            wanted += [("segments", column) for column in group.columns]
    for key, column in dict.fromkeys(wanted):
        if column is not None and info.column(column) is None:
            yield Unmet(f"{key}: {info.missing(column)}", fatal=True)


def _zone(monitor: MonitorSettings, info: RelationInfo) -> Iterator[Unmet]:
    says_its_own = "with time zone" in info.timestamp_type or "epoch" in info.timestamp_type
    if monitor.relation.timestamp_zone != "UTC" and says_its_own:
        yield Unmet(
            f"timestamp.zone ({monitor.relation.timestamp_zone}) changes nothing: "
            f"{monitor.relation.timestamp!r} says its own; remove it",
            fatal=False,
        )


def _ready(monitor: MonitorSettings, source: Source) -> Iterator[Unmet]:
    try:
        told = told_by_ready(monitor, source)
    except SourceError as error:
        yield Unmet(str(error), fatal=True)
        return
    if told == NOT_READY:
        yield Unmet(f"ready: {NOT_READY}; nothing is counted until it does", fatal=False)


def _references(monitor: MonitorSettings) -> Iterator[tuple[ReferenceSettings, list[str]]]:
    """Every reference once, with the features that it is for."""
    own = specification(monitor.reference)
    names: dict[str, list[str]] = {own: []}
    by_text: dict[str, ReferenceSettings] = {own: monitor.reference}
    for feature in monitor.features:
        reference = monitor.reference_of(feature)
        by_text[specification(reference)] = reference
        names.setdefault(specification(reference), []).append(feature.name)
    for text, reference in by_text.items():
        yield reference, names[text]


def _reference(
    monitor: MonitorSettings,
    reference: ReferenceSettings,
    names: Sequence[str],
    info: RelationInfo,
    source: Source,
    now: datetime,
) -> Iterator[Unmet]:
    match reference:
        case Interval():
            yield from _range(monitor, reference, info, source, now)
        case FileReference():
            with closing(open_file(reference.path)) as file:
                yield from _elsewhere(file.source, file.relation, names)
        case TableReference(relation, None):
            yield from _elsewhere(source, relation, names)
        case TableReference(relation, settings):
            assert settings is not None
            with closing(open_source(settings)) as other:
                yield from _elsewhere(other, relation, names)
        case _:
            yield from _moving(monitor, reference, info, source, now)


def _range(
    monitor: MonitorSettings, reference: Interval, info: RelationInfo, source: Source, now: datetime
) -> Iterator[Unmet]:
    if reference.end > target(monitor, now):
        text = f"the reference {reference} is not over yet: nothing is counted before it is"
        yield Unmet(text, fatal=False)
    elif not source.has_rows(monitor.relation, info, reference):
        text = (
            f"the reference {reference} holds no rows; check `reference`, `timestamp` and `where`"
        )
        yield Unmet(text, fatal=True)


def _elsewhere(source: Source, relation: RelationSettings, names: Sequence[str]) -> Iterator[Unmet]:
    info = source.inspect(relation)
    for name in names:
        if info.column(name) is None:
            yield Unmet(f"reference: {relation.table!r}: {info.missing(name)}", fatal=True)


def _moving(
    monitor: MonitorSettings, reference: Moving, info: RelationInfo, source: Source, now: datetime
) -> Iterator[Unmet]:
    relation = monitor.relation
    if isinstance(reference, CohortReference):
        relation = replace(relation, where=reference.where)
    interval = bootstrap(monitor, reference, now, None)
    if not source.has_rows(relation, info, interval):
        what = "the cohort" if isinstance(reference, CohortReference) else "the reference"
        text = f"{what} has no rows in {interval}, to which its bins are fitted; nothing is counted"
        yield Unmet(f"{text} before it has", fatal=True)
