"""What the tests of the configuration share: a file from a text, and its problems."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from driftwatch.config.load import load_settings
from driftwatch.config.settings import Settings
from driftwatch.errors import ConfigError

Load = Callable[..., Settings]
Tell = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Settings of a text, written to config.yaml in a working directory of its own."""
    monkeypatch.chdir(tmp_path)

    def load_text(text: str | bytes, env: Mapping[str, str] | None = None) -> Settings:
        content = text.encode() if isinstance(text, str) else text
        Path("config.yaml").write_bytes(content)
        return load_settings(Path("config.yaml"), env or {})

    return load_text


@pytest.fixture
def tell(load: Load) -> Tell:
    """The lines that a broken text is told with, without the name of the file."""

    def tell_text(text: str | bytes, env: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, env)
        lines = str(caught.value).split("\n")
        assert all(line.startswith("config.yaml:") for line in lines)
        return [line.removeprefix("config.yaml:").strip() for line in lines]

    return tell_text


MONITOR = """\
sources: {logs: sqlite:///logs.db}
monitors:
  - name: delay
    table: predictions
    timestamp: scored_at
    reference: {from: 2026-09-01, to: 2026-10-01}
"""
"""All that a monitor needs but its columns; what is added begins on line 7."""


def monitor(*lines: str, columns: str = "features: [distance]") -> str:
    """A whole file with further lines of its one monitor, columns on line 7, lines after it."""
    return MONITOR + "".join(f"    {line}\n" for line in (columns, *lines))
