"""SVG by hand: text, lines and marks on a sheet that is readable in light and in dark."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

_STYLE = """
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:13px}
.small{font-size:12px}.title{font-weight:600;font-size:14px}
.paper{fill:#ffffff}.ink,.title{fill:#1f2328}.soft{fill:#59636e}
.blue{fill:#0969da}.orange{fill:#b34700}
.axis,.grid,.line-blue,.line-orange,.line-ink,.open-blue,.open-orange{fill:none}
.axis{stroke:#8c959f}.grid{stroke:#e3e7ec}.line-ink{stroke:#1f2328;stroke-width:1.5}
.line-blue{stroke:#0969da;stroke-width:2}.line-orange{stroke:#b34700;stroke-width:2}
.open-blue{stroke:#0969da}.open-orange{stroke:#b34700}
.wash-blue{fill:#0969da;fill-opacity:.16}.wash-orange{fill:#b34700;fill-opacity:.16}
.dashed{stroke-dasharray:6 4}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}.ink,.title{fill:#e6edf3}.soft{fill:#9aa5b1}
.blue{fill:#58a6ff}.orange{fill:#f0883e}
.axis{stroke:#6e7681}.grid{stroke:#232a33}.line-ink{stroke:#e6edf3}
.line-blue{stroke:#58a6ff}.line-orange{stroke:#f0883e}
.open-blue{stroke:#58a6ff}.open-orange{stroke:#f0883e}
.wash-blue{fill:#58a6ff;fill-opacity:.22}.wash-orange{fill:#f0883e;fill-opacity:.22}
}
"""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file's name without the suffix, its SVG, and what it shows in words.

    said: phrases with the figures that it was drawn from; the page that shows it says them, too.
    """

    name: str
    svg: str
    said: tuple[str, ...]


@dataclass(slots=True)
class Sheet:
    """A sheet of width x height, x to the right and y down, in pixels; styles are names of classes.

    title: what the picture shows, for those who do not see it.
    """

    width: int
    height: int
    title: str
    _parts: list[str] = field(default_factory=list)

    def text(self, at: Point, words: str, style: str = "ink", anchor: str = "start") -> None:
        x, y = at
        self._parts.append(
            f'<text x="{_px(x)}" y="{_px(y)}" class="{style}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )

    def line(self, points: Iterable[Point], style: str) -> None:
        self._parts.append(f'<polyline points="{_path(points)}" class="{style}"/>')

    def area(self, points: Iterable[Point], style: str) -> None:
        self._parts.append(f'<polygon points="{_path(points)}" class="{style}"/>')

    def bar(self, corner: Point, width: float, height: float, style: str) -> None:
        x, y = corner
        self._parts.append(
            f'<rect x="{_px(x)}" y="{_px(y)}" width="{_px(width)}" height="{_px(height)}" '
            f'class="{style}"/>'
        )

    def dot(self, at: Point, style: str, radius: float = 3) -> None:
        x, y = at
        self._parts.append(
            f'<circle cx="{_px(x)}" cy="{_px(y)}" r="{_px(radius)}" class="{style}"/>'
        )

    def svg(self) -> str:
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img">\n'
            f"<title>{escape(self.title)}</title>\n<style>{_STYLE}</style>\n"
            f'<rect width="{self.width}" height="{self.height}" class="paper"/>\n{body}\n</svg>\n'
        )


def _px(value: float) -> str:
    """Tenths of a pixel: finer ones would only show which machine has drawn it."""
    return f"{value:.1f}".removesuffix(".0")


def _path(points: Iterable[Point]) -> str:
    return " ".join(f"{_px(x)},{_px(y)}" for x, y in points)


Ticks = Sequence[tuple[float, str]]
