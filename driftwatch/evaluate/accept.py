"""Accepting a change: what was seen since a moment is right from now on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftwatch.config.settings import (
    CohortReference,
    FileReference,
    MonitorSettings,
    ReferenceSettings,
    TableReference,
)
from driftwatch.errors import ConfigError
from driftwatch.evaluate.groups import segment_groupings
from driftwatch.evaluate.rebase import (
    Counted,
    Known,
    Rebase,
    Rebased,
    counted_until,
    from_ledger,
    save,
)
from driftwatch.evaluate.specification import reference_of
from driftwatch.store import axes, monitors, references, segments
from driftwatch.store.annotations import AnnotationRow
from driftwatch.store.axes import AxisRecord
from driftwatch.store.engine import Store
from driftwatch.store.schema import AnnotationKind, ReferenceOrigin
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, floor


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A change that is right. column: None for all; since: event time; reason: kept with it."""

    monitor: MonitorSettings
    column: str | None
    since: datetime
    reason: str


def accept(wanted: Acceptance, *, store: Store, now: datetime, notify: bool) -> Rebased:
    """Resolve the alerts of the columns, and compare them with what came since.

    A column that is compared with a range gets the counts from `since` to the watermark as its new
    reference. One that is compared with earlier windows learns from nothing before `since` any
    more. now: process time; notify: whether the webhook hears of the alerts. ConfigError: there are
    too few rows since, not all of them were counted, or a column is compared with what no moment
    can bound; nothing was written then.
    """
    monitor = wanted.monitor
    names = [wanted.column] if wanted.column else [VOLUME, *(f.name for f in monitor.features)]
    for name in names:
        _refuse(monitor, name, reference_of(monitor, name))
    with store.write() as connection:
        monitors.lock(connection, counted_until(connection, monitor).id)
        known = counted_until(connection, monitor)  # as it is now that nobody else moves it
        interval = _since(wanted, known)
        active = axes.active(connection, known.id)
        captured = references.active(connection, known.id)
        names = [name for name in names if name in captured]
        if not names:
            raise ConfigError(
                f"monitor {monitor.name!r}: {wanted.column or 'no column'!r} has no reference yet, "
                "so that there is no change to accept"
            )
        chosen = {name: active[name] for name in names if name in active}
        counted = _counted(connection, monitor, known, chosen, interval)
        trace = AnnotationRow(
            "", AnnotationKind.ACCEPTED, interval.start, interval.end, wanted.reason
        )
        rebase = Rebase(
            monitor, known.id, known.watermark, ReferenceOrigin.ACCEPT, trace, wanted.reason,
            notify, now,
        )  # fmt: skip
        return save(connection, rebase, names, chosen, interval, counted)


def _refuse(monitor: MonitorSettings, name: str, reference: ReferenceSettings) -> None:
    """What is compared with other rows than its own is bounded by no moment of its own."""
    match reference:
        case CohortReference():
            remedy = "it follows its cohort by itself; change `cohort`, or its limits"
        case TableReference():
            remedy = (
                "bring that table up to date and run `driftwatch reference capture`, or configure "
                "another `reference`"
            )
        case FileReference():
            remedy = "name a newer file, or another `reference`"
        case _:
            return
    where = "" if name == VOLUME else f" {name!r}"
    raise ConfigError(
        f"monitor {monitor.name!r}:{where} is not compared with earlier rows of its own, so that "
        f"there is no moment to accept: {remedy}"
    )


def _since(wanted: Acceptance, known: Known) -> Interval:
    """From the first pane that begins at `since` or later: nothing before it is accepted."""
    seconds = wanted.monitor.pane_seconds
    start = floor(wanted.since + timedelta(seconds=seconds, microseconds=-1), seconds)
    if start >= known.watermark:
        raise ConfigError(
            f"monitor {wanted.monitor.name!r} has counted up to {known.watermark:%Y-%m-%dT%H:%M}Z: "
            "nothing since then could be accepted; wait until it was counted, or give an earlier "
            "moment"
        )
    return Interval(start, known.watermark)


def _counted(
    connection: Connection,
    monitor: MonitorSettings,
    known: Known,
    chosen: Mapping[str, AxisRecord],
    interval: Interval,
) -> Counted:
    """Segments with few rows keep the reference that they have."""
    frozen = segments.load(connection, known.id)
    groupings = segment_groupings(monitor, frozen)
    found = from_ledger(connection, known.id, chosen, interval, groupings)
    if found is None:
        raise ConfigError(
            f"monitor {monitor.name!r}: not all of {interval} was counted, with all of these "
            "columns, in the bins of today; give a later moment, name the COLUMN that has changed, "
            "or count the range first with `driftwatch backfill`"
        )
    if found.rows < monitor.min_rows:
        raise ConfigError(
            f"monitor {monitor.name!r}: {found.rows:,} rows in {interval} are too few to compare "
            f"with (min_rows is {monitor.min_rows:,}); give an earlier moment, or wait"
        )
    enough = {key: one for key, one in found.segments.items() if one.rows >= monitor.min_rows}
    return replace(found, segments=enough)
