"""The closed lists of label values about the daemon itself."""

import logging
from collections.abc import Iterator, Mapping
from enum import StrEnum

from driftwatch.errors import DriftwatchError


def _outcomes_of(error: type[DriftwatchError]) -> Iterator[str]:
    yield error.outcome
    for narrower in error.__subclasses__():
        yield from _outcomes_of(narrower)


SUCCESSES: tuple[str, ...] = ("success", "no_data")
"""Outcomes of an evaluation that did its work; no_data: nothing to judge was there."""

OUTCOMES: tuple[str, ...] = (*SUCCESSES, *sorted(set(_outcomes_of(DriftwatchError))))
"""How an evaluation may end: well, or by one class of the tree of errors."""

SKIP_REASONS: tuple[str, ...] = ("still_running", "too_late", "stopping")
"""Why an evaluation that was due did not start."""

STAGES: tuple[str, ...] = ("scan", "store", "judge")
"""The stages of an evaluation whose durations are kept apart."""

PRUNED_TABLES: tuple[str, ...] = (
    "pane",
    "joint_count",
    "result",
    "evaluation",
    "alert_event",
    "annotation",
    "notification",
)
"""Tables whose rows are deleted when they are older than they are kept."""

LOG_LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
"""Levels that messages are counted by, rising."""


class DeliveryOutcome(StrEnum):
    """How one attempt to deliver a notification ended."""

    DELIVERED = "delivered"
    FAILED = "failed"
