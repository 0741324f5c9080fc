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
from tests.daemon.twin import COLUMNS, Twin, WrittenClock
from tests.daemon.webhook import Receiver, receiver
from tests.evaluate.log import Log, Row, day, rows, shifted
from tests.evaluate.world import natural, table

CAUGHT_UP = 14.0
STEPS = (14.5, 15, 16, 17, 18)
KILLED_AT, BACK_AT, LATE_AT = 15, 17, 16
OF_THE_WORLD = ("segment", "model_version", "exclusion", "annotation")
_OWN = {"id", "created_at", "recorded_at"}


def served(version: str, start: float, end: float, **changed: Any) -> list[Row]:
    """Rows whose prediction is x of the same hours of another day."""
    values = [row["x"] for row in rows(start + 50, end + 50)]
    made = rows(start, end, v=version, **changed)
    return [row | {"p": value} for row, value in zip(made, values, strict=True)]


def changing_rows() -> list[Row]:
    """Drift that comes and goes while all catch up, and again while they look on; a release."""
    return [
        *served("v1", 0, 11), *served("v1", 11, 12, x=shifted), *served("v1", 12, 14),
        *served("v1", 14, 15, x=shifted), *served("v2", 15, 16), *served("v2", 16, 17, k="new"),
        *served("v2", 17, 18),
    ]  # fmt: skip


class Story:
    """One store and its daemons, going through a log by one clock."""

    def __init__(self, store_url: str, hook: Receiver, folder: Path) -> None:
        self.hook = hook
        self.log = Log(f"sqlite:///{folder / 'log.db'}")
        self.log.create(COLUMNS)
        self.log.write(changing_rows())
        self.twin = Twin(self.log.url, store_url, hook.url, WrittenClock(folder / "now"))
        self.store: Store = open_store(store_url)
        self.processes: list[ForkServerProcess] = []

    def start(self, count: int) -> None:
        self.processes += [self.twin.start() for _ in range(count)]

    def kill(self, number: int) -> None:
        """As `kill -9` does."""
        process = self.processes.pop(number)
        process.kill()
        process.join()

    def go(self, until: float) -> None:
        """Until everything up to `until` is counted, judged and told."""
        self.twin.clock.set(day(until) + timedelta(minutes=10))
        wait_for(lambda: self._has_told(until), seconds=90)

    def late_rows(self) -> None:
        """Half a day comes a second time."""
        self.log.write(served("v2", LATE_AT - 0.5, LATE_AT))

    def _has_told(self, until: float) -> bool:
        try:
            (found,) = table(self.store, "monitor") or [{"watermark": None}]
            outbox = table(self.store, "notification")
        except StoreError:  # the tables are being made
            return False
        told = all(one["delivered_at"] for one in outbox)
        return found["watermark"] == day(until) and told

    def posted(self) -> list[tuple[Any, ...]]:
        """What was taken by the receiver, in no order: two alerts may be told in any."""
        keys = ("feature", "segment", "kind", "window", "state", "severity", "window_end", "since")
        return sorted(tuple(str(post[key]) for key in keys) for post in self.hook.taken())

    def rows(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {**natural(self.store)}
        del found["notification"]  # holds when it was delivered; what was posted is compared
        for name in OF_THE_WORLD:
            kept = [
                {key: value for key, value in row.items() if key not in _OWN}
                for row in table(self.store, name)
            ]
            found[name] = sorted(kept, key=repr)
        return found


@contextmanager
def told(store_url: str, folder: Path) -> Iterator[Story]:
    folder.mkdir()
    with receiver() as hook:
        story = Story(store_url, hook, folder)
        try:
            yield story
        finally:
            while story.processes:
                story.kill(0)
            story.store.close()


def one_daemon(folder: Path) -> tuple[dict[str, list[Any]], list[tuple[Any, ...]]]:
    """The rows and the posts of a daemon that has its store to itself."""
    with told(f"sqlite:///{folder.parent / 'one.db'}", folder) as story:
        story.twin.clock.set(day(CAUGHT_UP))
        story.start(1)
        for until in (CAUGHT_UP, *STEPS):
            story.go(until)
            if until == LATE_AT:
                story.late_rows()
        return story.rows(), story.posted()


@pytest.mark.timeout(400)  # three daemons start, on a machine that may be busy
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_daemons_on_one_store_do_what_one_does(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    expected, posted = one_daemon(tmp_path / "of-one")
    url = f"sqlite:///{tmp_path / 'two.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with told(url, tmp_path / "of-two") as story:
        story.twin.clock.set(day(CAUGHT_UP))
        story.start(2)
        for until in (CAUGHT_UP, *STEPS):
            story.go(until)
            if until == KILLED_AT:
                story.kill(0)
            if until == BACK_AT:
                story.start(1)
            if until == LATE_AT:
                story.late_rows()
        outcomes = {found["outcome"] for found in table(story.store, "evaluation")}
        assert outcomes == {"success", "conflict"}, "they raced, and nothing else went wrong"
        found = story.rows()
        for name, of_one in expected.items():
            assert found[name] == of_one, name
        assert story.posted() == posted
        assert len(set(posted)) == len(posted), "each change is posted once"
        states = {(post["feature"], post["state"]) for post in story.hook.taken()}
        assert {("x", "firing"), ("x", "resolved"), ("k", "firing")} <= states
        assert all(one["attempts"] == 1 for one in table(story.store, "notification"))
        assert any(row["revision"] > 1 for row in table(story.store, "pane")), "late rows came"
        assert [row["version"] for row in table(story.store, "model_version")] == ["v1", "v2"]
