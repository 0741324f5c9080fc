"""Metrics with one series per monitor or source, whose sample lines are kept written out.

A line is written when its value changes, so that a scrape only joins: prometheus_client writes
every line at every scrape, which for some hundred monitors costs more than all of their results.
The lines are the same in both formats; only the name in the header differs.
"""

import threading
from collections.abc import Mapping
from typing import Literal

from driftwatch.exposition.text import labels_text, number_text

Kind = Literal["counter", "gauge"]


class Labelled:
    """One metric family. Every method may be called from any thread.

    name: of the samples; that of a counter ends in `_total`.
    """

    def __init__(self, kind: Kind, name: str, text: str, labels: tuple[str, ...]) -> None:
        if (kind == "counter") != name.endswith("_total"):
            raise ValueError(f"{name}: the names of counters, and only those, end in _total")
        self.name = name
        self._kind = kind
        self._help = text
        self._labels = labels
        self._values: dict[tuple[str, ...], float] = {}
        self._lines: dict[tuple[str, ...], bytes] = {}
        self._changing = threading.Lock()

    def add(self, *values: str, amount: float = 0.0) -> None:
        """Add to the series of these label values; by default only see to it that it exists."""
        if amount < 0 and self._kind == "counter":
            raise ValueError(f"{self.name}: a counter never falls")
        with self._changing:
            self._put(values, self._values.get(values, 0.0) + amount)

    def set(self, *values: str, to: float) -> None:
        """Set the series of these label values."""
        if self._kind == "counter":
            raise ValueError(f"{self.name}: a counter is added to")
        with self._changing:
            self._put(values, float(to))

    def remove(self, **labels: str) -> None:
        """Every series with these labels is gone; none is fine."""
        wanted = {self._labels.index(name): value for name, value in labels.items()}
        with self._changing:
            gone = [
                key
                for key in self._values
                if all(key[place] == value for place, value in wanted.items())
            ]
            for key in gone:
                del self._values[key], self._lines[key]

    def text(self, *, openmetrics: bool) -> bytes:
        """The family as it is exposed; b"" without a series."""
        with self._changing:
            lines = b"".join(self._lines.values())
        name = self.name.removesuffix("_total") if openmetrics else self.name
        header = f"# HELP {name} {self._help}\n# TYPE {name} {self._kind}\n"
        return header.encode() + lines if lines else b""

    def _put(self, values: tuple[str, ...], value: float) -> None:
        self._values[values] = value
        self._lines[values] = self._line(values, value)

    def _line(self, values: tuple[str, ...], value: float) -> bytes:
        labels: Mapping[str, str] = dict(zip(self._labels, values, strict=True))
        return f"{self.name}{{{labels_text(labels)}}} {number_text(value)}\n".encode()
