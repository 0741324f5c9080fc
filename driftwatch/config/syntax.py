"""What is wrong with a text that is not YAML, in words that quote none of it."""

import re

import yaml

_RULES: tuple[tuple[str, str], ...] = (
    (
        "mapping values are not allowed",
        "a ': ' where none fits; check the indentation, or quote a value that holds ': '",
    ),
    ("unknown escape", "an unknown \\ in double quotes; use single quotes, or \\\\ for a plain \\"),
    ("quoted scalar", "a quote is not closed; close it on the value's own line"),
    ("undefined alias", "an alias (*) without its anchor; quote a value that begins with *"),
    ("alias", "a * or & without a name; quote a value that begins with * or &"),
    ("anchor", "a * or & without a name; quote a value that begins with * or &"),
    ("cannot start any token", "a value begins with a character that YAML keeps; quote the value"),
    ("could not find expected ':'", "a line that is not 'key: value'; check it and the line above"),
    ("sequence entries are not allowed", "a '- ' where none fits; begin a list on its own line"),
    ("mapping keys are not allowed", "a '?' where none fits; quote a value that holds one"),
    ("'<stream end>'", "a '[' or '{' is not closed before the file ends; close it"),
    ("node content", "a sign of YAML's own where a value belongs; remove it, or quote the value"),
    ("<document start>", "the indentation does not fit the lines above, or a bracket is left over"),
    ("flow sequence", "a '[' is not closed, or a ',' is missing between its entries"),
    ("flow mapping", "a '{' is not closed, or a ',' is missing between its entries"),
    ("block mapping", "the indentation does not fit the lines above"),
    ("block collection", "the indentation does not fit the lines above"),
    ("block scalar", "a '|' or '>' is followed by something else; begin the text on the next line"),
    ("single document", "a second document ('---'); a configuration is one document"),
    ("tag", "a tag (!...) has no meaning here; quote a value that begins with !"),
    ("directive", "a line begins with %; quote it"),
)

_NO_REASON = "something that YAML does not know; check this line and the one above"


def syntax_problem(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The line (from 1) and what to do there. The text itself may be a secret: never quoted."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return line, "a control character; remove it"
    if not isinstance(error, yaml.MarkedYAMLError):
        return 1, f"not YAML: {_NO_REASON}"
    mark = error.problem_mark or error.context_mark
    last = max(1, len(text.rstrip().splitlines()))
    line = min(mark.line + 1 if mark else 1, last)
    tab = _tab_line(text, line)
    if tab:
        return tab, "a tab in the indentation; YAML indents with spaces"
    told = f"{error.problem or ''} {error.context or ''}"
    open_quote = "quoted scalar" in told and "escape" not in told
    if (open_quote or "'<stream end>'" in told) and error.context_mark:
        line = min(error.context_mark.line + 1, last)
    return line, "not YAML: " + next((say for sign, say in _RULES if sign in told), _NO_REASON)


def _tab_line(text: str, line: int) -> int | None:
    """The line at or just above `line` that is indented with a tab."""
    lines = text.splitlines()
    return next(
        (
            number
            for number in (line, line - 1)
            if 1 <= number <= len(lines) and re.match(r"[ -]*\t", lines[number - 1])
        ),
        None,
    )
