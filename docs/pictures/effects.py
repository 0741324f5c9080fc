"""What effects look like, and how many rows of a window it takes to find them."""

import numpy as np
from scipy import optimize

from docs.pictures.drawing import Picture, Sheet
from docs.pictures.normal import CELLS, DEFAULT, draw, judged, shares
from docs.pictures.panel import Panel, Scale
from driftwatch.stats.combination import NUMERIC
from driftwatch.stats.counts import FloatArray
from driftwatch.stats.detectable import detectable_effect

EFFECTS = (0.05, 0.1, 0.2, 0.5)
REFERENCE_ROWS, WINDOWS, LENGTHS, MIN_ROWS = 1_000_000, 400, 2, 100


def picture() -> Picture:
    random = np.random.default_rng(2013)
    needed = {effect: _rows_needed(effect) for effect in EFFECTS}
    sheet = Sheet(720, 470, "Normal curves that differ by an effect, and rows that find it")
    x = np.linspace(-3.5, 3.9, 75)
    for number, effect in enumerate(EFFECTS):
        panel = Panel(sheet, 20 + 175 * number, 34, 155, 100, Scale(-3.5, 3.9), Scale(0, 0.42))
        for mean, colour in ((0.0, "blue"), (effect, "orange")):
            density = np.exp(-np.square(x - mean) / 2) / np.sqrt(2 * np.pi)
            points = list(zip(x.tolist(), density.tolist(), strict=True))
            panel.band([(x[0], 0), (x[-1], 0)], points, f"wash-{colour}")
            panel.curve(points, f"line-{colour}")
        centre = panel.left + panel.width / 2
        sheet.text((centre, 24), f"{effect} sigma", "title", "middle")
        sheet.text((centre, 154), f"found from {needed[effect]:,} rows on", "soft small", "middle")
    rows = np.geomspace(100, 1_000_000, 60)
    panel = Panel(sheet, 60, 208, 620, 190, Scale(100, 1e6, log=True), Scale(0.005, 1, log=True))
    panel.frame(
        across=[(10.0**power, f"{10**power:,}") for power in range(2, 7)],
        up=[(value, f"{value:g}") for value in (0.01, 0.05, 0.1, 0.2, 0.5, 1)],
        name="the smallest effect that four windows of five would show, in sigmas",
        below="rows of the window",
    )
    panel.curve(zip(rows, _detectable(rows), strict=True), "line-blue")
    assert DEFAULT.warning is not None
    panel.level(DEFAULT.warning, "line-orange dashed")
    sheet.text(
        panel.at(120, 0.02), "below the limit of 0.05: not flagged, however many rows", "orange"
    )
    for effect, number in needed.items():
        sheet.dot(panel.at(number, effect), "blue", 4)
    said = [f"{effect} | {number:,}" for effect, number in needed.items()]
    return Picture("effects", sheet.svg(), (*said, _checked(random, needed), _price_of_alpha()))


def _price_of_alpha() -> str:
    rows = np.array([1000.0])
    more = float((_detectable(rows, alpha=DEFAULT.alpha / 10) / _detectable(rows))[0]) - 1
    return f"a tenth of alpha costs {100 * more:.0f} %"


def _detectable(rows: FloatArray, *, alpha: float = DEFAULT.alpha) -> FloatArray:
    return detectable_effect(
        current_rows=rows,
        reference_rows=REFERENCE_ROWS,
        cells=CELLS - 1,
        omnibus_alpha=NUMERIC.omnibus * alpha / LENGTHS,
        location_alpha=NUMERIC.location * alpha / LENGTHS,
    )


def _rows_needed(effect: float) -> int:
    """To two digits, as nobody needs more, and no fewer than are judged at all."""
    found = optimize.brentq(lambda n: float(_detectable(np.array([n]))[0]) - effect, 20, 1e6)
    return max(MIN_ROWS, int(float(f"{found:.1e}")))


def _checked(random: np.random.Generator, needed: dict[float, int]) -> str:
    """In how many drawn windows with so many rows each effect is real indeed."""
    found = []
    for effect, rows in needed.items():
        reference = np.broadcast_to(
            np.asarray(random.multinomial(REFERENCE_ROWS, shares(0.0))), (WINDOWS, CELLS)
        )
        current = draw(random, rows, np.full(WINDOWS, effect))
        found.append(float((judged(current, reference).p <= DEFAULT.alpha / LENGTHS).mean()))
    return f"{100 * min(found):.0f} to {100 * max(found):.0f} of 100 drawn windows"
