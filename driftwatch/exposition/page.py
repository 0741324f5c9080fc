"""The page of all monitors: blocks swapped atomically, joined and compressed after an evaluation.

A scrape takes bytes that are there already; it runs no SQL and renders no sample of a result.
"""

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftwatch.config.settings import ALL_MAX_SERIES
from driftwatch.exposition.compress import Compressed, compress
from driftwatch.exposition.families import FAMILIES, OF_RESULTS, SERIES, SERIES_DROPPED, Family
from driftwatch.exposition.render import Block, MonitorBlocks
from driftwatch.exposition.text import labels_text

LAG = timedelta(seconds=1)
"""How far behind a page may be while so many evaluations end that not each prepares it."""

_BUSY_SHARE = 0.05
"""At most this share of the time is spent on preparing the page."""

_CHEAP_SECONDS = 0.002
"""A page of less CPU time than this is prepared by every evaluation."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of one monitor is on a page: its lines, one entry per family."""

    blocks: MonitorBlocks
    with_detail: bool
    expired: bool
    lines: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class _Made:
    """A page as it was joined at a moment, and from what."""

    at: datetime
    monitors: Mapping[str, MonitorBlocks]
    expired: frozenset[str]
    text: bytes


class Page:
    """What the results of all monitors look like to a scrape.

    The daemon calls `replace` after each evaluation and `remove` when a monitor goes, then
    `prepare`, so that the evaluation pays for the joining and no scrape does. Any thread may read
    at any time and sees either the old blocks of a monitor or the new ones, never both.

    max_series: series of features that are exposed of all monitors together; see `room`.
    """

    def __init__(self, *, max_series: int = ALL_MAX_SERIES) -> None:
        self.max_series = max_series
        self._monitors: Mapping[str, MonitorBlocks] = {}
        self._shown: Mapping[str, _Shown] = {}
        self._writing = threading.Lock()
        self._preparing = threading.Lock()
        self._rest_until = 0.0
        self._lags = False
        self._made: _Made | None = None
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

    def room(self, monitor: str, monitors: int) -> int:
        """How many series of its features this one of so many monitors may expose: an equal share
        at least, and what the others leave. Whoever has more yields at its next evaluation."""
        others = sum(one.detail_series for name, one in self._monitors.items() if name != monitor)
        return max(self.max_series // max(monitors, 1), self.max_series - others)

    def prepare(self, now: datetime, *, urgent: bool = False) -> None:
        """Join and compress the page at once. Harmless to leave out: the next scrape does it then.

        Where so many evaluations end that this would take more than a twentieth of the time, not
        each of them does it, and a scrape may find a page that is behind by at most `LAG`. urgent:
        nobody may find such a page.
        """
        if time.monotonic() < self._rest_until and not urgent:
            self._lags = True
            return
        if not self._preparing.acquire(blocking=urgent):
            return  # what another thread prepares may lack what is new; then a scrape does it
        try:
            begun = time.thread_time()
            self._lags = False
            self._compress(self._make(now))
            spent = time.thread_time() - begun
            rest = spent / _BUSY_SHARE if spent > _CHEAP_SECONDS else 0.0
            self._rest_until = time.monotonic() + rest
        finally:
            self._preparing.release()

    def text(self, now: datetime) -> bytes:
        """The page at `now`, without values that have expired by then."""
        return self._current(now).text

    def compressed(self, now: datetime) -> Compressed:
        """The page at `now`, compressed once for as long as it does not change."""
        return self._compress(self._current(now))

    def selected(self, now: datetime, names: Collection[str]) -> bytes:
        """The families of these names alone."""
        monitors = self._monitors
        return self._join(monitors, _expired(monitors, now), names)

    def _current(self, now: datetime) -> _Made:
        made = self._made
        if made is None:
            return self._make(now)
        if self._lags and timedelta(0) <= now - made.at < LAG:
            return made
        monitors = self._monitors
        if made.monitors is monitors and made.expired == _expired(monitors, now):
            return made
        return self._make(now)

    def _make(self, now: datetime) -> _Made:
        monitors = self._monitors
        expired = _expired(monitors, now)
        made = _Made(now, monitors, expired, self._join(monitors, expired))
        self._made = made
        return made

    def _compress(self, made: _Made) -> Compressed:
        kept = self._compressed
        if kept is None or kept[0] is not made.text:
            kept = (made.text, compress(made.text))
            self._compressed = kept
        return kept[1]

    def _join(
        self,
        monitors: Mapping[str, MonitorBlocks],
        expired: frozenset[str],
        names: Collection[str] | None = None,
    ) -> bytes:
        """All pieces at once: 100,000 series are 10 MB, and each copy of them is seen."""
        shown = self._show(monitors, expired)
        columns = zip(*(one.lines for one in shown.values()), strict=True)
        pieces: list[bytes] = []
        # Without a monitor there is no column.
        for family, lines in zip(FAMILIES, columns, strict=False):
            if (names is None or family.name in names) and any(lines):
                pieces.append(family.header)
                pieces += lines
        return b"".join(pieces)

    def _show(
        self, monitors: Mapping[str, MonitorBlocks], expired: frozenset[str]
    ) -> Mapping[str, _Shown]:
        """By monitor; what has not changed is kept. The limit is held even while monitors that
        are to yield have not done so: then the last ones lack their detail."""
        room = self.max_series
        before, found = self._shown, {}
        for name, blocks in monitors.items():
            fits = blocks.detail_series <= room
            room -= blocks.detail_series if fits else 0
            old, gone = before.get(name), name in expired
            # By identity: comparing blocks would compare all of their bytes.
            if old and old.blocks is blocks and (old.with_detail, old.expired) == (fits, gone):
                found[name] = old
            else:
                found[name] = _Shown(blocks, fits, gone, tuple(_lines(blocks, fits, gone)))
        self._shown = found
        return found


def _expired(monitors: Mapping[str, MonitorBlocks], now: datetime) -> frozenset[str]:
    return frozenset(name for name, blocks in monitors.items() if blocks.expired(now))


def _lines(blocks: MonitorBlocks, with_detail: bool, expired: bool) -> Iterator[bytes]:
    """One entry per family, in their order; empty where nothing is shown of it."""
    parts = [blocks.core, blocks.detail] if with_detail else [blocks.core]
    shown: list[Block] = []
    for family in OF_RESULTS:
        found = [part[family.name] for part in parts if family.name in part]
        found = found if family.lasting or not expired else []
        shown += found
        yield b"".join(block.lines for block in found)
    yield _count_line(SERIES, blocks.monitor, sum(block.series for block in shown))
    left_out = blocks.dropped + (0 if with_detail else blocks.detail_series)
    yield _count_line(SERIES_DROPPED, blocks.monitor, left_out)


def _count_line(family: Family, monitor: str, count: int) -> bytes:
    return f"{family.name}{{{labels_text({'monitor': monitor})}}} {count}\n".encode()
