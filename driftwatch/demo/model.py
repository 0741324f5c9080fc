"""The demo's model: the probability that a departure leaves 15 minutes or more late.

A logistic regression on what is known before departure: the scheduled hour in New York, the
carrier, the origin and the distance. It knows no calendar, so its predictions have no season of
their own. `demo/fit_model.py` fits it and writes the coefficients that are shipped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from scipy.special import expit

from driftwatch.stats.counts import FloatArray

MODEL_FILE = "model.json"
LATE_MINUTES = 15
"""A departure counts as late from this delay on, as in the official statistics of the field."""


@dataclass(frozen=True, slots=True)
class LateModel:
    """log odds = intercept + sum of coefficients[term] * term, terms as `design` names them."""

    intercept: float
    coefficients: Mapping[str, float]


@cache
def load_model() -> LateModel:
    """The shipped model."""
    text = (files("driftwatch.demo") / "data" / MODEL_FILE).read_text(encoding="utf-8")
    content = json.loads(text)
    return LateModel(intercept=content["intercept"], coefficients=content["coefficients"])


def design(flights: pd.DataFrame, terms: list[str]) -> FloatArray:
    """The values of the terms, shape (rows, len(terms)); fitting and scoring share it.

    Terms: hour_1, hour_2, hour_3 (powers of (hour - 12) / 6), log_distance (natural logarithm of
    thousands of miles), carrier=XX and origin=XXX (1 or 0). A level without a term is 0 in all of
    them. KeyError for a term of another name.

    >>> flights = pd.DataFrame(
    ...     {"hour": [18], "carrier": ["UA"], "origin": ["JFK"], "distance": [1000]}
    ... )
    >>> design(flights, ["hour_2", "log_distance", "carrier=UA", "origin=EWR"]).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    hour = (flights["hour"].to_numpy(np.float64) - 12) / 6
    numbers = {
        "hour_1": hour,
        "hour_2": hour**2,
        "hour_3": hour**3,
        "log_distance": np.log(flights["distance"].to_numpy(np.float64) / 1000),
    }
    values = np.empty((len(flights), len(terms)))
    for index, term in enumerate(terms):
        column, _, level = term.partition("=")
        values[:, index] = (flights[column] == level) if level else numbers[term]
    return values


def p_late(model: LateModel, flights: pd.DataFrame) -> FloatArray:
    """Probability in (0, 1) per row that the departure, if it departs, is late; shape (rows,)."""
    terms = list(model.coefficients)
    weights = np.array([model.coefficients[term] for term in terms])
    return np.asarray(expit(model.intercept + design(flights, terms) @ weights), np.float64)
