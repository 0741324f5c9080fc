"""The same drift of a steady feature and of one that wanders: what a calibration hides."""

import numpy as np

from docs.pictures.drawing import Picture, Sheet
from docs.pictures.history import history
from docs.pictures.normal import DEFAULT
from docs.pictures.panel import Panel, Scale
from driftwatch.stats.counts import FloatArray

ROWS, WEEKS, HOURS, DRIFTS_AT, SHIFT = 600, 4, 144, 72, 0.25
STEADY, WANDERS = 0.0, 0.15
KEEPS = 0.9
"""How much of an hour's wandering is left in the next one."""


def picture() -> Picture:
    sheet = Sheet(720, 420, "The same drift of a steady feature and of one that wanders by itself")
    said = []
    for number, (name, size) in enumerate((("steady", STEADY), ("wandering", WANDERS))):
        random = np.random.default_rng(7)
        reference = WEEKS * 168
        mean = size * _wandering(random, reference + HOURS)
        mean[reference + DRIFTS_AT :] += SHIFT
        found = history(random, rows=ROWS, reference=mean[:reference], current=mean[reference:])
        flagged = found.judged.flagged
        inflation = float(found.calibration.null.phi[0])
        told = f"{flagged[DRIFTS_AT:].sum()} of {HOURS - DRIFTS_AT} hours"
        said.append(
            f"{name}: inflation {inflation:.1f}, detectable {found.detectable:.2f} sigma, "
            f"{flagged[:DRIFTS_AT].sum()} hours flagged before, {told} after"
        )
        panel = Panel(sheet, 60, 48 + 174 * number, 640, 110, Scale(0, HOURS), Scale(0, 0.8))
        panel.frame(
            across=[(24.0 * day + 12, f"day {day + 1}") for day in range(HOURS // 24)],
            up=[(value, f"{value:.1f}") for value in (0, 0.4, 0.8)],
            name=f"effect of a {name} feature, in sigmas; inflation {inflation:.1f}, "
            f"detectable {found.detectable:.2f}",
        )
        panel.upright(DRIFTS_AT, "axis dashed")
        assert DEFAULT.warning is not None
        panel.level(DEFAULT.warning, "line-orange dashed")
        for hour, (value, flag) in enumerate(zip(found.judged.effect, flagged, strict=True)):
            style = ("orange", 3.2) if flag else ("open-blue", 2.5)
            sheet.dot(panel.at(hour + 0.5, value), *style)
    sheet.dot((66, 392), "orange", 3.2)
    sheet.text((76, 396), "flagged", "orange")
    sheet.dot((150, 392), "open-blue", 2.5)
    sheet.text((160, 396), "not flagged", "blue")
    sheet.line([(260, 392), (290, 392)], "axis dashed")
    sheet.text((298, 396), f"from here on both are {SHIFT} sigma higher", "soft")
    return Picture("wobble", sheet.svg(), tuple(said))


def _wandering(random: np.random.Generator, hours: int) -> FloatArray:
    """A mean that forgets slowly, of standard deviation 1."""
    steps = random.normal(0, np.sqrt(1 - KEEPS**2), hours)
    found = np.zeros(hours)
    for hour in range(1, hours):
        found[hour] = KEEPS * found[hour - 1] + steps[hour]
    return found
