"""Killed at any moment and started again, it ends with the rows of a run that was never killed."""

import random
import time
from datetime import datetime
from pathlib import Path

import pytest

from driftwatch.errors import StoreError
from driftwatch.store.engine import Store, open_store
from tests.daemon import killed
from tests.evaluate.log import Log, Row, day, rows, shifted
from tests.evaluate.world import natural, table


def changing_rows() -> list[Row]:
    """A reference, then 16 days with drift that comes and goes, a gap, and a vanishing level."""
    return [
        *rows(0, 12), *rows(12, 15, x=shifted), *rows(15, 18), *rows(19.5, 21),
        *rows(21, 23, k="new"), *rows(23, 25), *rows(25, 26, x=shifted),
    ]  # fmt: skip


@pytest.mark.parametrize(("database", "kills"), [("sqlite", 14), ("postgresql", 6)])
def test_killed_at_random_moments(
    database: str, kills: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    log.create()
    log.write(changing_rows())
    whole = _never_killed(log, f"sqlite:///{tmp_path / 'whole.db'}")
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
    chance, store = random.Random(13), open_store(url)
    seen: list[datetime | None] = [None]
    for number in range(kills):
        process = killed.start(log.url, url)
        if number > 2:  # the first three die while they make tables or capture the reference
            _wait_for_progress(store, past=seen[-1])
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.join()
        seen.append(_watermark(store))
    process = killed.start(log.url, url)
    _wait_for(store, day(killed.UNTIL))
    process.kill()
    process.join()
    assert sum(one is None or one < day(killed.UNTIL) for one in seen) >= kills - 1, seen
    ended = natural(store)
    store.close()
    assert {name: ended[name] for name in whole} == whole


def _never_killed(log: Log, url: str) -> dict[str, list[tuple[object, ...]]]:
    store = open_store(url)
    process = killed.start(log.url, url)
    _wait_for(store, day(killed.UNTIL))
    process.kill()
    process.join()
    found = natural(store)
    store.close()
    return found


def _watermark(store: Store) -> datetime | None:
    try:
        found = table(store, "monitor")
    except StoreError:  # the tables are being made
        return None
    return found[0]["watermark"] if found else None


def _wait_for_progress(store: Store, *, past: datetime | None) -> None:
    """Until a new process has evaluated at least once, so that all of them come forward."""
    end = time.monotonic() + 20
    while _watermark(store) == past and past != day(killed.UNTIL):
        assert time.monotonic() < end, "a process did nothing"
        time.sleep(0.005)


def _wait_for(store: Store, moment: datetime) -> None:
    end = time.monotonic() + 40
    while _watermark(store) != moment:
        assert time.monotonic() < end, "it did not catch up"
        time.sleep(0.02)
