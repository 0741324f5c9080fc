"""The scripts under demo/ still make what is shipped, and refuse what is wrong."""

import json
import runpy
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftwatch.demo.flights import load_flights
from driftwatch.demo.model import LateModel, load_model

SCRIPTS = Path(__file__).parent.parent.parent / "demo"

DEPARTURES = pd.DataFrame(
    {
        "year": 2013,
        "month": [7, 3, 3, 1],
        "day": [4, 10, 10, 1],
        "hour": [23, 3, 1, 5],
        "minute": [59, 0, 30, 15],
        "time_hour": [
            "2013-07-05T03:00:00Z",
            "2013-03-10T07:00:00Z",
            "2013-03-10T06:00:00Z",
            "2013-01-01T10:00:00Z",
        ],
        "dep_delay": [-3.0, np.nan, 12.0, 2.0],
        "carrier": ["UA", "DL", "AA", "B6"],
        "flight": [1, 2, 3, 4],
        "origin": "EWR",
        "dest": "IAH",
        "distance": 1400,
    }
)


def test_schedules_become_utc_across_the_change_of_the_clocks() -> None:
    """The night of 10 March 2013 has no hour 2: 01:30 is 06:30 UTC, and 03:00 is 07:00 UTC."""
    compact = runpy.run_path(str(SCRIPTS / "make_data.py"))["compact"](DEPARTURES)
    assert compact["scheduled_at"].tolist() == [
        "2013-01-01 10:15:00",
        "2013-03-10 06:30:00",
        "2013-03-10 07:00:00",
        "2013-07-05 03:59:00",
    ]
    assert compact["dep_delay"].isna().tolist() == [False, False, True, False]


def test_a_source_whose_two_clocks_disagree_is_refused() -> None:
    wrong = DEPARTURES.assign(day=DEPARTURES["day"] + 1)
    with pytest.raises(ValueError, match="New York in UTC"):
        runpy.run_path(str(SCRIPTS / "make_data.py"))["compact"](wrong)


def fitted_again() -> LateModel:
    script = runpy.run_path(str(SCRIPTS / "fit_model.py"))
    recorded = json.loads((files("driftwatch.demo") / "data" / "model.json").read_text("utf-8"))
    flights = load_flights().dropna(subset="dep_delay")
    assert recorded["trained_on"]["from"] == script["TRAIN_FROM"]
    train = flights["scheduled_at"].between(script["TRAIN_FROM"], script["TRAIN_TO"], "left")
    late = (flights.loc[train, "dep_delay"] >= 15).to_numpy(np.float64)
    fitted = script["fit"](flights[train], late)
    assert isinstance(fitted, LateModel)
    return fitted


def test_fitting_again_gives_the_shipped_coefficients() -> None:
    """To the last digit that is written."""
    fitted, shipped = fitted_again(), load_model()
    assert dict(fitted.coefficients) == pytest.approx(dict(shipped.coefficients), abs=1.5e-6)
    assert fitted.intercept == pytest.approx(shipped.intercept, abs=1.5e-6)


def test_the_shipped_coefficients_are_those_of_the_minimum() -> None:
    """Where the slope is zero, the penalised terms of each category add up to zero: what they had
    in common is in the intercept, which is not penalised."""
    for name in ("carrier", "origin"):
        terms = [w for term, w in load_model().coefficients.items() if term.startswith(name)]
        assert sum(terms) == pytest.approx(0, abs=1e-6 * len(terms))


def test_auc_and_log_loss_worked_by_hand() -> None:
    """Two late, two on time: of the 4 pairs one ties (half) and one is the wrong way round."""
    script = runpy.run_path(str(SCRIPTS / "fit_model.py"))
    late, p = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.8, 0.5, 0.5, 0.6])
    assert script["auc"](late, p) == pytest.approx((2 + 0.5 + 0) / 4)
    assert script["log_loss"](late, p) == pytest.approx(-np.log([0.8, 0.5, 0.5, 0.4]).mean())


def test_the_study_finds_the_storm_and_little_else() -> None:
    study = subprocess.run(
        [sys.executable, SCRIPTS / "threshold_study.py"], capture_output=True, text=True, check=True
    )
    lines = [" ".join(line.split()) for line in study.stdout.splitlines()]
    assert "dep_delay >= 0.35 5 days 02-08 02-09* 03-08 07-01 07-23" in lines
    usual = [line for line in lines if ">= 0.1 " in line]
    assert len(usual) == 5
    assert not any("*" in line for line in usual)
