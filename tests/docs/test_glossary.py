"""Code and docs keep to the words of docs/glossary.md; the words to avoid are read from it."""

import re
import tokenize
from pathlib import Path

import pytest

from driftwatch.alert.policy import AlertState
from driftwatch.errors import DriftwatchError
from driftwatch.stats.kind import ChangeKind
from driftwatch.verdict.explanation import NextStep
from driftwatch.verdict.harm import SeverityRule
from driftwatch.verdict.policy import Verdict

TOP = Path(__file__).parent.parent.parent
GLOSSARY = TOP / "docs" / "glossary.md"
CODE = sorted([*TOP.glob("driftwatch/**/*.py"), *TOP.glob("migrations/**/*.py")])
PROSE = sorted({*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), *TOP.glob("*.yaml")} - {GLOSSARY})
IN_CODE_STYLE = re.compile(r"`([^`]+)`")


def rows() -> dict[str, tuple[str, str]]:
    """Word -> (meaning, what it is not), of all tables of the glossary."""
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    named = [row for row in cells if row[0] != "word" and set(row[0]) != {"-"}]
    assert all(len(row) == 3 for row in named)
    assert len({row[0] for row in named}) == len(named), "a word has two meanings"
    return {word: (meaning, instead_of) for word, meaning, instead_of in named}


def avoided() -> list[str]:
    """The words to avoid, as `words` splits them: `drifted=True` becomes "drifted true"."""
    code_styled = (IN_CODE_STYLE.findall(instead_of) for _, instead_of in rows().values())
    prometheus_label = "le"
    return sorted({words(x) for found in code_styled for x in found} - {prometheus_label})


def words(text: str) -> str:
    """Lower case words separated by one blank: identifiers fall apart, plurals lose their s.

    >>> words("ReferenceBaseline.chunk_sizes")
    'reference baseline chunk size'
    """
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    found = re.findall(r"[A-Za-z]+", apart)
    return " ".join(re.sub(r"(?<=[a-rt-z])s$", "", word.lower()) for word in found)


def uses(text: str) -> list[str]:
    """The words to avoid that occur in a text."""
    padded = f" {words(text)} "
    return [word for word in avoided() if f" {word} " in padded]


def test_the_glossary_says_which_words_to_avoid() -> None:
    assert {"baseline", "chunk", "drift score", "drifted true"} <= set(avoided())
    assert "bucket" not in avoided()
    assert "le" not in avoided()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("baseline_rows = 3", ["baseline"]),
        ("class ChunkReader:", ["chunk"]),
        ("# the drift scores of all", ["drift score"]),
        ("result(drifted=True)", ["drifted true"]),
        ("reference_rows = 3  # of a window", []),
    ],
)
def test_an_avoided_word_is_found_wherever_it_hides(text: str, found: list[str]) -> None:
    assert uses(text) == found


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(TOP)))
def test_code_keeps_to_the_glossary(path: Path) -> None:
    with tokenize.open(path) as stream:
        assert uses(stream.read()) == []


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(TOP)))
def test_docs_keep_to_the_glossary(path: Path) -> None:
    """A word of another tool may be quoted in `code`; examples in fences are held to it."""
    text = path.read_text(encoding="utf-8").replace("```", "")
    assert uses(IN_CODE_STYLE.sub("", text)) == []


def test_words_that_the_code_enumerates_are_all_in_the_glossary() -> None:
    def listed(word: str, key: str = ":") -> set[str]:
        return set(re.findall(r"[a-z_]+", rows()[word][0].split(key)[-1]))

    assert listed("verdict") == {str(verdict) for verdict in Verdict}
    assert {str(state) for state in AlertState} <= listed("alert", ";")
    assert listed("change") == {str(kind) for kind in ChangeKind}
    assert listed("next step") == {str(step) for step in NextStep}
    assert listed("severity rule") == {str(rule) for rule in SeverityRule}
    assert {error.outcome for error in errors(DriftwatchError)} <= listed("outcome")


def errors(of: type[DriftwatchError]) -> list[type[DriftwatchError]]:
    return [of, *(leaf for child in of.__subclasses__() for leaf in errors(child))]
