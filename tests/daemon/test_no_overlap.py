"""No evaluation overlaps the last one of its monitor, and none that was due is lost for good."""

import time
from datetime import UTC, datetime
from threading import Lock

from driftwatch.daemon.schedule import PunctualExecutor, add_monitor, new_scheduler


def test_a_slow_evaluation_is_not_joined_by_a_second_and_is_followed_by_the_next() -> None:
    lock, ended = Lock(), []

    def run(name: str) -> None:
        assert lock.acquire(blocking=False), "two at a time"
        time.sleep(0.25)
        ended.append(name)
        lock.release()

    scheduler = new_scheduler(PunctualExecutor(4))
    add_monitor(scheduler, "slow", 0.1, run, datetime.now(UTC))
    scheduler.start()
    time.sleep(1.3)
    scheduler.shutdown(wait=True)
    assert 3 <= len(ended) <= 6


def test_runs_that_were_missed_while_all_workers_were_busy_are_made_up_by_one() -> None:
    ran: dict[str, list[float]] = {"busy": [], "waiting": []}
    begun = time.monotonic()

    def run(name: str) -> None:
        if name == "busy" and not ran["busy"]:
            time.sleep(0.8)
        ran[name].append(time.monotonic() - begun)

    scheduler = new_scheduler(PunctualExecutor(1))
    now = datetime.now(UTC)
    add_monitor(scheduler, "busy", 60.0, run, now)
    scheduler.modify_job("busy", next_run_time=now)
    add_monitor(scheduler, "waiting", 0.2, run, now)
    scheduler.start()
    time.sleep(1.6)
    scheduler.shutdown(wait=True)
    assert ran["waiting"], "late, but not lost"
    assert min(ran["waiting"]) >= 0.7
    assert len(ran["waiting"]) <= 6, f"what was missed is made up by one run: {ran}"
