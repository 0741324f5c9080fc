"""Signals of the process: the first asks for an orderly end, the second does not ask."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import NoReturn


@contextmanager
def stop_signals() -> Iterator[Event]:
    """An event that the first SIGTERM or SIGINT sets; the second signal ends the process."""
    stop = Event()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
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
