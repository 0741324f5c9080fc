"""Windows of one world scored by everybody: driftwatch on counts, peers on the same rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.detection.draws import Past, Window, counted
from benchmarks.detection.peer_scores import (
    JS_LIMIT,
    JS_ON_COUNTS,
    PEERS,
    Prepared,
    reference_of,
)
from benchmarks.detection.verdict import Measured, evidence, flagged
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import js_distance_of_probabilities

OURS = "driftwatch"
SHIPPED = "driftwatch as shipped"
NAMES = (OURS, JS_ON_COUNTS, *PEERS)


@dataclass(frozen=True, slots=True)
class Judge:
    """A reference as everybody wants it; without peers, rows are only counted.

    limits: what the score of each peer must exceed.
    """

    past: Past
    rows: Prepared | IntArray
    limits: Mapping[str, float]


def judge(past: Past) -> Judge:
    rows = reference_of(past.rows)
    own = [one.rows for one in past.windows]
    limits = {name: peer.limit_of(own, rows) for name, peer in PEERS.items()}
    return Judge(past, rows, {**limits, JS_ON_COUNTS: JS_LIMIT})


def scores(judge: Judge, windows: Sequence[Window], *, ordered: bool) -> dict[str, FloatArray]:
    """By name, larger is more drift, shape (windows,); see `own_scores` for driftwatch's."""
    counts = np.stack([counted(judge.past.kept, one) for one in windows])
    found = own_scores(evidence(counts, judge.past.kept.cells, ordered=ordered))
    found[JS_ON_COUNTS] = js_distances(counts, judge.past.kept.cells)
    for name, peer in PEERS.items():
        found[name] = peer.scores([one.rows for one in windows], judge.rows)
    return found


def own_scores(tests: Measured) -> dict[str, FloatArray]:
    """-log10 p, and whether the window is flagged at the default alpha and effect, as 0 or 1."""
    return {OURS: -np.log10(tests.p), SHIPPED: flagged(tests).astype(np.float64)}


def flags(
    judge: Judge, windows: Sequence[Window], *, ordered: bool
) -> dict[str, npt.NDArray[np.bool_]]:
    """By name, at the defaults of each, shape (windows,)."""
    found = scores(judge, windows, ordered=ordered)
    limits = {**judge.limits, SHIPPED: 0.5}
    return {
        OURS if name == SHIPPED else name: values > limits[name]
        for name, values in found.items()
        if name != OURS
    }


def js_distances(current: IntArray, reference: IntArray) -> FloatArray:
    """Of counts (N, K), on the shares of both sides."""
    n = current.sum(axis=-1, keepdims=True)
    shares = np.broadcast_to(reference / reference.sum(), current.shape)
    return js_distance_of_probabilities(current / n, shares)


def joined(parts: Iterable[Mapping[str, FloatArray]]) -> dict[str, FloatArray]:
    """Scores of the same names, one after another."""
    every = list(parts)
    return {name: np.concatenate([one[name] for one in every]) for name in every[0]}
