"""Sums of many packs, group by group, without holding them all."""

from dataclasses import dataclass

import numpy as np

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.store.packs import Layout, Packs, no_packs, places


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of G groups so far; those of a group without panes are zeros and NaN."""

    packs: Packs

    @classmethod
    def of(cls, groups: int, layout: Layout) -> "Totals":
        return cls(no_packs(groups, layout))

    def add(self, packs: Packs, index: IntArray, groups: IntArray) -> None:
        """Add the panes at `index` to these groups (ascending, shape of index).

        A pane may be in no group, in one or in several. Columns that the totals do not have are
        left out. Moments are added in the order of index.
        """
        if not index.size:
            return
        counts, moments = packs.counts, packs.moments
        where = places(packs.layout, self.packs.layout)
        if packs.layout != self.packs.layout:
            counts, moments = counts[:, where.counts_from], moments[:, :, where.moments_from]
        present, first = np.unique(groups, return_index=True)
        for group, chosen in zip(present.tolist(), np.split(index, first[1:]), strict=True):
            added = counts[chosen].sum(axis=0, dtype=np.int64)
            self.packs.counts[group, where.counts_to] += added
            self._add_moments(group, moments[chosen], where.moments_to)

    def _add_moments(self, group: int, moments: FloatArray, to: IntArray) -> None:
        of_group = self.packs.moments[group]
        with np.errstate(over="ignore", invalid="ignore"):  # of values near the largest number
            of_group[:2, to] += moments[:, :2].sum(axis=0)
        of_group[2, to] = np.fmin(of_group[2, to], np.fmin.reduce(moments[:, 2]))
        of_group[3, to] = np.fmax(of_group[3, to], np.fmax.reduce(moments[:, 3]))
