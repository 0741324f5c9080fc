"""What kind of change a feature shows, said from counts alone, and which cells carry it.

Each kind is a simple account of the change. Its share is how much of the change it explains, 0..1,
after what sampling gives has been taken off: of D, the triangular discrimination (`stats.part`).
The rules, in this order; the first that holds names the change:

1. missing_data: the share of missing against all else explains at least half of D; the change
   (mostly) vanishes when missing is taken out. From here on P and Q are without missing.
2. unseen_category: the same of the unseen levels, if they gained. From here on without unseen.
3. unit_or_scale (numeric, with summaries): at least a quarter of the rows are in other bins than
   before, a listed factor (1000, 100, 60, 24, 3.6, 2.54 ...) or affine map (Fahrenheit, Kelvin)
   carries mean and standard deviation over, and the reference mapped by it explains 0.8 of D.
4. spike: one cell gains what all others lose in proportion: it against the rest explains 0.8 of D,
   and the rest keeps its shape but for noise, or 0.95 is explained. An open outer bin counts only
   if what came into it is one value (its mean is the extreme one), if the rest does keep its shape,
   and if it explains 0.05 more than location and spread do, for moved rows come there as well.
   A categorical column needs four other levels in use; else a spike cannot be told from a mix.
5. The largest share of these, tail and mix_shift being allowed for 0.05 less because they choose
   their cells:
   location: the mid-rank score of location, or the reference moved by the difference of the means
   or medians; spread: the score of spread, or the reference stretched about its mean or median by
   the ratio of the standard deviations or quartile distances (either only if it takes the extremes
   as far as they are now); tail: the cells beyond the
   reference's 5 % and 95 %, the inner ones keeping their shape; mix_shift of a numeric column: one
   limit between two parts that exchange rows and keep their shapes (two modes).
   A categorical column that came here has a mix_shift: shares moved among known levels.

volume and prediction_only are no matter of a feature's own counts: the first is the kind of
`@volume`, the second that of a prediction whose change no input explains (`stats.joint`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from driftwatch.stats.account import (
    Sides,
    carrying,
    exchange_share,
    keeps_shape,
    mapped_share,
    ordered_shares,
    single_valued,
    spike,
    tail_cells,
    tail_share,
    unit_of,
)
from driftwatch.stats.affine import AffineMap, Summary
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.counts import IntArray
from driftwatch.stats.part import one_cell
from driftwatch.stats.smoothing import check_counts

MOST = 0.5
NEARLY_ALL = 0.8
CERTAIN = 0.95
AHEAD = 0.05
OTHER_LEVELS = 4


class ChangeKind(StrEnum):
    """A closed list, so that it may become a label."""

    MISSING_DATA = "missing_data"
    UNSEEN_CATEGORY = "unseen_category"
    UNIT_OR_SCALE = "unit_or_scale"
    LOCATION = "location"
    SPREAD = "spread"
    TAIL = "tail"
    SPIKE = "spike"
    MIX_SHIFT = "mix_shift"
    VOLUME = "volume"
    PREDICTION_ONLY = "prediction_only"


@dataclass(frozen=True, slots=True)
class Change:
    """What one feature shows. second: the kind with the next largest share, None if no other one
    explains 0.05; cells: the numbers of the cells that carry the change, strongest first; unit: the
    map of unit_or_scale, None for other kinds."""

    kind: ChangeKind
    share: float
    second: ChangeKind | None
    second_share: float
    cells: tuple[int, ...]
    unit: AffineMap | None = None


def change_kinds(
    current: IntArray,
    reference: IntArray,
    axes: Sequence[Axis],
    summaries: Sequence[tuple[Summary, Summary] | None] | None = None,
) -> tuple[Change | None, ...]:
    """The kind of change of each of F features, None where a side has no rows or both are equal.

    current, reference: counts (F, K) padded with zeros; axes: of each feature; summaries: the
    finite values of (current, reference), None where there are none. It is meant for features that
    are flagged: of one that did not change it names the kind that noise looks like. ValueError for
    what is no count or has not one axis per row.

    >>> axis = NumericAxis((0.0, 1.0))
    >>> (found,) = change_kinds(np.array([[5, 20, 5, 30]]), np.array([[100, 400, 100, 6]]), [axis])
    >>> found.kind.value, round(found.share, 2), found.cells
    ('missing_data', 1.0, (3,))
    """
    if len(axes) != current.shape[0] or (summaries and len(summaries) != len(axes)):
        raise ValueError(f"one axis, and one pair of summaries, for each of {len(current)} rows")
    check_counts(current, reference, np.array([axis.cells for axis in axes], dtype=np.int64))
    pairs = summaries or [None] * len(axes)
    return tuple(
        _change(now[: axis.cells], before[: axis.cells], axis, pair)
        for now, before, axis, pair in zip(current, reference, axes, pairs, strict=True)
    )


_Shares = dict[ChangeKind, float]
_Pair = tuple[Summary, Summary] | None
_CHOOSING = (ChangeKind.TAIL, ChangeKind.MIX_SHIFT)


@dataclass(frozen=True, slots=True)
class _Found:
    """The kind of a change, and the shares of all kinds that were tried."""

    kind: ChangeKind
    shares: _Shares
    cells: tuple[int, ...]
    unit: AffineMap | None = None


def _change(now: IntArray, before: IntArray, axis: Axis, pair: _Pair) -> Change | None:
    sides = Sides(now, before)
    if sides.empty or np.array_equal(sides.p, sides.q):
        return None
    missing = sides.share(float(one_cell(sides.p, sides.q)[axis.missing]), 1)
    values = sides.without(axis.missing)
    if values.empty or np.array_equal(values.p, values.q):
        return _told(_Found(ChangeKind.MISSING_DATA, {ChangeKind.MISSING_DATA: 1.0}, _only(axis)))
    if isinstance(axis, CategoricalAxis):
        found = _categorical(values, axis)
    else:
        found = _numeric(values, axis, pair)
    shares = {kind: share * (1.0 - missing) for kind, share in found.shares.items()}
    shares[ChangeKind.MISSING_DATA] = missing
    if missing >= MOST:
        return _told(_Found(ChangeKind.MISSING_DATA, shares, _only(axis)))
    return _told(_Found(found.kind, shares, found.cells, found.unit))


def _only(axis: Axis) -> tuple[int, ...]:
    return (axis.missing,)


def _told(found: _Found) -> Change:
    others = {kind: share for kind, share in found.shares.items() if kind is not found.kind}
    second = max(others, key=lambda kind: others[kind], default=None)
    if second is None or others[second] < AHEAD:
        return Change(found.kind, found.shares[found.kind], None, 0.0, found.cells, found.unit)
    share = found.shares[found.kind]
    return Change(found.kind, share, second, others[second], found.cells, found.unit)


def _is_spike(sides: Sides, cell: int, share: float) -> bool:
    return share >= CERTAIN or (share >= NEARLY_ALL and keeps_shape(sides, cell))


def _categorical(sides: Sides, axis: CategoricalAxis) -> _Found:
    unseen = 0.0
    if sides.p[axis.unseen] > sides.q[axis.unseen]:
        unseen = sides.share(float(one_cell(sides.p, sides.q)[axis.unseen]), 1)
    known = sides.without(axis.unseen)
    shares = {ChangeKind.UNSEEN_CATEGORY: unseen}
    if unseen >= MOST or known.empty:
        return _Found(ChangeKind.UNSEEN_CATEGORY, shares, (axis.unseen,))
    shares[ChangeKind.MIX_SHIFT] = 1.0 - unseen
    cell, share = spike(known, np.arange(known.p.size) != axis.other)
    if known.used > OTHER_LEVELS:
        shares[ChangeKind.SPIKE] = share * (1.0 - unseen)
        if _is_spike(known, cell, share):
            return _Found(ChangeKind.SPIKE, shares, (cell,))
    return _Found(ChangeKind.MIX_SHIFT, shares, carrying(sides))


def _numeric(sides: Sides, axis: NumericAxis, pair: _Pair) -> _Found:
    edges = np.asarray(axis.edges)
    tails = tail_cells(sides.q)
    cell, of_spike = spike(sides, single_valued(sides, pair))
    location, spread = ordered_shares(sides, edges, pair)
    shares = {
        ChangeKind.SPIKE: of_spike,
        ChangeKind.LOCATION: location,
        ChangeKind.SPREAD: spread,
        ChangeKind.TAIL: tail_share(sides, tails),
        ChangeKind.MIX_SHIFT: exchange_share(sides, tails),
    }
    unit = unit_of(sides, pair)
    if unit and pair:
        shares[ChangeKind.UNIT_OR_SCALE] = mapped_share(sides, edges, pair[1], unit, 0)
        if shares[ChangeKind.UNIT_OR_SCALE] >= NEARLY_ALL:
            return _Found(ChangeKind.UNIT_OR_SCALE, shares, carrying(sides), unit)
    open_bin = cell in (0, edges.size)
    ahead = of_spike >= AHEAD + max(location, spread) and keeps_shape(sides, cell)
    if _is_spike(sides, cell, of_spike) and (ahead or not open_bin):
        return _Found(ChangeKind.SPIKE, shares, (cell,))
    kind = max(
        (ChangeKind.LOCATION, ChangeKind.SPREAD, *_CHOOSING),
        key=lambda one: shares[one] - AHEAD * (one in _CHOOSING),
    )
    return _Found(kind, shares, carrying(sides, tails if kind is ChangeKind.TAIL else None))
