"""The year of flights by calibrated verdicts, nothing tuned: the storm, and hardly a day more."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from driftwatch.config.load import load_settings
from driftwatch.demo.folder import write_config
from driftwatch.demo.log import build_log
from driftwatch.evaluate.pipeline import evaluate
from driftwatch.source import open_source
from driftwatch.store.engine import open_store
from driftwatch.store.frames import events_frame, results_frame
from driftwatch.store.migrate import ensure_schema
from driftwatch.verdict.policy import CalibratedThreshold

DECEMBER = datetime(2013, 12, 1, tzinfo=UTC)
STORM = ("2013-02-08", "2013-02-09")


def test_the_storm_alarms_and_at_most_two_other_days_in_a_hundred_are_flagged(
    tmp_path: Path,
) -> None:
    build_log(tmp_path / "log.db", DECEMBER)
    write_config(tmp_path, "127.0.0.1:0")
    settings = load_settings(tmp_path / "config.yaml", {})
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
        found = results_frame(store, monitor=monitor.name)
        events = events_frame(store, monitor=monitor.name)
    watched = found[found["feature"] != "@volume"]
    flagged = watched[watched["verdict"].isin(["warning", "critical"])]
    days = flagged["window_start"].dt.strftime("%Y-%m-%d")
    assert set(STORM) <= set(days[flagged["feature"] == "dep_delay"])
    others = set(days) - set(STORM)
    assert len(others) <= 0.02 * watched["window_start"].nunique(), sorted(others)
    firing = events[events["to_state"] == "firing"]
    told = [(row.feature, f"{row.window_end:%F}") for row in firing.itertuples()]
    assert told == [("dep_delay", "2013-02-10")], "the second day of the storm"
