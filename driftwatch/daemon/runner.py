"""One monitor in the daemon: its evaluations one after another, whatever becomes of them."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from driftwatch.config.settings import MonitorSettings
from driftwatch.daemon.clock import EventClock
from driftwatch.errors import ConflictError, DriftwatchError, ScanTimeoutError, StoreError
from driftwatch.evaluate.pipeline import Report, evaluate, record_evaluation
from driftwatch.evaluate.prepare import Prepared
from driftwatch.source import Source
from driftwatch.store.engine import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """One evaluation that ended: when (process time), how, after how many seconds."""

    started_at: datetime
    seconds: float
    report: Report


class MonitorRunner:
    """Evaluates one monitor; `run` is never called twice at a time.

    It keeps what was prepared between evaluations, and halves the event time that it asks for when
    the source does not answer in time, so that a long catch-up ends however slow the source is.
    """

    def __init__(
        self,
        monitor: MonitorSettings,
        source: Source,
        store: Store,
        *,
        event_clock: EventClock,
        process_now: Callable[[], datetime],
        notify: bool,
    ) -> None:
        self.monitor = monitor
        self.source = source
        self._store = store
        self._event_clock = event_clock
        self._process_now = process_now
        self._notify = notify
        self._prepared: Prepared | None = None
        self._failures = 0
        self._reasons: dict[str, str] = {}
        self._at_most_seconds = monitor.catch_up_seconds

    def run(self) -> Ran:
        """One evaluation. Never raises: what went wrong is in the report, the log and the store."""
        now, started_at, watch = self._event_clock.now(), self._process_now(), time.perf_counter()
        try:
            report = evaluate(
                self.monitor,
                now,
                source=self.source,
                store=self._store,
                prepared=self._prepared,
                started_at=started_at,
                at_most_seconds=self._at_most_seconds,
                notify=self._notify,
            )
        except DriftwatchError as error:
            report = self._failed(error)
            # Another process did the same work first: no failure, and no cause for concern.
            level = logging.INFO if isinstance(error, ConflictError) else logging.WARNING
            log.log(level, "monitor %s: %s: %s", self.monitor.name, report.outcome, error)
        except Exception as error:
            # One monitor's defect must not end the others; the traceback is for its author.
            log.exception("monitor %s: unexpected error", self.monitor.name)
            report = self._failed(error)
        else:
            self._prepared = report.prepared
            self._tell(report)
            self._at_most_seconds = min(self.monitor.catch_up_seconds, self._at_most_seconds * 2)
        seconds = time.perf_counter() - watch
        if report.prepared is None:
            self._record_failure(report, now, started_at, seconds)
        return Ran(started_at, seconds, report)

    def _tell(self, report: Report) -> None:
        """Log once what begins and what ends; the verdicts come with their windows, much later."""
        if self._failures:
            log.info(
                "monitor %s: works again after %d %s",
                self.monitor.name,
                self._failures,
                "failure" if self._failures == 1 else "failures",
            )
        self._failures = 0
        if report.scan is None:
            return
        for trouble in report.troubles:
            # Not by the message: in it the store may name another value each time.
            if self._reasons.get(trouble.column) != trouble.reason:
                log.warning(
                    "monitor %s: not counted: %s (%s): %s",
                    self.monitor.name,
                    trouble.column,
                    trouble.reason,
                    trouble.message,
                )
        now = {trouble.column: trouble.reason for trouble in report.troubles}
        for column in sorted(self._reasons.keys() - now):
            log.info("monitor %s: column %s is counted again", self.monitor.name, column)
        self._reasons = now

    def _failed(self, error: Exception) -> Report:
        """What was prepared may be what is wrong: look again at the next evaluation."""
        self._prepared = None
        if not isinstance(error, ConflictError):  # the other process did what was to be done
            self._failures += 1
        outcome = error.outcome if isinstance(error, DriftwatchError) else DriftwatchError.outcome
        message = str(error) if isinstance(error, DriftwatchError) else type(error).__name__
        return Report(None, outcome=outcome, message=message, behind=self._worth_another_try(error))

    def _worth_another_try(self, error: Exception) -> bool:
        """Whether to evaluate again at once, rather than when the next evaluation is due."""
        if isinstance(error, ScanTimeoutError):
            self._at_most_seconds = max(self.monitor.pane_seconds, error.scan_seconds // 2)
            return self._at_most_seconds < error.scan_seconds
        # Another process did the work; it may have left some.
        return isinstance(error, ConflictError)

    def _record_failure(
        self, report: Report, now: datetime, started_at: datetime, seconds: float
    ) -> None:
        try:
            with self._store.write() as connection:
                record_evaluation(
                    connection,
                    self.monitor.name,
                    report,
                    now=now,
                    started_at=started_at,
                    seconds=seconds,
                )
        except StoreError as error:
            log.warning("monitor %s: its failure is not stored: %s", self.monitor.name, error)
