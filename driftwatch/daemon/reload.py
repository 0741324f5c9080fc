"""Reading the configuration again while the daemon runs."""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread

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
        """DriftwatchError: the file was refused; the gauge of the last reload says so, too, as it
        does after an error that nobody foresaw."""
        with self._one_at_a_time:
            try:
                self._take_up(self._read())
            except Exception:
                self._health.config_loaded(process_now(), successful=False)
                raise

    def try_reload(self) -> None:
        """The same for a signal, which nobody waits for: the log says what is wrong."""
        try:
            self.reload()
        except DriftwatchError as error:
            log.error("the configuration was refused, the old one stays in use: %s", error)
        except Exception:
            log.exception("the configuration was not taken up: unexpected error")


class ReloadThread:
    """Reloads that nobody waits for: whoever asks can be told to end meanwhile, though a reload may
    wait for a store. Those that are asked for while one is under way are one more together."""

    def __init__(self, reload: Callable[[], None]) -> None:
        self._reload = reload
        self._asked = Event()
        Thread(target=self._loop, name="driftwatch-reload", daemon=True).start()

    def ask(self) -> None:
        """Soon. What the file holds by now will be read, whatever is under way."""
        self._asked.set()

    def _loop(self) -> None:
        while self._asked.wait():
            self._asked.clear()
            self._reload()
