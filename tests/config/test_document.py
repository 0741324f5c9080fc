"""YAML to nodes: places, duplicate keys, no surprise of YAML 1.1, syntax errors with lines."""

from pathlib import Path

import pytest

from driftwatch.config.document import read_document
from driftwatch.config.node import Node
from driftwatch.config.problem import Problems
from driftwatch.errors import ConfigError
from tests.config.conftest import Tell


def read(tmp_path: Path, text: str) -> Node:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    problems = Problems("config.yaml")
    node = read_document(path, {"NAME": "value"}, problems)
    problems.raise_if_any()
    assert node is not None
    return node


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *((text, text) for text in ("on", "NO", "yes", "y", "off", "1:30", "007", "1_000", "0x1F")),
        *((text, text) for text in ("2026-09-01", "2026-09-01T06:00:00Z", "<<", "=", "1e", "0o7")),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ('""', ""),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("1E5", 100_000.0),
        ("-1.5e+2", -150.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("${NAME}", "value"),
        ("9999999999999999999", "9999999999999999999"),
    ],
)
def test_scalars_are_what_they_look_like(tmp_path: Path, written: str, value: object) -> None:
    node = read(tmp_path, f"key: {written}\n").get("key")

    assert node is not None
    assert node.value == value
    assert type(node.value) is type(value)


def test_keys_are_text(tmp_path: Path) -> None:
    assert list(read(tmp_path, "on: 1\n2013: 2\ntrue: 3\nnull: 4\n").mapping or {}) == [
        "on",
        "2013",
        "true",
        "null",
    ]


def test_every_key_and_value_has_its_line_and_place(tmp_path: Path) -> None:
    top = read(tmp_path, "a:\n  - b: 1\n    c d:\n      7\n  - >\n    text\nö: {x: [1]}\n")

    def places(node: Node) -> list[tuple[str, int, int]]:
        children = [*(node.mapping or {}).values(), *(node.items or ())]
        return [
            (node.place, node.key_line, node.line),
            *(place for child in children for place in places(child)),
        ]

    assert places(top) == [
        ("", 1, 1),
        ("a", 1, 2),
        ("a[0]", 2, 2),
        ("a[0].b", 2, 2),
        ('a[0]["c d"]', 3, 4),
        ("a[1]", 5, 5),
        ("ö", 7, 7),
        ("ö.x", 7, 7),
        ("ö.x[0]", 7, 7),
    ]


