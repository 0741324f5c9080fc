"""A daemon in a process of its own, made by a fork server so that many of them start quickly."""

import logging
import multiprocessing
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from threading import Event

from driftwatch.config.settings import Settings, SourceSettings
from driftwatch.daemon.app import App
from driftwatch.daemon.clock import ReplayClock
from tests.evaluate.log import Log, day
from tests.evaluate.world import monitor

UNTIL = 26.0
STEP_SECONDS = 21_600


def settings(log_url: str, store_url: str) -> Settings:
    """Evaluated in steps of 6 hours, so that there are many transactions to be killed in."""
    # This name is evaluated soon after the start.
    watched = monitor(Log(log_url), name="loan", every_seconds=1, catch_up_seconds=STEP_SECONDS)
    return Settings(
        store_url=store_url,
        host="127.0.0.1",
        port=0,
        grace_seconds=5.0,
        sources={"logs": SourceSettings("logs", log_url)},
        monitors=(watched,),
    )


def run(log_url: str, store_url: str) -> None:
    """Run until killed."""
    logging.disable()
    App(settings(log_url, store_url), ReplayClock(day(UNTIL) + timedelta(minutes=10))).start()
    Event().wait()


def start(log_url: str, store_url: str) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.daemon.killed"])
    process = context.Process(target=run, args=(log_url, store_url), daemon=True)
    process.start()
    return process
