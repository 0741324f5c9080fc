"""Each window of the reference against the rest of it: what a window does when nothing drifts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from driftwatch.stats.contrast import contrasts, without_missing
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.effect import debiased_js
from driftwatch.stats.omnibus import LEAST_EXPECTED, omnibus
from driftwatch.stats.season import (
    BLOCKS,
    FINER,
    SeasonKey,
    beside,
    cheapest,
    has_fellows,
    rest_of_phase,
    season_cost,
)
from driftwatch.stats.year import SLICES, rest_of_year, weeks

MIN_WINDOW_ROWS = 30
"""Windows with fewer rows are left out: their X² says little about that of the next one."""

_LEAST_OF_BLOCK = 2
"""With fewer windows in a block, those beside a window tell little."""

_Labelled = tuple[SeasonKey, IntArray]
"""A key, and the phase of each window under it."""

_BLOCK_CELLS = 1_000_000
"""Cells of windows and features that are compared at a time, in about 150 MB."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """W windows of F features against as many others, shape (W, F); NaN where one is not judged.

    statistic, expected, variance: X² and its moments by sampling alone; effective_rows: nt;
    location, rest, spread: z scores, NaN where cells have no order; see `contrast.Contrasts`.
    """

    statistic: FloatArray
    expected: FloatArray
    variance: FloatArray
    effective_rows: FloatArray
    location: FloatArray
    rest: FloatArray
    spread: FloatArray


@dataclass(frozen=True, slots=True)
class LeftOut:
    """W windows of F features, each against the rest of its own phase.

    comparisons: see there. Of shape (W, F), NaN where a window is not judged: current_rows,
    reference_rows: n and m; js: debiased for sampling alone, nats. Of shape (F, K): cell_square:
    the mean square of the z scores of each cell, 0 where few rows were to be expected; edge_square:
    the same of the values below the edge that ends each cell, 0 without order. Of shape (F,): key:
    the number of the season key; untried: whether some key had phases of one window; moves: whether
    windows are nearer to those beside them than to all the rest; once: whether the key has the time
    of year, and the windows fill one year.
    """

    comparisons: Comparisons
    current_rows: FloatArray
    reference_rows: FloatArray
    js: FloatArray
    cell_square: FloatArray
    edge_square: FloatArray
    key: IntArray
    untried: npt.NDArray[np.bool_]
    moves: npt.NDArray[np.bool_]
    once: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Features:
    """What is known of a block of features, and their windows' counts (W, F, K)."""

    counts: IntArray
    ordered: npt.NDArray[np.bool_]
    cells: IntArray


