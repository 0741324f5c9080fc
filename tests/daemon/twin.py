"""A daemon in a process of its own whose event clock is a file, so that several go by one clock."""

import logging
import multiprocessing
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Event

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    Exclusion,
    FeatureSettings,
    RollingReference,
    SegmentGroup,
    SegmentSettings,
    Settings,
    SourceSettings,
    VersionSettings,
    WebhookSettings,
)
from driftwatch.daemon import courier
from driftwatch.daemon.app import App
from driftwatch.window import Interval, from_epoch, to_epoch
from tests.evaluate.log import Log, day
from tests.evaluate.world import DAY, FIXED, HOUR, QUARTER, K, monitor

COLUMNS = {"x": "double precision", "k": "text", "p": "double precision", "v": "text"}
X = FeatureSettings("x", reference=RollingReference(5 * DAY), threshold=FIXED)
P = FeatureSettings("p", prediction=True, threshold=FIXED)


@dataclass(frozen=True)
class WrittenClock:
    """Event time as somebody wrote it down."""

    path: Path

    def now(self) -> datetime:
        return from_epoch(int(self.path.read_text()))

    def set(self, moment: datetime) -> None:
        """Readers see the old moment or the new one, nothing between."""
        new = self.path.with_suffix(".new")
        new.write_text(str(to_epoch(moment)))
        new.replace(self.path)


@dataclass(frozen=True)
class Twin:
    """What a daemon is told; all of one store are told the same."""

    log_url: str
    store_url: str
    hook_url: str
    clock: WrittenClock

    def settings(self) -> Settings:
        # Evaluated in small steps, so that there is much to race for; this name runs soon.
        watched = monitor(
            Log(self.log_url),
            name="loan",
            every_seconds=1,
            catch_up_seconds=QUARTER,
            window_seconds=(QUARTER, DAY),
            alert=AlertPolicy(k=1, of=1),
            features=(X, K, P),
            recheck_seconds=(HOUR, QUARTER, DAY),
            segments=SegmentSettings((SegmentGroup(("k",)),), (DAY,), page=True),
            version=VersionSettings("v", 2 * DAY),
            exclusions=(Exclusion(Interval(day(12.5), day(13)), "a storm"),),
        )
        return Settings(
            store_url=self.store_url,
            host="127.0.0.1",
            port=0,
            grace_seconds=5.0,
            sources={"logs": SourceSettings("logs", self.log_url)},
            monitors=(watched,),
            webhook=WebhookSettings(self.hook_url, timeout_seconds=5),
        )

    def run(self) -> None:
        """Run until killed."""
        logging.disable()
        courier.LOOK_SECONDS = 0.05
        App(self.settings(), self.clock).start()
        Event().wait()

    def start(self) -> ForkServerProcess:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.daemon.twin"])
        process = context.Process(target=self.run, daemon=True)
        process.start()
        return process
