"""Runs beside NannyML: its figures for pairs of columns. `environment.run` starts it.

Input: `NAME.current` and `NAME.reference`, raw values, strings as categorical and numbers as
continuous columns. Output: `NAME.METHOD`, one number each.
"""

import sys
from typing import Any

import nannyml
import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[Any]
CONTINUOUS = ("jensen_shannon", "hellinger")
CATEGORICAL = (*CONTINUOUS, "l_infinity", "chi2")


def figures_of(current: Values, reference: Values) -> dict[str, float]:
    name = "x"
    categorical = current.dtype.kind == "U"
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[name],
        treat_as_categorical=[name] if categorical else [],
        treat_as_numerical=[] if categorical else [name],
        categorical_methods=list(CATEGORICAL),
        continuous_methods=list(CONTINUOUS),
        chunk_number=1,
    )
    calculator.fit(pd.DataFrame({name: reference}))
    found = calculator.calculate(pd.DataFrame({name: current})).filter(period="analysis").to_df()
    methods = CATEGORICAL if categorical else CONTINUOUS
    return {method: float(found[name, method, "value"].iloc[0]) for method in methods}


def main(given: str, found: str) -> None:
    arrays = np.load(given, allow_pickle=False)
    names = sorted({key.rpartition(".")[0] for key in arrays})
    figures = {
        f"{name}.{method}": value
        for name in names
        for method, value in figures_of(
            arrays[f"{name}.current"], arrays[f"{name}.reference"]
        ).items()
    }
    np.savez(found, allow_pickle=False, **{key: np.array(one) for key, one in figures.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
