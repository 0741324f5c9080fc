"""Runs beside alibi-detect: its test of pairs of columns. `environment.run` starts it.

Input: `NAME.current` and `NAME.reference`, raw values without missing ones, integers as levels and
floats as numerical columns. Output: `NAME.p_value`, `NAME.distance` (KS or chi-square) and
`NAME.is_drift` at its default of 0.05, one number each.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from alibi_detect.cd import TabularDrift

Values = npt.NDArray[Any]


def tested(current: Values, reference: Values) -> dict[str, float]:
    levels = {0: None} if current.dtype.kind == "i" else None
    detector = TabularDrift(reference[:, np.newaxis], categories_per_feature=levels)
    found = detector.predict(current[:, np.newaxis], drift_type="feature")["data"]
    return {name: float(found[key][0]) for name, key in FIGURES.items()}


FIGURES = {"p_value": "p_val", "distance": "distance", "is_drift": "is_drift"}


def main(given: str, found: str) -> None:
    arrays = np.load(given, allow_pickle=False)
    names = sorted({key.rpartition(".")[0] for key in arrays})
    figures = {
        f"{name}.{figure}": value
        for name in names
        for figure, value in tested(arrays[f"{name}.current"], arrays[f"{name}.reference"]).items()
    }
    np.savez(found, allow_pickle=False, **{key: np.array(one) for key, one in figures.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
