"""Runs beside Evidently: its figures for pairs of columns. `environment.run` starts it.

Input: `NAME.current` and `NAME.reference`, raw values, strings as categorical and numbers as
numerical columns. Arguments: the methods, `default` for the one that Evidently chooses itself; none
are all of METHODS. Output: `NAME.METHOD`, one number each.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift

Values = npt.NDArray[Any]
METHODS = ("jensenshannon", "kl_div", "psi")
DEFAULT = "default"


def figure(current: Values, reference: Values, method: str) -> float:
    name = "x"
    if current.dtype.kind == "U":
        definition = DataDefinition(categorical_columns=[name])
    else:
        definition = DataDefinition(numerical_columns=[name])
    sides = [
        Dataset.from_pandas(pd.DataFrame({name: values}), data_definition=definition)
        for values in (current, reference)
    ]
    chosen = None if method == DEFAULT else method
    found = Report([ValueDrift(column=name, method=chosen)]).run(*sides)
    return float(found.dict()["metrics"][0]["value"])


def main(given: str, found: str, *methods: str) -> None:
    arrays = np.load(given, allow_pickle=False)
    names = sorted({key.rpartition(".")[0] for key in arrays})
    figures = {
        f"{name}.{method}": figure(arrays[f"{name}.current"], arrays[f"{name}.reference"], method)
        for name in names
        for method in methods or METHODS
    }
    np.savez(found, allow_pickle=False, **{key: np.array(one) for key, one in figures.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
