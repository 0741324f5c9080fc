"""How far windows without any drift are from their reference, by their number of rows."""

import numpy as np

from docs.pictures.drawing import Picture, Sheet
from docs.pictures.panel import Panel, Scale
from driftwatch.stats.divergence import divergences

CELLS, REFERENCE_ROWS, WINDOWS = 20, 100_000, 4_000
ROWS = (50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
LIMIT = 0.1


def picture() -> Picture:
    random = np.random.default_rng(2013)
    even = [1 / CELLS] * CELLS
    low, mean, high, above = [], [], [], {}
    for rows in ROWS:
        reference = random.multinomial(REFERENCE_ROWS, even, size=WINDOWS)
        found = divergences(random.multinomial(rows, even, size=WINDOWS), reference).js_distance
        low.append((rows, float(np.quantile(found, 0.05))))
        mean.append((rows, float(found.mean())))
        high.append((rows, float(np.quantile(found, 0.95))))
        above[rows] = float((found > LIMIT).mean())
    sheet = Sheet(720, 360, "JS distance of windows without drift, by the rows of a window")
    panel = Panel(sheet, 60, 40, 625, 255, Scale(ROWS[0], ROWS[-1], log=True), Scale(0, 0.36))
    panel.frame(
        across=[(rows, f"{rows:,}") for rows in (50, 100, 300, 1_000, 3_000, 10_000, 50_000)],
        up=[(value, f"{value:.1f}") for value in (0, 0.1, 0.2, 0.3)],
        name="JS distance between a window and its reference; nothing has drifted",
        below="rows of the window",
    )
    panel.band(low, high, "wash-blue")
    panel.curve(mean, "line-blue")
    panel.level(LIMIT, "line-orange dashed")
    sheet.text(panel.at(120, 0.265), "mean, and 90 % of all windows", "blue")
    sheet.text(panel.at(900, 0.14), "a fixed limit of 0.1", "orange")
    for rows, place in ((100, (55, 0.02)), (1_000, (900, 0.112))):
        words = f"of {rows:,} rows: {_percent(above[rows])} of windows above it"
        sheet.text(panel.at(*place), words, "orange small")
    said = tuple(f"{_percent(above[rows])} of {rows:,}" for rows in (100, 300, 1_000))
    return Picture("noise", sheet.svg(), said)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
