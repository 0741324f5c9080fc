"""What the pages for people ask of whoever serves them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """One result that is to be explained, as it was asked for. "" and None: not said."""

    monitor: str
    feature: str
    segment: str = ""
    window: str | None = None
    end: str | None = None


class PageError(Exception):
    """A page that cannot be given, with its HTTP status; the message is the page instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Pages:
    """config: the configuration in use as text, without secrets, at once. explain: the text of a
    result, read from the store, in a thread of its own; PageError if there is none."""

    config: Callable[[], str]
    explain: Callable[[ExplainRequest], str]
