"""Which fixed thresholds tell the storm of 8-9 February from the other days of 2013?

    python demo/threshold_study.py

Daily windows (UTC) against March to June, with the axes of the daemon, counted here with numpy.
Prints how far each column usually is from its reference, and the days that thresholds flag.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftwatch.demo.flights import load_flights
from driftwatch.demo.model import load_model, p_late
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.divergence import divergences
from driftwatch.stats.noise import noise

REFERENCE = ("2013-03-01", "2013-07-01")
COLUMNS = ["dep_delay", "carrier", "origin", "dest", "distance", "p_late"]
LIMITS = {"dep_delay": (0.25, 0.3, 0.35, 0.4, 0.45)}
OTHER_LIMITS = (0.05, 0.08, 0.1, 0.12)
TAILS = (0.001, 0.01, 0.99, 0.999)
ATOM_RATIO = 0.05
LEVELS = 50


@dataclass(frozen=True, slots=True)
class Days:
    """One column of the year by days, each of shape (days,)."""

    js_distance: FloatArray
    above_noise: npt.NDArray[np.bool_]

    def flagged(self, limit: float) -> npt.NDArray[np.bool_]:
        return (self.js_distance >= limit) & self.above_noise


def quantile_edges(values: FloatArray) -> FloatArray:
    """20 quantile bins, tails and ends by inverted CDF; a value of 5 % of the rows has its own."""
    values = values[~np.isnan(values)]
    ranks = [*np.arange(1, 20) / 20, *TAILS]
    found, rows = np.unique(values, return_counts=True)
    atoms = found[rows >= ATOM_RATIO * len(values)]
    quantiles = np.quantile(values, ranks, method="inverted_cdf")
    ends = [values.min(), np.nextafter(values.max(), np.inf)]
    return np.unique(np.concatenate([ends, quantiles, atoms, np.nextafter(atoms, np.inf)]))


def cell_of_each_row(
    column: pd.Series, in_reference: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.intp], int]:
    """The cell of every row on the axis of the reference's rows, and how many cells it has."""
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(np.float64)
        edges = quantile_edges(values[in_reference])
        inside = np.searchsorted(edges, values, side="right")
        return np.where(np.isnan(values), len(edges) + 1, inside), len(edges) + 2
    rows = column[in_reference].value_counts()
    known = rows[rows >= 2].index
    other, unseen = min(LEVELS, len(known)), min(LEVELS, len(known)) + 1
    cell = {level: min(place, other) for place, level in enumerate(known)}
    return column.map(cell).fillna(unseen).to_numpy(np.intp), unseen + 2


def by_day(column: pd.Series, day: IntArray, in_reference: npt.NDArray[np.bool_]) -> Days:
    cell, cells = cell_of_each_row(column, in_reference)
    days = int(day.max()) + 1
    current = np.bincount(day * cells + cell, minlength=days * cells).reshape(days, cells)
    reference = np.bincount(cell[in_reference], minlength=cells)
    reference = np.broadcast_to(reference, current.shape)
    found = divergences(current, reference)
    return Days(found.js_distance, found.js > noise(current, reference).js_guard)


def firing_days(flagged: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Days at whose end at least 2 of the last 3 days were flagged."""
    padded = np.concatenate([[0, 0], flagged.astype(int)])
    return np.asarray(padded[2:] + padded[1:-1] + padded[:-2] >= 2)


def main() -> None:
    flights = load_flights().assign(p_late=p_late(load_model(), load_flights()))
    # The evening of 31 December in New York is on 1 January in UTC: no whole day, not judged.
    flights = flights[flights["scheduled_at"] < "2014-01-01"]
    in_reference = flights["scheduled_at"].between(*REFERENCE, inclusive="left").to_numpy()
    dates = flights["scheduled_at"].str[:10]
    names, day = np.unique(dates.to_numpy(np.str_), return_inverse=True)
    year = {name: by_day(flights[name], day, in_reference) for name in COLUMNS}

    print("JS distance of daily windows: quantiles over the year, and the two days of the storm")
    print(f"{'column':10} {'50 %':>6} {'90 %':>6} {'98 %':>6} {'8 Feb':>6} {'9 Feb':>6}  largest")
    storm = np.searchsorted(names, ["2013-02-08", "2013-02-09"])
    for name, days in year.items():
        figures = [*np.quantile(days.js_distance, [0.5, 0.9, 0.98]), *days.js_distance[storm]]
        largest = np.argsort(-days.js_distance)[:6]
        print(
            f"{name:10}",
            *(f"{figure:6.3f}" for figure in figures),
            "",
            *(f"{names[day][5:]} {days.js_distance[day]:.2f}" for day in largest),
        )
    print("\nflagged days (above the limit and above sampling noise); * fires with 2 of 3 days")
    for name, days in year.items():
        for limit in LIMITS.get(name, OTHER_LIMITS):
            flagged = days.flagged(limit)
            firing = firing_days(flagged)
            shown = [f"{names[i][5:]}{'*' * int(firing[i])}" for i in np.flatnonzero(flagged)]
            print(f"{name:10} >= {limit:<4} {flagged.sum():4} days  {' '.join(shown[:14])}")


if __name__ == "__main__":
    main()
