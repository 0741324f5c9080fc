"""Two processes evaluate one monitor: one of them does the work, and the rows are right."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from driftwatch.config.settings import SourceSettings
from driftwatch.errors import ConflictError, DriftwatchError
from driftwatch.evaluate.pipeline import Report, evaluate
from driftwatch.source import open_source
from driftwatch.stats.counts import PaneCounts
from tests.evaluate.log import day, rows, shifted
from tests.evaluate.world import World, natural, opened, with_reference

NOW = day(14) + timedelta(minutes=10)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    """What one process makes of the same rows."""
    folder = tmp_path_factory.mktemp("alone")
    with opened(f"sqlite:///{folder / 'log.db'}", f"sqlite:///{folder / 'store.db'}") as world:
        with_reference(world).live(changing())
        world.evaluate(NOW)
        return natural(world.store)


def changing() -> list[dict[str, object]]:
    return [*rows(10, 12, x=shifted), *rows(12, 14)]


def test_threads_that_race_from_the_start_leave_the_rows_of_one(
    world: World, alone: dict[str, list[tuple[object, ...]]]
) -> None:
    world.live(changing())
    together = Barrier(3)

    def one(_: int) -> Report | DriftwatchError:
        source = open_source(SourceSettings("logs", world.log.url))
        try:
            together.wait()
            return evaluate(
                world.monitor, NOW, source=source, store=world.store, prepared=None, started_at=NOW
            )
        except DriftwatchError as error:
            return error
        finally:
            source.close()

    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(one, range(3)))
    reports = [end for end in ended if isinstance(end, Report)]
    assert sorted(report.scan is not None for report in reports)[-2:] in ([True], [False, True])
    for end in ended:
        assert isinstance(end, Report | ConflictError), end
    assert natural(world.store) == alone


def test_who_is_second_is_told_and_writes_nothing(world: World) -> None:
    world.live(changing())
    world.catch_up(10.5)
    scan = world.source.scan
    first: list[Report] = []

    def slow(*arguments: object, **named: bool) -> PaneCounts:
        counts = scan(*arguments, **named)  # type: ignore[arg-type]
        if not first:  # while this one counted, another one did it all
            first.append(Report(None))
            first.append(world.evaluate(NOW))
        return counts

    world.source.scan = slow  # type: ignore[method-assign,assignment]
    before = len(world.table("evaluation"))
    with pytest.raises(ConflictError, match="another process"):
        world.evaluate(NOW)
    assert first[1].scan is not None
    assert len(world.table("evaluation")) == before + 1
    (again,) = world.catch_up(14)
    assert again.scan is None


_PROCESS = """
import sys
from datetime import datetime
from pathlib import Path
from driftwatch.config.settings import SourceSettings
from driftwatch.errors import ConflictError
from driftwatch.evaluate.pipeline import evaluate
from driftwatch.source import open_source
from driftwatch.store.engine import open_store
from tests.evaluate.log import Log
from tests.evaluate.world import monitor
log, store, now = sys.argv[1:]
now = datetime.fromisoformat(now)
source, store = open_source(SourceSettings("logs", log)), open_store(store)
prepared, behind = None, True
while behind:
    try:
        report = evaluate(monitor(Log(log), catch_up_seconds=21600), now, source=source,
            store=store, prepared=prepared, started_at=now)
        prepared, behind = report.prepared, report.behind
    except ConflictError:
        pass
"""


def test_processes_that_race_through_a_catch_up_leave_the_rows_of_one(
    world: World, alone: dict[str, list[tuple[object, ...]]]
) -> None:
    world.live(changing())
    store_url = world.store._engine.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, world.log.url, store_url, NOW.isoformat()]
        )
        for _ in range(2)
    ]
    for process in processes:
        process.wait(60)
    assert [process.returncode for process in processes] == [0, 0]
    raced = natural(world.store)
    for name in ("result", "result_bin", "pane", "alert_event", "reference", "axis"):
        assert raced[name] == alone[name]
