"""Shops over SQLite, over PostgreSQL, and over each in turn."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shop import Shop


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """The commands send the log lines of their process to standard error; give them back."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    """Over SQLite."""
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, f"sqlite:///{tmp_path / 'orders.db'}", capsys, monkeypatch)


@pytest.fixture
def postgres_shop(
    postgres_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shop:
    """Over PostgreSQL."""
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, postgres_url, capsys, monkeypatch)


@pytest.fixture(params=["shop", "postgres_shop"])
def any_shop(request: pytest.FixtureRequest) -> Shop:
    """Over each in turn."""
    found: Shop = request.getfixturevalue(request.param)
    return found
