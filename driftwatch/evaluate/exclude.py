"""Ranges that a person takes out of the picture: shown, but nobody is paged, and nothing learns."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.config.settings import Exclusion, MonitorSettings
from driftwatch.evaluate.alerts import Change, reset_alerts
from driftwatch.store import exclusions, monitors
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

    now: process time; notify: whether the webhook hears of alerts that end. An alert whose newest
    window lies in the range is resolved, as it would have been had the range been known. Every
    other window heeds it from the next evaluation on. A monitor that was never evaluated is noted.
    """
    with store.write() as connection:
        record = monitors.ensure(connection, monitor.name, now)
        monitors.lock(connection, record.id)
        new = exclusions.add(connection, monitor.name, wanted, now)
        watermark = monitors.ensure(connection, monitor.name, now).watermark
        changes: list[Change] = []
        if new and watermark is not None and _covers_newest(monitor, wanted, watermark):
            changes = _resolve(connection, monitor, wanted, watermark, now, notify=notify)
    return Excluded(new, tuple(changes))


def remove(monitor: MonitorSettings, exclusion_id: int, *, store: Store, now: datetime) -> bool:
    """Take back what a command has excluded; False if it was taken back before.

    StoreError: the monitor has no exclusion of this number, or the configuration makes it.
    """
    with store.write() as connection:
        return exclusions.remove(connection, monitor.name, exclusion_id, now)


def _covers_newest(monitor: MonitorSettings, one: Exclusion, watermark: datetime) -> bool:
    """Whether the newest window of the shortest length touches the range."""
    newest = monitor.calendar.before(watermark, min(monitor.window_seconds)).interval
    return one.interval.start < newest.end and one.interval.end > newest.start


def _resolve(
    connection: Connection,
    monitor: MonitorSettings,
    one: Exclusion,
    watermark: datetime,
    now: datetime,
    *,
    notify: bool,
) -> list[Change]:
    features = {one.feature} if one.feature else None
    message = f"excluded: {one.reason}"
    return reset_alerts(connection, monitor.name, features, watermark, message, now, notify=notify)
