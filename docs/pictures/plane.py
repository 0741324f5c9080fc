"""Windows in the plane of how sure and how far: flagged is what is both."""

import numpy as np

from docs.pictures.drawing import Picture, Sheet
from docs.pictures.normal import DEFAULT, draw, judged
from docs.pictures.panel import Panel, Scale

REFERENCE_ROWS, WINDOWS, LEAST_P = 10_000_000, 40, 1e-12
KINDS = (
    ("no drift, 100 rows", 100, 0.0, "open-blue"),
    ("0.02 sigma, 1,000,000 rows", 1_000_000, 0.02, "blue"),
    ("0.3 sigma, 300 rows", 300, 0.3, "open-orange"),
    ("0.12 sigma, 10,000 rows", 10_000, 0.12, "orange"),
)


def picture() -> Picture:
    random = np.random.default_rng(2013)
    warning, critical, alpha = DEFAULT.warning, DEFAULT.critical, DEFAULT.alpha
    assert warning is not None
    assert critical is not None
    sheet = Sheet(720, 470, "Windows by their effect and their p-value, and which are flagged")
    panel = Panel(sheet, 100, 44, 600, 330, Scale(0, 0.5), Scale(0, 12))
    right, top = panel.left + panel.width, panel.top
    sheet.area(
        [panel.at(warning, 3), panel.at(warning, 12), (right, top), (right, panel.y(3))],
        "wash-orange",
    )
    panel.frame(
        across=[(value, f"{value:g}") for value in (0, warning, 0.1, critical, 0.3, 0.4, 0.5)],
        up=[(0, "1"), (3, "0.001"), (6, "1e-6"), (9, "1e-9"), (12, "1e-12 or less")],
        name="p-value: the higher up, the less could chance do it",
        below="effect in sigmas: how far",
    )
    panel.level(-np.log10(alpha), "line-orange dashed")
    panel.upright(warning, "line-orange dashed")
    panel.upright(critical, "line-orange dashed")
    for x, y, words, anchor in (
        (warning / 2, 11.3, "real,", "middle"),
        (warning / 2, 10.7, "not far", "middle"),
        (0.125, 11.3, "real and far: warning", "middle"),
        (0.35, 11.3, "real and far: critical, where it does harm", "middle"),
        (0.39, 1.6, "far, but chance could do it: within_noise", "middle"),
    ):
        sheet.text(panel.at(x, y), words, "ink small", anchor)
    said = []
    for number, (name, rows, shift, style) in enumerate(KINDS):
        current = draw(random, rows, np.full(WINDOWS, shift))
        reference = draw(random, REFERENCE_ROWS, np.zeros(WINDOWS))
        found = judged(current, reference)
        for p, far in zip(np.maximum(found.p, LEAST_P), found.effect, strict=True):
            sheet.dot(panel.at(far, -np.log10(p)), style, 3)
        x, y = 76 + 320 * (number % 2), 430 + 22 * (number // 2)
        sheet.dot((x, y), style, 3.5)
        sheet.text((x + 10, y + 4), name, "soft")
        said.append(f"{name}: {found.flagged.sum()} of {WINDOWS}")
    return Picture("real-and-far", sheet.svg(), tuple(said))
