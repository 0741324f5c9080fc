"""A log, a source that reads it and a store: everything that an evaluation needs, all real."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from driftwatch.config.settings import (
    FeatureSettings,
    Kind,
    MonitorSettings,
    SourceSettings,
    Start,
)
from driftwatch.evaluate.pipeline import Report, evaluate
from driftwatch.evaluate.prepare import Prepared
from driftwatch.source import Source, open_source
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import ensure_schema
from driftwatch.store.schema import metadata
from driftwatch.verdict.policy import FixedThreshold
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import Log, Row, day, rows

HOUR, QUARTER, DAY = 3_600, 21_600, 86_400
FIXED = FixedThreshold()
"""Of tests that are not about thresholds: windows of a few rows, worked by hand."""

X = FeatureSettings("x", threshold=FIXED)
K = FeatureSettings("k", kind=Kind.CATEGORICAL, threshold=FIXED)
REFERENCE = (0, 10)
"""In days. It is judged from its end on."""

NATURAL = (
    "axis", "reference", "pane", "result", "result_bin", "alert", "alert_event",
    "notification", "monitor",
)  # fmt: skip
_OWN = {"id", "created_at", "scanned_at", "evaluated_at", "recorded_at", "next_attempt_at"}
_NAMED = {
    "axis_id": ("axis", ("column_name", "version")),
    "result_id": ("result", ("feature", "window_seconds", "window_end", "reference_version")),
}


def monitor(log: Log, **changes: Any) -> MonitorSettings:
    """A monitor of hours, judged over 6 hours and a day, from the end of its reference on."""
    usual: dict[str, Any] = {
        "name": "m",
        "source": "logs",
        "relation": log.relation,
        "features": (X, K),
        "reference": Interval(day(REFERENCE[0]), day(REFERENCE[1])),
        "pane_seconds": HOUR,
        "every_seconds": HOUR,
        "delay_seconds": 600,
        "window_seconds": (QUARTER, DAY),
        "start": Start(to_epoch(day(REFERENCE[1]))),
        "catch_up_seconds": 7 * DAY,
        "recheck_seconds": (),
    }
    return MonitorSettings(**{**usual, **changes})


@dataclass
class World:
    """Everything around one monitor, with what the daemon keeps between evaluations."""

    log: Log
    source: Source
    store: Store
    monitor: MonitorSettings
    prepared: Prepared | None = None
    notify: bool = True
    reports: list[Report] = field(default_factory=list)

    def configure(self, **changes: Any) -> None:
        """Another configuration, as after a restart of the daemon."""
        self.monitor = monitor(self.log, **changes)
        self.prepared = None

    def evaluate(self, now: datetime) -> Report:
        """One evaluation."""
        report = evaluate(
            self.monitor,
            now,
            source=self.source,
            store=self.store,
            prepared=self.prepared,
            started_at=now,
            notify=self.notify,
        )
        self.prepared = report.prepared
        self.reports.append(report)
        return report

    def catch_up(self, days: float) -> list[Report]:
        """Evaluate at `days` (and the delay) until nothing is behind."""
        now, made = day(days) + timedelta(seconds=self.monitor.delay_seconds), []
        while True:
            made.append(self.evaluate(now))
            if not made[-1].behind:
                return made

    def live(self, made: Sequence[Row]) -> None:
        """More rows."""
        self.log.write(made)

    def table(self, name: str, **equal: Any) -> list[dict[str, Any]]:
        """The rows of one of driftwatch's tables where columns equal these, in natural order."""
        return table(self.store, name, **equal)

    def results(self, feature: str, seconds: int = DAY) -> list[dict[str, Any]]:
        """Results of a feature, oldest first."""
        return self.table("result", feature=feature, window_seconds=seconds)

    def verdicts(self, feature: str, seconds: int = DAY) -> list[tuple[str, str]]:
        """Verdict and reason of each result, oldest first."""
        return [(str(r["verdict"]), str(r["reason"])) for r in self.results(feature, seconds)]

    def events(self, feature: str, kind: str, seconds: int = DAY) -> list[tuple[float, str]]:
        """The day (after MONDAY) and new state of each change of an alert, oldest first."""
        found = self.table("alert_event", feature=feature, kind=kind, window_seconds=seconds)
        return [((r["window_end"] - day(0)) / timedelta(days=1), str(r["to_state"])) for r in found]

    def outbox(self) -> list[tuple[str, str, int, float, str, str | None]]:
        """feature, kind, window, day, state and severity of what was notified, oldest first."""
        return [
            (
                r["feature"],
                str(r["kind"]),
                r["window_seconds"],
                (r["window_end"] - day(0)) / timedelta(days=1),
                str(r["state"]),
                json.loads(r["payload"])["severity"],
            )
            for r in self.table("notification")
        ]


def table(store: Store, name: str, **equal: Any) -> list[dict[str, Any]]:
    chosen = metadata.tables[name]
    statement = sa.select(chosen).where(*(chosen.c[key] == value for key, value in equal.items()))
    for key in ("window_end", "range_start", "start", "id"):
        if key in chosen.c:
            statement = statement.order_by(chosen.c[key])
    with store.read() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def natural(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What does not depend on when and how often something was done: every table but the times of
    the process, numbers of rows replaced by what they name; sorted."""
    names = {
        key: {row["id"]: tuple(row[part] for part in parts) for row in table(store, of)}
        for key, (of, parts) in _NAMED.items()
    }
    return {
        name: sorted(
            (
                tuple(
                    names[key].get(value) if key in names else _plain(value)
                    for key, value in row.items()
                    if key not in _OWN
                )
                for row in table(store, name)
            ),
            key=repr,
        )
        for name in NATURAL
    }


def _plain(value: Any) -> Any:
    """NaN is None, so that two looks can be equal."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124


def checked_out(store: Store) -> int:
    """Connections of the store that are in use."""
    pool = store._engine.pool
    assert isinstance(pool, sa.pool.QueuePool)
    return pool.checkedout()


@contextmanager
def opened(log_url: str, store_url: str, **changes: Any) -> Iterator[World]:
    """A world with an empty log and an empty store; nothing stays in use at its end."""
    log = Log(log_url)
    log.create()
    source = open_source(SourceSettings("logs", log_url))
    store = open_store(store_url)
    ensure_schema(store)
    try:
        yield World(log, source, store, monitor(log, **changes))
        assert checked_out(store) == 0
        assert not source._connections._running
    finally:
        source.close()
        store.close()


def with_reference(world: World, until: float = 10) -> World:
    """Plain rows from the reference's start until a day."""
    world.log.write(rows(0, until))
    return world
