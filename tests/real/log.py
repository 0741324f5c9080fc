"""A log of real data in an embedded store, and all that a monitor of it finds."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from driftwatch.config.load import load_settings
from driftwatch.evaluate.pipeline import evaluate
from driftwatch.source import open_source
from driftwatch.store.engine import open_store
from driftwatch.store.frames import events_frame, results_frame
from driftwatch.store.migrate import ensure_schema

DATA = Path(__file__).parent.parent / "data"

_HEAD = "store: 'sqlite:///{folder}/store.db'\nsources: {{log: 'sqlite:///{folder}/log.db'}}\n"
_FLAGGED = ["warning", "critical"]


@dataclass(frozen=True, slots=True)
class Found:
    """The stored results and alert events of a monitor, as `store.frames` has them."""

    results: pd.DataFrame
    events: pd.DataFrame

    def of(self, feature: str) -> pd.DataFrame:
        """The results of one feature, oldest first."""
        return self.results[self.results["feature"] == feature].sort_values("window_end")

    def flagged(self, feature: str) -> "pd.Series[bool]":
        """Whether each window of a feature is flagged, by its end."""
        return self.of(feature).set_index("window_end")["verdict"].isin(_FLAGGED)

    def drift(self) -> dict[str, list[tuple[str, pd.Timestamp]]]:
        """By feature, to which states its alert on drift went, and at the end of which window."""
        told: dict[str, list[tuple[str, pd.Timestamp]]] = {}
        events = self.events[self.events["kind"] == "drift"]
        columns = (events[name] for name in ("feature", "to_state", "window_end"))
        for feature, state, end in zip(*columns, strict=True):
            told.setdefault(feature, []).append((state, end))
        return told


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv.xz")


def watch(folder: Path, rows: pd.DataFrame, monitors: str, now: datetime) -> Found:
    """All that one monitor finds up to `now`, step by step as in `driftwatch serve`.

    rows: the table `log`, whose column `at` is the timestamp, in UTC; monitors: the rest of a
    configuration, as a user writes it, with the sources left out.
    """
    stamped = rows.assign(at=pd.to_datetime(rows["at"]).dt.strftime("%Y-%m-%d %H:%M:%S"))
    with closing(sqlite3.connect(folder / "log.db")) as connection:
        stamped.to_sql("log", connection, index=False)
        connection.execute("CREATE INDEX log_at ON log (at)")
        connection.commit()
    config = folder / "config.yaml"
    config.write_text(_HEAD.format(folder=folder.as_posix()) + monitors)
    settings = load_settings(config, {})
    (monitor,) = settings.monitors
    with (
        closing(open_source(settings.sources["log"])) as source,
        closing(open_store(settings.store_url)) as store,
    ):
        ensure_schema(store)
        prepared, behind = None, True
        while behind:
            report = evaluate(
                monitor, now, source=source, store=store, prepared=prepared, started_at=now
            )
            assert report.outcome == "success", report.message
            prepared, behind = report.prepared, report.behind
        return Found(
            results_frame(store, monitor=monitor.name), events_frame(store, monitor=monitor.name)
        )
