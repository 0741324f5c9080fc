"""The simple accounts of a change: each says how much of it one kind of change explains, 0..1."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from driftwatch.stats.affine import AffineMap, Summary, mapped, quantile, unit_map, within
from driftwatch.stats.contribution import carriers, js_contribution
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.part import among, discrimination, one_cell, rank_parts, without_noise

MOVED = 0.25
"""Fewer rows than this in other bins are no change of unit."""

TAIL = 0.05
"""What the reference holds beyond either end of the inner bins."""

_FARTHEST_STRETCH = 1e9

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sides:
    """Counts of some cells on both sides and what is derived from them."""

    current: IntArray
    reference: IntArray

    @property
    def rows(self) -> tuple[int, int]:
        return int(self.current.sum()), int(self.reference.sum())

    @property
    def empty(self) -> bool:
        return 0 in self.rows

    @property
    def p(self) -> FloatArray:
        return np.asarray(self.current / self.rows[0])

    @property
    def q(self) -> FloatArray:
        return np.asarray(self.reference / self.rows[1])

    @property
    def noise(self) -> float:
        return 1 / self.rows[0] + 1 / self.rows[1]

    @property
    def used(self) -> int:
        return int(np.count_nonzero(self.current + self.reference))

    @property
    def total(self) -> float:
        """D, without noise if that leaves anything."""
        raw = discrimination(self.p, self.q)
        return without_noise(raw, self.used - 1, self.noise) or raw

    def without(self, cell: int) -> "Sides":
        return Sides(np.delete(self.current, cell), np.delete(self.reference, cell))

    def share(self, part: float, parameters: int) -> float:
        """Of D, what an account with so many parameters explains."""
        total = self.total
        return min(without_noise(part, parameters, self.noise) / total, 1.0) if total else 0.0

    def share_left(self, predicted: FloatArray, parameters: int) -> float:
        """Of D, what a prediction of P with so many fitted parameters leaves nothing of."""
        left = discrimination(self.p, predicted)
        total = self.total
        if not total:
            return 0.0
        left = without_noise(left, self.used - 1 - parameters, self.noise)
        return max(1.0 - left / total, 0.0)


def ordered_shares(
    sides: Sides, edges: FloatArray, pair: tuple[Summary, Summary] | None
) -> tuple[float, float]:
    """What a change of location and what one of spread explains: the better of the score on ranks
    and of the reference moved or stretched."""
    parts = rank_parts(sides.p, sides.q)
    location, spread = (sides.share(part, 1) for part in parts)
    if pair is None or not (pair[0].known and pair[1].known):
        return location, spread
    for change in _moves(sides, edges, *pair):
        if within(*pair, change):
            location = max(location, mapped_share(sides, edges, pair[1], change, 1))
    for change in _stretches(sides, edges, *pair):
        if within(*pair, change):
            spread = max(spread, mapped_share(sides, edges, pair[1], change, 1))
    return location, spread


def mapped_share(
    sides: Sides, edges: FloatArray, reference: Summary, change: AffineMap, parameters: int
) -> float:
    """What the reference mapped by it explains; parameters: how many were fitted to the data."""
    return sides.share_left(mapped(sides.q, edges, reference, change), parameters)


def unit_of(sides: Sides, pair: tuple[Summary, Summary] | None) -> AffineMap | None:
    """The unit that fits, None if too few rows are in other bins."""
    if pair is None or np.abs(sides.p - sides.q).sum() / 2 < MOVED:
        return None
    n, m = sides.rows
    return unit_map(*pair, current_rows=n, reference_rows=m)


def spike(sides: Sides, allowed: Mask) -> tuple[int, float]:
    """The allowed cell that gained most against all others, and what that explains."""
    parts = np.where(allowed & (sides.p > sides.q), one_cell(sides.p, sides.q), 0.0)
    cell = int(np.argmax(parts))
    return cell, sides.share(float(parts[cell]), 1)


def keeps_shape(sides: Sides, cell: int) -> bool:
    """Whether without that cell both sides are one distribution, but for what sampling does in 999
    of 1,000 windows: D/(1/n + 1/m) is chi-square with one degree less than cells are in use."""
    rest = sides.without(cell)
    if rest.empty or rest.used < 2:
        return True
    left = discrimination(rest.p, rest.q) / rest.noise
    return bool(left <= special.chdtri(rest.used - 1, 0.001))


def single_valued(sides: Sides, pair: tuple[Summary, Summary] | None) -> Mask:
    """The bins (K,) into which one value alone may have come: all inner ones, and of the open ones
    those where it would be the extreme; all where no summaries tell."""
    allowed = np.ones(sides.p.size, dtype=np.bool_)
    if pair is not None:
        allowed[0] = _came_at_extreme(sides, 0, *pair)
        allowed[-1] = _came_at_extreme(sides, -1, *pair)
    return allowed


def _came_at_extreme(sides: Sides, cell: int, current: Summary, reference: Summary) -> bool:
    """Whether what came into an open bin is the extreme value.

    If a share w of the rows came and the others are those of the reference, the current mean is
    (1-w) reference + w v. The v that follows must be the extreme within 3 standard errors, of the
    mean and of w, and 1 % of its distance from the reference's mean; rows that spread out have it
    well inside.
    """
    p, q = sides.p[cell], sides.q[cell]
    if not (current.known and reference.known) or p <= q:
        return False
    came = (p - q) / (1 - q)
    extreme = current.minimum if cell == 0 else current.maximum
    value = reference.mean + (current.mean - reference.mean) / came
    away = abs(value - reference.mean)
    error = np.hypot(reference.standard_deviation, away * np.sqrt(q)) / np.sqrt(sides.rows[0])
    return bool(abs(value - extreme) <= 3 * error / came + 0.01 * away)


def tail_cells(q: FloatArray) -> Mask:
    """The cells that lie wholly beyond the reference's 5 % or 95 %."""
    below = np.cumsum(q)
    slack = TAIL * 1.1  # edges are values, so that a cell of 5 % rarely holds 5 % exactly
    return np.asarray((below <= slack) | (1 - (below - q) <= slack))


