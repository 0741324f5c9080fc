"""The shipped data set: every scheduled departure from New York in 2013, in order of schedule."""

from functools import cache
from importlib.resources import files

import pandas as pd

FLIGHTS_FILE = "flights.csv.xz"


@cache
def load_flights() -> pd.DataFrame:
    """All 336,776 departures, ascending by `scheduled_at`; treat the frame as read-only.

    Columns: scheduled_at (text, UTC, `%Y-%m-%d %H:%M:%S`: it sorts as time does), hour (0..23, the
    scheduled hour on the clocks of New York), dep_delay (minutes, NaN where the flight was
    cancelled), carrier, origin, dest, distance (miles).
    """
    with (files("driftwatch.demo") / "data" / FLIGHTS_FILE).open("rb") as stream:
        return pd.read_csv(stream, compression="xz")
