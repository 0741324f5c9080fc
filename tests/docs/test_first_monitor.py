"""docs/howto/first-monitor.md does what it says: from a table of one's own to an alert."""

import logging
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from typer.testing import CliRunner

from driftwatch.cli.commands import app
from tests.docs.markdown import DOCS, fences

HOWTO = DOCS / "howto" / "first-monitor.md"
FIRST, DRIFTS, NOW = (
    datetime(2026, 9, 1, tzinfo=UTC),
    datetime(2026, 10, 10, tzinfo=UTC),
    datetime(2026, 10, 14, 9, 3, tzinfo=UTC),
)
ROWS_PER_DAY = 200


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """The commands send the log lines of their process to standard error; give them back."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of the page, and a log in SQLite whose dep_delay moves by 2 sigma."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGS_URL", f"sqlite:///{tmp_path / 'log.db'}")
    (text,) = fences(HOWTO, "yaml")
    (index,) = fences(HOWTO, "sql")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    log = sqlite3.connect(tmp_path / "log.db")
    try:
        log.execute(
            "CREATE TABLE predictions (scored_at, p_late REAL, dep_delay REAL, "
            "distance INTEGER, carrier TEXT)"
        )
        log.executemany("INSERT INTO predictions VALUES (?, ?, ?, ?, ?)", rows())
        log.execute(index)
        log.commit()
    finally:
        log.close()
    return tmp_path


def rows() -> Iterator[tuple[str, float, float, int, str]]:
    rng, moment = random.Random(2013), FIRST
    while moment < NOW:
        yield (
            f"{moment:%Y-%m-%d %H:%M:%S}",
            rng.betavariate(2, 5),
            rng.gauss(2.0 if moment >= DRIFTS else 0.0, 1.0),
            rng.randrange(100, 3000),
            rng.choice(["UA", "AA", "B6"]),
        )
        moment += timedelta(days=1) / ROWS_PER_DAY


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert not isinstance(result.exception, Exception), result.exception
    return result.exit_code, result.output


@pytest.mark.usefixtures("folder")
def test_the_steps_of_the_page_lead_to_an_alert() -> None:
    with time_machine.travel(NOW):
        code, output = run("check")
        assert (code, "0 problems, 0 warnings" in output) == (0, True), output
        code, output = run("evaluate", "--once")
        assert code == 3, output
        assert "warning: dep_delay (drift, 1d) since 2026-10-10 00:00Z" in output, (
            "on the first day"
        )
        code, output = run("status")
        firing = output.partition("Firing")[2].partition("Blind")[0]
        assert firing.count("delay-model dep_delay") == 1
        assert "a warning, as the prediction stays where it was" in firing
        code, output = run("explain", "delay-model", "dep_delay")
        assert code == 0
        assert "dep_delay: values moved up: their mean is" in output
        assert run("evaluate", "--once")[0] == 3, "it still fires"


def test_without_an_index_and_with_text_undeclared_the_check_says_so(folder: Path) -> None:
    log = sqlite3.connect(folder / "log.db")
    log.execute("DROP INDEX predictions_scored_at")
    log.close()
    code, output = run("check")
    assert (code, "no index or partition serves" in output) == (3, True), output
    config = folder / "config.yaml"
    text = config.read_text("utf-8").replace("{name: carrier, kind: categorical}", "carrier")
    config.write_text(text, encoding="utf-8")
    code, output = run("check")
    assert (code, "name: carrier, kind: categorical" in output) == (1, True), output
