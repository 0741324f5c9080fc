"""When each monitor is evaluated: spread over its interval, never twice at a time, never lost."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from driftwatch.daemon.clock import SteadyClock, process_now

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0

STEP = timedelta(seconds=2)
"""What moves the wall clock by more than this between two looks is no slewing: somebody set it."""


class PunctualExecutor(ThreadPoolExecutor):  # type: ignore[misc]  # APScheduler has no types
    """Threads that know when what they run was due: APScheduler does not tell its jobs."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self._due: dict[str, datetime] = {}

    def delay_seconds(self, name: str, now: datetime) -> float:
        """How long after its time the job of this name, which begins now, begins."""
        return max(0.0, (now - self._due.get(name, now)).total_seconds())

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        self._due[job.id] = run_times[0]
        super()._do_submit_job(job, run_times)


class SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler has no types
    """A scheduler that keeps its rhythm when somebody sets the wall clock.

    Its parent plans by the wall: an hour back and nothing would run for an hour; from 1970 to today
    and it would first list every run that was missed. So the plan is moved with the clock, and the
    parent looks at it at least once per heartbeat.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._steady = SteadyClock()
        self._ahead = timedelta(0)

    def _process_jobs(self) -> float:
        self._follow_steps()
        wait = super()._process_jobs()
        return HEARTBEAT_SECONDS if wait is None else min(wait, HEARTBEAT_SECONDS)

    def _follow_steps(self) -> None:
        ahead = self._steady.ahead()
        step, self._ahead = ahead - self._ahead, ahead
        if abs(step) < STEP:
            return
        log.warning(
            "the wall clock was set by %+.0f s; the schedule moves with it", step.total_seconds()
        )
        latest = process_now()
        for job in self.get_jobs():
            # Whatever happened between the step and this look: never more than one interval away.
            job.modify(next_run_time=min(job.next_run_time + step, latest + job.trigger.interval))


def offset_seconds(name: str, every_seconds: float) -> float:
    """Where in its interval a monitor runs: a fixed place, evenly spread over all names.

    >>> 0 <= offset_seconds("delay-model", 300) < 300
    True
    """
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 * every_seconds


def new_scheduler(evaluations: PunctualExecutor) -> SteadyScheduler:
    """A scheduler in memory: what ran is in the store, what is due follows from the watermark.

    A run that is late is run late, however late (`misfire_grace_time=None`), once for all the runs
    that were missed (`coalesce`): the watermark says what there is to do.
    """
    return SteadyScheduler(
        executors={
            "default": evaluations,
            "heartbeat": ThreadPoolExecutor(1),
            "housekeeping": ThreadPoolExecutor(1),
        },
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=UTC,
    )


def add_monitor(
    scheduler: BackgroundScheduler,
    name: str,
    every_seconds: float,
    run: Callable[[str], object],
    now: datetime,
) -> None:
    """Evaluate soon (spread over a short while), then every interval. What was scheduled under the
    same name is replaced; an evaluation of it that runs is not joined by another."""
    soon = now + timedelta(seconds=offset_seconds(name, min(every_seconds, 5.0)))
    phase = now + timedelta(seconds=offset_seconds(name, every_seconds))
    scheduler.add_job(
        run,
        IntervalTrigger(seconds=every_seconds, start_date=phase, timezone=UTC),
        args=[name],
        id=name,
        next_run_time=soon,
        replace_existing=True,
    )


def add_heartbeat(scheduler: BackgroundScheduler, beat: Callable[[], None], now: datetime) -> None:
    """A sign of life of the scheduler's own loop, on a thread that no evaluation can occupy."""
    scheduler.add_job(
        beat,
        IntervalTrigger(seconds=HEARTBEAT_SECONDS, timezone=UTC),
        id="@heartbeat",
        executor="heartbeat",
        next_run_time=now,
    )


def add_housekeeping(
    scheduler: BackgroundScheduler, run: Callable[[], object], *, every_seconds: float, at: datetime
) -> None:
    """Runs beside the evaluations, on a thread of its own, from `at` on."""
    scheduler.add_job(
        run,
        IntervalTrigger(seconds=every_seconds, timezone=UTC),
        id="@housekeeping",
        executor="housekeeping",
        next_run_time=at,
    )
