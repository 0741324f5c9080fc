"""The shipped model scores as its formula says, and is as good as its file says."""

import json
import math
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from driftwatch.demo.flights import load_flights
from driftwatch.demo.model import MODEL_FILE, LateModel, design, load_model, p_late

FLIGHT = {"hour": 18, "carrier": "UA", "origin": "JFK", "distance": 500}


def test_a_score_worked_by_hand() -> None:
    """1 + 2*1 - 1*ln(0.5) + 0.5 = 4.193147..., and its logistic."""
    model = LateModel(1.0, {"hour_1": 2.0, "log_distance": -1.0, "carrier=UA": 0.5})
    score = p_late(model, pd.DataFrame([FLIGHT]))
    assert score.tolist() == pytest.approx([1 / (1 + math.exp(-(3.5 + math.log(2))))], rel=1e-12)


def test_an_unknown_level_adds_nothing() -> None:
    model = LateModel(0.0, {"carrier=UA": 0.5, "origin=EWR": 0.25})
    score = p_late(model, pd.DataFrame([{**FLIGHT, "carrier": "ZZ"}]))
    assert score.tolist() == [0.5]


def test_no_rows_have_no_scores() -> None:
    assert p_late(load_model(), pd.DataFrame([FLIGHT])[:0]).shape == (0,)


def test_an_unknown_term_is_refused() -> None:
    with pytest.raises(KeyError, match="month"):
        design(pd.DataFrame([FLIGHT]), ["month"])


def test_the_recorded_quality_is_what_the_shipped_model_has() -> None:
    recorded = json.loads((files("driftwatch.demo") / "data" / MODEL_FILE).read_text("utf-8"))
    flights = load_flights().dropna(subset="dep_delay")
    span = recorded["trained_on"]
    train = flights["scheduled_at"].between(span["from"], span["to"], inclusive="left").to_numpy()
    late = (flights["dep_delay"] >= 15).to_numpy()
    p = p_late(load_model(), flights)
    given_to_what_happened = np.where(late, p, 1 - p)
    for name, rows in (("train", train), ("test", ~train)):
        loss = -float(np.log(given_to_what_happened[rows]).mean())
        assert int(rows.sum()) == recorded[name]["rows"]
        assert loss == pytest.approx(recorded[name]["log_loss_nats"], abs=1e-4)
        assert loss < recorded[name]["log_loss_nats_of_the_training_rate"]
        assert float(p[rows].mean()) == pytest.approx(recorded[name]["mean_p_late"], abs=1e-4)


def test_scores_are_probabilities_that_differ() -> None:
    p = p_late(load_model(), load_flights())
    assert 0 < p.min() < 0.05
    assert 0.5 < p.max() < 1
