"""A panel: a rectangle of a sheet in which two numbers have their places."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from docs.pictures.drawing import Point, Sheet, Ticks


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from low to high, by their logarithm where `log`; beyond them the end is taken."""

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """How far along a number lies, 0..1."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Panel:
    """left, top, width, height: where it lies on the sheet; across, up: what x and y mean there."""

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    across: Scale
    up: Scale

    def at(self, x: float, y: float) -> Point:
        return self.x(x), self.y(y)

    def x(self, value: float) -> float:
        return self.left + self.width * self.across.share(value)

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - self.up.share(value))

    def frame(self, *, across: Ticks = (), up: Ticks = (), name: str = "", below: str = "") -> None:
        """Both axes with their ticks. name: what y is, above; below: what x is."""
        bottom, right = self.top + self.height, self.left + self.width
        for value, words in up:
            self.sheet.line([(self.left, self.y(value)), (right, self.y(value))], "grid")
            self.sheet.text((self.left - 7, self.y(value) + 4), words, "soft small", "end")
        for value, words in across:
            self.sheet.line([(self.x(value), bottom), (self.x(value), bottom + 4)], "axis")
            self.sheet.text((self.x(value), bottom + 18), words, "soft small", "middle")
        self.sheet.line([(self.left, self.top), (self.left, bottom), (right, bottom)], "axis")
        if name:
            self.sheet.text((self.left, self.top - 9), name, "ink")
        if below:
            self.sheet.text((right, bottom + 36), below, "soft small", "end")

    def curve(self, points: Iterable[Point], style: str) -> None:
        self.sheet.line([self.at(x, y) for x, y in points], style)

    def level(self, y: float, style: str) -> None:
        self.sheet.line([(self.left, self.y(y)), (self.left + self.width, self.y(y))], style)

    def upright(self, x: float, style: str) -> None:
        self.sheet.line([(self.x(x), self.top), (self.x(x), self.top + self.height)], style)

    def band(self, lower: Iterable[Point], upper: Iterable[Point], style: str) -> None:
        """What lies between two curves, both from left to right."""
        outline = [*upper, *reversed(list(lower))]
        self.sheet.area([self.at(x, y) for x, y in outline], style)
