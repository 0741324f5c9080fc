"""Links lead somewhere, and no text names a place that exists for its author alone."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.markdown import TOP, named, pages, without_fences

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_IN_CODE = re.compile(r"`[^`\n]*`")
_ELSEWHERE = ("http://", "https://", "mailto:")

INSTALLS_THE_OTHER = re.compile(r"\binstall\b[^\n`]*\s['\"]?driftwatch\b(?![/-])", re.IGNORECASE)
"""The distribution of that name belongs to somebody else."""

HOSTS_OF_REGISTRIES = re.compile(
    r"pypi|pythonhosted|artifactory|nexus|devpi|npmjs|docker\.io|ghcr\.io|quay\.io|index-url"
    r"|proxy\.golang|conda\.anaconda",
    re.IGNORECASE,
)
PATHS_OF_MACHINES = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|Users|mnt|private)/\w")

TEXTS = sorted(
    {
        *pages(),
        *TOP.glob("*.yaml"),
        *(path for path in TOP.glob("deploy/**/*") if path.is_file()),
        *TOP.glob(".ci/grafana-schema/*.json"),
        *TOP.glob("*.lock"),
        TOP / "Makefile",
        TOP / "pyproject.toml",
    }
)


def links(path: Path) -> list[str]:
    text = _IN_CODE.sub("", without_fences(path.read_text(encoding="utf-8")))
    return [link for link in _LINK.findall(text) if not link.startswith(_ELSEWHERE)]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def broken(path: Path) -> list[str]:
    found = []
    for link in links(path):
        place, _, anchor = unquote(link).partition("#")
        target = (path.parent / place).resolve() if place else path
        known = target.exists() and target.is_relative_to(TOP)
        if not known or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("path", pages(), ids=named)
def test_every_relative_link_leads_to_a_file_of_the_repository(path: Path) -> None:
    assert broken(path) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here it is\n[a](#here-it-is) [b](#gone) [c](gone.md) [d](https://e.org)\n")
    assert links(page) == ["#here-it-is", "#gone", "gone.md"]
    assert anchors(page) == {"here-it-is"}


def test_every_page_of_the_docs_is_reached_from_their_index() -> None:
    index = TOP / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    folders = {one for one in linked if one.is_dir()}
    pages_of_docs = set(index.parent.glob("**/*.md")) - {index}
    assert [one for one in pages_of_docs if one not in linked and one.parent not in folders] == []


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_no_text_names_a_registry_a_machine_or_the_other_package(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for forbidden in (INSTALLS_THE_OTHER, HOSTS_OF_REGISTRIES, PATHS_OF_MACHINES):
        assert forbidden.findall(text) == []


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("pip install driftwatch", INSTALLS_THE_OTHER),
        ("uv pip install --upgrade driftwatch[all]", INSTALLS_THE_OTHER),
        ("see https://pypi.org/simple", HOSTS_OF_REGISTRIES),
        ("cd /home/somebody/driftwatch", PATHS_OF_MACHINES),
    ],
)
def test_what_must_not_be_written_would_be_found(text: str, forbidden: re.Pattern[str]) -> None:
    assert forbidden.search(text)