def test_aliases_are_written_out(tmp_path: Path) -> None:
    node = read(tmp_path, "a: &x {k: [1]}\nb: *x\n")

    assert node.plain() == {"a": {"k": [1]}, "b": {"k": [1]}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ": the file is empty; write at least sources and monitors (`driftwatch demo` writes"),
        ("# nothing\n\n", ": the file is empty; write at least sources and monitors"),
        ("---\n", ": the file is empty; write at least sources and monitors"),
        ("- a\n", "1: must be a mapping of keys"),
        ("\n\njust text\n", "3: must be a mapping of keys"),
        ("a: 1\nb: 2\na: 3\n", "3: a: written twice, first on line 1; keep one"),
        ("a:\n  x: 1\n  x: 2\n", "3: a.x: written twice, first on line 2; keep one"),
        ("a:\n\tb: 1\n", "2: a tab in the indentation; YAML indents with spaces"),
        ("a:\n  b: 1\n\tc: 1\n", "3: a tab in the indentation; YAML indents with spaces"),
        ("a: b: c\n", "1: not YAML: a ': ' where none fits"),
        ("a:\n - x\n b: 1\n", "3: not YAML: the indentation does not fit the lines above"),
        ("a: 1\n b: 2\n", "2: not YAML: a ': ' where none fits; check the indentation"),
        ("\na: 'x\n\nb: 1\n", "2: not YAML: a quote is not closed"),
        ('a: "\\q"\n', "1: not YAML: an unknown \\ in double quotes"),
        ("a: [1, 2\nb: 3\n", "2: not YAML: a '[' is not closed"),
        ("a: {b: 1\nc: 3\n", "2: not YAML: a '{' is not closed"),
        ("a: @x\n", "1: not YAML: a value begins with a character that YAML keeps"),
        ("a: `x`\n", "1: not YAML: a value begins with a character that YAML keeps"),
        ("a: *x\n", "1: not YAML: an alias (*) without its anchor; quote a value that begins"),
        ("a: *\n", "1: not YAML: a * or & without a name; quote"),
        ("a: | x\n  b\n", "1: not YAML: a '|' or '>' is followed by something else"),
        ("a: 1\nb\nc: 2\n", "3: not YAML: a line that is not 'key: value'"),
        ("a: 1\n---\nb: 2\n", "2: not YAML: a second document ('---')"),
        ("a: [1,\n 2,\n", "2: not YAML: a '[' or '{' is not closed before the file ends; close it"),
        ("a:\n  - {b: 1\n\n\n", "2: not YAML: a '[' or '{' is not closed before the file ends"),
        ("a:\n  b: 1\n  c:| x\n", "3: not YAML: a line that is not 'key: value'"),
        ("a: - b\n", "1: not YAML: a '- ' where none fits; begin a list on its own line"),
        ("a: [b]? c\n", "1: not YAML: a '?' where none fits; quote a value that holds one"),
        ("a: 1\n}\n", "2: not YAML: the indentation does not fit the lines above"),
        ("{a: 1}\n]\n", "2: not YAML: the indentation does not fit the lines above, or a brac"),
        ("a: [b,, c]\n", "1: not YAML: a sign of YAML's own where a value belongs; remove it, or"),
        ("a: 1\nb: !env X\n", "2: b: a tag (!...) has no meaning here; remove it"),
        ("a: !!python/object:os.system [x]\n", "1: a: a tag (!...) has no meaning here"),
        ("a: !!timestamp 2026-09-01\n", "1: a: a tag (!...) has no meaning here"),
        ("a: !!int x\n", "1: a: does not fit its tag (!!...); remove the tag"),
        ("a: !!bool x\n", "1: a: does not fit its tag (!!...); remove the tag"),
        ("%x\na: 1\n", "2: not YAML: "),
        ("a: !<x\n", "1: not YAML: a tag (!...) has no meaning here"),
        ("? [a]\n: b\n", "1: a key is a list or a mapping; keys are text"),
        ("a: &x [*x]\n", "1: a[0]: contains itself by an alias; write it out"),
        ("a: 1\nb: \x07\n", "2: a control character; remove it"),
        (b"a: 1\nb: \xff\n", "2: not UTF-8; save the file as UTF-8"),
        ("[" * 5000, "1: nested too deeply; a configuration needs a few levels only"),
    ],
)
def test_broken_text_is_told_with_its_line(tell: Tell, text: str | bytes, line: str) -> None:
    assert any(told.startswith(line.removeprefix(": ")) for told in tell(text)), tell(text)


def test_aliases_that_multiply_are_refused(tell: Tell) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
    )

    assert "1: more than 100000 values; use fewer aliases" in tell(bomb)


def test_byte_order_mark_and_carriage_returns_are_no_trouble(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffa: 1\r\nb: x\r\n").plain() == {"a": 1, "b": "x"}


def test_directory_is_told(tmp_path: Path) -> None:
    problems = Problems("config.yaml")

    assert read_document(tmp_path, {}, problems) is None
    assert problems


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\r\n"])
@pytest.mark.parametrize(
    "broken", ["a: {b", "a: [b, {c: 1", "a:\n  b: 1\n  c:| x", "a: 'x", "{", "a: *"]
)
def test_the_line_that_is_told_is_one_of_the_file(tell: Tell, broken: str, end: str) -> None:
    (line,) = tell(broken + end)

    assert 1 <= int(line.partition(":")[0]) <= len(broken.splitlines())
    assert ";" in line


def test_a_file_that_is_far_too_long_is_not_parsed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"longer than 10 MB; is it another file\?"):
        read(tmp_path, "# no end\n" * 1_200_000)
    problems = Problems("zero")
    assert read_document(Path("/dev/zero"), None, problems) is None
    with pytest.raises(ConfigError, match="longer than 10 MB"):
        problems.raise_if_any()


def test_a_name_that_no_file_has(tmp_path: Path) -> None:
    problems = Problems("config.yaml")
    assert read_document(tmp_path / "a\0b", None, problems) is None
    with pytest.raises(ConfigError, match="cannot be read: no file has such a name"):
        problems.raise_if_any()
