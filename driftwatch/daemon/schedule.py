"""When each monitor is evaluated: spread over its interval, never twice at a time, never lost."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

HEARTBEAT_SECONDS = 5.0


def offset_seconds(name: str, every_seconds: float) -> float:
    """Where in its interval a monitor runs: a fixed place, evenly spread over all names.

    >>> 0 <= offset_seconds("delay-model", 300) < 300
    True
    """
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 * every_seconds


def new_scheduler(workers: int) -> BackgroundScheduler:
    """A scheduler in memory: what ran is in the store, what is due follows from the watermark.

    A run that is late is run late, however late (`misfire_grace_time=None`), once for all the runs
    that were missed (`coalesce`): the watermark says what there is to do.
    """
    return BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(workers), "heartbeat": ThreadPoolExecutor(1)},
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
    """Evaluate soon after the start (spread over a short while), then every interval."""
    soon = now + timedelta(seconds=offset_seconds(name, min(every_seconds, 5.0)))
    phase = now + timedelta(seconds=offset_seconds(name, every_seconds))
    scheduler.add_job(
        run,
        IntervalTrigger(seconds=every_seconds, start_date=phase, timezone=UTC),
        args=[name],
        id=name,
        next_run_time=soon,
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
