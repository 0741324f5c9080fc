"""SQL that the user wrote: one statement, ready to be put inside another."""

import re

from driftwatch.errors import SourceError

_QUOTED = (
    r"--[^\n]*",  # each of these may hold a semicolon that ends nothing
    r"/\*.*?(?:\*/|$)",
    r"'(?:[^']|'')*(?:'|$)",
    r'"(?:[^"]|"")*(?:"|$)',
)
_OF_POSTGRESQL = (
    r"(?<![\w$])[eE]'(?:[^'\\]|''|\\.)*(?:'|$)",
    r"(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|$)",
)
_OF_SQLITE = (r"`(?:[^`]|``)*(?:`|$)", r"\[[^\]]*(?:\]|$)")
_TOKENS = {
    dialect: re.compile("|".join((*own, *_QUOTED, ";")), re.DOTALL)
    for dialect, own in (("postgresql", _OF_POSTGRESQL), ("sqlite", _OF_SQLITE))
}
_COMMENT = ("--", "/*")


def one_statement(written: str, dialect: str) -> str:
    """The statement without the semicolon behind it; SourceError if there is none or a second.

    It may end in a comment: a line must follow it before anything else does.

    >>> one_statement("select ';' as x; -- done", "sqlite")
    "select ';' as x"
    """
    end = next((m.start() for m in _TOKENS[dialect].finditer(written) if m[0] == ";"), None)
    statement = written if end is None else written[:end]
    if not _bare(statement, dialect):
        raise SourceError("there is no statement in this SQL; write one SELECT")
    if end is not None and _bare(written[end:], dialect).strip("; \n\t\r"):
        raise SourceError("there is a second statement in this SQL; write one SELECT")
    return statement


def _bare(written: str, dialect: str) -> str:
    """Without comments and space around it."""

    def without_comment(match: re.Match[str]) -> str:
        return " " if match[0].startswith(_COMMENT) else match[0]

    return _TOKENS[dialect].sub(without_comment, written).strip()
