"""Ranges that a person takes out of the picture: shown, but nobody is paged, and nothing learns."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.config.settings import Exclusion, MonitorSettings
from driftwatch.evaluate.alerts import Change, exclude_windows
from driftwatch.evaluate.compare import Past
from driftwatch.evaluate.repeated import repeated_in
from driftwatch.store import exclusions, monitors, results
from driftwatch.store.engine import Store


@dataclass(frozen=True, slots=True)
class Excluded:
    """new: False where the very same range was excluded before. changes: alerts that ended."""

    new: bool
    changes: tuple[Change, ...] = ()


def exclude(
    monitor: MonitorSettings,
    wanted: Exclusion,
    *,
    store: Store,
    now: datetime,
    notify: bool,
) -> Excluded:
    """Exclude a range, as `exclude` of the configuration does, until it is taken back.

    now: process time; notify: whether the webhook hears of alerts that end. Windows that touch the
    range and were judged before are marked as excluded, and alerts end that they alone made fire,
    as if the range had been known. A monitor that was never evaluated is noted.
    """
    with store.write() as connection:
        record = monitors.ensure(connection, monitor.name, now)
        monitors.lock(connection, record.id)
        new = exclusions.add(connection, monitor.name, wanted, now)
        changes: list[Change] = []
        if new:
            _mark(connection, monitor, wanted)
            changes = exclude_windows(connection, monitor, wanted, now, notify=notify)
    return Excluded(new, tuple(changes))


def remove(monitor: MonitorSettings, exclusion_id: int, *, store: Store, now: datetime) -> bool:
    """Take back what a command has excluded; False if it was taken back before.

    StoreError: the monitor has no exclusion of this number, or the configuration makes it.
    """
    with store.write() as connection:
        taken = exclusions.remove(connection, monitor.name, exclusion_id, now)
        known = exclusions.listed(connection, monitor.name)
        for one in known:
            if taken and one.id == exclusion_id:
                _mark(connection, monitor, one.exclusion)
    return taken


def _mark(connection: Connection, monitor: MonitorSettings, changed: Exclusion) -> None:
    """Let results that touch a range say what excludes them now."""
    past = Past(exclusions.active(connection, monitor.name), repeated_in(monitor, changed.interval))
    results.mark_excluded(connection, monitor.name, changed.feature, changed.interval, past.reason)
