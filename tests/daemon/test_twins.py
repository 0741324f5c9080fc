"""Two daemons on one store by accident: the rows of one, and each change is posted once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from driftwatch.errors import StoreError
from driftwatch.store.engine import Store, open_store
from tests.daemon.test_app import wait_for
from tests.daemon.twin import Twin, WrittenClock
from tests.daemon.webhook import Receiver, receiver
from tests.evaluate.log import Log, Row, day, rows, shifted
from tests.evaluate.world import natural, table

CAUGHT_UP = 18.0
STEPS = (18.5, 19, 19.5, 20, 21, 22)
KILLED_AT, BACK_AT = 19, 21


def changing_rows() -> list[Row]:
    """Drift that comes and goes while all catch up, and again while they look on."""
    return [
        *rows(0, 12), *rows(12, 14, x=shifted), *rows(14, 18), *rows(18, 19, x=shifted),
        *rows(19, 20), *rows(20, 21, k="new"), *rows(21, 22),
    ]  # fmt: skip


class Story:
    """One store and its daemons, going through the log by one clock."""

    def __init__(self, log: Log, store_url: str, hook: Receiver, folder: Path) -> None:
        self.hook = hook
        self.twin = Twin(log.url, store_url, hook.url, WrittenClock(folder / "now"))
        self.store: Store = open_store(store_url)
        self.processes: list[ForkServerProcess] = []

    def start(self, count: int) -> None:
        self.processes += [self.twin.start() for _ in range(count)]

    def kill(self, number: int) -> None:
        """As `kill -9` does."""
        process = self.processes.pop(number)
        process.kill()
        process.join()

    def reach(self, days: float) -> None:
        """Until everything up to `days` is counted, judged and told."""
        self.twin.clock.set(day(days) + timedelta(minutes=10))
        wait_for(lambda: self._has_told(days), seconds=60)

    def _has_told(self, days: float) -> bool:
        try:
            (found,) = table(self.store, "monitor") or [{"watermark": None}]
            outbox = table(self.store, "notification")
        except StoreError:  # the tables are being made
            return False
        told = all(one["delivered_at"] for one in outbox)
        return found["watermark"] == day(days) and told

    def posted(self) -> list[tuple[Any, ...]]:
        """What was taken by the receiver, in no order: two alerts may be told in any."""
        keys = ("feature", "kind", "window", "state", "severity", "window_end", "since")
        return sorted(tuple(str(post[key]) for key in keys) for post in self.hook.taken())

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        found = natural(self.store)
        del found["notification"]  # holds when it was delivered; what was posted is compared
        return found


@contextmanager
def told(log: Log, store_url: str, folder: Path) -> Iterator[Story]:
    with receiver() as hook:
        story = Story(log, store_url, hook, folder)
        try:
            yield story
        finally:
            while story.processes:
                story.kill(0)
            story.store.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_daemons_on_one_store_do_what_one_does(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    log.create()
    log.write(changing_rows())
    with told(log, f"sqlite:///{tmp_path / 'one.db'}", tmp_path) as one:
        one.twin.clock.set(day(CAUGHT_UP))
        one.start(1)
        for days in (CAUGHT_UP, *STEPS):
            one.reach(days)
    url = f"sqlite:///{tmp_path / 'two.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with told(log, url, tmp_path) as two:
        two.twin.clock.set(day(CAUGHT_UP))
        two.start(2)
        for days in (CAUGHT_UP, *STEPS):
            two.reach(days)
            if days == KILLED_AT:
                two.kill(0)
            if days == BACK_AT:
                two.start(1)
        outcomes = {found["outcome"] for found in table(two.store, "evaluation")}
        assert outcomes == {"success", "conflict"}, "they raced, and nothing else went wrong"
        expected, found = one.rows(), two.rows()
        assert {name: found[name] for name in expected} == expected
        assert two.posted() == one.posted()
        assert len(set(two.posted())) == len(two.posted()), "each change is posted once"
        states = {(post["feature"], post["state"]) for post in two.hook.taken()}
        assert {("x", "firing"), ("x", "resolved"), ("k", "firing")} <= states
        assert all(one["attempts"] == 1 for one in table(two.store, "notification"))
