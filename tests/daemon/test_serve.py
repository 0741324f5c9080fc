"""`driftwatch serve` as a process: it ends with code 0 within its grace time."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from driftwatch.errors import StoreError
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from tests.daemon.test_app import wait_for
from tests.evaluate.log import Log, rows
from tests.evaluate.world import table

GRACE_SECONDS = 2

_CONFIG = """
store: {store}
listen: 127.0.0.1:0
grace: {grace}s
sources: {{logs: "{log}"}}
monitors:
  - name: loan
    table: events
    timestamp: at
    pane: 1h
    every: 1s
    windows: [1d]
    reference: {{from: 2026-11-02, to: 2026-11-04}}
    start: 2026-11-04
    features: [x]
"""


@contextmanager
def serving(tmp_path: Path, log_url: str) -> Iterator[tuple[subprocess.Popen[bytes], Store]]:
    """A serving process and its store."""
    store_url = f"sqlite:///{tmp_path / 'store.db'}"
    config = tmp_path / "config.yaml"
    config.write_text(_CONFIG.format(store=store_url, grace=GRACE_SECONDS, log=log_url))
    command = [sys.executable, "-c", "from driftwatch.cli import main; main()", "serve"]
    store = open_store(store_url)
    with (
        (tmp_path / "log").open("wb") as told,
        subprocess.Popen([*command, "--config", str(config)], stderr=told, stdout=told) as process,
    ):
        try:
            yield process, store
        finally:
            process.kill()
            store.close()


def evaluated(store: Store) -> bool:
    try:
        return bool(table(store, "evaluation"))
    except StoreError:
        return False


def seconds_to_end(process: subprocess.Popen[bytes]) -> float:
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    return time.monotonic() - begun


@pytest.fixture
def log(tmp_path: Path) -> Log:
    found = Log(f"sqlite:///{tmp_path / 'log.db'}")
    found.create()
    found.write(rows(0, 4))
    return found


def test_sigterm_ends_it_with_code_0(tmp_path: Path, log: Log) -> None:
    with serving(tmp_path, log.url) as (process, store):
        wait_for(lambda: evaluated(store))
        assert seconds_to_end(process) < GRACE_SECONDS + 1
        assert process.returncode == 0
    text = (tmp_path / "log").read_text()
    assert "watching loan, metrics on http://127.0.0.1:" in text
    assert "stopping; all ends within 2s, SQL is cancelled before that" in text
    assert "stopped" in text.splitlines()[-1]
    assert "Traceback" not in text


def test_sigterm_ends_it_while_its_store_is_locked(tmp_path: Path, log: Log) -> None:
    """An evaluation waits for the lock for longer than the grace time; it is left."""
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    ensure_schema(store)
    with store.write(), serving(tmp_path, log.url) as (process, _):
        wait_for(lambda: "watching loan" in (tmp_path / "log").read_text())
        time.sleep(1)
        assert seconds_to_end(process) < GRACE_SECONDS + 1.5
        assert process.returncode == 0
    assert table(store, "evaluation") == []
    store.close()


def test_sighup_reads_the_configuration_again(tmp_path: Path, log: Log) -> None:
    with serving(tmp_path, log.url) as (process, store):
        wait_for(lambda: evaluated(store))
        config = tmp_path / "config.yaml"
        written = config.read_text()
        config.write_text(written.replace("features: [x]", "featurs: [x]"))
        process.send_signal(signal.SIGHUP)
        told = tmp_path / "log"
        wait_for(lambda: "the old one stays in use" in told.read_text())
        assert "featurs" in told.read_text()
        config.write_text(written.replace("name: loan", "name: loan-2"))
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "added: loan-2; removed: loan; 0 unchanged" in told.read_text())
        wait_for(lambda: "loan-2" in {one["monitor"] for one in table(store, "evaluation")})
        seconds_to_end(process)
        assert process.returncode == 0


def test_a_reload_that_hangs_keeps_nobody_from_ending_it(tmp_path: Path, log: Log) -> None:
    """Nobody writes into the pipe that stands where the configuration was. Many signals are one
    more reload, not one each."""
    with serving(tmp_path, log.url) as (process, store):
        wait_for(lambda: evaluated(store))
        (tmp_path / "config.yaml").unlink()
        os.mkfifo(tmp_path / "config.yaml")
        for _ in range(50):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        assert seconds_to_end(process) < GRACE_SECONDS + 1.5
        assert process.returncode == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_it_does_not_start_with_a_web_configuration_that_is_not_there(
    tmp_path: Path, log: Log
) -> None:
    config = tmp_path / "config.yaml"
    text = _CONFIG.format(store=f"sqlite:///{tmp_path / 'store.db'}", grace=2, log=log.url)
    config.write_text(f"web: {{config_file: {tmp_path / 'web.yml'}}}\n{text}")
    command = [sys.executable, "-c", "from driftwatch.cli import main; main()", "serve"]
    done = subprocess.run(
        [*command, "--config", str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path / 'web.yml'}: cannot be read: No such file or directory; name a file that you "
        "may read\n"
    )


def test_its_pages_are_those_of_its_configuration(tmp_path: Path, log: Log) -> None:
    with serving(tmp_path, log.url) as (_, store):
        wait_for(lambda: evaluated(store))
        wait_for(lambda: "judged 7 windows" in (tmp_path / "log").read_text())
        told = re.search(r"metrics on (http://\S+)/metrics", (tmp_path / "log").read_text())
        assert told is not None
        with httpx.Client(base_url=told[1], trust_env=False) as client:
            assert "\n- name: loan\n  source: logs\n" in client.get("/config").text
            explained = client.get("/explain?monitor=loan&feature=x")
            assert (explained.status_code, explained.text[:11]) == (200, "loan x  1d ")
            unknown = client.get("/explain?monitor=lone&feature=x")
            assert unknown.status_code == 404
            assert unknown.text == "no monitor is named 'lone'; did you mean 'loan'?\n"
