"""Forgets what is older than it is kept, in portions that hold up no evaluation for long."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Event

from driftwatch.config.settings import Settings
from driftwatch.errors import StoreError
from driftwatch.exposition.health import Health
from driftwatch.store import retention
from driftwatch.store.engine import Store

log = logging.getLogger(__name__)

EVERY_SECONDS = 3_600.0

FIRST_AFTER_SECONDS = 60.0
"""After the start; a daemon that is restarted every half hour forgets, too."""

PORTIONS = 10_000
"""At most so many transactions at a time; what is left then is left for the next hour."""

_LEAST_PAUSE_SECONDS = 0.01


class Housekeeper:
    """Deletes rows of the store by the ages of `retention`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        health: Health,
        *,
        process_now: Callable[[], datetime],
        stopping: Event,
    ) -> None:
        self._settings = settings
        self._store = store
        self._health = health
        self._process_now = process_now
        self._stopping = stopping

    def run(self) -> Mapping[str, int]:
        """Delete all that is too old, unless it is told to stop; returns the rows of each table.

        Between two portions the store is left alone for as long as the last one took, so that an
        evaluation that waits for it comes in between. Never raises for what the store does: that
        is logged and counted, and tried again in an hour.
        """
        gone: Counter[str] = Counter()
        try:
            for _ in range(PORTIONS):
                begun = time.monotonic()
                portion = self._portion()
                gone.update(portion)
                self._health.rows_pruned(portion)
                pause = max(_LEAST_PAUSE_SECONDS, time.monotonic() - begun)
                if not any(portion.values()) or self._stopping.wait(pause):
                    break
        except StoreError as error:
            log.warning("old rows are not deleted: %s", error)
            self._health.prune_failed()
        if gone.total():
            told = ", ".join(
                f"{count} of {table}" for table, count in sorted(gone.items()) if count
            )
            log.info("deleted rows that were older than they are kept: %s", told)
        return gone

    def _portion(self) -> Mapping[str, int]:
        calendars = {monitor.name: monitor.calendar for monitor in self._settings.monitors}
        with self._store.write() as connection:
            return retention.prune(
                connection, self._settings.retention, monitors=calendars, now=self._process_now()
            )
