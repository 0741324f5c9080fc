"""What was judged before, as far as the next judgement depends on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from driftwatch.alert.state import AlertKey, AlertStatus
from driftwatch.config.settings import MonitorSettings
from driftwatch.store import alerts, results
from driftwatch.window import Interval


class Memory(Protocol):
    """Of one monitor."""

    def flagged(self, since: datetime, until: datetime) -> Mapping[str, Sequence[Interval]]:
        """What was flagged by feature, of all rows, over windows of the shortest length that hold
        a part of [since, until); without what was excluded."""
        ...

    def statuses(self) -> Mapping[AlertKey, AlertStatus]:
        """Every alert."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """The memory of the daemon: its own tables."""

    connection: Connection
    monitor: MonitorSettings

    def flagged(self, since: datetime, until: datetime) -> Mapping[str, Sequence[Interval]]:
        shortest = min(self.monitor.window_seconds)
        return results.flagged_intervals(self.connection, self.monitor.name, shortest, since, until)

    def statuses(self) -> Mapping[AlertKey, AlertStatus]:
        stored = alerts.load(self.connection, self.monitor.name)
        return {key: record.status for key, record in stored.items()}