def tail_share(sides: Sides, tails: Mask) -> float:
    """Each tail cell against the inner ones together; 0 unless the tails gained."""
    if not tails.any() or tails.all() or sides.p[tails].sum() <= sides.q[tails].sum():
        return 0.0
    groups = np.where(tails, np.cumsum(tails), 0)
    used = int(np.count_nonzero((sides.current + sides.reference)[tails]))
    return sides.share(among(sides.p, sides.q, groups), used)


def exchange_share(sides: Sides, tails: Mask) -> float:
    """The best limit between two parts that keep their shapes, neither of them a tail."""
    middle = np.cumsum((sides.p + sides.q) / 2)[:-1]
    moved = np.cumsum(sides.p - sides.q)[:-1]
    inside = (middle > 2 * TAIL) & (middle < 1 - 2 * TAIL) & ~tails[:-1] & ~tails[1:]
    if not inside.any():
        return 0.0
    parts = np.square(moved[inside]) / (middle[inside] * (1 - middle[inside]))
    return sides.share(float(parts.max()), 2)


def carrying(sides: Sides, of_cells: Mask | None = None) -> tuple[int, ...]:
    """The cells that carry 80 % of JS (of what `of_cells` add to it), strongest first."""
    added = js_contribution(sides.current[np.newaxis], sides.reference[np.newaxis])
    if of_cells is not None:
        added = np.where(of_cells, added, 0.0)
    chosen = np.flatnonzero(carriers(added)[0])
    return tuple(chosen[np.argsort(-added[0, chosen], kind="stable")].tolist())


def _moves(
    sides: Sides, edges: FloatArray, current: Summary, reference: Summary
) -> Iterator[AffineMap]:
    """By the difference of the means, and of the medians."""
    median = quantile(sides.p, edges, current, 0.5) - quantile(sides.q, edges, reference, 0.5)
    for by in (current.mean - reference.mean, median):
        if np.isfinite(by):
            yield AffineMap(offset=float(by))


def _stretches(
    sides: Sides, edges: FloatArray, current: Summary, reference: Summary
) -> Iterator[AffineMap]:
    """About the mean by the standard deviations, and about the median by the quartile distances."""
    now = [quantile(sides.p, edges, current, share) for share in (0.25, 0.75)]
    low, centre, high = (quantile(sides.q, edges, reference, s) for s in (0.25, 0.5, 0.75))
    for about, wide, narrow in (
        (reference.mean, current.standard_deviation, reference.standard_deviation),
        (centre, now[1] - now[0], high - low),
    ):
        if wide > 0 < narrow and _FARTHEST_STRETCH > wide / narrow > 1 / _FARTHEST_STRETCH:
            factor = wide / narrow
            yield AffineMap(factor, about * (1 - factor))
