"""Fit the demo's model to the shipped flights (or to a file of the same columns).

    python demo/fit_model.py [path/to/flights.csv.xz]

Trains on the departures of March to June 2013, tests on all others, prints how good it is, and
writes driftwatch/demo/data/model.json with the coefficients and those figures.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, xlogy
from scipy.stats import rankdata

from driftwatch.demo.model import LATE_MINUTES, MODEL_FILE, LateModel, design, p_late
from driftwatch.stats.counts import FloatArray

DATA = Path(__file__).parent.parent / "driftwatch" / "demo" / "data"
TRAIN_FROM, TRAIN_TO = "2013-03-01 00:00:00", "2013-07-01 00:00:00"
INPUTS = ["hour", "carrier", "origin", "distance"]
NUMBERS = ["hour_1", "hour_2", "hour_3", "log_distance"]
RIDGE = 1.0
"""Half of this times the squared length of the coefficients is added to the loss (nats, summed):
enough to make one term per level identifiable, too little to matter where there are rows."""
MOST_STEPS = 50
SMALL_STEP = 1e-10


def fit(flights: pd.DataFrame, late: FloatArray) -> LateModel:
    """The ridge-penalised maximum of the likelihood; the intercept is not penalised."""
    levels = [f"{name}={x}" for name in ("carrier", "origin") for x in sorted(set(flights[name]))]
    terms = [*NUMBERS, *levels]
    # Flights that the model cannot tell apart are one row of the fit, weighted by their number.
    alike = flights[INPUTS].assign(late=late).groupby(INPUTS)["late"].agg(["size", "sum"])
    rows, late_rows = (alike[name].to_numpy(np.float64) for name in ("size", "sum"))
    values = np.column_stack([np.ones(len(alike)), design(alike.reset_index(), terms)])

    weights = _newton(values, rows, late_rows)
    intercept, *others = (round(float(weight), 6) for weight in weights)
    return LateModel(intercept, dict(zip(terms, others, strict=True)))


def _newton(values: FloatArray, rows: FloatArray, late_rows: FloatArray) -> FloatArray:
    """The weights at which the slope of the loss is zero, to more digits than are written.

    The loss is strictly convex, and its curvature is exact here: every machine ends at the same
    weights, which a search that stops at a small enough slope does not.
    """
    penalty = np.append(0.0, np.full(values.shape[1] - 1, RIDGE))
    weights = np.zeros(values.shape[1])
    for _ in range(MOST_STEPS):
        p = expit(values @ weights)
        slope = values.T @ (rows * p - late_rows) + penalty * weights
        curvature = values.T @ (values * (rows * p * (1 - p))[:, None]) + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        weights = weights - step
        if np.abs(step).max() < SMALL_STEP:
            return weights
    raise RuntimeError(f"the fit did not converge in {MOST_STEPS} steps")


def log_loss(late: FloatArray, p: FloatArray) -> float:
    """Mean of -ln(probability given to what happened), nats; lower is better."""
    return -float(np.mean(xlogy(late, p) + xlogy(1 - late, 1 - p)))


def auc(late: FloatArray, p: FloatArray) -> float:
    """Probability that a late flight has the higher p than one on time; ties count half."""
    positive = late.sum()
    negative = len(late) - positive
    ranks = rankdata(p)[late > 0].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * negative))


def quality(late: FloatArray, p: FloatArray, *, prior: float) -> dict[str, float]:
    """Figures of one set of rows; `prior` is the rate of lateness in training."""
    return {
        "rows": len(late),
        "late_ratio": round(float(late.mean()), 4),
        "mean_p_late": round(float(p.mean()), 4),
        "log_loss_nats": round(log_loss(late, p), 4),
        "log_loss_nats_of_the_training_rate": round(log_loss(late, np.full_like(p, prior)), 4),
        "auc": round(auc(late, p), 4),
    }


def main(source: Path) -> None:
    flights = pd.read_csv(source)
    flights = flights[flights["dep_delay"].notna()]
    late = np.asarray(flights["dep_delay"] >= LATE_MINUTES, np.float64)
    in_training = flights["scheduled_at"].between(TRAIN_FROM, TRAIN_TO, inclusive="left").to_numpy()
    model = fit(flights[in_training], late[in_training])
    p, prior = p_late(model, flights), float(late[in_training].mean())
    content = {
        "label": f"dep_delay >= {LATE_MINUTES} minutes, given that the flight departs",
        "trained_on": {"from": TRAIN_FROM, "to": TRAIN_TO, "cancelled": "left out"},
        "tested_on": "all other departures of the year, January and February among them",
        "train": quality(late[in_training], p[in_training], prior=prior),
        "test": quality(late[~in_training], p[~in_training], prior=prior),
        "intercept": model.intercept,
        "coefficients": model.coefficients,
    }
    (DATA / MODEL_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: content[name] for name in ("train", "test")}, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "flights.csv.xz")
