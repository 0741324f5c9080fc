"""The pages for people that the daemon serves, made by what the commands print."""

from collections.abc import Callable

from driftwatch.cli.explain import explain_page
from driftwatch.config.settings import Settings
from driftwatch.config.shown import show_settings
from driftwatch.exposition.pages import Pages


def pages_of(settings: Callable[[], Settings]) -> Pages:
    """settings: the configuration in use at the moment of the call; a reload may change it."""
    return Pages(
        config=lambda: show_settings(settings()),
        explain=lambda asked: explain_page(settings(), asked),
    )
