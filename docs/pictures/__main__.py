"""Draws all pictures into this folder and prints the figures that the pages say beside them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.pictures import cycle, edges, effects, noise, plane, wobble
from docs.pictures.drawing import Picture

FOLDER = Path(__file__).parent

PICTURES: Mapping[str, Callable[[], Picture]] = {
    "noise": noise.picture,
    "edges": edges.picture,
    "cycle": cycle.picture,
    "wobble": wobble.picture,
    "effects": effects.picture,
    "real-and-far": plane.picture,
}


def main() -> None:
    for draw in PICTURES.values():
        made = draw()
        (FOLDER / f"{made.name}.svg").write_text(made.svg, encoding="utf-8")
        print(f"{made.name}.svg", *made.said, sep="\n  ")


if __name__ == "__main__":
    main()
