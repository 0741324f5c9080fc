"""Reads the pages of docs/: tables under their headings, fenced blocks, links."""

import re
from pathlib import Path

TOP = Path(__file__).parent.parent.parent
DOCS = TOP / "docs"

_FENCE = re.compile(r"^```([\w ]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.*)$")
_SEPARATOR = re.compile(r"[ |:-]+")


def pages() -> list[Path]:
    """Every page that a reader is led to."""
    return sorted([*TOP.glob("*.md"), *DOCS.glob("**/*.md")])


def named(path: Path) -> str:
    return str(path.relative_to(TOP))


def fences(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in their order."""
    found = _FENCE.findall(path.read_text(encoding="utf-8"))
    return [body for of_language, body in found if of_language == language]


def without_fences(text: str) -> str:
    return _FENCE.sub("", text)


def tables(path: Path) -> dict[str, list[list[str]]]:
    """Heading -> rows of the tables below it, each a list of cells, without the header row."""
    found: dict[str, list[list[str]]] = {}
    heading, in_table = "", False
    for line in without_fences(path.read_text(encoding="utf-8")).splitlines():
        if match := _HEADING.match(line):
            heading = match[1]
        if not line.startswith("|"):
            in_table = False
        elif not in_table:
            in_table = True  # the header row
        elif not _SEPARATOR.fullmatch(line):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            found.setdefault(heading, []).append([cell.strip() for cell in cells])
    return found


def in_code(cell: str) -> list[str]:
    """What a cell has in `code`, in its order."""
    return re.findall(r"`([^`]+)`", cell)
