"""One p of several tests: how much of alpha each is given, and the harmonic mean of them all."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray

SMALLEST_P = 1e-300
"""No p is below it, so that each has a logarithm."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much of alpha each test is given; they sum to 1. omnibus: X²; location, spread: of ranks;
    edges: rows below each edge; cells: each cell alone; beyond: each of the two outer bins by
    itself; unseen, missing: these cells by themselves."""

    omnibus: float
    location: float
    spread: float
    edges: float
    cells: float
    beyond: float
    unseen: float
    missing: float


NUMERIC = Weights(
    omnibus=0.04,
    location=0.5,
    spread=0.1,
    edges=0.2,
    cells=0.06,
    beyond=0.05,
    unseen=0.0,
    missing=0.05,
)
CATEGORICAL = Weights(
    omnibus=0.35,
    location=0.0,
    spread=0.0,
    edges=0.0,
    cells=0.2,
    beyond=0.0,
    unseen=0.4,
    missing=0.05,
)

REST = 0.4
"""How much of the weight of location goes to that of the other values where one is an atom."""


@dataclass(frozen=True, slots=True)
class Parts:
    """p of the tests that `Weights` weighs, each of shape (F,); NaN where there is nothing to test
    whatever the current rows are: no order, no atom, no row in that cell on either side."""

    omnibus: FloatArray
    location: FloatArray
    rest: FloatArray
    spread: FloatArray
    edges: FloatArray
    cells: FloatArray
    underflow: FloatArray
    overflow: FloatArray
    unseen: FloatArray
    missing: FloatArray


def combined(parts: Parts, weights: Weights) -> FloatArray:
    """p = h (1 - h ln h) of the weighted harmonic mean h of the parts, shape (F,).

    Each of the outer bins has half the weight of `beyond`, and where there is an atom `REST` of
    that of location is the rest's. The weight of parts with nothing to test is shared by the
    others: whether a cell has any row on either side is no news of drift.

    >>> one, none = np.array([1.0]), np.array([np.nan])
    >>> parts = Parts(np.array([1e-6]), one, none, one, one, one, none, none, none, none)
    >>> print(combined(parts, NUMERIC).round(7))
    [2.25e-05]
    """
    of_rest = np.where(np.isnan(parts.rest), 0.0, REST * weights.location)
    given: tuple[tuple[FloatArray, npt.ArrayLike], ...] = (
        (parts.omnibus, weights.omnibus),
        (parts.location, weights.location - of_rest),
        (parts.rest, of_rest),
        (parts.spread, weights.spread),
        (parts.edges, weights.edges),
        (parts.cells, weights.cells),
        (parts.underflow, weights.beyond / 2),
        (parts.overflow, weights.beyond / 2),
        (parts.unseen, weights.unseen),
        (parts.missing, weights.missing),
    )
    p = np.stack([part for part, _ in given], axis=1)
    weight = np.stack([np.broadcast_to(w, parts.omnibus.shape) for _, w in given], axis=1)
    mean = harmonic(p, np.where(np.isnan(p), 0.0, weight))
    return floored(mean * (1 - mean * np.log(mean)))


def harmonic(p: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted harmonic mean of p (F, K), shape (F,); 1 where all weights are 0, or none is left.

    NaN has no weight.

    >>> harmonic(np.array([[0.01, np.nan, 0.03]]), np.array([[1.0, 0.0, 1.0]])).round(3)
    array([0.015])
    """
    inverse = np.divide(weights, p, out=np.zeros_like(p), where=weights > 0).sum(axis=1)
    total = weights.sum(axis=1)
    return np.asarray(np.where(inverse > 0, total / np.where(inverse > 0, inverse, 1.0), 1.0))


def floored(p: FloatArray) -> FloatArray:
    """Between `SMALLEST_P` and 1; NaN stays."""
    return np.asarray(np.clip(p, SMALLEST_P, 1.0))
