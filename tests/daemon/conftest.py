"""A world in SQLite for what the daemon does around evaluations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evaluate.world import World, opened, with_reference


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world whose log holds the reference and nothing after it."""
    urls = (f"sqlite:///{tmp_path / 'log.db'}", f"sqlite:///{tmp_path / 'store.db'}")
    with opened(*urls) as made:
        yield with_reference(made)
