"""docs/howto/choose-thresholds.md shows what the command prints about the demo's year of flights."""

import shlex
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftwatch.cli import main
from driftwatch.config.load import load_settings
from driftwatch.demo.folder import write_config
from driftwatch.demo.log import build_log
from driftwatch.evaluate.pipeline import evaluate
from driftwatch.source import open_source
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema
from tests.docs.markdown import DOCS, fences

PAGE = DOCS / "howto" / "choose-thresholds.md"
DECEMBER = datetime(2013, 12, 1, tzinfo=UTC)


def test_the_output_in_the_how_to_is_what_the_command_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    build_log(tmp_path / "log.db", DECEMBER)
    write_config(tmp_path, "127.0.0.1:0")
    settings = load_settings(tmp_path / "config.yaml", {})
    (monitor,) = settings.monitors
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
    (tmp_path / "log.db").unlink()
    (command,) = [one for one in "".join(fences(PAGE, "console")).splitlines() if "--to" in one]
    words = [*shlex.split(command), "-c", str(tmp_path / "config.yaml")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        main()
    (shown,) = fences(PAGE, "text")
    assert capsys.readouterr().out == shown
