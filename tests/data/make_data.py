"""Make the real data that tests use from the files of their sources.

    python -m tests.data.make_data path/to/data

Writes car_loan.csv.xz and bikes.csv.xz beside this file, the same bytes every time. What is
changed stands in README.md.
"""

import lzma
import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent

LOAN_START = pd.Timestamp("2018-01-01")
LOAN_STEP = pd.Timedelta("8m43.152s")
LOAN = [
    "car_value",
    "salary_range",
    "debt_to_income_ratio",
    "loan_length",
    "repaid_loan_on_prev_car",
    "size_of_downpayment",
    "driver_tenure",
    "y_pred_proba",
]
BIKES = ["at", "weathersit", "temp", "atemp", "hum", "windspeed", "registered", "cnt"]


def car_loan(folder: Path) -> pd.DataFrame:
    """Reference and analysis in one, without the timestamps: ValueError if they are not regular."""
    parts = [pd.read_csv(folder / name) for name in ("reference.csv.gz", "analysis.csv.gz")]
    rows = pd.concat(parts, ignore_index=True)
    regular = LOAN_START + np.arange(len(rows)) * LOAN_STEP
    if (pd.to_datetime(rows["timestamp"]) - regular).abs().max() > pd.Timedelta("1us"):
        raise ValueError("the rows of the car loans are not one every 8 min 43.152 s")
    whole = {"car_value": int, "loan_length": int}
    return rows[LOAN].astype(whole).round({"debt_to_income_ratio": 3, "driver_tenure": 2})


def bikes(folder: Path) -> pd.DataFrame:
    rows = pd.read_csv(folder / "hour.csv.gz", sep=";")
    at = pd.to_datetime(rows["dteday"], format="%d/%m/%y") + pd.to_timedelta(rows["hr"], unit="h")
    return rows.assign(at=at.dt.strftime("%Y-%m-%d %H:%M:%S"))[BIKES]


def main(source: str) -> None:
    for name, made in (
        ("car_loan", car_loan(Path(source) / "car_loan")),
        ("bikes", bikes(Path(source) / "bike_hour")),
    ):
        text = made.to_csv(index=False, lineterminator="\n").encode()
        target = HERE / f"{name}.csv.xz"
        target.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
        print(f"{target.name}: {len(made):,} rows, {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
