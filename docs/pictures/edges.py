"""One shift, measured with edges from the reference alone and with edges from both windows."""

import numpy as np

from docs.pictures.drawing import Picture, Sheet
from docs.pictures.panel import Panel, Scale
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.divergence import divergences

ROWS, BINS, SHIFT, ABSURD = 10_000, 20, 2.0, 1000.0


def picture() -> Picture:
    random = np.random.default_rng(2013)
    reference, current = random.normal(0, 1, ROWS), random.normal(SHIFT, 1, ROWS)
    absurd = np.append(current[1:], ABSURD)
    of_reference = np.quantile(reference, np.arange(1, BINS) / BINS)
    sheet = Sheet(720, 330, "The same two windows in bins of the reference and in bins over both")
    found = []
    for left, words, edges in (
        (50, "edges from the reference", of_reference),
        (400, "edges over both windows", _over_both(absurd, reference)),
    ):
        sides = [_counts(values, edges) for values in (absurd, reference)]
        distance = _of_counts(*sides)
        found.append(f"{distance:.2f}")
        sheet.text((left, 28), words, "title")
        sheet.text((left, 48), f"JS distance {found[-1]}", "ink")
        if edges is not of_reference:
            sheet.text((left + 28, 90), "all rows of both but one", "ink small")
            sheet.text((left + 300, 240), "that one", "ink small", "end")
        _draw(Panel(sheet, left, 64, 300, 190, Scale(0, BINS), Scale(0, 1)), *sides)
    sheet.bar((50, 302), 12, 12, "wash-blue")
    sheet.line([(50, 302), (62, 302)], "line-blue")
    sheet.text((69, 313), "reference", "blue")
    sheet.bar((160, 302), 12, 12, "wash-orange")
    sheet.line([(160, 302), (172, 302)], "line-orange")
    sheet.text(
        (179, 313), "current: two standard deviations higher, and one value of 1000", "orange"
    )
    whole = _js_distance(current, reference, _over_both(current, reference))
    said = (
        f"JS distance of {found[0]} on quantiles",
        f"both windows it is {whole:.2f} as well",
        f"then it is {found[1]}",
    )
    return Picture("edges", sheet.svg(), said)


def _draw(panel: Panel, current: IntArray, reference: IntArray) -> None:
    panel.frame(
        across=[(0.5, "1"), (BINS / 2 - 0.5, "10"), (BINS - 0.5, "20")],
        up=[(0, "0 %"), (0.5, "50 %"), (1, "100 %")],
        below="bin",
    )
    for counts, colour in ((reference, "blue"), (current, "orange")):
        for number, share in enumerate(counts / counts.sum()):
            left, top = panel.at(number + 0.1, share)
            right, bottom = panel.at(number + 0.9, 0)
            panel.sheet.bar((left, top), right - left, bottom - top, f"wash-{colour}")
            if share > 0:
                panel.sheet.line([(left, top), (right, top)], f"line-{colour}")


def _over_both(current: FloatArray, reference: FloatArray) -> FloatArray:
    both = np.concatenate([current, reference])
    return np.linspace(both.min(), both.max(), BINS + 1)[1:-1]


def _counts(values: FloatArray, edges: FloatArray) -> IntArray:
    cells = np.searchsorted(edges, values, side="right")
    return np.asarray(np.bincount(cells, minlength=edges.size + 1), np.int64)


def _js_distance(current: FloatArray, reference: FloatArray, edges: FloatArray) -> float:
    return _of_counts(_counts(current, edges), _counts(reference, edges))


def _of_counts(current: IntArray, reference: IntArray) -> float:
    return float(divergences(current[np.newaxis], reference[np.newaxis]).js_distance[0])
