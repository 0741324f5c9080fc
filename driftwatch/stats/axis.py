"""Axes: how the values of one column fall into cells. Frozen from the reference, versioned.

The cells of a numeric axis with n edges are: underflow (-inf, e0), the n-1 inner bins, overflow
[e_last, inf), then `missing`. The cells of a categorical axis are: one per level, `other` (known
levels without a cell of their own), `unseen` (levels that the dictionary does not hold), then
`missing`. Missing is always the last cell.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Scale(StrEnum):
    """What the edges of a numeric axis are."""

    NUMBER = "number"
    TIME = "time"
    """Seconds since 1970-01-01 UTC, for columns of dates and timestamps."""


@dataclass(frozen=True, slots=True)
class NumericAxis:
    """Ascending, finite, distinct edges; a value x has bin numpy.searchsorted(edges, x, "right").

    >>> axis = NumericAxis((0.0, 10.0))
    >>> axis.cells, axis.labels()
    (4, ('(-inf, 0)', '[0, 10)', '[10, inf)', 'missing'))
    """

    edges: tuple[float, ...]
    scale: Scale = Scale.NUMBER

    def __post_init__(self) -> None:
        if not self.edges:
            raise ValueError("a numeric axis needs at least one edge")
        if not all(math.isfinite(edge) for edge in self.edges):
            raise ValueError(f"edges must be finite: {self.edges}")
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges must ascend strictly: {self.edges}")

    @property
    def cells(self) -> int:
        return len(self.edges) + 2

    @property
    def missing(self) -> int:
        """Index of the cell of NULL and NaN."""
        return self.cells - 1

    @property
    def unseen(self) -> None:
        """Numeric axes have no such cell: their outer bins are open."""
        return None

    def labels(self) -> tuple[str, ...]:
        """One text per cell, in cell order.

        An atom [v, next float after v) is shown as `v`, and a limit at the next float after a
        decimal v as what it is: that v belongs to the bin below it.

        >>> NumericAxis((0.0, 0.1, math.nextafter(0.1, 1))).labels()
        ('(-inf, 0)', '[0, 0.1)', '0.1', '(0.1, inf)', 'missing')
        """
        after = [_is_after_decimal(edge) for edge in self.edges]
        text = [
            self._text(math.nextafter(edge, -math.inf) if above else edge)
            for edge, above in zip(self.edges, after, strict=True)
        ]
        starts = [f"({one}" if above else f"[{one}" for one, above in zip(text, after, strict=True)]
        ends = [f"{one}]" if above else f"{one})" for one, above in zip(text, after, strict=True)]
        inner = (
            text[i]
            if math.nextafter(self.edges[i], math.inf) == self.edges[i + 1]
            else f"{starts[i]}, {ends[i + 1]}"
            for i in range(len(text) - 1)
        )
        return (f"(-inf, {ends[0]}", *inner, f"{starts[-1]}, inf)", "missing")

    def _text(self, edge: float) -> str:
        if self.scale is Scale.TIME:
            return datetime.fromtimestamp(edge, UTC).isoformat().replace("+00:00", "Z")
        return f"{edge:.6g}"


def _is_after_decimal(edge: float) -> bool:
    """Whether it is the next float after 0, or after a number of 15 digits, and has more."""
    before = math.nextafter(edge, -math.inf)
    return before == 0 or (float(f"{before:.15g}") == before and float(f"{edge:.15g}") != edge)


@dataclass(frozen=True, slots=True)
class CategoricalAxis:
    """Levels with a cell of their own, and the other known levels (`known`), as text.

    twice: how many of `known` had exactly two rows where the axis was fitted; see `stats.unseen`.

    >>> axis = CategoricalAxis(levels=("UA", "AA"), known=("HA",))
    >>> axis.cells, axis.labels()
    (5, ('UA', 'AA', 'other', 'unseen', 'missing'))
    """

    levels: tuple[str, ...]
    known: tuple[str, ...] = ()
    twice: int = 0

    def __post_init__(self) -> None:
        every = (*self.levels, *self.known)
        if len(set(every)) != len(every):
            raise ValueError("levels must be distinct")
        if not 0 <= self.twice <= len(self.known):
            raise ValueError(f"{self.twice} of {len(self.known)} known levels cannot be")

    @property
    def cells(self) -> int:
        return len(self.levels) + 3

    @property
    def other(self) -> int:
        """Index of the cell of known levels that have no cell of their own."""
        return len(self.levels)

    @property
    def unseen(self) -> int:
        """Index of the cell of levels that the dictionary does not hold."""
        return len(self.levels) + 1

    @property
    def missing(self) -> int:
        """Index of the cell of NULL."""
        return len(self.levels) + 2

    def labels(self) -> tuple[str, ...]:
        """One text per cell, in cell order."""
        return (*self.levels, "other", "unseen", "missing")


Axis = NumericAxis | CategoricalAxis
