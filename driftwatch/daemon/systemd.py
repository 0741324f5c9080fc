"""What the service manager is told: ready, reloading, stopping, and that the scheduler turns.

The protocol is that of sd_notify(3): datagrams to the socket that $NOTIFY_SOCKET names. Without it
nobody is told anything, and nothing here ever fails: a daemon does not end because nobody listens.
"""

import logging
import os
import socket
import time
from collections.abc import MutableMapping

from driftwatch.daemon.schedule import HEARTBEAT_SECONDS

log = logging.getLogger(__name__)


class ServiceManager:
    """Whoever started this process, if it wants to be told. Every method may be called from any
    thread."""

    def __init__(self, address: str = "", watchdog_seconds: float = 0.0) -> None:
        """address: as in $NOTIFY_SOCKET, "" for nobody; watchdog_seconds: how long it waits for a
        sign of life before it ends the process, 0 for ever."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_seconds = watchdog_seconds
        if 0 < watchdog_seconds < 2 * HEARTBEAT_SECONDS:
            log.warning(
                "the service manager waits %g s for a sign of life, and the scheduler gives one "
                "every %g s; set WatchdogSec to 30s or more",
                watchdog_seconds,
                HEARTBEAT_SECONDS,
            )

    @classmethod
    def of(cls, environment: MutableMapping[str, str] = os.environ) -> "ServiceManager":
        """As the environment says. Its variables are taken out: children are not to answer."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "0")
        meant_for = environment.pop("WATCHDOG_PID", str(os.getpid()))
        watched = microseconds.isdecimal() and meant_for == str(os.getpid())
        return cls(address, int(microseconds) / 1e6 if watched else 0.0)

    def ready(self, status: str) -> None:
        """It has started, or a reload has ended, well or not. status: one line for people."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={microseconds}", "STATUS=reloading")

    def stopping(self) -> None:
        """The process ends within its grace time."""
        self._send("STOPPING=1", "STATUS=stopping")

    def alive(self) -> None:
        """The scheduler's loop has turned."""
        if self._watchdog_seconds > 0:
            self._send("WATCHDOG=1")

    def _send(self, *fields: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(1)
                sender.sendto("\n".join(fields).encode(), self._address)
        except OSError as error:
            log.debug("the service manager was not told %s: %s", fields[0], error)
