"""A world in SQLite for what the daemon does around evaluations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evaluate.world import World, opened, with_reference


@pytest.fixture
def empty_world(tmp_path: Path) -> Iterator[World]:
    """A world whose log holds nothing."""
    urls = (f"sqlite:///{tmp_path / 'log.db'}", f"sqlite:///{tmp_path / 'store.db'}")
    with opened(*urls) as made:
        yield made


@pytest.fixture
def world(empty_world: World) -> World:
    """A world whose log holds the reference and nothing after it."""
    return with_reference(empty_world)
