"""The page of all monitors: blocks swapped atomically, joined once, kept until something changes.

A scrape joins bytes that are there already; it runs no SQL and renders no sample of a result.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from driftwatch.exposition.compress import Compressed, compress
from driftwatch.exposition.families import FAMILIES, SERIES, SERIES_DROPPED, Family
from driftwatch.exposition.render import Block, MonitorBlocks
from driftwatch.exposition.text import labels_text

TOTAL_SERIES = 200_000
"""Series of all monitors' features that are exposed unless told otherwise."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of one monitor is on a page, with the counts of what is in and what is not."""

    blocks: MonitorBlocks
    with_detail: bool
    expired: bool

    @property
    def parts(self) -> list[Mapping[str, Block]]:
        return [self.blocks.core, self.blocks.detail] if self.with_detail else [self.blocks.core]

    def block(self, family: Family) -> bytes:
        if self.expired and not family.lasting:
            return b""
        return b"".join(part[family.name].lines for part in self.parts if family.name in part)

    def series(self) -> int:
        return sum(
            part[family.name].series
            for part in self.parts
            for family in FAMILIES
            if family.name in part and (family.lasting or not self.expired)
        )

    def dropped(self) -> int:
        return self.blocks.dropped + (0 if self.with_detail else _size(self.blocks.detail))


@dataclass(frozen=True, slots=True)
class _Joined:
    """A joined page with what it was joined from."""

    monitors: Mapping[str, MonitorBlocks]
    expired: frozenset[str]
    text: bytes


class Page:
    """What the results of all monitors look like to a scrape.

    The daemon calls `replace` after each evaluation and `remove` when a monitor goes; any thread
    may read at any time and sees either the old blocks of a monitor or the new ones, never both.
    """

    def __init__(self, *, max_series: int = TOTAL_SERIES) -> None:
        self._max_series = max_series
        self._monitors: Mapping[str, MonitorBlocks] = {}
        self._writing = threading.Lock()
        self._joined: _Joined | None = None
        self._compressed: tuple[bytes, Compressed] | None = None

    def replace(self, blocks: MonitorBlocks) -> None:
        """Show these blocks of their monitor instead of the ones shown so far."""
        with self._writing:
            self._monitors = dict(sorted({**self._monitors, blocks.monitor: blocks}.items()))

    def remove(self, monitor: str) -> None:
        """Show nothing of this monitor any more; an unknown one is fine."""
        with self._writing:
            self._monitors = {
                name: blocks for name, blocks in self._monitors.items() if name != monitor
            }

    def text(self, now: datetime) -> bytes:
        """The page at `now`, without values that have expired by then."""
        monitors = self._monitors
        expired = frozenset(name for name, blocks in monitors.items() if blocks.expired(now))
        joined = self._joined
        if joined is None or joined.monitors is not monitors or joined.expired != expired:
            joined = _Joined(monitors, expired, self._join(monitors, expired))
            self._joined = joined
        return joined.text

    def selected(self, now: datetime, names: Collection[str]) -> bytes:
        """The families of these names alone."""
        monitors = self._monitors
        expired = frozenset(name for name, blocks in monitors.items() if blocks.expired(now))
        return self._join(monitors, expired, lambda family: family.name in names)

    def compressed(self, now: datetime) -> Compressed:
        """The page at `now`, compressed once for as long as it does not change."""
        text = self.text(now)
        kept = self._compressed
        if kept is None or kept[0] is not text:
            kept = (text, compress(text))
            self._compressed = kept
        return kept[1]

    def _join(
        self,
        monitors: Mapping[str, MonitorBlocks],
        expired: frozenset[str],
        wanted: Callable[[Family], bool] = lambda _: True,
    ) -> bytes:
        shown = list(self._shown(monitors, expired))
        pieces: list[bytes] = []
        for family in FAMILIES:
            lines = _lines(family, shown) if wanted(family) else b""
            if lines:
                pieces += (family.header, lines)
        return b"".join(pieces)

    def _shown(
        self, monitors: Mapping[str, MonitorBlocks], expired: frozenset[str]
    ) -> Iterator[_Shown]:
        room = self._max_series
        for name, blocks in monitors.items():
            size = _size(blocks.detail)
            fits = size <= room
            room -= size if fits else 0
            yield _Shown(blocks, with_detail=fits, expired=name in expired)


def _lines(family: Family, shown: list[_Shown]) -> bytes:
    if family is SERIES:
        return b"".join(_count_line(family, one, one.series()) for one in shown)
    if family is SERIES_DROPPED:
        return b"".join(_count_line(family, one, one.dropped()) for one in shown)
    return b"".join(one.block(family) for one in shown)


def _count_line(family: Family, one: _Shown, count: int) -> bytes:
    labels = labels_text({"monitor": one.blocks.monitor})
    return f"{family.name}{{{labels}}} {count}\n".encode()


def _size(blocks: Mapping[str, Block]) -> int:
    return sum(block.series for block in blocks.values())