def left_out(
    counts: IntArray,
    *,
    ordered: npt.NDArray[np.bool_],
    cells: IntArray,
    phases: Mapping[SeasonKey, IntArray],
) -> LeftOut:
    """Every window against the rest of its phase, each feature under the key that pays for it.

    Arguments as those of `calibration.calibrate`. A few features at a time, so that memory does
    not grow with their number.
    """
    windows, features, width = counts.shape
    step = max(1, _BLOCK_CELLS // max(windows * width, 1))
    blocks = [
        _compared(_Features(counts[:, part], ordered[part], cells[part]), tuple(phases.items()))
        for part in (slice(at, at + step) for at in range(0, max(features, 1), step))
    ]
    return _joined(blocks)


def _compared(block: _Features, labels: tuple[_Labelled, ...]) -> LeftOut:
    key, untried, tried = _season(block, labels)
    rest, near = np.zeros_like(block.counts), np.zeros_like(block.counts)
    once = np.zeros(key.shape, dtype=np.bool_)
    for number in np.unique(key):
        of_key = key == number
        rest[:, of_key] = _rest(block.counts[:, of_key], labels[number])
        if labels[number][0].of_year:
            once[of_key] = _comes_once(labels[number][1])
        else:
            near[:, of_key] = beside(block.counts[:, of_key], labels[number][1])
    found = _of_key(tried, key) or _compare(block, rest)
    width = rest.shape[2]
    js = debiased_js(
        block.counts.reshape(-1, width),
        rest.reshape(-1, width),
        statistic=found.statistic.ravel(),
        expected=found.expected.ravel(),
    )
    judged = ~np.isnan(found.statistic)
    current_rows = np.where(judged, block.counts.sum(axis=2), np.nan)
    return LeftOut(
        comparisons=found,
        current_rows=current_rows,
        reference_rows=np.where(judged, rest.sum(axis=2), np.nan),
        js=js.reshape(judged.shape),
        cell_square=_mean_square(block.counts, rest, current_rows, rest.sum(axis=2)),
        edge_square=_edge_square(block, rest, judged),
        key=key,
        untried=untried,
        moves=_moves(block, found, near),
        once=once,
    )


def _rest(counts: IntArray, labelled: _Labelled) -> IntArray:
    key, phases = labelled
    return rest_of_year(counts, phases) if key.of_year else rest_of_phase(counts, phases)


def _comes_once(phases: IntArray) -> bool:
    """Whether the weeks of these windows are all of different times of the year."""
    return int(weeks(phases).max(initial=0)) + 1 < 2 * np.unique(phases % SLICES).size


def _moves(block: _Features, found: Comparisons, near: IntArray) -> npt.NDArray[np.bool_]:
    """Whether those beside a window are clearly nearer, of features with enough windows to tell."""
    enough = (~np.isnan(found.statistic)).sum(axis=0) >= _LEAST_OF_BLOCK * BLOCKS
    if not (enough.any() and near.any()):
        return np.zeros_like(enough)
    told = enough & near.any(axis=(0, 2))
    return np.asarray(told & (_cost(_compare(block, near)) < FINER * _cost(found)))


def _season(
    block: _Features, labels: tuple[_Labelled, ...]
) -> tuple[IntArray, npt.NDArray[np.bool_], list[Comparisons | None]]:
    """The number of the key of each feature, and whether one could not be tried, shape (F,); the
    comparisons under each key, None where it is of use to no feature or there is no other."""
    enough = block.counts.sum(axis=2) >= MIN_WINDOW_ROWS
    features = enough.shape[1]
    costs: list[FloatArray] = []
    tried: list[Comparisons | None] = []
    untried = np.zeros(features, dtype=np.bool_)
    for labelled in labels:
        rest = _rest(block.counts, labelled)
        useful = has_fellows(rest.sum(axis=2), enough)
        if not labelled[0].of_year:
            untried |= ~useful
        cost, found = np.full(features, np.inf), None
        if useful.any() and len(labels) > 1:
            found = _compare(block, rest)
            cost = np.where(useful, _cost(found), np.inf)
        costs.append(cost)
        tried.append(found)
    return cheapest(costs), untried, tried


def _of_key(tried: Sequence[Comparisons | None], key: IntArray) -> Comparisons | None:
    """Of each feature those under its own key; None where not all of them were made."""
    made = [(key == number, tried[number]) for number in np.unique(key)]
    chosen = {}
    for one in fields(Comparisons):
        parts = [(where, getattr(found, one.name)) for where, found in made if found is not None]
        if not parts or len(parts) < len(made):
            return None
        values = np.empty_like(parts[0][1])
        for where, of_key in parts:
            values[:, where] = of_key[:, where]
        chosen[one.name] = values
    return Comparisons(**chosen)


def _cost(found: Comparisons) -> FloatArray:
    varies = found.expected > 0
    return season_cost(
        ratio=found.statistic / np.where(varies, found.expected, np.nan),
        location=found.location,
        spread=found.spread,
        effective_rows=found.effective_rows,
    )


def _compare(block: _Features, rest: IntArray) -> Comparisons:
    windows, features, width = rest.shape
    live, kept = block.counts.reshape(-1, width), rest.reshape(-1, width)
    ordered, cells = np.tile(block.ordered, windows), np.tile(block.cells, windows)
    whole = omnibus(live, kept, ordered=ordered)
    ranks = contrasts(live, kept, ordered=ordered, cells=cells)
    judged = (live.sum(axis=1) >= MIN_WINDOW_ROWS) & (kept.sum(axis=1) > 0)

    def of_judged(values: FloatArray) -> FloatArray:
        return np.where(judged, values, np.nan).reshape(windows, features)

    return Comparisons(
        statistic=of_judged(whole.statistic),
        expected=of_judged(whole.expected),
        variance=of_judged(whole.variance),
        effective_rows=of_judged(whole.effective_rows),
        location=of_judged(ranks.location),
        rest=of_judged(ranks.rest),
        spread=of_judged(ranks.spread),
    )


def _edge_square(block: _Features, rest: IntArray, judged: npt.NDArray[np.bool_]) -> FloatArray:
    """That of `_mean_square` of the values below each edge."""
    windows, _, width = rest.shape
    found = np.zeros(rest.shape[1:])
    ordered = np.flatnonzero(block.ordered)
    cells = np.tile(block.cells[ordered], windows)

    def below(counts: IntArray) -> IntArray:
        values = without_missing(counts[:, ordered].reshape(-1, width), cells)
        return values.cumsum(axis=1).reshape(windows, ordered.size, width)

    live, kept = below(block.counts), below(rest)
    n, m = live.max(axis=2, initial=0), kept.max(axis=2, initial=0)
    found[ordered] = _mean_square(live, kept, np.where(judged[:, ordered], n, np.nan), m)
    return found


def _mean_square(counts: IntArray, rest: IntArray, n: FloatArray, m: IntArray) -> FloatArray:
    """Mean over windows of z² of L = counts of c = counts + rest, shape (F, K).

    n, m: rows in all, shape (W, F), n NaN where a window is not judged; z = (L - c n/N) /
    sqrt(hypergeometric variance). Only windows that expect `LEAST_EXPECTED` rows there, and
    elsewhere: the square of the z of a rare row is large and says nothing of the others.
    """
    n, m = n[..., np.newaxis], m[..., np.newaxis]
    total = n + m
    both = counts + rest
    expected = both * (n / total)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = expected * (m / total) * ((total - both) / (total - 1))
        square = np.square(counts - expected) / variance
        told = (expected >= LEAST_EXPECTED) & (n - expected >= LEAST_EXPECTED)
    found = np.where(told, square, 0.0).sum(axis=0)
    return np.asarray(found / np.maximum(told.sum(axis=0), 1))


def _joined(blocks: list[LeftOut]) -> LeftOut:
    """Blocks of features side by side."""
    by_window = {
        field.name: np.concatenate(
            [getattr(block.comparisons, field.name) for block in blocks], axis=1
        )
        for field in fields(Comparisons)
    }
    return LeftOut(
        comparisons=Comparisons(**by_window),
        current_rows=np.concatenate([block.current_rows for block in blocks], axis=1),
        reference_rows=np.concatenate([block.reference_rows for block in blocks], axis=1),
        js=np.concatenate([block.js for block in blocks], axis=1),
        cell_square=np.concatenate([block.cell_square for block in blocks]),
        edge_square=np.concatenate([block.edge_square for block in blocks]),
        key=np.concatenate([block.key for block in blocks]),
        untried=np.concatenate([block.untried for block in blocks]),
        moves=np.concatenate([block.moves for block in blocks]),
        once=np.concatenate([block.once for block in blocks]),
    )
