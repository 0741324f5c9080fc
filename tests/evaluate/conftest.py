"""Worlds of each kind: the log and the store in SQLite files, and both in PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evaluate.world import World, opened, with_reference


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A log and a store without rows, of each kind in turn."""
    if request.param == "sqlite":
        urls = (f"sqlite:///{tmp_path / 'log.db'}", f"sqlite:///{tmp_path / 'store.db'}")
    else:
        one = request.getfixturevalue("postgres_url")
        urls = (one, one)
    with opened(*urls) as world:
        yield world


@pytest.fixture
def world(empty_world: World) -> World:
    """A world whose log holds the reference and nothing after it."""
    return with_reference(empty_world)


@pytest.fixture
def small_empty_world(tmp_path: Path) -> Iterator[World]:
    """A log and a store without rows in SQLite alone, for what no database can change."""
    urls = (f"sqlite:///{tmp_path / 'log.db'}", f"sqlite:///{tmp_path / 'store.db'}")
    with opened(*urls) as made:
        yield made


@pytest.fixture
def small_world(small_empty_world: World) -> World:
    """The same with its reference."""
    return with_reference(small_empty_world)
