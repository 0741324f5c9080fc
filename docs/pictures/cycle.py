"""A feature that follows the hours of the day: a fixed limit and a calibrated one, side by side."""

import numpy as np
import numpy.typing as npt

from docs.pictures.drawing import Picture, Sheet
from docs.pictures.history import history
from docs.pictures.normal import DEFAULT
from docs.pictures.panel import Panel, Scale
from driftwatch.stats.counts import FloatArray, IntArray

ROWS, WEEKS, DAYS, DRIFTS_AT, SHIFT, LIMIT = 600, 4, 6, 72, 0.25, 0.1
HOURS = DAYS * 24


def picture() -> Picture:
    random = np.random.default_rng(2013)
    usual = _cycle(np.arange(HOURS))
    drift = np.where(np.arange(HOURS) >= DRIFTS_AT, SHIFT, 0.0)
    found = history(
        random, rows=ROWS, reference=_cycle(np.arange(WEEKS * 168)), current=usual + drift
    )
    fixed = (found.js_distance >= LIMIT) & found.above_guard
    own = found.judged.flagged
    sheet = Sheet(720, 590, "A daily cycle, a drift on the fourth day, and what two limits flag")
    across = Scale(0, HOURS)
    days = [(24.0 * day + 12, f"day {day + 1}") for day in range(DAYS)]
    hours = np.arange(HOURS) + 0.5
    top = Panel(sheet, 60, 48, 640, 110, across, Scale(-0.7, 0.9))
    middle = Panel(sheet, 60, 222, 640, 110, across, Scale(0, 0.34))
    bottom = Panel(sheet, 60, 396, 640, 110, across, Scale(0, 0.5))
    top.frame(up=[(-0.5, "-0.5"), (0, "0"), (0.5, "0.5")], name="true mean of each hour, in sigmas")
    top.curve(zip(hours, usual, strict=True), "axis dashed")
    top.curve(zip(hours, usual + drift, strict=True), "line-ink")
    middle.frame(
        up=[(value, f"{value:.1f}") for value in (0, 0.1, 0.2, 0.3)],
        name="fixed: JS distance to all of the reference",
    )
    bottom.frame(
        across=days,
        up=[(value, f"{value:.1f}") for value in (0, 0.2, 0.4)],
        name="calibrated: effect against the same hours of the reference, in sigmas",
    )
    assert DEFAULT.warning is not None
    for panel, values, limit, flagged in (
        (middle, found.js_distance, LIMIT, fixed),
        (bottom, found.judged.effect, DEFAULT.warning, own),
    ):
        panel.level(limit, "line-orange dashed")
        for hour, value, flag in zip(hours, values, flagged, strict=True):
            sheet.dot(
                panel.at(hour, value), "orange" if flag else "open-blue", 3.2 if flag else 2.5
            )
    for panel in (top, middle, bottom):
        panel.upright(DRIFTS_AT, "axis dashed")
    sheet.text(
        (top.x(DRIFTS_AT) + 6, top.top + 6), f"from here on {SHIFT} sigma higher", "soft small"
    )
    sheet.dot((66, 560), "orange", 3.2)
    sheet.text((76, 564), "flagged", "orange")
    sheet.dot((150, 560), "open-blue", 2.5)
    sheet.text((160, 564), "not flagged", "blue")
    sheet.line([(260, 560), (290, 560)], "line-orange dashed")
    sheet.text((298, 564), "the limit; flagged is what is real as well", "orange")
    said = (
        _said("fixed", fixed),
        _said("calibrated", own),
    )
    return Picture("cycle", sheet.svg(), said)


def _cycle(hours: IntArray) -> FloatArray:
    return np.asarray(0.5 * np.sin(2 * np.pi * (hours % 24 - 6) / 24))


def _said(name: str, flagged: npt.NDArray[np.bool_]) -> str:
    before, after = flagged[:DRIFTS_AT].sum(), flagged[DRIFTS_AT:].sum()
    return f"{name}: {before} of {DRIFTS_AT} hours before it, {after} of {HOURS - DRIFTS_AT} after"
