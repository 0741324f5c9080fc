"""The monitor that is measured: every column of the log, panes of 5 minutes."""

from datetime import timedelta

from benchmarks.databases import Database
from benchmarks.load import TABLE, TIMESTAMP
from benchmarks.rows import COLUMNS, DAY, LEVELS, LOG, PREDICTION
from driftwatch.config.settings import (
    FeatureSettings,
    Kind,
    MonitorSettings,
    RelationSettings,
    SourceSettings,
    Start,
)
from driftwatch.source import Source, open_source
from driftwatch.window import Interval

PANE_SECONDS = 300
HOUR = 3_600
DELAY_SECONDS = 60
REFERENCE = Interval(LOG.start, LOG.start + timedelta(days=1))
RELATION = RelationSettings(table=TABLE, schema=None, timestamp=TIMESTAMP)
FEATURES = tuple(
    FeatureSettings(
        name,
        prediction=name == PREDICTION,
        kind=Kind.CATEGORICAL if name in LEVELS else Kind.NUMERIC,
    )
    for name in COLUMNS
)


def source(database: Database) -> Source:
    return open_source(SourceSettings("log", database.url, statement_timeout_seconds=600.0))


def monitor(window_seconds: tuple[int, ...]) -> MonitorSettings:
    return MonitorSettings(
        name="measured",
        source="log",
        relation=RELATION,
        features=FEATURES,
        reference=REFERENCE,
        pane_seconds=PANE_SECONDS,
        every_seconds=PANE_SECONDS,
        delay_seconds=DELAY_SECONDS,
        window_seconds=window_seconds,
        start=Start(),
        catch_up_seconds=DAY,
    )
