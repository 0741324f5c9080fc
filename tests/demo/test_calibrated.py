"""The year of flights by calibrated verdicts, nothing tuned: the storm, and hardly a day more."""

import shlex
import sys
from contextlib import closing
from pathlib import Path

import pytest

from driftwatch.cli import main
from driftwatch.config.load import load_settings
from driftwatch.store.engine import open_store
from driftwatch.store.frames import events_frame, results_frame
from tests.docs.markdown import DOCS, fences

STORM = ("2013-02-08", "2013-02-09")
HOWTO = DOCS / "howto" / "choose-thresholds.md"

pytestmark = pytest.mark.xdist_group("flights")


def test_the_storm_alarms_and_at_most_two_other_days_in_a_hundred_are_flagged(
    flights: Path,
) -> None:
    settings = load_settings(flights / "config.yaml", {})
    (monitor,) = settings.monitors
    with closing(open_store(settings.store_url)) as store:
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


def test_the_how_to_shows_what_a_replay_prints(
    flights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = [one for one in "\n".join(fences(HOWTO, "console")).splitlines() if "--to" in one]
    words = [*shlex.split(command), "-c", str(flights / "config.yaml")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        main()
    (shown,) = fences(HOWTO, "text")
    assert capsys.readouterr().out == shown
