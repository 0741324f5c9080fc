"""docs/explanation/dependencies.md gives a reason for every dependency, and for no other."""

import re
import tomllib

from tests.docs.markdown import DOCS, TOP, in_code, tables

PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
PAGE = tables(DOCS / "explanation" / "dependencies.md")


def required(requirements: list[str]) -> list[str]:
    """The names alone, without extras and versions."""
    return sorted(re.split(r"[^A-Za-z0-9_.-]", one, maxsplit=1)[0] for one in requirements)


def documented(heading: str) -> list[str]:
    rows = PAGE[heading]
    assert all(reason for _, reason in rows)
    return sorted(in_code(name)[0] for name, _ in rows)


def test_what_runs_is_documented() -> None:
    assert documented("To run") == required(PROJECT["dependencies"])


def test_every_extra_is_documented() -> None:
    extras = PROJECT["optional-dependencies"]
    headings = {
        "build": "To build",
        "dev": "To work on it",
        "parquet": "To read Parquet files",
        "dashboards": "To make dashboards",
    }
    assert set(extras) == set(headings)
    for extra, heading in headings.items():
        assert documented(heading) == required(extras[extra])
