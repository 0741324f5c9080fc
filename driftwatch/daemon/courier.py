"""Delivers the webhook's outbox: one POST per change, retried until the receiver takes it."""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread

from driftwatch.config.secret import SecretError
from driftwatch.config.settings import WebhookSettings
from driftwatch.errors import StoreError
from driftwatch.exposition.delivery import (
    LONGEST_WAIT_SECONDS,
    Delivery,
    backoff_seconds,
    deliver,
)
from driftwatch.exposition.health import Health
from driftwatch.exposition.outcomes import DeliveryOutcome
from driftwatch.store import notifications
from driftwatch.store.engine import Store
from driftwatch.store.notifications import Notification

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often the outbox is looked at; an evaluation that put something in wakes the courier."""

BATCH = 50


class Courier:
    """A thread of its own, so that a slow receiver holds up no evaluation."""

    def __init__(
        self,
        webhook: WebhookSettings,
        store: Store,
        health: Health,
        *,
        process_now: Callable[[], datetime],
    ) -> None:
        self._webhook = webhook
        self._store = store
        self._health = health
        self._process_now = process_now
        self._stop = Event()
        self._wake = Event()
        self._thread = Thread(target=self._loop, name="driftwatch-courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be something to deliver."""
        self._wake.set()

    def stop(self, timeout_seconds: float) -> None:
        """End after the POST that is under way; what is left is delivered after the next start.

        Harmless when not started, or stopped already.
        """
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def deliver_due(self) -> int:
        """Try everything that is due once; returns how many were delivered.

        Changes of one alert go out in their order: the next one when the one before it is there.
        """
        delivered = 0
        while now_delivered := sum(map(self._deliver, self._due())):
            delivered += now_delivered
        with self._store.read() as connection:
            self._health.notifications_pending(notifications.waiting(connection))
        return delivered

    def _due(self) -> list[Notification]:
        longest = timedelta(seconds=max(LONGEST_WAIT_SECONDS, self._claim_seconds))
        with self._store.read() as connection:
            return notifications.due(
                connection, self._process_now(), limit=BATCH, longest_wait=longest
            )

    def _deliver(self, one: Notification) -> bool:
        if self._stop.is_set() or not self._claim(one):
            return False
        outcome = self._post(one)
        now = self._process_now()
        with self._store.write() as connection:
            if outcome.delivered:
                notifications.delivered(connection, one.id, now)
            else:
                wait = timedelta(seconds=backoff_seconds(one.attempts + 1))
                notifications.failed(
                    connection, one.id, error=outcome.message, next_attempt_at=now + wait
                )
        if outcome.delivered:
            self._health.notification(DeliveryOutcome.DELIVERED)
        else:
            self._health.notification(DeliveryOutcome.FAILED)
            log.warning("notification %s: %s", one.id, outcome.message)
        return outcome.delivered

    def _post(self, one: Notification) -> Delivery:
        hook = self._webhook
        try:
            url, headers = hook.url_now(), hook.headers_now()
        except SecretError as error:
            return Delivery(False, str(error))
        return deliver(url, headers, json.loads(one.payload), hook.timeout_seconds)

    @property
    def _claim_seconds(self) -> float:
        return 2 * self._webhook.timeout_seconds

    def _claim(self, one: Notification) -> bool:
        """Nobody else sends it meanwhile; if this process dies over it, it is sent again."""
        until = self._process_now() + timedelta(seconds=self._claim_seconds)
        with self._store.write() as connection:
            return notifications.claim(connection, one, until)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self.deliver_due()
            except StoreError as error:
                log.warning("notifications wait: %s", error)
            except Exception:
                log.exception("notifications wait: unexpected error")
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()
