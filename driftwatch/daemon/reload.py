"""Reading the configuration again while the daemon runs."""

import logging
from collections.abc import Callable
from threading import Lock

from driftwatch.config.settings import Settings
from driftwatch.daemon.clock import process_now
from driftwatch.errors import DriftwatchError
from driftwatch.exposition.health import Health

log = logging.getLogger(__name__)


class Reloader:
    """Reads the file and takes it up, whole or not at all; one reload at a time.

    read: reads and checks the file; take_up: makes it the configuration in use. Both raise
    DriftwatchError, after which the old configuration is still the one in use.
    """

    def __init__(
        self,
        read: Callable[[], Settings],
        take_up: Callable[[Settings], object],
        health: Health,
    ) -> None:
        self._read = read
        self._take_up = take_up
        self._health = health
        self._one_at_a_time = Lock()

    def reload(self) -> None:
        """DriftwatchError: the file was refused; the gauge of the last reload says so, too."""
        with self._one_at_a_time:
            try:
                self._take_up(self._read())
            except DriftwatchError:
                self._health.config_loaded(process_now(), successful=False)
                raise

    def try_reload(self) -> None:
        """The same for a signal, which nobody waits for: the log says what is wrong."""
        try:
            self.reload()
        except DriftwatchError as error:
            log.error("the configuration was refused, the old one stays in use: %s", error)
