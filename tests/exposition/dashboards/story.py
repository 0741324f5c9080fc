"""A monitor to which everything happened that a dashboard can show, in a real store."""

from datetime import timedelta

import numpy as np

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    Exclusion,
    FeatureSettings,
    Kind,
    SegmentGroup,
    SegmentSettings,
    Start,
    VersionSettings,
)
from driftwatch.evaluate import backfill
from driftwatch.evaluate.accept import Acceptance, accept
from driftwatch.evaluate.backfill import Options
from driftwatch.evaluate.exclude import exclude
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import Row, day
from tests.evaluate.world import DAY, FIXED, QUARTER, World

PER_HOUR = 60
COLUMNS = {
    "a": "double precision", "b": "double precision", "k": "text", "p": "double precision",
    "country": "text", "version": "text",
}  # fmt: skip
FEATURES = (
    FeatureSettings("p", prediction=True, threshold=FIXED),
    FeatureSettings("a", threshold=FIXED),
    FeatureSettings("b", threshold=FIXED),
    FeatureSettings("k", kind=Kind.CATEGORICAL, threshold=FIXED),
)
END = 11
"""The last day; a drifts from day 8 on, which moves the prediction; version v2 comes on day 10."""


def rows(start: float, end: float, *, a: float = 0.0, version: str = "v1") -> list[Row]:
    """Rows over [start, end) in days whose prediction is made of a alone."""
    rng = np.random.default_rng([round(start * 1000)])
    size = round((end - start) * 24 * PER_HOUR)
    x, other, noise = rng.normal(size=(3, size))
    levels = rng.integers(4, size=size)
    return [
        {
            "at": (day(start) + n * timedelta(hours=1) / PER_HOUR).replace(microsecond=0),
            "a": None if n % 25 == 0 else round(float(x[n] + a), 3),
            "b": round(float(other[n]), 3),
            "k": "uvwx"[levels[n]] if a == 0 or levels[n] else "new",
            "p": round(float(0.9 * (x[n] + a) + 0.3 * noise[n]), 3),
            "country": "DE" if n % 3 else "FR",
            "version": version,
        }
        for n in range(size)
    ]


def tell(world: World) -> World:
    """Let it happen in an empty world."""
    world.log.execute(f"DROP TABLE {world.log.table}")
    world.log.create(COLUMNS)
    world.live([*rows(0, 8), *rows(8, 10, a=2.0), *rows(10, END, a=2.0, version="v2")])
    world.configure(
        features=FEATURES,
        explained_by=("a", "b", "k"),
        reference=Interval(day(0), day(6)),
        window_seconds=(QUARTER, DAY),
        start=Start(to_epoch(day(6))),
        segments=SegmentSettings((SegmentGroup(("country",)),), (DAY,)),
        version=VersionSettings("version"),
        alert=AlertPolicy(k=1, of=1),
    )
    for days in range(7, END + 1):
        world.catch_up(days)
    at = day(END)
    world.live(rows(6.5, 6.75))
    backfill.run(
        world.monitor, Interval(day(6), day(7)), source=world.source, store=world.store,
        process_now=lambda: at, options=Options(restart=True, allow_shrink=False),
    )  # fmt: skip
    week = Exclusion(Interval(day(7), day(8)), "black week", "b")
    exclude(world.monitor, week, store=world.store, now=at, notify=False)
    wanted = Acceptance(world.monitor, "b", day(9), "as planned")
    accept(wanted, store=world.store, now=at, notify=False)
    return world
