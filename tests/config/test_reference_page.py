"""docs/reference/config.md names every key, and no other, with its true default."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from driftwatch.alert.policy import AlertPolicy
from driftwatch.verdict.policy import CalibratedThreshold, VolumeThreshold
from driftwatch.window import format_duration
from tests.config.keys import schema_keys

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "config.md"
REQUIRED = {
    *("sources", "sources.<name>", "monitors", "monitors[].name", "monitors[].timestamp"),
    *("monitors[].reference", "monitors[].features[].name"),
}


def rows() -> Iterator[tuple[str, str, str, str]]:
    for line in PAGE.read_text().splitlines():
        if line.startswith("| `"):
            key, kind, default, meaning = (cell.strip() for cell in line.strip("| ").split(" | "))
            yield key.strip("`"), kind, default.strip("`"), meaning


def test_every_key_has_one_row() -> None:
    keys = [key for key, *_ in rows()]

    assert sorted(keys) == sorted({*schema_keys(), "sources.<name>"})


def test_every_row_says_something() -> None:
    assert all(kind and default and len(meaning) > 5 for _, kind, default, meaning in rows())


def _limits(policy: CalibratedThreshold | VolumeThreshold) -> str:
    limits = (policy.warning, policy.critical, policy.clear)
    words = zip(("warning", "critical", "clear"), limits, strict=True)
    return f"{{{', '.join(f'{word}: {limit:g}' for word, limit in words)}}}"


def _default(key: str, kind: str, field: FieldInfo) -> str:
    """The default as the page should write it."""
    value = field.get_default(call_default_factory=True)
    if key in REQUIRED or value is PydanticUndefined:
        return "required"
    special = {
        "store": "sqlite:///driftwatch.db",
        "store.url": "sqlite:///driftwatch.db",
        "listen": "127.0.0.1:10777",
        "monitors[].thresholds": f"{{effect: {_limits(CalibratedThreshold())}}}",
        "monitors[].volume": _limits(VolumeThreshold()),
        "monitors[].alert": f"{{k: {AlertPolicy().k}, of: {AlertPolicy().of}}}",
    }
    if key in special:
        return special[key]
    return _shown(value, kind)


def _shown(value: object, kind: str) -> str:
    if isinstance(value, list):
        return f"[{', '.join(format_duration(seconds) for seconds in value)}]"
    if isinstance(value, BaseModel) or value is None:
        return "forever" if kind.endswith("or forever") else "none"
    if value == {}:
        return "{}"
    if isinstance(value, int) and kind.startswith("duration"):
        return format_duration(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row[0])
def test_defaults_are_true(row: tuple[str, str, str, str]) -> None:
    key, kind, default, _ = row
    if key == "sources.<name>":
        assert default == "required"
    else:
        assert default == _default(key, kind, schema_keys()[key])


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    text = PAGE.read_text()
    bounds = {
        "monitors[].features[].levels": "1 to 1000",
        "monitors[].features[].bins.count": "2 to 200",
        "monitors[].features[].bins.edges": "1 to 200",
        "sources.<name>.max_concurrent": "1 to 32",
        "monitors[].windows": "at most 16",
        "monitors[].segments.by": "at most 8",
        "monitors[].segments.by[].columns": "at most 3",
        "monitors[].segments.by[].limit": "1 to 100",
    }
    for key, words in bounds.items():
        told = set(re.findall(r"\d+", words))
        metadata = " ".join(map(str, schema_keys()[key].metadata))
        assert told <= set(re.findall(r"\d+", metadata)), key
        assert re.search(rf"`{re.escape(key)}`.*{words}", text), key
