"""The part of a monitor's stored past that is to be judged again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from driftwatch.config.settings import Exclusion, MonitorSettings
from driftwatch.errors import ConfigError
from driftwatch.evaluate.compare import learned_from
from driftwatch.evaluate.definition import changed_definition
from driftwatch.store import exclusions, monitors
from driftwatch.store.engine import Store
from driftwatch.window import Interval


@dataclass(frozen=True, slots=True)
class History:
    """counted: from the first pane to the watermark; asked: the part that is asked for; excluded:
    what is excluded now, whenever that was said."""

    monitor_id: int
    counted: Interval
    asked: Interval
    excluded: tuple[Exclusion, ...]

    def judged_from(self, monitor: MonitorSettings) -> datetime:
        """Where to begin, so that alerts, and references that learn from what was judged, know
        what was just before the part that is asked for."""
        remembered = timedelta(seconds=monitor.alert.of * max(monitor.window_seconds))
        return max(self.counted.start, self.asked.start - max(remembered, learned_from(monitor)))


def history(
    monitor: MonitorSettings, store: Store, *, start: datetime | None, end: datetime | None
) -> History:
    """What the store holds between two moments; None: from the first pane, up to the watermark.

    ConfigError: nothing was counted there, or the monitor reads other rows by now.
    """
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
        if known is None or known.watermark is None or known.scanned_from is None:
            raise ConfigError(
                f"monitor {monitor.name!r} has no history yet: it has counted nothing; run "
                "`driftwatch serve` or `driftwatch evaluate --once` first"
            )
        if changed := changed_definition(known.definition, monitor):
            raise ConfigError(changed)
        excluded = exclusions.active(connection, monitor.name)
    counted = Interval(known.scanned_from, known.watermark)
    begin, until = max(counted.start, start or counted.start), min(counted.end, end or counted.end)
    if begin >= until:
        raise ConfigError(
            f"monitor {monitor.name!r} has no history in that range: it has counted {counted}; "
            "give a range that touches this one"
        )
    return History(known.id, counted, Interval(begin, until), excluded)
