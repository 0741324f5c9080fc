"""What a part says: targets, whether they were met, and tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.tables import table


@dataclass(frozen=True, slots=True)
class Target:
    """A promise in words, what was measured of it in words, and whether it was met."""

    promise: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Page:
    """about: what was done; sections: a heading ("" for none) and its text, each."""

    title: str
    about: str
    targets: tuple[Target, ...]
    sections: tuple[tuple[str, str], ...]

    def text(self) -> str:
        parts = [f"# {self.title}", self.about, targets_table(self.targets)]
        for heading, text in self.sections:
            parts += [f"## {heading}", text] if heading else [text]
        return "\n\n".join(part for part in parts if part)


def targets_table(targets: Sequence[Target]) -> str:
    """
    >>> print(targets_table([Target("few", "3", True)]))
    | target | measured | met |
    | --- | --- | --- |
    | few | 3 | yes |
    """
    if not targets:
        return ""
    rows = [[one.promise, one.measured, "yes" if one.met else "**no**"] for one in targets]
    return table(["target", "measured", "met"], rows)


def percent(share: float, digits: int = 2) -> str:
    """
    >>> percent(0.00125)
    '0.12'
    """
    return f"{100 * share:.{digits}f}"


def rows_of(number: int) -> str:
    """A number of rows in words, as a head of a column.

    >>> rows_of(1_000_000)
    'n = 1,000,000'
    """
    return f"n = {number:,}"
