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
        self._held = False
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
        except Exception as error:
            # One monitor's defect must not end the others.
            report = self._failed(error)
            self._record_failure(report, now, started_at, time.perf_counter() - watch)
        else:
            self._prepared = report.prepared
            self._tell(report)
            self._at_most_seconds = min(self.monitor.catch_up_seconds, self._at_most_seconds * 2)
        return Ran(started_at, time.perf_counter() - watch, report)

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
        self._tell_of_the_log(report)
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

    def _tell_of_the_log(self, report: Report) -> None:
        name = self.monitor.name
        if bool(report.held) != self._held:
            if report.held:
                log.info("monitor %s: waits for the log to be complete: %s", name, report.held)
            else:
                log.info("monitor %s: the log is complete again", name)
            self._held = bool(report.held)
        for version in report.new_versions:
            log.info("monitor %s: new version of the model: %s", name, version)
        if report.revised_panes:
            log.info(
                "monitor %s: the log has changed: counted anew: %d panes",
                name,
                report.revised_panes,
            )
        if report.shrunk_panes:
            log.warning(
                "monitor %s: %d panes hold fewer rows in the log than were counted; their counts "
                "are kept; `driftwatch backfill --allow-shrink` takes the log's",
                name,
                report.shrunk_panes,
            )

    def _failed(self, error: Exception) -> Report:
        """What was prepared may be what is wrong: look again at the next evaluation."""
        self._prepared = None
        name = self.monitor.name
        if not isinstance(error, DriftwatchError):
            log.error("monitor %s: unexpected error", name, exc_info=error)  # for its author
            self._failures += 1
            return Report(None, outcome=DriftwatchError.outcome, message=type(error).__name__)
        if isinstance(error, ConflictError):  # another process did the same work first
            log.info("monitor %s: %s: %s", name, error.outcome, error)
        else:
            log.warning("monitor %s: %s: %s", name, error.outcome, error)
            self._failures += 1
        behind = self._worth_another_try(error)
        return Report(None, outcome=error.outcome, message=str(error), behind=behind)

    def _worth_another_try(self, error: DriftwatchError) -> bool:
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
