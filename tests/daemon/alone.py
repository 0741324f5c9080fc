"""A daemon in a process of its own, told what a file of configuration says; its event clock is a
file, too."""

import logging
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Event

from driftwatch.config.load import load_settings
from driftwatch.daemon.app import App
from tests.daemon.twin import WrittenClock


def run(config: Path, clock: WrittenClock) -> None:
    """Run until killed."""
    logging.disable()
    App(load_settings(config), clock, read=lambda: load_settings(config), lifecycle=True).start()
    Event().wait()


@contextmanager
def daemon(config: Path, clock: WrittenClock) -> Iterator[ForkServerProcess]:
    """The process, killed (SIGKILL) with the block at the latest."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.daemon.alone"])
    process = context.Process(target=run, args=(config, clock), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(10)
