"""The pictures of the docs are those that their script draws, and the pages say what they show."""

import re
from xml.etree import ElementTree

import pytest

from docs.pictures.__main__ import FOLDER, PICTURES
from tests.docs.markdown import DOCS, TOP, pages

_IMAGE = re.compile(r"!\[([^\]]+)\]\(([^)\s]+)\)")


def shown() -> dict[str, str]:
    """File's name -> text of the page that shows it, with single blanks; images are of this
    folder."""
    found = {}
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for words, link in _IMAGE.findall(text):
            assert words, "who does not see a picture is told what it shows"
            path = (page.parent / link).resolve()
            assert path.parent == FOLDER, f"{page.relative_to(TOP)} shows {link}"
            found[path.name] = re.sub(r"\s+", " ", text)
    return found


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_its_script_draws_and_what_its_page_says(name: str) -> None:
    made = PICTURES[name]()
    assert made.name == name
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == made.svg, (
        "python -m docs.pictures draws it again"
    )
    page = shown()[f"{name}.svg"]
    assert made.said
    assert [phrase for phrase in made.said if phrase not in page] == []


def test_every_picture_is_shown_and_no_other() -> None:
    drawn = {f"{name}.svg" for name in PICTURES}
    assert set(shown()) == {path.name for path in DOCS.rglob("*.svg")} == drawn


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_a_title_and_nothing_leaves_its_sheet(name: str) -> None:
    sheet = ElementTree.parse(FOLDER / f"{name}.svg").getroot()
    space = {"svg": "http://www.w3.org/2000/svg"}
    title = sheet.find("svg:title", space)
    assert title is not None
    assert title.text
    width, height = float(sheet.attrib["width"]), float(sheet.attrib["height"])
    for text in sheet.iterfind("svg:text", space):
        letters = 6.6 * len(text.text or "")
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib["text-anchor"]]
        left = float(text.attrib["x"]) - before * letters
        assert left >= 0, text.text
        assert left + letters <= width, text.text
        assert 0 < float(text.attrib["y"]) < height, text.text
