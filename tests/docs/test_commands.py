"""docs/reference/commands.md documents every command and option, and nothing else."""

import re
from typing import Any

import pytest
from typer.main import get_command

from driftwatch.cli.commands import app
from tests.docs.markdown import DOCS, in_code, tables

PAGE = DOCS / "reference" / "commands.md"
COMMANDS: dict[str, Any] = dict(get_command(app).commands)  # type: ignore[attr-defined]  # a group
GROUPS = [name for name, one in COMMANDS.items() if hasattr(one, "commands")]
WORDS_FOR = {
    "off": False, "all": None, "the longest": None, "the newest": None, "all rows": "",
    "none": None,
}  # fmt: skip
"""Defaults that the page says in words."""


def documented() -> dict[str, list[list[str]]]:
    """Command -> its rows. A command without options has no row."""
    headings = re.findall(r"^## driftwatch (\S+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(set(headings)) == len(headings)
    rows = tables(PAGE)
    return {name: rows.get(f"driftwatch {name}", []) for name in headings}


def names(parameter: Any) -> list[str]:
    """As they are typed: options with their dashes, arguments as their metavar."""
    if parameter.param_type_name == "argument":
        return [str(parameter.name).upper()]
    # A flag can also be undone (--no-once): that is what it does without being given.
    return [str(option) for option in parameter.opts]


def test_every_command_has_its_section_and_no_section_is_left_over() -> None:
    assert set(documented()) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_documented_and_no_other(command: str) -> None:
    rows = {tuple(in_code(row[0])): row for row in documented()[command]}
    parameters = {tuple(names(one)): one for one in COMMANDS[command].params}
    if command in GROUPS:
        rows = {}  # its subcommands are held to the page below
    assert set(rows) == set(parameters)
    for key, parameter in parameters.items():
        _, default, meaning = rows[key]
        if parameter.required:
            assert default == "required"
        elif default in WORDS_FOR:
            assert parameter.default == WORDS_FOR[default]
        else:
            assert in_code(default) == [str(parameter.default)]
        if parameter.envvar:
            assert f"`{parameter.envvar}`" in meaning


@pytest.mark.parametrize("group", GROUPS)
def test_every_subcommand_is_documented_with_its_arguments(group: str) -> None:
    said = {row[0].strip("`").split()[0]: row[0] for row in documented()[group]}
    there = COMMANDS[group].commands
    assert set(said) == set(there)
    for name, command in there.items():
        for one in command.params:
            if "--config" not in one.opts:
                assert names(one)[0] in said[name], (name, names(one))


def test_the_exit_codes_are_documented() -> None:
    from driftwatch.cli import backfill, check, evaluate  # noqa: PLC0415 - what they return

    codes = {row[0].strip("`"): row[1] for row in tables(PAGE)["Exit codes"]}
    usage = 2
    used = {check.FINE, check.FAILURE, check.FINDINGS, evaluate.FAILURE, evaluate.DRIFT, usage}
    used |= {backfill.FINE, backfill.INTERRUPTED}
    assert set(codes) == {str(code) for code in used}
    assert "`evaluate`" in codes[str(evaluate.DRIFT)]
    assert "`check`" in codes[str(check.FINDINGS)]
