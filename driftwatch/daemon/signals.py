"""Signals of the process: the first asks for an orderly end, the second does not ask; SIGHUP asks
to read the configuration again."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event
from types import FrameType
from typing import NoReturn

STOP = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals() -> Iterator[Event]:
    """An event that the first SIGTERM or SIGINT sets; the second signal ends the process."""
    stop = Event()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    with _handled(STOP, handle):
        yield stop


@contextmanager
def arriving_signals() -> Iterator["SimpleQueue[signal.Signals]"]:
    """SIGTERM, SIGINT and SIGHUP as they arrive, one after another.

    The second of those that ask for the end does end the process, at once. A queue of this kind
    may be filled while it is waited on, which a signal handler does; an Event may not.
    """
    arrived: SimpleQueue[signal.Signals] = SimpleQueue()
    asked = False

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal asked
        if number in STOP:
            if asked:
                os._exit(128 + number)
            asked = True
        arrived.put(signal.Signals(number))

    with _handled((*STOP, signal.SIGHUP), handle):
        yield arrived


@contextmanager
def _handled(
    numbers: Iterable[signal.Signals], handle: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_process() -> NoReturn:
    """End with code 0 without waiting for threads: one that waits for a locked store would hold up
    the interpreter for longer than the grace time. The store keeps nothing half-done."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
