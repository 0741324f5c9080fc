"""Runs beside NannyML: its JS distance with the limit that it learns. `environment.run` starts it.

Input: `NAME.current` and `NAME.reference`, raw values, strings as categorical and numbers as
continuous columns; the reference is cut into chunks as long as the current window. Output:
`NAME.value`, `NAME.limit` and `NAME.alert`, one number each, all by its defaults.
"""

import sys
from typing import Any

import nannyml
import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[Any]
METHOD = "jensen_shannon"
FIGURES = {"value": "value", "limit": "upper_threshold", "alert": "alert"}


def figures_of(current: Values, reference: Values) -> dict[str, float]:
    name = "x"
    categorical = current.dtype.kind == "U"
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[name],
        treat_as_categorical=[name] if categorical else [],
        treat_as_numerical=[] if categorical else [name],
        chunk_size=current.size,
    )
    calculator.fit(pd.DataFrame({name: reference}))
    found = calculator.calculate(pd.DataFrame({name: current})).filter(period="analysis").to_df()
    return {figure: float(found[name, METHOD, key].iloc[0]) for figure, key in FIGURES.items()}


def main(given: str, found: str) -> None:
    arrays = np.load(given, allow_pickle=False)
    names = sorted({key.rpartition(".")[0] for key in arrays})
    figures = {
        f"{name}.{figure}": value
        for name in names
        for figure, value in figures_of(
            arrays[f"{name}.current"], arrays[f"{name}.reference"]
        ).items()
    }
    np.savez(found, allow_pickle=False, **{key: np.array(one) for key, one in figures.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
