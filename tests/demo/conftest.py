"""The year of flights as the demo watches it, up to December, judged once for all tests."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftwatch.config.load import load_settings
from driftwatch.demo.folder import write_config
from driftwatch.demo.log import build_log
from driftwatch.evaluate.pipeline import evaluate
from driftwatch.source import open_source
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.verdict.policy import CalibratedThreshold

DECEMBER = datetime(2013, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder. Its days were judged by the default policy, nothing tuned."""
    folder = tmp_path_factory.mktemp("flights")
    build_log(folder / "log.db", DECEMBER)
    write_config(folder, "127.0.0.1:0")
    settings = load_settings(folder / "config.yaml", {})
    (monitor,) = settings.monitors
    assert {one.threshold for one in monitor.features} == {CalibratedThreshold()}
    now = DECEMBER + timedelta(seconds=monitor.delay_seconds)
    with (
        closing(open_source(settings.sources[monitor.source])) as source,
        closing(open_store(settings.store_url)) as store,
    ):
        ensure_schema(store)
        prepared, behind = None, True
        while behind:
            report = evaluate(
                monitor, now, source=source, store=store, prepared=prepared, started_at=now
            )
            prepared, behind = report.prepared, report.behind
    return folder
